"""`doctor` on Gates: can they ask, is anybody behind them, can people there answer, who may open them."""

import json
from typing import Any

from gatehold.api.approval_policy import parse
from gatehold.cli.doctor.findings import Level
from gatehold.cli.doctor.gates import Gates, findings, rights
from tests.cli.bodies import policy
from tests.cli.grants import ALICE, BOB, SRE, Json, grant, rule
from tests.cli.stage import Stage

PROMOTE = parse(policy(effects=["Promote"], quorum=[{"role": "sre"}]))
SHOP_SRE = grant(SRE, rule("gatehold.dev", "approvalpolicies/sre", "approve", "prod"), "shop")


def gate(name: str = "front", *, ready: str = "True", why: str = "PolicyFound", **spec: Any) -> Json:
    conditions = [{"type": "Ready", "status": ready, "reason": why, "message": "asked under policy prod"}]
    whole = {"type": "Rollouts", "policyRef": {"name": "prod"}, **spec}
    return {"metadata": {"name": name}, "spec": whole, "status": {"conditions": conditions if ready else []}}


def told(*bodies: Json, places: tuple[tuple[str, str], ...] = (("shop", "front"),), grants: Any = SHOP_SRE) -> Any:
    return [(finding.level, finding.text) for finding in findings(Gates(bodies, places), [PROMOTE], grants)]


def test_a_gate_that_can_ask_people_who_exist_is_in_order() -> None:
    assert told(gate()) == [
        (Level.OK, "gate front: asked under policy prod"),
        (Level.OK, "policy prod in shop: 1 of sre (group:sre)"),
    ]


def test_nobody_is_sent_behind_a_gate_that_the_installation_leaves_out() -> None:
    assert told(gate(ready="False", why="LeftOut"), places=()) == [(Level.PROBLEM, "gate front: asked under policy prod")]


def test_what_keeps_a_gate_from_asking_is_a_problem() -> None:
    assert (Level.PROBLEM, "gate front: asked under policy prod") in told(gate(ready="False"))
    assert (Level.PROBLEM, "gate front: the operator has not looked at it") in told(gate(ready=""))
    assert told(gate(type="Later")) == [(Level.PROBLEM, "gate front cannot be read: everything behind it is held")]
    assert told(grants=[]) == [
        (Level.PROBLEM, "namespace shop names gate front, which is not there: every Rollout in it is held")
    ]


def test_nobody_behind_it_or_nobody_to_answer_is_said() -> None:
    assert (Level.NOTICE, "gate front: no namespace is behind it") in told(gate(), places=())
    elsewhere = told(gate(), places=(("other", "front"),))
    assert any(level is Level.PROBLEM and "nobody holds sre" in text for level, text in elsewhere)


def test_a_gate_of_pods_has_namespaces_of_its_own_label() -> None:
    paid = gate("paid", type="Pods", pods={"threshold": {"hourly": "0.5"}})
    bare = [(finding.level, finding.text) for finding in findings(Gates((paid,), (("shop", "front"),)), [PROMOTE], SHOP_SRE)]
    assert (Level.NOTICE, "gate paid: no namespace is behind it") in bare
    found = findings(Gates((paid,), (), (("shop", "paid"), ("lab", "gone"))), [PROMOTE], SHOP_SRE)
    said = [(finding.level, finding.text) for finding in found]
    assert (Level.OK, "policy prod in shop: 1 of sre (group:sre)") in said
    assert (Level.PROBLEM, "namespace lab names gate gone, which is not there: every pod in it is held") in said


def test_who_may_open_it_and_who_may_break_its_glass_is_listed() -> None:
    held = [*grant(ALICE, rule("gatehold.dev", "gates", "bind", "front")), *grant(BOB, rule("gatehold.dev", "gates", "*")),
            *grant(SRE, rule("gatehold.dev", "gates", "bind"), "shop")]  # fmt: skip
    granted = rights(Gates((gate(),), ()), held)["front"]
    assert {right.verb: [str(g.subject) for g in right.holders] for right in granted} == {
        "bind": ["user:alice", "user:bob"],
        "override": ["user:bob"],
    }


def test_doctor_says_it_on_a_real_server(stage: Stage) -> None:
    body = {"apiVersion": "gatehold.dev/v1alpha1", "kind": "Gate", "metadata": {"name": "front"}, "spec": gate()["spec"]}
    stage.plane.kubectl("apply", "-f", "-", stdin=json.dumps(body))
    try:
        said = stage.cli("admin", "doctor").out
    finally:
        stage.plane.kubectl("delete", "gate", "front")
    assert "gate front: the operator has not looked at it" in said
    assert "Rights on gate front" in said
