"""The probe of the wall on a real API server: an account with no other right tries a forgery, as a dry run.

`admission.proof` says what is tried and what the answers prove; this is its access, and the request that it tries on.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gatehold.admission.proof import PROBE, Answer
from gatehold.admission.texts import PART_OF
from gatehold.kube.client import Cluster
from gatehold.kube.errors import Absent, AlreadyExists, ApiError
from gatehold.kube.resources import MAP, MAP_BINDINGS, POLICIES, REQUESTS, VAP, VAP_BINDINGS, Resource
from gatehold.runtime.parts import Runtime

Body = dict[str, Any]
_TOKEN_SECONDS = 600
_RENEW_SECONDS = 300.0
_UNAUTHORIZED = 401


@dataclass(frozen=True, slots=True)
class Tried:
    """What the API server said to a try; `status` is 0 where no answer came."""

    status: int
    message: str


class ProbeAccount:
    """Speaks to the API server as the operator (reading) and as the probe's account (trying)."""

    def __init__(self, runtime: Runtime) -> None:
        """Mint no token before the first try."""
        self._runtime = runtime
        self._namespace = runtime.settings.namespace
        self._probe: Cluster | None = None
        self._minted = float("-inf")
        self._turn = asyncio.Lock()

    async def wall_objects(self) -> Sequence[Body]:
        """Read every policy and binding that is part of Gatehold, live."""
        lists = await asyncio.gather(*(self._list(resource) for resource in (VAP, VAP_BINDINGS, MAP, MAP_BINDINGS)))
        return [body for bodies in lists for body in bodies]

    async def try_as_probe(self, body: Mapping[str, Any], subresource: str = "") -> Answer:
        """Dry-run a merge patch of the probe's request as the probe's account."""
        probe = await self._as_probe()
        patch = probe.patch_status if subresource == "status" else probe.merge_patch
        try:
            await patch(REQUESTS, self._namespace, PROBE, dict(body), dry_run=True)
        except ApiError as error:
            if error.status == _UNAUTHORIZED:  # the account was made anew, or its key: the next try mints another token
                self._minted = float("-inf")
            return Tried(error.status, error.message)
        return Tried(200, "the forgery was accepted")

    async def ensure_request(self) -> None:
        """Create the request that the probe tries on, where it is not there. Its policy allows no effect."""
        try:
            await self._runtime.cluster.get(REQUESTS, self._namespace, PROBE)
        except Absent:
            me = await self._runtime.cluster.who_am_i()
            requester = {key: me[key] for key in ("username", "uid") if me.get(key)}
            spec = {
                "policyRef": {"name": PROBE},
                "summary": "by this request the operator proves that forgeries are refused; leave it alone",
                "subject": {"kind": "Probe", "name": PROBE},
                "requester": requester,
            }
            body = {"metadata": {"name": PROBE, "namespace": self._namespace}, "spec": spec}
            try:
                await self._runtime.cluster.create(REQUESTS, self._namespace, body)
            except AlreadyExists:
                return

    async def recall(self) -> str:
        """Read the fingerprint of the last proven wall off the probe's policy; empty where there is none.

        It stands in a status because RBAC alone keeps everybody else from writing that, also while the wall is open.
        """
        try:
            body = await self._runtime.cluster.get(POLICIES, None, PROBE)
        except Absent:
            return ""
        return str((body.get("status") or {}).get("wall", ""))

    async def remember(self, fingerprint: str) -> bool:
        """Write it there; only the leader does."""
        if not self._runtime.is_leader():
            return False
        await self._runtime.cluster.patch_status(POLICIES, None, PROBE, {"status": {"wall": fingerprint}})
        return True

    async def close(self) -> None:
        """Close the probe's connections."""
        probe, self._probe = self._probe, None
        if probe is not None:
            await probe.close()

    async def _list(self, resource: Resource) -> list[Body]:
        try:
            return await self._runtime.cluster.list_all(resource, None, PART_OF)
        except Absent:  # stamping policies are served from 1.36 on
            if resource in (MAP, MAP_BINDINGS):
                return []
            raise

    async def _as_probe(self) -> Cluster:
        async with self._turn:
            if self._probe is None or time.monotonic() - self._minted > _RENEW_SECONDS:
                token = await self._runtime.cluster.mint_token(self._namespace, PROBE, expiration_seconds=_TOKEN_SECONDS)
                if self._probe is not None:
                    await self._probe.close()
                self._probe, self._minted = self._runtime.cluster.as_token(token), time.monotonic()
            return self._probe
