"""Objects of the benchmark and the hands that make them: fast clients for each person, no kubectl in the measured path."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from controlplane import Cluster as Plane
from gatehold.kube.client import Cluster
from gatehold.kube.errors import TooManyRequests, Unavailable
from gatehold.kube.resources import JOBS, POLICIES, REQUESTS
from playground import PEOPLE

Body = dict[str, Any]
NAMESPACE: Final = "bench"
POLICY: Final = "bench"
IDLE_POLICY: Final = "bench-idle"
PARALLEL: Final = 32
PATIENCE: Final = 180.0
"""Seconds for which anything is awaited at the most: a busy machine takes its time, and no figure depends on it."""


@dataclass
class Hands:
    """One client for each person."""

    admin: Cluster
    ci: Cluster
    alice: Cluster
    _gate: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(PARALLEL))

    async def patiently(self, call: Any, *args: Any) -> Any:
        """Do it beside others, a bounded number at once; the API server may ask us to wait."""
        async with self._gate:
            for attempt in range(8):
                try:
                    return await call(*args)
                except (TooManyRequests, Unavailable):
                    await asyncio.sleep(0.2 * 2**attempt)
        raise TimeoutError("the API server did not take a write of ours")


@contextlib.asynccontextmanager
async def hands(plane: Plane) -> AsyncIterator[Hands]:
    """Connect everybody."""
    paths = {name: plane.user(name, *PEOPLE[name]) for name in ("ci", "alice")}
    async with contextlib.AsyncExitStack() as stack:

        async def connect(path: Any) -> Cluster:
            return await stack.enter_async_context(await Cluster.connect(kubeconfig=str(path), timeout=60.0, pool=100))

        yield Hands(
            admin=await connect(plane.admin_kubeconfig), ci=await connect(paths["ci"]), alice=await connect(paths["alice"])
        )


async def policy(who: Hands, name: str) -> None:
    """One reviewer is enough, so that one word decides."""
    spec = {
        "quorum": [{"role": "sre"}],
        "effects": ["Release", "None"],
        "onUnknownRequester": "Allow",
        "maxPending": 100_000,
        "timeoutSeconds": {"default": 86_400},
    }
    body = {"apiVersion": POLICIES.api_version, "kind": POLICIES.kind, "metadata": {"name": name}, "spec": spec}
    await who.admin.apply(POLICIES, None, body)


async def job(who: Hands, name: str, *, runs: bool = False) -> Body:
    """Create a held Job. Unless it shall run it has parallelism 0, so that no scheduler is measured."""
    pod = {"restartPolicy": "Never", "containers": [{"name": "main", "image": "example.org/tool:1"}]}
    spec: Body = {"suspend": True, "template": {"spec": pod}} | ({} if runs else {"parallelism": 0})
    meta = {"name": name, "namespace": NAMESPACE, "labels": {"gatehold.dev/hold": POLICY}}
    made: Body = await who.patiently(who.ci.create, JOBS, NAMESPACE, {"metadata": meta, "spec": spec})
    return made


async def jobs(who: Hands, names: Iterable[str]) -> list[Body]:
    """Create many held Jobs."""
    return await asyncio.gather(*(job(who, name) for name in names))


async def ask(who: Hands, name: str, policy_name: str = POLICY, held: Body | None = None) -> Body:
    """Open one request through the front door, for a held Job or about nothing in particular."""
    spec: Body = {"policyRef": {"name": policy_name}, "summary": "error rate is flat, promote it"}
    if held is None:
        spec["subject"] = {"kind": "Thing", "name": name}
    else:
        spec["subject"] = {"apiVersion": "batch/v1", "kind": "Job", "name": name, "uid": held["metadata"]["uid"]}
        spec["effect"] = {"type": "Release"}
    body = {"metadata": {"name": name, "namespace": NAMESPACE}, "spec": spec}
    made: Body = await who.patiently(who.ci.create, REQUESTS, NAMESPACE, body)
    return made


async def prepared(who: Hands, name: str) -> Body:
    """Wait until the operator has asked about it."""
    async with asyncio.timeout(PATIENCE):
        while True:
            body = await who.admin.get(REQUESTS, NAMESPACE, name)
            if "requestDigest" in body.get("status", {}):
                return body
            await asyncio.sleep(0.1)


async def say(who: Hands, name: str, word: str) -> None:
    """Say one person's word, as kubectl annotate would write it."""
    await who.alice.merge_patch(REQUESTS, NAMESPACE, name, {"metadata": {"annotations": {f"gatehold.dev/{word}": "bench"}}})


async def approve_all(who: Hands, names: Sequence[str]) -> None:
    """Say yes to all of them at once, as far as the API server takes it."""
    await asyncio.gather(*(who.patiently(say, who, name, "approve") for name in names))
