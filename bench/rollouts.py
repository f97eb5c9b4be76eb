"""Held Rollouts for the set-up, copied from one that the operator did bring that far, with all that belongs to each.

The one has a stable and a canary Deployment, two templates and a prepared request. It is scaled to 0 once it is held, so
that copies need no pods: what is measured is the operator, and not how fast pods come up. Copies are put into etcd while
the operator is down: it reads templates and children from a list when it begins to act.
"""

import asyncio
import copy
import json
import re
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from bench.etcd import DEPLOYMENTS as DEPLOYMENTS_KEY
from bench.etcd import REQUESTS as REQUESTS_KEY
from bench.etcd import REVISIONS as REVISIONS_KEY
from bench.etcd import ROLLOUTS as ROLLOUTS_KEY
from bench.rig import Rig
from bench.stage import NAMESPACE, PATIENCE, Hands
from gatehold.api import rollout as wire
from gatehold.api.digest import request_digest, rollout_digest
from gatehold.kube.resources import DEPLOYMENTS, POLICIES, REQUESTS, REVISIONS, ROLLOUTS

Body = dict[str, Any]
Stored = tuple[str, Body]
"""A kind, as etcd names it, and an object."""
PATTERN: Final = "pattern-rollout"
POLICY: Final = "bench-promotes"
MARK: Final = "gatehold.dev/rollout"
NEW: Final = "example.org/web:2"
TRACKS: Final = ("stable", "canary")
_INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_HOUR: Final = timedelta(hours=1)


class RolloutSeeds:
    """Copies of one held Rollout."""

    def __init__(self, stored: Sequence[Stored]) -> None:
        """Take the one that goes for all; what is computed here must be what the operator computed there."""
        objects = copy.deepcopy(list(stored))
        for _, body in objects:
            del body["metadata"]["resourceVersion"]
        rollout, request = _one(objects, ROLLOUTS_KEY), _one(objects, REQUESTS_KEY)
        self._uids = [body["metadata"]["uid"] for _, body in objects]
        self._uid, self._digest = rollout["metadata"]["uid"], request["spec"]["subject"]["digest"]
        self._images = tuple(rollout["status"]["run"]["questions"][0].get("imageIDs", ()))
        if self._subject_digest(rollout) != self._digest or _digest(request) != request["status"]["requestDigest"]:
            raise ValueError("a copy would not have the digests that the operator gives it")
        for _, body in objects:
            if body["kind"] == DEPLOYMENTS.kind:
                body["spec"]["paused"] = True  # the Deployment controller makes no ReplicaSet of what is only a setting
        self._text = _aged(json.dumps(objects))
        self._request = request["metadata"]["name"]

    def request(self, name: str) -> str:
        """The name of the request about that copy."""
        return str(self._request).replace(PATTERN, name)

    def copies(self, names: Iterable[str], deadline: str = "") -> Iterator[Stored]:
        """All objects of these Rollouts, the same each time; `deadline` ends their questions."""
        for name in names:
            text = self._text.replace(PATTERN, name)
            for uid in self._uids:
                text = text.replace(uid, str(uuid.uuid5(uuid.NAMESPACE_OID, f"{name}/{uid}")))
            objects = [(str(kind), body) for kind, body in json.loads(text)]
            rollout, request = _one(objects, ROLLOUTS_KEY), _one(objects, REQUESTS_KEY)
            found = self._subject_digest(rollout)
            request["spec"]["subject"]["digest"] = rollout["status"]["run"]["questions"][0]["digest"] = found
            if deadline:
                request["status"]["deadline"] = rollout["status"]["until"] = deadline
            request["status"]["requestDigest"] = _digest(request)
            yield from objects

    def _subject_digest(self, rollout: Body) -> str:
        asked = wire.parse(rollout)
        return rollout_digest(asked.uid, asked.template, asked.strategy, self._images)


def _aged(text: str) -> str:
    """As if all of it had happened an hour before: an operator that starts tells anew what happened lately."""
    return _INSTANT.sub(lambda found: (datetime.fromisoformat(found[0]) - _HOUR).strftime("%Y-%m-%dT%H:%M:%SZ"), text)


def _one(stored: Sequence[Stored], kind: str) -> Body:
    return next(body for found, body in stored if found == kind)


def _digest(request: Body) -> str:
    status = request["status"]
    resolved = status.get("resolved") or {}
    return request_digest(request["metadata"]["uid"], request["spec"], resolved, status["policy"]["digest"])


# ---- through the front door


