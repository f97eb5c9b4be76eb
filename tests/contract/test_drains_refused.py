"""Drains and their Gates on a real API server: what makes no sense is refused early, and what is recorded stays."""
# ruff: noqa: E501 (a row is a line, so that rows can be read down)

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from controlplane import Cluster
from playground import install_kinds

Body = dict[str, Any]
GROUP = "gatehold.dev/v1alpha1"


@pytest.fixture(scope="module")
def cluster(bare_cluster: Cluster) -> Cluster:
    """The kinds, and nothing else of ours."""
    install_kinds(bare_cluster)
    return bare_cluster


def drain(name: str = "drain", **members: Any) -> Body:
    """A request to drain n1, with other members of effect.drain."""
    given = {"nodes": [{"name": "n1", "uid": "u1"}]} | members
    effect = {"type": "Drain", "drain": {key: value for key, value in given.items() if value is not None}}
    spec = {"policyRef": {"name": "ops"}, "requester": {"username": "ci"}, "effect": effect}
    metadata = {"name": name, "namespace": "default"}
    return {"apiVersion": GROUP, "kind": "ApprovalRequest", "metadata": metadata, "spec": spec}


def held(**subject: Any) -> Body:
    """A request that holds a drain of n1."""
    body = drain()
    about = {"apiVersion": "v1", "kind": "Node", "name": "n1", "uid": "u1"} | subject
    body["spec"] |= {"effect": {"type": "Release"}, "subject": about}
    return body


def gate(**members: Any) -> Body:
    given = {"type": "Drains", "policyRef": {"name": "ops"}} | members
    return {"apiVersion": GROUP, "kind": "Gate", "metadata": {"name": "gpu"}, "spec": given}


def with_subject(body: Body) -> Body:
    return body | {"spec": body["spec"] | {"subject": {"kind": "Node", "name": "n1"}}}


SELECTED: Body = {"nodes": None, "selector": {"matchLabels": {"example.org/pool": "gpu", "spot": ""}}}
GOOD: dict[str, Body] = {
    "the least": drain(),
    "everything": drain(
        parallelNodes=2,
        parallelPods=256,
        gracePeriodSeconds=0,
        timeoutSeconds=60,
        deleteEmptyDirData=True,
        evictUnmanagedPods=False,
    ),
    "nodes by label": drain(**SELECTED),
    "256 nodes": drain(nodes=[{"name": f"n{number}"} for number in range(256)]),
    "a drain that is held": held(),
    "a gate": gate(),
    "a gate that says nothing about drains": gate(drains={}),
    "a gate that holds": gate(drains={"mode": "Hold", "namespace": "ops", "cooldownSeconds": 15}),
    "a gate that denies": gate(drains={"mode": "Deny", "cooldownSeconds": 86400}),
}


def send(cluster: Cluster, body: Body) -> str:
    """Empty where the API server would take it, or its words."""
    done = cluster.kubectl("create", "--dry-run=server", "--validate=strict", "-f", "-", stdin=json.dumps(body), check=False)
    return done.stderr if done.returncode else ""


@pytest.mark.parametrize("body", GOOD.values(), ids=GOOD)
def test_it_makes_sense(cluster: Cluster, body: Body) -> None:
    assert send(cluster, body) == ""


BAD: dict[str, tuple[Body, str]] = {
    "no nodes": (drain(nodes=None), "name the nodes or select them, not both"),
    "nodes twice": (drain(selector={"matchLabels": {"a": "b"}}), "name the nodes or select them, not both"),
    "an empty list of nodes": (drain(nodes=[]), "at least 1 items"),
    "one node twice": (drain(nodes=[{"name": "n1"}, {"name": "n1"}]), "Duplicate value"),
    "257 nodes": (drain(nodes=[{"name": f"n{number}"} for number in range(257)]), "must have at most 256 items"),
    "all nodes": (drain(nodes=None, selector={"matchLabels": {}}), "at least 1 properties"),
    "a selector of expressions": (drain(nodes=None, selector={"matchLabels": {"a": "b"}, "matchExpressions": []}), "unknown field"),
    "a label key that is none": (drain(nodes=None, selector={"matchLabels": {"a b": "c"}}), "not a label key"),
    "no nodes at once": (drain(parallelNodes=0), "greater than or equal to 1"),
    "no pods at once": (drain(parallelPods=0), "greater than or equal to 1"),
    "257 pods at once": (drain(parallelPods=257), "less than or equal to 256"),
    "less than no time for pods": (drain(gracePeriodSeconds=-1), "greater than or equal to 0"),
    "no time at all": (drain(timeoutSeconds=0), "greater than or equal to 1"),
    "more than a week": (drain(timeoutSeconds=604801), "less than or equal to 604800"),
    "a subject beside the nodes": (with_subject(drain()), "only with effect Drain leave it out"),
    "a held drain of any node of that name": (held(uid=""), "uid"),
    "a gate of a version to come": (gate(type="HttpRoutes"), "Unsupported value"),
    "a gate with what another type means": (gate(rollouts={"maxWeightBeforeApproval": 5}), "give the member that type names, or none"),
    "a gate of Rollouts with drains": (gate(type="Rollouts", drains={"mode": "Hold"}), "give the member that type names, or none"),
    "a gate with a mode to come": (gate(drains={"mode": "Warn"}), "Unsupported value"),
    "a gate that asks nowhere": (gate(drains={"namespace": ""}), "should be at least 1 chars long"),
    "a gate that asks in no namespace": (gate(drains={"namespace": "a/b"}), "should match"),
    "a gate that cools down before kubectl tries again": (gate(drains={"cooldownSeconds": 14}), "greater than or equal to 15"),
    "a gate that refuses for more than a day": (gate(drains={"cooldownSeconds": 86401}), "less than or equal to 86400"),
}  # fmt: skip


