"""The bare loop: watch, then the writes of a decision, and nothing else. A process of its own, as the operator is.

It keeps no cache, decides nothing and checks nothing; what it writes is what the operator writes: as many writes of the same
content to the same kinds of objects, in the same order and with as much at once as the operator has workers. As there,
Events are written by one task that nobody waits for.

    python -m bench.bare KUBECONFIG NAMESPACE serve              release every bare Job whose request has a verdict
    python -m bench.bare KUBECONFIG NAMESPACE list NAME          list everything that is not done, then release that one
    python -m bench.bare KUBECONFIG NAMESPACE expire SECONDS     at that time (since 1970) end every bare request

`bench.bare_rollouts` adds the verbs for Rollouts, `bench.bare_pods` that for pods.
"""

import asyncio
import contextlib
import sys
import time
from collections.abc import Sequence
from typing import Any, Final

from gatehold.api.approval_request import VERDICT_PREFIX, parse_verdicts
from gatehold.kube.client import Cluster
from gatehold.kube.errors import Absent, ApiError
from gatehold.kube.resources import EVENTS, JOBS, REQUESTS

Body = dict[str, Any]
PREFIX: Final = "bare"
DONE: Final = "gatehold.dev/done=true"
NOT_DONE: Final = "gatehold.dev/done!=true"
WORKERS: Final = 32


class Bare:
    """One bare loop."""

    def __init__(self, cluster: Cluster, namespace: str) -> None:
        """Write nothing yet."""
        self._cluster = cluster
        self._namespace = namespace
        self._gate = asyncio.Semaphore(WORKERS)
        self._events: asyncio.Queue[Body] = asyncio.Queue()
        self._tasks: set[asyncio.Task[None]] = set()

    async def serve(self) -> None:
        """Release every bare Job whose request has a verdict, for ever."""
        version = [page.resource_version async for page in self._cluster.list_pages(REQUESTS, self._namespace, DONE)][-1]
        self._start(self._tell())
        print("ready", flush=True)
        served: set[str] = set()
        while True:  # a watch ends now and then: go on where it ended
            with contextlib.suppress(ApiError):
                async for event in self._cluster.watch(REQUESTS, version, DONE, seconds=3600):
                    body = event["object"]
                    version = body["metadata"]["resourceVersion"]
                    if decided(body) and body["metadata"]["uid"] not in served:
                        served.add(body["metadata"]["uid"])
                        self._start(self._release(body))

    async def list(self, name: str) -> None:
        """Read everything that is not done, page by page, keep nothing, then release one Job."""
        async for _ in self._cluster.list_pages(REQUESTS, None, NOT_DONE):
            pass
        await self._release(await self._cluster.get(REQUESTS, self._namespace, name))

    async def expire(self, at: float) -> None:
        """End all bare requests at that time."""
        pages = self._cluster.list_pages(REQUESTS, self._namespace, DONE)
        bodies = [b async for page in pages for b in page.items if b["metadata"]["name"].startswith(PREFIX)]
        self._start(self._tell())
        print("ready", flush=True)
        await asyncio.sleep(at - time.time())
        await asyncio.gather(*map(self._end, bodies))
        await asyncio.Event().wait()

    async def _release(self, body: Body) -> None:
        """A decision and its release: status, Job, status again, and three Events."""
        meta = body["metadata"]
        async with self._gate:
            answer = await self._write_status(body, approved(body))
            release = {"annotations": {"gatehold.dev/released-by": meta["uid"]}, "finalizers": ["gatehold.dev/outcome"]}
            patch = {"metadata": release, "spec": {"suspend": False}}
            await self._cluster.merge_patch(JOBS, self._namespace, meta["name"], patch)
            await self._write_status(answer, begun())
        self._tell_of(meta, ("VerdictRecorded", "Approved", "EffectStarted"))

    async def _end(self, body: Body) -> None:
        """An expiry: status, the last write, and two Events."""
        meta = body["metadata"]
        async with self._gate:
            answer = await self._write_status(body, {"approvals": "0/2"})
            last = {"resourceVersion": answer["metadata"]["resourceVersion"], "labels": {"gatehold.dev/ended": "true"}}
            await self._cluster.merge_patch(REQUESTS, self._namespace, meta["name"], {"metadata": last})
        self._tell_of(meta, ("Waiting", "Expired"))

    async def _write_status(self, body: Body, status: Body) -> Body:
        """One status write that the wall lets pass."""
        meta = body["metadata"]
        patch = {"metadata": {"resourceVersion": meta["resourceVersion"]}, "status": status}
        return await self._cluster.patch_status(REQUESTS, self._namespace, meta["name"], patch)

    def _tell_of(self, meta: Body, reasons: Sequence[str]) -> None:
        for reason in reasons:
            self._events.put_nowait(event_of(meta, reason))

    async def _tell(self) -> None:
        while True:
            await self._cluster.create(EVENTS, self._namespace, await self._events.get())

    def _start(self, work: Any) -> None:
        task: asyncio.Task[None] = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:  # what is gone was measured, and taken away before its last write
            print("gone:" if isinstance(error, Absent) else "failed:", error, flush=True)


