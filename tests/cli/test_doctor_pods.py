"""`doctor` on Gates of type Pods: ways round them, quotas, the price table. The last tests are on a real server."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from gatehold.cli.doctor.findings import Level
from gatehold.cli.doctor.gates import Gates
from gatehold.cli.doctor.pods import PART, Seen, _bounded, findings
from gatehold.cli.doctor.rbac import Grant
from tests.cli.grants import ALICE, ARGO, BOB, SRE, grant, rule
from tests.cli.stage import Stage

Json = dict[str, Any]
NOW = datetime(2026, 11, 29, tzinfo=UTC)
RATES = {"CPU": "0.03", "RAM": "0.004", "storage": "0.0001"}
DATA = {**RATES, "currency": "USD", "source": "example rates", "date": "2026-11-01"}
DAEMONS = "may create DaemonSets in shop"
GATE = {"metadata": {"name": "paid"}, "spec": {"type": "Pods", "policyRef": {"name": "prod"}}}
FRONT = {"metadata": {"name": "front"}, "spec": {"type": "Rollouts", "policyRef": {"name": "prod"}}}
ALL = frozenset(
    {"count/pods", "cpu", "requests.memory", "requests.storage", "persistentvolumeclaims", "services.loadbalancers"}
)


def told(*held: Grant, places: tuple[tuple[str, str], ...] = (("shop", "paid"),), **seen: Any) -> list[tuple[Level, str]]:
    fixed: Json = {"bounded": (("shop", ALL),), "table": {"data": DATA}}
    found = findings(Seen(**{**fixed, **seen}), Gates((GATE, FRONT), (), places), held, NOW)
    assert {finding.part for finding in found} <= {PART}
    return [(finding.level, finding.text) for finding in found]


def test_all_in_order() -> None:
    assert told() == [
        (Level.OK, "prices of 2026-11-01 in USD, from example rates"),
        (Level.OK, "ResourceQuota in shop bounds what the gate does not hold"),
    ]


WAYS: dict[str, tuple[list[Grant], str]] = {
    "DaemonSets there": (
        grant(SRE, rule("apps", "daemonsets", "create"), "shop"),
        f"group:sre {DAEMONS}",
    ),
    "DaemonSets everywhere": (grant(ARGO, rule("apps", "*", "*")), f"sa:argocd/controller {DAEMONS}"),
    "override": (grant(ALICE, rule("gatehold.dev", "gates", "override", "paid")), "user:alice may open pods in shop alone"),
    "prices": (
        grant(BOB, rule("", "configmaps", "patch"), "gatehold-system"),
        "user:bob may change the price table, and so what is under the threshold",
    ),
}


@pytest.mark.parametrize(("held", "text"), WAYS.values(), ids=WAYS.keys())
def test_who_goes_round_it_is_named(held: list[Grant], text: str) -> None:
    assert any(said.startswith(text) and level is Level.NOTICE for level, said in told(*held))


@pytest.mark.parametrize(
    "held",
    [
        grant(SRE, rule("apps", "daemonsets", "create"), "elsewhere"),
        grant(SRE, rule("apps", "daemonsets", "get"), "shop"),
        grant(ALICE, rule("gatehold.dev", "gates", "override", "other")),
        grant(ALICE, rule("gatehold.dev", "gates", "override", "paid"), "shop"),
        grant(BOB, rule("", "configmaps", "patch"), "shop"),
        grant(BOB, rule("", "configmaps", "get"), "gatehold-system"),
        grant(BOB, rule("*", "*", "*")),
    ],
    ids=[
        "elsewhere",
        "reads",
        "another gate",
        "in a namespace",
        "other tables",
        "reads prices",
        "everything, said elsewhere",
    ],
)
def test_who_does_not_is_not(held: list[Grant]) -> None:
    assert told(*held) == told()


def test_exempt_accounts_are_said() -> None:
    account = "system:serviceaccount:kube-system:descheduler"
    assert any(account in text and "never held in shop" in text for _, text in told(exempt=(("shop", account),)))


def test_what_no_quota_bounds_is_said() -> None:
    none = told(bounded=(("shop", frozenset()),))
    assert any(
        level is Level.NOTICE and text.startswith("no ResourceQuota in shop: volumes, load balancers")
        for level, text in none
    )
    some = told(bounded=(("shop", ALL - {"services.loadbalancers", "cpu"}),))
    assert (Level.NOTICE, "no ResourceQuota in shop bounds requests.cpu, services.loadbalancers") in some


def test_a_quota_of_some_pods_only_bounds_not_all() -> None:
    scoped = {"metadata": {"namespace": "shop"}, "spec": {"hard": {"pods": "1"}, "scopes": ["BestEffort"]}}
    other = {"metadata": {"namespace": "other"}, "spec": {"hard": {"pods": "1"}}}
    mine = {"metadata": {"namespace": "shop"}, "spec": {"hard": {"requests.storage": "1Ti"}}}
    assert _bounded([scoped, other, mine], "shop") == frozenset({"requests.storage"})


def test_the_price_table_is_looked_at() -> None:
    assert any(level is Level.PROBLEM and "there is no price table" in text for level, text in told(table=None))
    assert any(level is Level.PROBLEM and "you may not" in text for level, text in told(table=None, unread="you may not"))
    broken = told(table={"data": {**DATA, "CPU": "-1", "RAM": "free"}})
    assert any(level is Level.PROBLEM and "broken" in text and "CPU" in text and "RAM" in text for level, text in broken)
    old = told(table={"data": {**DATA, "date": "2026-07"}})
    assert any(level is Level.NOTICE and "151 days old" in text for level, text in old)


def test_a_namespace_that_names_a_gate_of_another_type_is_a_problem() -> None:
    text = "namespace lab names gate front, which is not of type Pods: every pod in it is held"
    assert (Level.PROBLEM, text) in told(places=(("lab", "front"), ("shop", "paid")))


def test_on_a_real_server_it_is_said_and_without_such_gates_nothing_is(stage: Stage) -> None:
    quiet = json.loads(stage.cli("admin", "doctor", "-o", "json").out)["findings"]
    assert not [finding for finding in quiet if finding["part"] == PART]
    gate = {"apiVersion": "gatehold.dev/v1alpha1", "kind": "Gate", **GATE}
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "lab", "labels": {"gatehold.dev/pods": "paid"}}}
    for body in (gate, space):
        stage.plane.kubectl("apply", "-f", "-", stdin=json.dumps(body))
    try:
        said = json.loads(stage.cli("admin", "doctor", "-o", "json").out)["findings"]
        texts = [finding["text"] for finding in said if finding["part"] == PART]
        assert any(text.startswith("there is no price table") for text in texts), texts
        assert any(text.startswith("no ResourceQuota in lab: volumes") for text in texts), texts
        stage.plane.kubectl("-n", "lab", "create", "quota", "bounds", "--hard=" + ",".join(f"{name}=1" for name in ALL))
        place = {"name": "gatehold-prices", "namespace": "gatehold-system"}
        table = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": place, "data": DATA}
        stage.plane.kubectl("apply", "-f", "-", stdin=json.dumps(table))
        again = json.loads(stage.cli("admin", "doctor", "-o", "json").out)["findings"]
        fine = [finding["text"] for finding in again if finding["part"] == PART and finding["level"] != "problem"]
        assert "ResourceQuota in lab bounds what the gate does not hold" in fine
        assert any(text.startswith("prices of 2026-11-01 in USD") for text in fine), fine
    finally:
        stage.plane.kubectl("label", "namespace", "lab", "gatehold.dev/pods-")  # nothing here ends a namespace
        stage.plane.kubectl("delete", "namespace", "lab", "--wait=false")
        stage.plane.kubectl("delete", "gate", "paid")
        stage.plane.kubectl("-n", "gatehold-system", "delete", "configmap", "gatehold-prices", check=False)
