"""The page of a Rollout in every state that it can be in, without a server."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from gatehold.api import rollout
from gatehold.cli.exits import Exit
from gatehold.domain.reasons import ConditionType
from gatehold.domain.rollout.record import Clock, Override, Record, RolloutPhase, Stage
from gatehold.domain.status import Condition
from tests.cli import rollouts
from tests.cli.bodies import Cluster, request
from tests.cli.rollouts import NOW, at_rest, held, rejected, with_status
from tests.cli.test_hostile import ends

BODY = rollouts.body()
WEB = rollout.parse(BODY)


def shown(record: Record | None, *words: str, body: Any = BODY, tty: int = 0, **objects: Any) -> str:
    """What `rollout show` prints."""
    whole = body if record is None else with_status(body, record)
    code, said = ends(["rollout", "show", "web", *words], Cluster(request(), rollouts=whole, **objects), tty=tty)
    assert code == Exit.OK, said
    return said


def marks(said: str) -> list[str]:
    """What stands before each step."""
    part = said.split("\nSteps\n")[1].split("\n\n")[0].splitlines()[1:]
    return [line.strip() for line in part]


# ---- states


def test_what_nobody_has_looked_at_is_held() -> None:
    for body in (BODY, {**BODY, "status": {"observedGeneration": -1}}, {**BODY, "status": {}}):
        said = shown(None, body=body)
        assert "held, the operator has not looked at it yet" in said
        assert "gatehold doctor" in said
        assert "Healthy" not in said


def test_a_status_that_cannot_be_read_is_held() -> None:
    said = shown(None, body={**BODY, "status": {"observedGeneration": 3, "phase": "Splendid"}})
    assert "held, its status cannot be read" in said


def test_a_spec_newer_than_the_status_is_held() -> None:
    said = shown(at_rest(WEB, observed_generation=2))
    assert "the operator has not looked at the newest spec yet, which is held" in said
    assert "gatehold rollout watch web -n shop" in said


def test_a_healthy_one_has_nothing_to_do() -> None:
    said = shown(at_rest(WEB))
    assert "web in shop: Healthy" in said
    assert "nothing to do" in said
    assert [mark.split()[0] for mark in marks(said)] == ["canary", "approval", "pause", "promotion"]


def test_a_held_one_shows_how_far_it_is_and_for_whom_it_waits() -> None:
    said = shown(held(WEB, "web-1"))
    assert [mark.split("  ")[0] for mark in marks(said)] == ["done", "now", "to come", "to come"]
    for part in ("Held, step 2/3", "20 % of the pods, 16 % in whole pods", "web-1", "waits for 1 of sre, 1 of finance",
                 "2030-01-01T12:30:00Z", "the canary goes, stable stays as it is", 'gatehold approve web -n shop -m "why"',
                 "put the former template back"):  # fmt: skip
        assert part in said


def test_the_gates_question_stands_before_the_step_that_waits_for_it() -> None:
    said = shown(held(WEB, "web-1", step=2))
    assert [mark.split("  ")[0] for mark in marks(said)] == ["done", "done", "now", "to come", "to come"]
    assert "asks policy prod before it goes on" in marks(said)[2]
    last = shown(held(WEB, "web-1", step=3))
    assert [mark.split("  ")[0] for mark in marks(last)] == ["done", "done", "done", "now", "to come"]


def test_a_request_that_may_not_be_read_is_named_all_the_same() -> None:
    class Closed(Cluster):
        async def get(self, resource: Any, namespace: str | None, name: str) -> Any:
            from gatehold.kube import errors

            if resource.plural != "rollouts":
                raise errors.Forbidden(f"no {resource.plural} for you", status=403)
            return await super().get(resource, namespace, name)

    cluster = Closed(request(), rollouts=with_status(BODY, held(WEB, "web-1")))
    _, said = ends(["rollout", "show", "web"], cluster)
    assert "request web-1 under policy prod" in said
    assert "request web-1 is not shown: no approvalrequests for you" in said
    assert "1 of 1" in said


def test_a_promotion_and_an_undo_are_told() -> None:
    run = held(WEB, "web-1").run
    assert run is not None
    going = held(WEB, "web-1", phase=RolloutPhase.PROMOTING, run=replace(run, stage=Stage.PROMOTING, step=3), until=None)
    assert [mark.split("  ")[0] for mark in marks(shown(going))] == ["done", "done", "done", "now"]
    back = held(WEB, "web-1", phase=RolloutPhase.ROLLING_BACK, run=replace(run, stage=Stage.UNDOING), until=None)
    assert "RollingBack" in shown(back)
    first = held(WEB, "web-1", run=replace(run, first=True, former=""), stable=None, canary=None)
    assert "first deployment" in shown(first)
    assert "nothing is deployed" in shown(first)


def test_a_rejection_says_how_it_ended_and_what_to_type() -> None:
    said = shown(rejected(WEB))
    for part in ("Degraded", "DeniedByReviewer", "p99 doubled", "Rolled back", "yes, Restored: the canary is gone", "web-1",
                 "gatehold rollout retry web -n shop"):  # fmt: skip
        assert part in said
    asked = {**BODY, "metadata": {**BODY["metadata"], "annotations": {"gatehold.dev/retry": "2"}}}
    again = shown(rejected(WEB), body=asked)
    assert "the operator has not taken it up yet" in again
    assert "rollout retry" not in again


@pytest.mark.parametrize(
    ("reason", "command"),
    [("GateNotFound", "kubectl get gates"), ("WallNotProven", "gatehold doctor"), ("ChildNotOurs", "get deploy web-stable"),
     ("TemplateLost", "controllerrevisions -l gatehold.dev/rollout=web"), ("WriteRefused", "describe gro web")],
)  # fmt: skip
def test_what_does_not_get_on_says_what_to_look_at(reason: str, command: str) -> None:
    told = rollouts.said(NOW, reason=reason, message="so it is", stalled=True)
    said = shown(at_rest(WEB, phase=RolloutPhase.HELD, conditions=told))
    assert "so it is" in said.splitlines()[1]
    assert f"{reason}: see above" in said
    assert command in said


def test_broken_glass_and_a_failed_undo_are_not_overlooked() -> None:
    stable = at_rest(WEB).stable
    assert stable is not None
    broken = replace(stable, override=Override(WEB.target, "", "olga: INC-4711 site down"))
    not_back = Condition(ConditionType.ROLLED_BACK, "False", "NotRestored", "stable is not back", NOW, 3)
    said = shown(at_rest(WEB, stable=broken, conditions=(*at_rest(WEB).conditions, not_back)))
    assert "stable was changed by break-glass: olga: INC-4711 site down" in said
    assert "NotRestored: stable is not back" in said
    assert "puts back what was changed by break-glass" in said


def test_the_progress_deadline_is_told_and_that_it_stands() -> None:
    late = held(WEB, "web-1", phase=RolloutPhase.PROGRESSING, until=None, clock=Clock(NOW))
    assert "2030-01-01T11:40:00Z" in shown(late)
    assert "pods that are not available then: the canary goes" in shown(late)
    stands = replace(late, clock=Clock(NOW, NOW + timedelta(seconds=5)))
    assert "Gatehold itself holds the pods" in shown(stands)


def test_the_pods_are_shown_as_they_are_now() -> None:
    crashing = deployment("canary", 1, ready=0)
    pod = {"metadata": {"name": "p", "labels": {"gatehold.dev/track": "canary"}}, "spec": {"containers": [{"name": "web"}]},
           "status": {"containerStatuses": [{"name": "web", "restartCount": 4, "imageID": "x",
                                             "state": {"waiting": {"reason": "CrashLoopBackOff"}}}]}}  # fmt: skip
    said = shown(held(WEB, "web-1"), pods=[pod], **{"deployments/web-canary": crashing})
    row = next(line for line in said.splitlines() if line.strip().startswith("canary  "))
    for part in ("0 of 1", "4", "web=example.org/web:2", "web: CrashLoopBackOff"):
        assert part in row
    foreign = deployment("canary", 9, ready=9, owner="somebody")
    assert "9 of" not in shown(held(WEB, "web-1"), **{"deployments/web-canary": foreign})


def test_the_gate_of_the_namespace_is_named() -> None:
    space = {"metadata": {"name": "shop", "labels": {"gatehold.dev/rollouts": "front"}}}
    gate = {"metadata": {"name": "front"}, "spec": {"type": "Rollouts", "policyRef": {"name": "prod"}}}
    said = shown(at_rest(WEB), namespaces=space, gates=gate)
    assert "front: policy prod is asked before more than 20 %, and before promotion" in said
    assert "Gate      front\n" in shown(at_rest(WEB), namespaces=space)


def deployment(track: str, replicas: int, *, ready: int, owner: str = "r1") -> Any:
    meta = {
        "name": f"web-{track}",
        "uid": "d1",
        "resourceVersion": "1",
        "generation": 1,
        "ownerReferences": [{"apiVersion": "v1", "kind": "Rollout", "name": "web", "uid": owner, "controller": True}],
    }
    return {"metadata": meta, "spec": {"replicas": replicas, "template": BODY["spec"]["template"]},
            "status": {"replicas": replicas, "availableReplicas": ready}}  # fmt: skip


def test_one_that_is_deleted_says_so() -> None:
    going = {**BODY, "metadata": {**BODY["metadata"], "deletionTimestamp": "2030-01-01T12:00:00Z"}}
    assert "being deleted" in shown(at_rest(WEB), body=going)


# ---- for terminals and programs


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("record", [held(WEB, "web-1"), rejected(WEB), at_rest(WEB)], ids=["held", "rejected", "at rest"])
def test_no_line_is_wider_than_the_terminal(record: Record, width: int) -> None:
    import re

    said = shown(record, tty=width, **{"deployments/web-stable": deployment("stable", 5, ready=5)})
    assert max(len(re.sub(r"\x1b\[[0-9;]*m", "", line)) for line in said.splitlines()) <= width


def test_programs_get_the_object_and_its_name() -> None:
    assert shown(at_rest(WEB), "-o", "name") == "rollout.gatehold.dev/web\n"
    assert '"phase": "Healthy"' in shown(at_rest(WEB), "-o", "json")


def test_a_request_for_a_promotion_shows_the_way_to_its_rollout() -> None:
    rows = [{"name": "spec.containers[web].image", "value": "web:2", "baseline": "web:1", "source": "spec.template"},
            {"name": "restarts", "value": "0"}]  # fmt: skip
    subject = {"apiVersion": "gatehold.dev/v1alpha1", "kind": "Rollout", "name": "web", "uid": "r1"}
    asked = request(spec={"effect": {"type": "Promote"}, "subject": subject, "evidence": rows})
    _, said = ends(["show", "web"], Cluster(asked))
    assert said.index("What changes") < said.index("spec.containers[web].image") < said.index("Evidence")
    assert "gatehold rollout show web -n shop" in said
