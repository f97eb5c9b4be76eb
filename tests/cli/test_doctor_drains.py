"""`doctor` on drains: ways past the gates and who has them, gated nodes, the webhook and its certificate. No server."""

import copy
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gatehold.admission.certificates import issue, make_authority, secret_data
from gatehold.api.approval_policy import parse
from gatehold.cli.certs.init import Wish, configured
from gatehold.cli.doctor import gates
from gatehold.cli.doctor.drains import Seen, findings
from gatehold.cli.doctor.findings import Finding, Level
from gatehold.cli.doctor.rbac import Grant
from gatehold.cli.doctor.webhook import Webhook
from tests.cli.bodies import policy
from tests.cli.grants import ALICE, ARGO, SRE, grant, rule

Json = dict[str, Any]
NOW = datetime(2030, 1, 1, tzinfo=UTC)
CA = make_authority(NOW - timedelta(days=30))
HOSTS = ("gatehold.gatehold-system.svc",)
HOLD = {"metadata": {"name": "gpu"}, "spec": {"type": "Drains", "policyRef": {"name": "prod"}, "drains": {"mode": "Hold"}}}
DENY = {"metadata": {"name": "cpu"}, "spec": {"type": "Drains", "policyRef": {"name": "prod"}}}
NODES = (("n1", "gpu", "Hold"), ("n2", "gpu", "Hold"))


def secret(days: int = 90, since: datetime = NOW, hosts: tuple[str, ...] = HOSTS, ca: Any = CA) -> Json:
    return {"data": secret_data(issue(ca, hosts, since, days), ca.certificate)}


def webhook(change: Callable[[Json], object] = lambda hook: None, **more: Any) -> Webhook:
    body = configured(Wish(), CA.certificate, ())
    change(body["webhooks"][0])
    return Webhook(**{"configuration": body, "secret": secret(), **more})


def told(
    *held: Grant, seen: Seen | None = None, bodies: tuple[Json, ...] = (HOLD,), trusted: tuple[str, ...] = ()
) -> list[tuple[Level, str]]:
    found = findings(seen or Seen(NODES, webhook()), bodies, held, frozenset(trusted), NOW)
    return [(finding.level, finding.text) for finding in found]


def problems(found: list[tuple[Level, str]]) -> list[str]:
    return [text for level, text in found if level is Level.PROBLEM]


def test_all_in_order_says_so_and_what_nobody_holds() -> None:
    found = told()
    assert problems(found) == []
    assert (Level.OK, "gate gpu guards n1, n2 (mode Hold)") in found
    assert (Level.OK, "ValidatingWebhookConfiguration gatehold-evictions: as this version ships it") in found
    assert any(text.startswith("the webhook's certificate is good until 2030-04-01") for _, text in found)
    assert any("preemption by the scheduler" in text for _, text in found)


def test_where_nothing_is_about_drains_nothing_is_said() -> None:
    rollouts = {"metadata": {"name": "web"}, "spec": {"type": "Rollouts", "policyRef": {"name": "prod"}}}
    assert told(seen=Seen(), bodies=(rollouts, {"metadata": {"name": "odd"}, "spec": {}})) == []


WAYS: dict[str, tuple[list[Grant], str]] = {
    "delete pods in a namespace": (grant(SRE, rule("", "pods", "delete"), "shop"), "group:sre in shop may delete pods"),
    "delete collections": (grant(ALICE, rule("", "pods", "deletecollection")), "user:alice everywhere may delete pods"),
    "evict": (grant(ALICE, rule("", "pods/eviction", "create")), "user:alice everywhere may evict pods from nodes that are"),
    "verb drain": (grant(ALICE, rule("", "nodes", "drain")), "user:alice everywhere may drain gated nodes alone"),
    "all verbs on nodes": (grant(ALICE, rule("", "nodes", "*")), "user:alice everywhere may drain gated nodes alone"),
    "renew": (grant(ARGO, rule("", "secrets", "renew", "gatehold-webhook-tls"), "gatehold-system"),
              "sa:argocd/controller may put a certificate of their own"),
    "read the key": (grant(ALICE, rule("", "secrets", "list"), "gatehold-system"), "user:alice may read the key"),
}  # fmt: skip