@pytest.mark.parametrize("body", [body for body, _ in BAD.values()], ids=list(BAD))
def test_it_makes_no_sense(request: pytest.FixtureRequest, cluster: Cluster, body: Body) -> None:
    text = BAD[request.node.callspec.id][1]

    assert text in send(cluster, body)


def node(**members: Any) -> Body:
    base = {"name": "n1", "uid": "u1", "state": "Cordoned", "wasUnschedulable": False, "taints": ["spot=:NoSchedule"]}
    return {key: value for key, value in (base | members).items() if value is not None}


OTHER = {"name": "n2", "uid": "u2", "state": "Waiting"}


@pytest.fixture
def recorded(cluster: Cluster) -> Iterator[Callable[[list[Body] | None], str]]:
    """A drain with two nodes, one of them begun with; writes other nodes into its status and gives what is said."""
    cluster.kubectl("create", "-f", "-", stdin=json.dumps(drain("recorded")))

    def write(nodes: list[Body] | None) -> str:
        patch = {"status": {"effect": {"type": "Drain", "state": "Running", "nodes": nodes}}}
        arguments = ("patch", "apr", "recorded", "--subresource=status", "--type=merge", "-p", json.dumps(patch))
        done = cluster.kubectl(*arguments, check=False)
        return done.stderr if done.returncode else ""

    assert write([node(state="Waiting"), OTHER]) == ""
    assert write([node(), OTHER]) == ""
    yield write
    cluster.kubectl("delete", "apr", "recorded")


def test_what_a_drain_may_record_later(recorded: Callable[[list[Body]], str]) -> None:
    since = "2026-03-01T12:00:00Z"
    blocked = node(state="Draining", podsLeft=3, blockedBy="budget shop/web", blockedSince=since, message="m")

    assert recorded([blocked, OTHER | {"wasUnschedulable": True, "taints": ["a=b:NoSchedule"]}]) == ""
    assert recorded([node(state="Drained", podsLeft=0), OTHER | {"wasUnschedulable": False}]) == ""
    assert recorded([node(state="Drained"), OTHER | {"state": "Cordoned", "wasUnschedulable": True}]) == ""


NEVER: dict[str, tuple[list[Body] | None, str]] = {
    "without nodes": (None, "recorded once, in their order"),
    "without one": ([node()], "recorded once, in their order"),
    "with one more": ([node(), OTHER, node(name="n3")], "recorded once, in their order"),
    "in another order": ([OTHER, node()], "recorded once, in their order"),
    "with another node of that name": ([node(uid="u9"), OTHER], "stays the one that it was"),
    "that waits again": ([node(state="Waiting"), OTHER], "does not wait any more"),
    "that was cordoned after all": ([node(wasUnschedulable=True), OTHER], "recorded before its first write and stays"),
    "without what it was": ([node(wasUnschedulable=None), OTHER], "recorded before its first write and stays"),
    "with other taints": ([node(taints=["a=b:NoExecute"]), OTHER], "recorded before its first write and stays"),
    "without taints": ([node(taints=None), OTHER], "recorded before its first write and stays"),
    "in no state": ([node(state=None), OTHER], "state: Required value"),
    "without a uid": ([node(uid=None), OTHER], "uid: Required value"),
}


@pytest.mark.parametrize("nodes", [nodes for nodes, _ in NEVER.values()], ids=list(NEVER))
def test_what_a_drain_never_records(
    request: pytest.FixtureRequest, recorded: Callable[[list[Body] | None], str], nodes: list[Body] | None
) -> None:
    text = NEVER[request.node.callspec.id][1]

    assert text in recorded(nodes)
