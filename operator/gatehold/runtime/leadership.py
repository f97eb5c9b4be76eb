"""Who acts: one Lease, renewed by compare-and-swap, judged by monotonic time only; `operator` runs it.

The leader is the leader until `renew_seconds` after its last successful renewal *began*, whether or not a later call has
come back; a standby takes over `lease_seconds` after it last saw the Lease change. As the first is shorter, two never act
at once, provided that their clocks run equally fast; what correctness rests on are the preconditions of each write.
A lost Lease ends the process. A graceful end empties the holder, so that a standby takes over at its next look.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gatehold.kube.client import Cluster
from gatehold.kube.clock import Clock, ClockUnknown
from gatehold.kube.errors import Absent, AlreadyExists, ApiError, Conflict
from gatehold.kube.resources import LEASES

log = logging.getLogger(__name__)
_LOOKS = 3
"""Looks of a standby for each renewal of the leader: a change that it has not seen yet is time in which nobody acts."""


class LeadershipLost(Exception):  # noqa: N818 - a state, named as one
    """Somebody else holds the Lease, or it could not be renewed in time: end the process."""


@dataclass(frozen=True, slots=True)
class Terms:
    """Where the Lease is and how long things last."""

    namespace: str
    name: str
    identity: str
    lease_seconds: float = 10.0
    renew_seconds: float = 7.0
    retry_seconds: float = 1.5


class Elector:
    """Runs for the Lease and keeps it."""

    def __init__(
        self, cluster: Cluster, clock: Clock, terms: Terms, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        """Nothing is asked before `run`. The cluster's request timeout must be below `retry_seconds`."""
        self._cluster = cluster
        self._clock = clock
        self._terms = terms
        self._monotonic = monotonic
        self._held: dict[str, Any] | None = None
        self._renewed = float("-inf")
        self._seen_version = ""
        self._seen_at = float("-inf")
        self.leading = asyncio.Event()

    def is_leader(self) -> bool:
        """Tell whether this process may act at this very moment."""
        return self._held is not None and self._monotonic() < self._renewed + self._terms.renew_seconds

    async def run(self) -> None:
        """Stand by, lead, and raise `LeadershipLost` at the end of it."""
        while not self.is_leader():  # noqa: ASYNC110 - what is waited for happens in another process
            await asyncio.sleep(await self._stand_by())
        self.leading.set()
        log.info("leading as %s", self._terms.identity)
        while self.is_leader():
            began = self._monotonic()
            if await self._renew():
                await asyncio.sleep(max(0.0, self._terms.retry_seconds - (self._monotonic() - began)))
        msg = f"the lease was not renewed within {self._terms.renew_seconds:g} s"
        raise LeadershipLost(msg)

    async def release(self) -> None:
        """Empty the holder; call it after the last write of this process and after `run` was cancelled."""
        held, self._held = self._held, None
        if held is None or self._monotonic() >= self._renewed + self._terms.renew_seconds:
            return
        with contextlib.suppress(ApiError):
            try:
                await self._empty(held)
            except Conflict:  # the renewal that was cut off with `run` has landed all the same
                lease = await self._look()
                if lease is not None and self._is_ours(lease):
                    await self._empty(lease)

    async def _empty(self, lease: dict[str, Any]) -> None:
        spec = {**lease["spec"], "holderIdentity": "", "leaseDurationSeconds": 1}
        await self._cluster.replace(LEASES, self._terms.namespace, {**lease, "spec": spec})
        log.info("released the lease")

    async def _stand_by(self) -> float:
        """Look once, try if it is free; return the seconds until the next look."""
        retry = self._terms.retry_seconds / _LOOKS
        try:
            lease = await self._look()
            free_in = self._free_in(lease)
            if free_in <= 0:
                await self._take(lease)
                return 0.0
        except (Conflict, AlreadyExists):
            return retry
        except (ApiError, ClockUnknown) as error:
            log.warning("standing by: %s", error)
            return retry
        # Waking up just when it runs out is what keeps a crash's gap near the lease's own length.
        return min(retry, free_in)

    async def _look(self) -> dict[str, Any] | None:
        try:
            return await self._cluster.get(LEASES, self._terms.namespace, self._terms.name)
        except Absent:
            return None

    def _free_in(self, lease: dict[str, Any] | None) -> float:
        """Seconds until the Lease may be taken, by this process's own observation of when it last changed."""
        holder = (lease.get("spec") or {}).get("holderIdentity") if lease else None
        # Our own name without our knowing it: the answer to `_take` was lost. Nobody else ever has this name.
        if lease is None or not holder or holder == self._terms.identity:
            return 0.0
        now = self._monotonic()
        version = lease["metadata"]["resourceVersion"]
        if version != self._seen_version:
            self._seen_version, self._seen_at = version, now
        # The holder's own duration counts where it is longer: during an upgrade the two may differ.
        lasts = max(self._terms.lease_seconds, float(lease["spec"].get("leaseDurationSeconds") or 0))
        return self._seen_at + lasts - now

    async def _take(self, lease: dict[str, Any] | None) -> None:
        began = self._monotonic()
        now = self._now()
        spec: dict[str, Any] = {
            "holderIdentity": self._terms.identity,
            "leaseDurationSeconds": max(1, round(self._terms.lease_seconds)),
            "acquireTime": now,
            "renewTime": now,
            "leaseTransitions": 0,
        }
        if lease is None:
            body = {"metadata": {"name": self._terms.name}, "spec": spec}
            self._held = await self._cluster.create(LEASES, self._terms.namespace, body)
        else:
            spec["leaseTransitions"] = int((lease.get("spec") or {}).get("leaseTransitions") or 0) + 1
            self._held = await self._cluster.replace(LEASES, self._terms.namespace, {**lease, "spec": spec})
        self._renewed = began

    async def _renew(self) -> bool:
        """Renew once; an error leaves the old term running, a foreign holder ends it. False: again, and at once.

        After a few seconds without a network, what was sent meanwhile arrives late and changes the Lease under our hands. To
        wait a turn then would cost the leadership that the network has just saved.
        """
        held, began = self._held or {}, self._monotonic()
        try:
            spec = {**held["spec"], "renewTime": self._now()}
            self._held = await self._cluster.replace(LEASES, self._terms.namespace, {**held, "spec": spec})
        except (Conflict, Absent):
            return not await self._contested()
        except (ApiError, ClockUnknown) as error:
            log.warning("the lease was not renewed: %s", error)
        else:
            self._renewed = began
        return True

    async def _contested(self) -> bool:
        """Look who wrote: our own renewal that came late is no loss, anybody else's hand on it is; True where known."""
        try:
            lease = await self._look()
        except ApiError as error:
            log.warning("the lease could not be read: %s", error)
            return False
        if lease is None or not self._is_ours(lease):
            self._held = None
            msg = "somebody else holds the lease"
            raise LeadershipLost(msg)
        self._held = lease
        return True

    def _is_ours(self, lease: dict[str, Any]) -> bool:
        return bool((lease.get("spec") or {}).get("holderIdentity") == self._terms.identity)

    def _now(self) -> str:
        return self._clock.now().isoformat(timespec="microseconds").replace("+00:00", "Z")
