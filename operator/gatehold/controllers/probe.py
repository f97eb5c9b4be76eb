"""The probe of the wall on a real API server: an account with no other right tries a forgery, as a dry run.

`admission.proof` says what is tried and what the answers prove; this is its access, and the request that it tries on.
Objects of the wall are read by name: that is answered by the store itself within milliseconds, while a list of a quiet kind
waits for the API server's own watch to catch up (85 ms, measured, where other kinds are written).
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gatehold.admission.proof import Answer, Head, head_of
from gatehold.admission.texts import PART_OF
from gatehold.api.approval_request import VERDICT_PREFIX, parse_verdicts
from gatehold.controllers.standing import Trust
from gatehold.controllers.wall_access import GUARDS
from gatehold.domain.evictions import PROBE_NAMESPACE, PROBE_POD
from gatehold.domain.installation import PROBE
from gatehold.domain.ledger import MOST
from gatehold.domain.model import Word
from gatehold.kube.client import Cluster
from gatehold.kube.errors import Absent, AlreadyExists, ApiError
from gatehold.kube.resources import MAP, MAP_BINDINGS, POLICIES, REQUESTS, VAP, VAP_BINDINGS, Resource
from gatehold.runtime.parts import Runtime

Body = dict[str, Any]
Get = Callable[[Resource, str | None, str], Awaitable[Body]]
_TOKEN_SECONDS = 600
_RENEW_SECONDS = 300.0
_UNAUTHORIZED = 401
_KINDS = {resource.kind: resource for resource in (VAP, VAP_BINDINGS, MAP, MAP_BINDINGS)}
_LABEL = tuple(PART_OF.split("="))
_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Tried:
    """What the API server said to a try; `status` is 0 where no answer came."""

    status: int
    message: str


class ProbeAccount:
    """Speaks to the API server as the operator (reading) and as the probe's account (trying)."""

    def __init__(self, runtime: Runtime, texts: Iterable[Mapping[str, Any]]) -> None:
        """Read the objects of these names; mint no token before the first try."""
        self._runtime = runtime
        self._namespace = runtime.settings.namespace
        self._probe: Cluster | None = None
        self._minted = float("-inf")
        self._turn = asyncio.Lock()
        self._texts: dict[tuple[Resource, str], Body] = {}
        self._names = tuple(f"{body['kind']}/{body['metadata']['name']}" for body in texts)

    async def wall_objects(self) -> Sequence[Body]:
        """Read every policy and binding that we ship, live: the metadata of each, and the rest where that has changed."""
        return await self._read(self._names, self._newest)

    async def guards(self) -> frozenset[Head]:
        """Read the two that stand before the verdicts."""
        return frozenset(head_of(body) for body in await self._read(GUARDS, self._runtime.cluster.get_metadata))

    async def catch_up(self) -> bool:
        """List every request that is not done, past whatever its watch has delivered."""
        return await self._runtime.catch_up()

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

    async def try_eviction(self) -> Answer:
        """Dry-run an eviction of the pod that our webhook alone refuses, as the probe's account."""
        probe = await self._as_probe()
        try:
            await probe.evict(PROBE_NAMESPACE, PROBE_POD, uid=PROBE_POD, dry_run=True)
        except ApiError as error:
            if error.status == _UNAUTHORIZED:
                self._minted = float("-inf")
            return Tried(error.status, error.message)
        return Tried(200, "the eviction was accepted")

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

    async def settled(self, trust: Callable[[float], Trust]) -> bool:
        """Look through the requests on which somebody spoke."""
        for place, record in enumerate(self._runtime.requests):
            if place % _AT_ONCE == _AT_ONCE - 1:
                await asyncio.sleep(0)
            unproven = [key for key, sighting in (record.seen or {}).items() if trust(sighting.monotonic) is Trust.UNPROVEN]
            body = self._runtime.requests.body(record.uid) if unproven else None
            if body is not None and _unrecorded(body, unproven):
                return False
        return True

    async def _read(self, names: Iterable[str], get: Get) -> list[Body]:
        found = await asyncio.gather(*(self._one(get, *name.split("/")) for name in names))
        return [body for body in found if body is not None]

    async def _one(self, get: Get, kind: str, name: str) -> Body | None:
        try:
            body = await get(_KINDS[kind], None, name)
        except Absent:  # or a kind that is not served: stamping policies are from 1.36 on
            return None
        labels = body["metadata"].get("labels") or {}
        return body if labels.get(_LABEL[0]) == _LABEL[1] else None

    async def _newest(self, resource: Resource, namespace: str | None, name: str) -> Body:
        """The object as it stands now. Of the same uid and resourceVersion there is only one text, so that is kept."""
        head = await self._runtime.cluster.get_metadata(resource, namespace, name)
        known = self._texts.get((resource, name))
        if known is None or not _same(known["metadata"], head["metadata"]):
            known = self._texts[resource, name] = await self._runtime.cluster.get(resource, namespace, name)
        return known

    async def _as_probe(self) -> Cluster:
        async with self._turn:
            if self._probe is None or time.monotonic() - self._minted > _RENEW_SECONDS:
                token = await self._runtime.cluster.mint_token(self._namespace, PROBE, expiration_seconds=_TOKEN_SECONDS)
                if self._probe is not None:
                    await self._probe.close()
                self._probe, self._minted = self._runtime.cluster.as_token(token), time.monotonic()
            return self._probe


def _same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return all(one.get(key) == other.get(key) for key in ("uid", "resourceVersion"))


def _unrecorded(body: Body, annotations: Iterable[str]) -> bool:
    """Whether one of these is a yes that could still be taken in as one that counts."""
    recorded = (body.get("status") or {}).get("verdicts") or []
    if body["metadata"].get("deletionTimestamp") or len(recorded) >= MOST:
        return False
    known = {entry["id"] for entry in recorded}
    verdicts = parse_verdicts(body["metadata"].get("annotations"))
    words = {f"{VERDICT_PREFIX}{v.id}": v for v in verdicts if v.word in (Word.APPROVE, Word.OVERRIDE)}
    return any(name in words and words[name].id not in known for name in annotations)