def manifest(name: str, replicas: int, steps: list[Body]) -> Body:
    """A Rollout of the first version."""
    pods = {
        "metadata": {"labels": {"app": "bench"}},
        "spec": {"containers": [{"name": "web", "image": "example.org/web:1"}]},
    }
    spec = {
        "replicas": replicas,
        "selector": {"matchLabels": {"app": "bench"}},
        "strategy": {"canary": {"steps": steps}},
        "template": pods,
    }
    return {"metadata": {"name": name, "namespace": NAMESPACE}, "spec": spec}


async def begin(who: Hands, name: str, replicas: int, weight: int) -> None:
    """A policy, and a Rollout whose first version runs."""
    spec = {
        "quorum": [{"role": "sre"}],
        "effects": ["Promote"],
        "onUnknownRequester": "Allow",
        "maxPending": 100_000,
        "timeoutSeconds": {"default": 86_400},
    }
    body = {"apiVersion": POLICIES.api_version, "kind": POLICIES.kind, "metadata": {"name": POLICY}, "spec": spec}
    await who.admin.apply(POLICIES, None, body)
    steps: list[Body] = [{"setWeight": weight}, {"approval": {"policyRef": {"name": POLICY}}}]
    await who.ci.create(ROLLOUTS, NAMESPACE, manifest(name, replicas, steps))
    await until(who, name, at_rest)


async def deploy(who: Hands, name: str) -> str:
    """The next version, up to the question; answers the name of the request."""
    containers = [{"name": "web", "image": NEW}]
    await who.ci.merge_patch(ROLLOUTS, NAMESPACE, name, {"spec": {"template": {"spec": {"containers": containers}}}})
    held = await until(who, name, lambda body: "until" in body["status"] and body["status"].get("phase") == "Held")
    request: str = held["status"]["run"]["questions"][0]["name"]
    return request


async def until(who: Hands, name: str, holds: Callable[[Body], object]) -> Body:
    """Wait until something holds for a Rollout whose newest spec was looked at."""
    async with asyncio.timeout(PATIENCE):
        while True:
            body = await who.admin.get(ROLLOUTS, NAMESPACE, name)
            seen = (body.get("status") or {}).get("observedGeneration")
            if seen == body["metadata"]["generation"] and holds(body):
                return body
            await asyncio.sleep(0.1)


def at_rest(body: Body) -> bool:
    """Whether stable runs what the spec says, and who changed it last is done with."""
    authors = (body["metadata"].get("annotations") or {}).get("gatehold.dev/authors")
    return body["status"].get("phase") == "Healthy" and "run" not in body["status"] and not authors


async def pattern(who: Hands) -> RolloutSeeds:
    """Bring one Rollout to where it is held, read everything that belongs to it, and take it away."""
    await begin(who, PATTERN, 1, 50)
    request = await deploy(who, PATTERN)
    await who.ci.merge_patch(ROLLOUTS, NAMESPACE, PATTERN, {"spec": {"replicas": 0}})
    rollout = await until(
        who, PATTERN, lambda body: body["status"].get("ready") == "0/0" and body["status"]["replicas"] == 0
    )
    names = [f"{PATTERN}-{track}" for track in TRACKS]
    mark = f"{MARK}={PATTERN}"
    stored = [
        (REQUESTS_KEY, await who.admin.get(REQUESTS, NAMESPACE, request)),
        *[(DEPLOYMENTS_KEY, await who.admin.get(DEPLOYMENTS, NAMESPACE, name)) for name in names],
        *[(REVISIONS_KEY, _kind(body)) for body in await who.admin.list_all(REVISIONS, NAMESPACE, mark)],
        (ROLLOUTS_KEY, rollout),
    ]
    await who.admin.delete(ROLLOUTS, NAMESPACE, PATTERN)
    return RolloutSeeds(stored)


def _kind(body: Body) -> Body:
    """Members of a list do not say what they are."""
    return {"apiVersion": REVISIONS.api_version, "kind": REVISIONS.kind, **body}


# ---- straight into etcd


async def put(rig: Rig, seeds: RolloutSeeds, names: Sequence[str], deadline: str = "") -> None:
    """Store copies; the operator is down meanwhile. Owners first, or the garbage collector takes what they own."""
    for is_owner in (True, False):
        copies = seeds.copies(names, deadline)
        await rig.etcd.put_all(NAMESPACE, (stored for stored in copies if (stored[0] == ROLLOUTS_KEY) is is_owner))


async def remove(rig: Rig, seeds: RolloutSeeds, names: Sequence[str]) -> None:
    """Take copies away, the operator being down: nobody has to look at each of them then."""
    stored = [(kind, body["metadata"]["name"]) for kind, body in seeds.copies(names)]
    for kind in (ROLLOUTS_KEY, REQUESTS_KEY, DEPLOYMENTS_KEY, REVISIONS_KEY):
        await rig.etcd.remove(kind, NAMESPACE, [name for found, name in stored if found == kind])