def decided(body: Body) -> bool:
    """Whether a request of the bare loop carries a word."""
    meta = body["metadata"]
    return meta["name"].startswith(PREFIX) and any(key.startswith(VERDICT_PREFIX) for key in meta.get("annotations") or {})


def approved(body: Body, effect: Body | None = None) -> Body:
    """What the operator writes at that moment, as much and of the same kind, put together without a decision.

    The wall asks the same of it: the phase moves, the admitted word is recorded, the quorum is met. So a ratio says what
    deciding costs, and not what the wall asks of whoever moves a phase.
    """
    old, meta, now = body["status"], body["metadata"], instant()
    said = parse_verdicts(meta["annotations"])[0]
    verdict = {"id": said.id, "verdict": str(said.word), "digest": said.digest, "role": said.role, "username": said.username}
    return {
        "phase": "Approved",
        "approvals": "1/1",
        "validUntil": instant(3600),
        "verdicts": [{**verdict, "comment": said.comment, "observedAt": now}],
        "decision": {
            "outcome": "Approved",
            "by": "People",
            "at": now,
            "reason": "QuorumMet",
            "message": f"approved by {said.username}",
        },
        "effect": effect or _release(old["resolved"]["job"]),
        "conditions": [turned(condition, now, meta["generation"]) for condition in old["conditions"]],
    }


def _release(job: Body) -> Body:
    target = {"apiVersion": "batch/v1", "kind": "Job", "name": job["name"], "uid": job["uid"], "resourceVersion": "1"}
    return {"type": "Release", "state": "Waiting", "object": target, "prior": {"suspend": True}}


def begun() -> Body:
    """The status once the effect has begun."""
    now = instant()
    figures = {"at": now, "active": 0, "succeeded": 0, "failed": 0}
    return {"effect": {"state": "Running", "startedAt": now, "progress": figures}}


def instant(ahead: float = 0) -> str:
    """So many seconds from now, as the wire has it."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + ahead))


def turned(condition: Body, now: str, generation: int) -> Body:
    """A condition with another reason and text; that of Approved is True now."""
    fresh = {**condition, "reason": "EffectRunning", "message": "written by the bare loop", "observedGeneration": generation}
    return {**fresh, "status": "True", "lastTransitionTime": now} if condition["type"] == "Approved" else fresh


def event_of(meta: Body, reason: str) -> Body:
    """An Event as the operator writes it."""
    return {
        "metadata": {"name": f"{meta['name']}.{reason.lower()}", "namespace": meta["namespace"]},
        "eventTime": "2026-01-01T00:00:00.000000Z",
        "reportingController": "gatehold.dev/bench",
        "reportingInstance": "bare",
        "action": reason,
        "reason": reason,
        "type": "Normal",
        "note": "written by the bare loop",
        "regarding": {
            "apiVersion": REQUESTS.api_version,
            "kind": REQUESTS.kind,
            "namespace": meta["namespace"],
            "name": meta["name"],
        },
    }


async def main(kubeconfig: str, namespace: str, verb: str, what: str = "") -> None:
    """Connect and do it."""
    async with await Cluster.connect(kubeconfig=kubeconfig, timeout=60.0, pool=WORKERS + 16) as cluster:
        bare = Bare(cluster, namespace)
        if verb in ("promote", "roll-back"):
            from bench.bare_rollouts import BareRollouts

            rollouts = BareRollouts(cluster, namespace)
            await (rollouts.promote() if verb == "promote" else rollouts.roll_back(float(what)))
        elif verb == "open":
            from bench.bare_pods import BarePods

            await BarePods(cluster, namespace).open()
        elif verb == "list":
            await bare.list(what)
        elif verb == "expire":
            await bare.expire(float(what))
        else:
            await bare.serve()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:5]))