@pytest.mark.parametrize(("held", "text"), WAYS.values(), ids=WAYS.keys())
def test_a_way_past_the_gates_is_said_with_its_holders(held: list[Grant], text: str) -> None:
    found = [said for level, said in told(*held) if level is Level.NOTICE]
    assert [said for said in found if said.startswith(text)], found


NO_WAY: dict[str, list[Grant]] = {
    "reads pods": grant(ALICE, rule("", "pods", "get,list")),
    "drain in a namespace reaches no node": grant(ALICE, rule("", "nodes", "drain"), "shop"),
    "secrets of another namespace": grant(ALICE, rule("", "secrets", "get"), "shop"),
    "another secret": grant(ALICE, rule("", "secrets", "get", "other"), "gatehold-system"),
    "everything is said as a bypass": grant(ALICE, rule("*", "*", "*")),
    "another webhook configuration": grant(
        ALICE, rule("admissionregistration.k8s.io", "validatingwebhookconfigurations", "patch", "other")
    ),
}


@pytest.mark.parametrize("held", NO_WAY.values(), ids=NO_WAY.keys())
def test_what_opens_nothing_is_not_said(held: list[Grant]) -> None:
    assert told(*held) == told()


def test_evictions_without_a_cordon_are_a_way_only_where_a_gate_holds() -> None:
    held = grant(ALICE, rule("", "pods/eviction", "create"))
    assert not [text for _, text in told(*held, seen=Seen((("n1", "cpu", ""),)), bodies=(DENY,)) if "evict pods" in text]


ADMISSION = "admissionregistration.k8s.io"
CHANGES = grant(ARGO, rule(ADMISSION, "validatingwebhookconfigurations", "update"), name="a")
OPENS: dict[str, list[Grant]] = {
    "and the wall": [*CHANGES, *grant(ARGO, rule(ADMISSION, "validatingadmissionpolicies", "patch"), name="b")],
    "and renews its certificate": [
        *CHANGES, *grant(ARGO, rule(ADMISSION, "validatingwebhookconfigurations", "renew", "gatehold-evictions"), name="b")],
    "with every verb": grant(ARGO, rule(ADMISSION, "validatingwebhookconfigurations", "*")),
}  # fmt: skip


@pytest.mark.parametrize("held", OPENS.values(), ids=OPENS.keys())
def test_who_may_open_the_webhook_is_a_problem_unless_trusted(held: list[Grant]) -> None:
    assert any("sa:argocd/controller may change the webhook for evictions" in text for text in problems(told(*held)))
    assert problems(told(*held, trusted=("sa:argocd/controller",))) == []


def test_who_may_change_webhooks_and_no_more_is_refused_by_the_wall() -> None:
    assert problems(told(*CHANGES)) == []


def test_many_holders_are_one_line() -> None:
    held = [g for n in range(13) for g in grant(ALICE._replace(name=f"u{n:02}"), rule("", "pods", "delete"), "shop")]
    assert any("user:u09 in shop and 3 more may delete pods" in text for _, text in told(*held))


# ---- nodes


def test_nodes_and_gates_that_do_not_meet_are_said() -> None:
    alone = (Level.NOTICE, "gate cpu: no node is behind it")
    assert alone in told(bodies=(HOLD, DENY))
    left_out = {"status": {"conditions": [{"type": "Ready", "status": "False", "reason": "LeftOut"}]}}
    assert alone not in told(bodies=(HOLD, {**DENY, **left_out}))
    lost = told(seen=Seen((("n1", "no-such", ""),), webhook()), bodies=())
    assert any("names gate no-such, which is none for drains" in text for text in problems(lost))
    late = told(seen=Seen((*NODES, ("n3", "gpu", "")), webhook()))
    assert (Level.NOTICE, "n3: still in mode Deny: evictions there are refused, not held") in late
    loose = told(seen=Seen((("n1", "cpu", "Hold"),), webhook()), bodies=(DENY,))
    assert "n1: still in mode Hold, though the gate says Deny" in problems(loose)


