"""The bare loop for Rollouts: the writes of a promotion, or of an expiry, as `bench.bare` does those of a request.

    python -m bench.bare KUBECONFIG NAMESPACE promote             promote every bare Rollout whose request has a verdict
    python -m bench.bare KUBECONFIG NAMESPACE roll-back SECONDS   at that time end every bare Rollout's question

What it needs of an object it reads once, before it says that it is ready. The operator is down meanwhile, since it would
take these Rollouts for its own.
"""

import asyncio
import contextlib
import time
from typing import Any

from bench.bare import DONE, NOT_DONE, PREFIX, Bare, approved, decided, instant, turned
from gatehold.api import deployment
from gatehold.api import rollout as wire
from gatehold.domain.rollout.record import Track, Wanted
from gatehold.kube.errors import ApiError, Conflict
from gatehold.kube.resources import DEPLOYMENTS, REQUESTS, ROLLOUTS, Resource

Body = dict[str, Any]


class BareRollouts(Bare):
    """One bare loop."""

    async def promote(self) -> None:
        """Promote every bare Rollout whose request has a verdict, for ever."""
        rollouts, stables = await self._read(ROLLOUTS, ""), await self._read(DEPLOYMENTS, wire.ROLLOUT_LABEL)
        version = [page.resource_version async for page in self._cluster.list_pages(REQUESTS, self._namespace, DONE)][-1]
        self._start(self._tell())
        print("ready", flush=True)
        served: set[str] = set()
        while True:
            with contextlib.suppress(ApiError):
                async for event in self._cluster.watch(REQUESTS, version, NOT_DONE, seconds=3600):
                    body = event["object"]
                    version = body["metadata"]["resourceVersion"]
                    name = body["spec"]["subject"]["name"]
                    if decided(body) and name not in served:
                        served.add(name)
                        self._start(self._promote(body, rollouts[name], stables[f"{name}-stable"]))

    async def roll_back(self, at: float) -> None:
        """End the questions of all bare Rollouts at that time."""
        rollouts, requests = await self._read(ROLLOUTS, ""), await self._read(REQUESTS, NOT_DONE)
        self._start(self._tell())
        print("ready", flush=True)
        await asyncio.sleep(at - time.time())
        await asyncio.gather(
            *(self._roll_back(body, rollouts[body["spec"]["subject"]["name"]]) for body in requests.values())
        )
        await asyncio.Event().wait()

    async def _promote(self, request: Body, rollout: Body, stable: Body) -> None:
        """Status of the request, of the Rollout, stable; then what follows, so that the next one meets the same load."""
        async with self._gate:
            request = await self._write_status(request, _approved(request))
            rollout = await self._write_rollout(rollout, _promoting(rollout))
            stable = await self._write_stable(rollout, stable)
            generation = stable["metadata"]["generation"]
            rollout = await self._write_rollout(rollout, {"stable": {"generation": generation}})
            request = await self._write_status(request, {"effect": {"state": "Running", "startedAt": instant()}})
            rollout = await self._write_rollout(rollout, _ended(rollout, "Promoted", "verified"))
            rollout = await self._clear_authors(rollout)
            request = await self._write_status(request, {"phase": "Released", "effect": {"state": "Done"}})
            await self._close(request)
        self._tell_of(request["metadata"], ("VerdictRecorded", "Approved", "EffectStarted", "Released"))
        self._tell_of(rollout["metadata"], ("Passed", "Promoting", "Promoted"))

    async def _roll_back(self, request: Body, rollout: Body) -> None:
        """An expiry: its status, the Rollout's, the request's word on that, and its last write."""
        async with self._gate:
            request = await self._write_status(request, _expired(request))
            await self._write_rollout(rollout, _ended(rollout, "Expired", "nobody answered"))
            request = await self._write_status(
                request, {"conditions": _said(request, "UndoCompleted", "the canary is gone")}
            )
            await self._close(request)
        self._tell_of(request["metadata"], ("Expired", "RolledBack"))
        self._tell_of(rollout["metadata"], ("Undoing", "RunEnded", "RolledBack", "Stalled"))

    async def _close(self, request: Body) -> None:
        meta = request["metadata"]
        last = {"resourceVersion": meta["resourceVersion"], "labels": {"gatehold.dev/ended": "true"}}
        await self._cluster.merge_patch(REQUESTS, self._namespace, meta["name"], {"metadata": last})

    async def _clear_authors(self, rollout: Body) -> Body:
        """As the operator, once what they changed is promoted."""
        meta = rollout["metadata"]
        change = {"resourceVersion": meta["resourceVersion"], "annotations": {wire.AUTHORS: ""}}
        return await self._cluster.merge_patch(ROLLOUTS, self._namespace, meta["name"], {"metadata": change})

    async def _write_stable(self, rollout: Body, stable: Body) -> Body:
        """As the operator: where only the Deployment's status has moved on, it is taken up and tried again."""
        try:
            return await self._cluster.replace(DEPLOYMENTS, self._namespace, _promoted(rollout, stable))
        except Conflict:
            stable = await self._cluster.get(DEPLOYMENTS, self._namespace, stable["metadata"]["name"])
            return await self._cluster.replace(DEPLOYMENTS, self._namespace, _promoted(rollout, stable))

    async def _write_rollout(self, rollout: Body, status: Body) -> Body:
        meta = rollout["metadata"]
        patch = {"metadata": {"resourceVersion": meta["resourceVersion"]}, "status": status}
        return await self._cluster.patch_status(ROLLOUTS, self._namespace, meta["name"], patch)

    async def _read(self, resource: Resource, selector: str) -> dict[str, Body]:
        """What there is of a kind for the bare loop, by name."""
        pages = self._cluster.list_pages(resource, self._namespace, selector)
        bodies = [body async for page in pages for body in page.items]
        return {body["metadata"]["name"]: body for body in bodies if body["metadata"]["name"].startswith(PREFIX)}


