"""Rollouts for tests of the CLI: bodies with a status of any kind, and the same on a real server by the operator's hand."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from gatehold.api import deployment, promotion, rollout
from gatehold.api.rollout_status import render_status
from gatehold.domain.reasons import ConditionType
from gatehold.domain.rollout.model import Rollout
from gatehold.domain.rollout.plan import Ask
from gatehold.domain.rollout.record import (
    LastRun,
    Outcome,
    Override,
    Question,
    Record,
    Rejected,
    RequestRef,
    RolloutPhase,
    Run,
    Target,
    Track,
    TrackRecord,
    Wanted,
    Weight,
)
from gatehold.domain.status import Condition
from gatehold.kube.client import Cluster
from gatehold.kube.resources import DEPLOYMENTS, REQUESTS, ROLLOUTS
from tests.cli.stage import PATIENCE, Stage

Json = dict[str, Any]
OPERATOR = "system:serviceaccount:gatehold-system:gatehold"
STEPS = ({"setWeight": 20}, {"approval": {"policyRef": {"name": "prod"}}}, {"pause": {"durationSeconds": 90}})
FORMER = Target("sha256:" + "f" * 64, "sha256:" + "e" * 64)
NOW = datetime(2030, 1, 1, 11, 30, tzinfo=UTC)


def body(name: str = "web", *, steps: tuple[Json, ...] = STEPS, image: str = "2", annotations: Json | None = None) -> Json:
    """A Rollout as it is stored, without a status."""
    template = {
        "metadata": {"labels": {"app": name}},
        "spec": {"containers": [{"name": "web", "image": f"example.org/web:{image}"}]},
    }
    spec = {"replicas": 5, "selector": {"matchLabels": {"app": name}}, "template": template,
            "strategy": {"canary": {"steps": list(steps)}}}  # fmt: skip
    metadata = {"name": name, "namespace": "shop", "uid": "r1", "generation": 3, "resourceVersion": "7",
                "annotations": annotations or {}, "creationTimestamp": "2030-01-01T11:00:00Z"}  # fmt: skip
    return {"apiVersion": "gatehold.dev/v1alpha1", "kind": "Rollout", "metadata": metadata, "spec": spec}


def with_status(of: Json, record: Record) -> Json:
    """The same with that record as its status."""
    return {**of, "status": render_status(record)}


def tracks(of: Rollout, *, canary: int = 1) -> dict[str, TrackRecord]:
    """Stable with the former template, the canary with the new one."""
    return {
        "stable": TrackRecord(Wanted(FORMER.template, of.replicas), pods=of.replicas, ready=of.replicas),
        "canary": TrackRecord(Wanted(of.template, canary), pods=canary, ready=canary),
    }


def at_rest(of: Rollout, now: datetime = NOW, **changes: Any) -> Record:
    """Promoted, and all of it there."""
    stable = TrackRecord(Wanted(of.template, of.replicas), pods=of.replicas, ready=of.replicas, images=("web=sha256:1",))
    base = {"observed_generation": of.generation, "phase": RolloutPhase.HEALTHY, "stable": stable, "promoted": of.target,
            "conditions": said(now, ready=True, reason="AsWanted", message="stable runs what the spec says")}  # fmt: skip
    return Record(**base | changes)


def held(of: Rollout, request: str, now: datetime = NOW, *, step: int = 1, **changes: Any) -> Record:
    """A canary of one pod that waits for the answer to a question."""
    question = Question("prod", request, "sha256:" + "c" * 64, 1, "rollouts", ("web=sha256:2",))
    run = Run(of.target, started_at=now, step=step, step_at=now, weight=20, questions=(question,), former=FORMER.template)
    text = f"request {request} waits for reviewers of policy prod"
    base = {"observed_generation": of.generation, "phase": RolloutPhase.HELD, "run": run, "promoted": FORMER,
            "weight": Weight(20, 16), "step": f"{step + 1}/3", "waiting_for": request, "until": now + timedelta(hours=1),
            "conditions": said(now, reason="AwaitingApproval", message=text, held=True), **tracks(of)}  # fmt: skip
    return Record(**base | changes)


def rejected(
    of: Rollout, outcome: Outcome = Outcome.DENIED, now: datetime = NOW, reason: str = "", **changes: Any
) -> Record:
    """Turned down and put back."""
    reason = reason or {Outcome.DENIED: "DeniedByReviewer", Outcome.EXPIRED: "DeadlinePassed"}.get(outcome, "RequestFailed")
    text = f"request web-1 is {outcome}: p99 doubled"
    last = LastRun(
        of.target, outcome, reason, text, now, (RequestRef("web-1", "u1"),), True, "Restored", "the canary is gone"
    )
    turned_down = Rejected(of.target, reason, text, now)
    base = {"observed_generation": of.generation, "phase": RolloutPhase.DEGRADED, "promoted": FORMER, "last_run": last,
            "rejected": turned_down, "conditions": said(now, reason=reason, message=f"rejected: {text}", stalled=True),
            **tracks(of, canary=0)}  # fmt: skip
    return Record(**base | changes)


def said(now: datetime, *, reason: str, message: str, ready: bool = False, held: bool = False, stalled: bool = False
         ) -> tuple[Condition, ...]:  # fmt: skip
    """The conditions that always stand."""
    facts = {ConditionType.READY: ready, ConditionType.RECONCILING: not ready and not stalled,
             ConditionType.STALLED: stalled, ConditionType.HELD: held}  # fmt: skip
    return tuple(Condition(kind, str(value), reason, message, now, 3) for kind, value in facts.items())


def hostile_rollout(evil: str, state: str) -> dict[str, Any]:
    """A Rollout with its surroundings, full of that text wherever one fits; `state` is held, rejected or both."""
    steps = ({"setWeight": 20}, {"approval": {"policyRef": {"name": evil}, "links": [{"title": evil, "url": evil}]}})
    found = body(steps=steps, image=evil, annotations={"gatehold.dev/authors": evil.replace(",", "")})
    of = rollout.parse(found)
    told = said(NOW, reason=evil, message=evil, stalled=True)
    back = Condition(ConditionType.ROLLED_BACK, "False", evil, evil, NOW, 3)
    record = replace(held(of, evil), conditions=(*told, back), step=evil, waiting_for=evil)
    down = rejected(of, reason=evil)
    last = replace(down.last_run or never(), reason=evil, message=evil, rolled_back_reason=evil, rolled_back_message=evil)
    turned = replace(down.rejected or never(), message=evil)
    broken = TrackRecord(Wanted(evil, 1), override=Override(FORMER, evil, evil), images=(evil,))
    if state != "held":
        record = replace(record, last_run=last, rejected=turned, stable=broken)
    if state == "rejected":
        record = replace(record, run=None, phase=RolloutPhase.DEGRADED)
    found = with_status(found, record)
    found["metadata"]["name"] = found["metadata"]["namespace"] = evil
    return {"rollouts": found, **_surroundings(evil, found)}


def _surroundings(evil: str, found: Json) -> dict[str, Any]:
    owner = {"apiVersion": "v1", "kind": "Rollout", "name": "web", "uid": "r1", "controller": True}
    meta = {"name": "x", "uid": "d1", "resourceVersion": "1", "generation": 1, "ownerReferences": [owner]}
    deploy = {
        "metadata": meta,
        "spec": {"replicas": 1, "template": found["spec"]["template"]},
        "status": {"conditions": [{"type": "ReplicaFailure", "status": "True", "reason": evil, "message": evil}]},
    }
    waiting = {"name": "web", "restartCount": 4, "imageID": evil, "state": {"waiting": {"reason": evil}}}
    pod = {"metadata": {"name": evil, "labels": {"gatehold.dev/track": "canary"}}, "spec": {"containers": [{"name": "web"}]},
           "status": {"containerStatuses": [waiting]}}  # fmt: skip
    space = {"metadata": {"name": evil, "labels": {"gatehold.dev/rollouts": evil}}}
    gate = {"metadata": {"name": evil}, "spec": {"type": "Rollouts", "policyRef": {"name": evil}}}
    return {"deployments": deploy, "pods": [pod], "namespaces": space, "gates": gate}


def never() -> Any:
    raise AssertionError("the builder gives it")


# ---- on a real server


class Played:
    """One Rollout on a stage, and the operator's part in it."""

    def __init__(self, stage: Stage, name: str, **more: Any) -> None:
        """Create it as ci."""
        self.stage, self.name = stage, name
        given = body(name, **more)
        given["metadata"] = {"name": name, "namespace": "shop"}
        stage.plane.kubectl("create", "-f", "-", user=stage.plane.user("ci"), stdin=json.dumps(given))

    @property
    def body(self) -> Json:
        return self.stage.get("gro", self.name)

    @property
    def rollout(self) -> Rollout:
        return rollout.parse(self.body)

    def says(self, record: Callable[[Rollout], Record]) -> None:
        """Write a whole status as the operator."""
        fields = render_status(record(self.rollout))
        before = self.body.get("status") or {}
        wanted = {**dict.fromkeys(before, None), **fields}
        self._as_operator(lambda c: c.patch_status(ROLLOUTS, "shop", self.name, {"status": wanted}))

    def child(self, track: Track, replicas: int) -> None:
        """Make one of its Deployments as the operator."""
        found = self.body
        wanted = Wanted(self.rollout.template, replicas)
        whole = deployment.whole(found, track, wanted, rollout.template(found))
        self._as_operator(lambda c: c.create(DEPLOYMENTS, "shop", whole))

    def asks(self, request: str, **seen: Any) -> None:
        """Open a request about it as the operator, and prepare it."""
        question = Question("prod", request, "sha256:" + "c" * 64, 1, "rollouts", ("web=example.org/web@sha256:2",))
        whole = promotion.request(self.body, Ask(question), promotion.Seen(**seen), OPERATOR)
        self._as_operator(lambda c: c.create(REQUESTS, "shop", whole))
        self.stage.prepare(request)

    def _as_operator(self, work: Callable[[Cluster], Awaitable[Json]]) -> Json:
        kubeconfig = str(self.stage.operator.kubeconfig)

        async def write() -> Json:
            async with await Cluster.connect(kubeconfig=kubeconfig, timeout=PATIENCE) as cluster:
                return await work(cluster)

        return asyncio.run(write())
