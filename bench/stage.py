"""Objects of the benchmark and the hands that make them: fast clients for each person, no kubectl in the measured path."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, Final

from controlplane import Cluster as Plane
from gatehold.kube.client import Cluster
from gatehold.kube.errors import TooManyRequests, Unavailable
from gatehold.kube.resources import JOBS, POLICIES, REQUESTS
from playground import PEOPLE, OperatorProcess

Body = dict[str, Any]
NAMESPACE: Final = "bench"
POLICY: Final = "bench"
PARALLEL: Final = 32


@dataclass
class Hands:
    """One client for each person, and one for the operator's own identity (the bare loop acts as it)."""

    admin: Cluster
    ci: Cluster
    alice: Cluster
    operator: Cluster
    _gate: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(PARALLEL))

    async def patiently(self, call: Any, *args: Any, **options: Any) -> Body:
        """Set up one object, a bounded number at once; the API server may ask us to wait."""
        async with self._gate:
            for attempt in range(8):
                try:
                    result: Body = await call(*args, **options)
                except (TooManyRequests, Unavailable):
                    await asyncio.sleep(0.2 * 2**attempt)
                else:
                    return result
        raise TimeoutError("the API server did not take an object of the set-up")


@contextlib.asynccontextmanager
async def hands(plane: Plane, operator: OperatorProcess) -> AsyncIterator[Hands]:
    """Connect everybody."""
    paths = {name: plane.user(name, *PEOPLE[name]) for name in ("ci", "alice")}
    async with contextlib.AsyncExitStack() as stack:

        async def connect(path: Any) -> Cluster:
            return await stack.enter_async_context(await Cluster.connect(kubeconfig=str(path), timeout=60.0, pool=100))

        yield Hands(
            admin=await connect(plane.admin_kubeconfig),
            ci=await connect(paths["ci"]),
            alice=await connect(paths["alice"]),
            operator=await connect(operator.identity.kubeconfig),
        )


async def policy(who: Hands) -> None:
    """One reviewer is enough, so that one word decides."""
    spec = {
        "quorum": [{"role": "sre"}],
        "effects": ["Release", "None"],
        "onUnknownRequester": "Allow",
        "maxPending": 100_000,
        "timeoutSeconds": {"default": 86_400},
    }
    await who.admin.apply(
        POLICIES,
        None,
        {"apiVersion": POLICIES.api_version, "kind": POLICIES.kind, "metadata": {"name": POLICY}, "spec": spec},
    )


async def held(who: Hands, name: str) -> Body:
    """Create a held Job and the request for it."""
    pod = {"restartPolicy": "Never", "containers": [{"name": "main", "image": "example.org/tool:1"}]}
    template = {"metadata": {"labels": {"gatehold.dev/fake": "runs"}}, "spec": pod}
    meta = {"name": name, "namespace": NAMESPACE, "labels": {"gatehold.dev/hold": POLICY}}
    # parallelism 0: the Job controller makes no pods, so what is measured is the release and not the scheduler
    job_spec = {"suspend": True, "parallelism": 0, "template": template}
    job = await who.patiently(who.ci.create, JOBS, NAMESPACE, {"metadata": meta, "spec": job_spec})
    subject = {"apiVersion": "batch/v1", "kind": "Job", "name": name, "uid": job["metadata"]["uid"]}
    return await ask(who, name, {"subject": subject, "effect": {"type": "Release"}})


async def ask(who: Hands, name: str, more: Body) -> Body:
    """Open one request."""
    spec = {"policyRef": {"name": POLICY}, "summary": f"benchmark {name}", **more}
    return await who.patiently(
        who.ci.create, REQUESTS, NAMESPACE, {"metadata": {"name": name, "namespace": NAMESPACE}, "spec": spec}
    )


async def prepared(who: Hands, names: set[str], seconds: float = 600) -> dict[str, Body]:
    """Wait until the operator has asked about all of these."""
    found: dict[str, Body] = {}
    async with asyncio.timeout(seconds):
        while set(found) != names:
            bodies = await who.admin.list_all(REQUESTS, NAMESPACE)
            found = {
                b["metadata"]["name"]: b
                for b in bodies
                if b["metadata"]["name"] in names and "requestDigest" in b.get("status", {})
            }
            if set(found) != names:
                await asyncio.sleep(0.5)
    return found


async def idle(who: Hands, count: int, present: int) -> None:
    """Let `count` others wait for a decision; `present` of them do already."""
    missing = range(present, count)
    await asyncio.gather(*(ask(who, f"idle-{n}", {"subject": {"kind": "Thing", "name": f"idle-{n}"}}) for n in missing))
    await prepared(who, {f"idle-{n}" for n in missing}, seconds=60 + count / 20)


async def hide(who: Hands, names: set[str]) -> None:
    """Take requests out of the operator's watch (label done), so that the bare loop has them for itself."""
    label = {"metadata": {"labels": {"gatehold.dev/done": "true"}}}
    await asyncio.gather(*(who.patiently(who.operator.merge_patch, REQUESTS, NAMESPACE, name, label) for name in names))


async def approve(who: Hands, name: str) -> None:
    """Say one person's word, as kubectl annotate would write it."""
    word = {"metadata": {"annotations": {"gatehold.dev/approve": "bench"}}}
    await who.alice.merge_patch(REQUESTS, NAMESPACE, name, word)