def test_a_gate_for_drains_is_asked_whether_people_can_answer_where_it_asks() -> None:
    sre = grant(SRE, rule("gatehold.dev", "approvalpolicies/sre", "approve", "prod"), "ops")
    known = parse(policy(effects=["Drain", "Release"], quorum=[{"role": "sre"}]))
    body = copy.deepcopy(HOLD) | {"status": {"conditions": [{"type": "Ready", "status": "True", "message": "proven"}]}}
    body["spec"]["drains"]["namespace"] = "ops"

    def said(body: Json) -> list[Finding]:
        return gates.findings(gates.Gates((body,), ()), [known], sre)

    assert [f.text for f in said(body)] == ["gate gpu: proven", "policy prod in ops: 1 of sre (group:sre)"]
    del body["spec"]["drains"]["namespace"]
    assert any("in gatehold-system cannot be met" in f.text for f in said(body))
    body["spec"]["policyRef"]["name"] = "gone"
    assert [f.text for f in said(body)] == ["gate gpu: proven"]


# ---- the webhook


def test_a_webhook_that_is_not_there_is_a_problem_where_a_gate_wants_to_hold() -> None:
    assert problems(told(seen=Seen(NODES))) == ["the webhook is not installed, so mode Hold of gate gpu means Deny"]
    assert problems(told(seen=Seen((("n1", "cpu", ""),)), bodies=(DENY,))) == []


BROKEN: dict[str, tuple[Webhook, str]] = {
    "open": (webhook(lambda hook: hook.update(failurePolicy="Ignore")), "failurePolicy differs from the shipped text"),
    "no trust": (webhook(lambda hook: hook["clientConfig"].update(caBundle="")), "no caBundle: every eviction is refused"),
    "odd trust": (webhook(lambda hook: hook["clientConfig"].update(caBundle="?")), "no caBundle: every eviction is refused"),
    "a condition of somebody": (
        webhook(lambda hook: hook["matchConditions"].append({"name": "x", "expression": "false"})), "held only where false"),
    "the operator is held": (webhook(lambda hook: hook.update(matchConditions=[])), "not-the-operator is gone"),
    "expired": (webhook(secret=secret(20, NOW - timedelta(days=25))), "not valid now (until 2029-12-27T00:00:00Z)"),
    "late": (webhook(secret=secret(20, NOW - timedelta(days=19))), "ends soon, and nobody has renewed it"),
    "another CA": (webhook(secret=secret(ca=make_authority(NOW))), "not of the CA that the API server trusts"),
    "another name": (webhook(secret=secret(hosts=("x.svc",))), "not for gatehold.gatehold-system.svc"),
    "no certificate": (webhook(secret={"data": {"tls.crt": "", "tls.key": ""}}), "cannot be read"),
    "unread": (webhook(secret=None, unread="you may not"), "nothing is known about the webhook's certificate: you may not"),
}  # fmt: skip


@pytest.mark.parametrize(("broken", "text"), BROKEN.values(), ids=BROKEN.keys())
def test_a_webhook_that_does_not_do_its_work_is_a_problem_with_a_next_command(broken: Webhook, text: str) -> None:
    found = [f for f in findings(Seen(NODES, broken), [HOLD], [], frozenset(), NOW) if f.level is Level.PROBLEM]
    assert any(text in finding.text for finding in found), found
    assert all(finding.next for finding in found)


def test_what_is_due_or_the_installers_choice_is_a_notice() -> None:
    due = told(seen=Seen(NODES, webhook(secret=secret(30, NOW - timedelta(days=21)))))
    assert any(level is Level.NOTICE and "due to be renewed" in text for level, text in due)
    exempt = Webhook(configured(Wish(), CA.certificate, ("system:serviceaccount:x:autoscaler",)), secret())
    found = told(seen=Seen(NODES, exempt))
    assert problems(found) == []
    assert any(level is Level.NOTICE and "system:serviceaccount:x:autoscaler" in text for level, text in found)
    files = told(seen=Seen(NODES, webhook(secret=None)))
    assert any("comes from files" in text for _, text in files)


def test_without_the_servers_time_nothing_is_said_of_the_certificate() -> None:
    found = findings(Seen(NODES, webhook()), [HOLD], [], frozenset(), None)
    assert any("does not say what time it is" in f.text for f in found)