def _approved(request: Body) -> Body:
    """As the operator approves."""
    subject = request["spec"]["subject"]
    target = {key: subject[key] for key in ("apiVersion", "kind", "name", "uid")}
    return approved(request, {"type": "Promote", "state": "Waiting", "object": target})


def _expired(request: Body) -> Body:
    """As the operator ends a question that nobody answered."""
    text = "not enough approvals in time (0/1 approvals)"
    decision = {"outcome": "Expired", "by": "Time", "at": instant(), "reason": "DeadlinePassed", "message": text}
    return {"phase": "Expired", "decision": decision, "conditions": _said(request, "DeadlinePassed", text)}


def _said(request: Body, reason: str, text: str) -> list[Body]:
    """Its conditions with another reason and text each."""
    fresh = {"reason": reason, "message": text, "observedGeneration": request["metadata"]["generation"]}
    return [{**condition, **fresh} for condition in request["status"]["conditions"]]


def _promoting(rollout: Body) -> Body:
    """The Rollout's record: the yes is used, and stable is about to be written."""
    status, now = rollout["status"], instant()
    (asked,) = status["run"]["questions"]
    run = {"stage": "Promoting", "written": True, "questions": [{**asked, "passed": True, "passedAt": now}]}
    stable = {"templateDigest": wire.parse(rollout).template, "write": status["stable"]["write"] + 1, "generation": None}
    conditions = [turned(one, now, rollout["metadata"]["generation"]) for one in status["conditions"]]
    words = {"phase": "Promoting", "waitingFor": "pods", "until": None, "clock": {"since": now}}
    return {**words, "run": run, "stable": stable, "conditions": conditions}


def _promoted(rollout: Body, stable: Body) -> Body:
    """Stable with the Rollout's template."""
    wanted = Wanted(wire.parse(rollout).template, rollout["spec"]["replicas"])
    return deployment.whole(rollout, Track.STABLE, wanted, wire.template(rollout), stable)


def _ended(rollout: Body, outcome: str, text: str) -> Body:
    """The Rollout's record once the run is over."""
    status, now = rollout["status"], instant()
    conditions = [turned(one, now, rollout["metadata"]["generation"]) for one in status["conditions"]]
    told = {"target": status["run"]["target"], "outcome": outcome, "reason": outcome, "message": text, "at": now}
    return {"phase": "Healthy", "run": None, "lastRun": told, "until": None, "clock": None, "conditions": conditions}
