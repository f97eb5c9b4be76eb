"""drain and uncordon on a real API server; a stand-in writes the operator's part, and nobody evicts anything."""

import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from controlplane import wait_until
from gatehold.api.maintenance import name_of
from gatehold.cli.exits import Exit
from tests.cli.drains import Played
from tests.cli.stage import Stage

Json = dict[str, Any]
GATES = """
apiVersion: v1
kind: List
items:
- apiVersion: gatehold.dev/v1alpha1
  kind: ApprovalPolicy
  metadata: {name: nodes}
  spec: {quorum: [{role: sre}], effects: [Drain]}
- apiVersion: gatehold.dev/v1alpha1
  kind: ApprovalPolicy
  metadata: {name: other}
  spec: {quorum: [{role: sre}], effects: [Drain]}
- apiVersion: gatehold.dev/v1alpha1
  kind: Gate
  metadata: {name: gpu}
  spec: {type: Drains, policyRef: {name: nodes}, drains: {namespace: shop}}
- apiVersion: gatehold.dev/v1alpha1
  kind: Gate
  metadata: {name: cpu}
  spec: {type: Drains, policyRef: {name: other}, drains: {namespace: shop}}
- {apiVersion: gatehold.dev/v1alpha1, kind: Gate, metadata: {name: web}, spec: {type: Rollouts, policyRef: {name: nodes}}}
- {apiVersion: v1, kind: Node, metadata: {name: g1, labels: {gatehold.dev/drain: gpu, pool: gpu}}}
- {apiVersion: v1, kind: Node, metadata: {name: g2, labels: {gatehold.dev/drain: gpu, pool: gpu}}}
- {apiVersion: v1, kind: Node, metadata: {name: c1, labels: {gatehold.dev/drain: cpu}}}
- {apiVersion: v1, kind: Node, metadata: {name: w1, labels: {gatehold.dev/drain: web}}}
- {apiVersion: v1, kind: Node, metadata: {name: lost, labels: {gatehold.dev/drain: no-such}}}
- {apiVersion: v1, kind: Node, metadata: {name: free}}
- apiVersion: rbac.authorization.k8s.io/v1
  kind: ClusterRole
  metadata: {name: drains}
  rules:
  - {apiGroups: [""], resources: [nodes], verbs: [get, list, patch, drain]}
  - {apiGroups: [gatehold.dev], resources: [gates], verbs: [get]}
  - {apiGroups: [gatehold.dev], resources: [approvalpolicies], verbs: [request]}
  - {apiGroups: [gatehold.dev], resources: [approvalrequests], verbs: [get, list, watch, create, patch, delete]}
- apiVersion: rbac.authorization.k8s.io/v1
  kind: ClusterRole
  metadata: {name: decides-nodes}
  rules: [{apiGroups: [gatehold.dev], resources: [approvalpolicies/sre], resourceNames: [nodes], verbs: [approve]}]
- apiVersion: rbac.authorization.k8s.io/v1
  kind: ClusterRole
  metadata: {name: looks-at-nodes}
  rules:
  - {apiGroups: [""], resources: [nodes], verbs: [get, list]}
  - {apiGroups: [gatehold.dev], resources: [approvalpolicies], verbs: [request]}
  - {apiGroups: [gatehold.dev], resources: [approvalrequests], verbs: [get, create]}
"""
ASK = ("--reason", "kernel update")


@pytest.fixture(scope="module")
def nodes(stage: Stage) -> Iterator[Stage]:
    """Gates, nodes behind them, dora who may drain and frank who may only look."""
    plane = stage.plane
    plane.kubectl("apply", "--server-side", "-f", "-", stdin=GATES)
    for role, name in (("drains", "dora"), ("looks-at-nodes", "frank"), ("decides-nodes", "alice")):
        plane.kubectl("create", "clusterrolebinding", role, f"--clusterrole={role}", f"--user={name}")
    stage.until_may("alice", "approve", "approvalpolicies.gatehold.dev/nodes", "--subresource=sre")  # the last of them
    yield stage
    plane.kubectl("delete", "gates", "gpu", "cpu", "web")
    plane.kubectl("delete", "nodes", "g1", "g2", "c1", "w1", "lost", "free")
    plane.kubectl("delete", "clusterrolebinding", "drains", "looks-at-nodes", "decides-nodes")


def ask(stage: Stage, *words: str, person: str = "dora", code: int = Exit.OK) -> Any:
    """Run `drain` and see how it ends."""
    ended = stage.cli(person, "drain", *words)
    assert ended.code == code, ended.out + ended.err
    return ended


def opened(stage: Stage, *words: str) -> Json:
    """The request that `drain` opens."""
    return stage.get("apr", ask(stage, *words).out.strip())


def test_a_drain_is_asked_where_the_gate_says_about_the_nodes_as_they_are(nodes: Stage) -> None:
    ended = ask(nodes, "g1", "node/g2", "--reason", "kernel update")
    found = nodes.get("apr", ended.out.strip())
    uids = [json.loads(nodes.plane.kubectl("get", "node", n, "-o", "json").stdout)["metadata"]["uid"] for n in ("g1", "g2")]
    drain = found["spec"]["effect"]["drain"]
    assert drain == {"nodes": [{"name": "g1", "uid": uids[0]}, {"name": "g2", "uid": uids[1]}]}
    assert found["spec"]["policyRef"] == {"name": "nodes"}
    assert found["spec"]["summary"] == "drain g1, g2: kernel update"
    assert found["spec"]["requester"]["username"] == "dora"
    assert "subject" not in found["spec"]
    assert f"asked about 2 nodes: request {ended.out.strip()} in namespace shop, under policy nodes" in ended.err
    assert f"next: gatehold wait {ended.out.strip()} -n shop" in ended.err
    assert found["metadata"]["name"].startswith("g1-")


def test_flags_mean_what_they_mean_to_kubectl(nodes: Stage) -> None:
    flags = ("--timeout", "30m", "--grace-period", "0", "--parallel-nodes", "2", "--parallel-pods", "3",
             "--delete-emptydir-data", "--force", "--ignore-daemonsets")  # fmt: skip
    drain = opened(nodes, "-l", "pool=gpu", *ASK, *flags)["spec"]["effect"]["drain"]
    assert [node["name"] for node in drain.pop("nodes")] == ["g1", "g2"]
    assert drain == {"timeoutSeconds": 1800, "gracePeriodSeconds": 0, "parallelNodes": 2, "parallelPods": 3,
                     "deleteEmptyDirData": True, "evictUnmanagedPods": True}  # fmt: skip
    own = opened(nodes, "-l", "pool in (gpu), !zone", "--grace-period", "-1", *ASK)["spec"]["effect"]["drain"]
    assert own.keys() == {"nodes"}


def test_a_long_reason_is_read_whole_in_the_description(nodes: Stage) -> None:
    spec = opened(nodes, "g1", "--reason", "first line\n" + "why " * 100)["spec"]
    assert spec["summary"].startswith("drain g1: first line why why")
    assert len(spec["summary"]) == 256
    assert spec["description"].count("why") == 100


def test_a_dry_run_asks_nothing(nodes: Stage) -> None:
    before = nodes.plane.kubectl("get", "apr", "-n", "shop", "-o", "name").stdout
    assert "dry run on the server" in ask(nodes, "g1", *ASK, "--dry-run", "server").err
    shown = json.loads(ask(nodes, "g1", *ASK, "--dry-run", "server", "-o", "json").out)
    assert shown["spec"]["effect"]["type"] == "Drain"
    assert nodes.plane.kubectl("get", "apr", "-n", "shop", "-o", "name").stdout == before


WRONG: dict[str, tuple[tuple[str, ...], int, str, str]] = {
    "no node": ((*ASK,), Exit.USAGE, "name the nodes or select them", "kubectl get nodes --show-labels"),
    "both": (("g1", "-l", "pool=gpu", *ASK), Exit.USAGE, "name the nodes or select them", "kubectl get nodes"),
    "no reason": (("g1",), Exit.USAGE, "say why, reviewers read it", "--reason"),
    "nobody of that name": (("no-such", *ASK), Exit.ABSENT, "there is no node no-such", "kubectl get nodes"),
    "no such label": (("-l", "pool=x", *ASK), Exit.ABSENT, "no node has labels pool=x", "kubectl get nodes"),
    "no selector": (("-l", "pool==(", *ASK), Exit.REFUSED, "", ""),
    "two policies": (("g1", "g2", "c1", *ASK), Exit.USAGE, "g1, g2 under policy nodes in shop; c1 under policy other",
                     'gatehold drain g1 g2 --reason "why"'),
    "no gate and no policy": (("free", *ASK), Exit.USAGE, "no gate is behind these nodes", "--policy NAME"),
    "gate of another type": (("w1", *ASK), Exit.USAGE, "gate web is of type Rollouts, not Drains", "kubectl get gate web"),
    "gate that is not there": (("lost", *ASK), Exit.ABSENT, "there is no gate no-such", "kubectl get gates"),
    "another policy than the gate's": (("g1", "--policy", "other", *ASK), Exit.USAGE, "says nodes, --policy says other",
                                       "leave --policy out"),
    "another namespace than the gate's": (("g1", "-n", "default", *ASK), Exit.USAGE, "gate gpu says shop, -n says default",
                                          "leave -n out"),
    "a namespace that is not there": (("free", "--policy", "nodes", "-n", "nowhere", *ASK), Exit.ABSENT,
                                      "there is no namespace nowhere", "-n NAMESPACE"),
    "follow and dry run": (("g1", "--follow", "--dry-run", "server", *ASK), Exit.USAGE, "exclude each other", ""),
    "a pod": (("pod/x", *ASK), Exit.USAGE, "", ""),
    "no duration": (("g1", "--timeout", "0", *ASK), Exit.USAGE, "", ""),
}  # fmt: skip


@pytest.mark.parametrize(("words", "code", "said", "then"), WRONG.values(), ids=WRONG.keys())
def test_what_cannot_be_asked_says_why_and_what_to_type(
    nodes: Stage, words: tuple[str, ...], code: int, said: str, then: str
) -> None:
    ended = ask(nodes, *words, code=code)
    assert said in " ".join(ended.err.split())
    assert then in ended.err


def test_nodes_behind_no_gate_are_asked_about_as_the_flags_say(nodes: Stage) -> None:
    found = opened(nodes, "free", "--policy", "nodes", "-n", "shop", *ASK)
    assert found["spec"]["policyRef"] == {"name": "nodes"}
    name = ask(nodes, "free", "--policy", "nodes", *ASK).out.strip()  # where the operator lives, unless it is said
    nodes.plane.kubectl("get", "apr", name, "-n", "gatehold-system")


def test_who_may_not_read_gates_or_not_drain_is_told(nodes: Stage) -> None:
    unread = ask(nodes, "g1", *ASK, person="frank", code=Exit.REFUSED)
    assert "you may not read gate gpu" in unread.err
    assert "--policy NAME -n NAMESPACE" in unread.err
    refused = ask(nodes, "g1", *ASK, "--policy", "nodes", "-n", "shop", person="frank", code=Exit.REFUSED)
    assert "you may not ask for drains" in refused.err
    assert "kubectl auth can-i drain nodes" in refused.err


# ---- following


def follow(stage: Stage, *play: tuple[Callable[[Played], object], str]) -> tuple[int, str, str]:
    """Follow a drain of g1 while its request moves on: each move, and the words by which it is told."""
    with stage.waiting("dora", "g1", *ASK, "--follow", command=("drain",)) as process:
        told: list[str] = []

        def until(words: str) -> str:
            assert process.stderr is not None
            while words not in (line := process.stderr.readline()):
                assert line, "".join(told)
                told.append(line)
            told.append(line)
            return line

        name = until("request ").split("request ")[1].split()[0]
        until("has not looked at it yet")
        for move, words in play:
            move(Played(stage, name))
            if words:
                until(words)
        out, err = process.communicate(timeout=120)
    return process.returncode, out, "".join(told) + err


def test_follow_tells_nodes_pods_and_budgets_and_ends_with_the_outcome(nodes: Stage) -> None:
    blocked = {"blockedBy": "budget shop/web (needs 2 healthy pods and has 2)", "blockedSince": "2030-01-01T11:20:00Z"}
    code, out, err = follow(
        nodes,
        (lambda played: played.asked(), "pending, waits for 1 of sre, until"),
        (lambda played: played.approved(), "approved, its effect is waiting"),
        (
            lambda played: played.says("Draining", podsLeft=3, **blocked),
            "0 of 1 nodes drained, g1: 3 pods left, waits for budget shop/web (needs 2 healthy pods and has 2)",
        ),
        (lambda played: played.released(), ""),
    )
    assert code == Exit.OK, err
    assert "is Released: 1 of 1 nodes drained" in out
    assert "next: gatehold uncordon g1" in err


def test_follow_waits_for_the_undo_and_says_what_was_put_back(nodes: Stage) -> None:
    code, _, err = follow(
        nodes,
        (lambda played: played.asked(), "waits for 1 of sre"),
        (lambda played: played.approved(), "its effect is waiting"),
        (lambda played: played.says("Draining", podsLeft=3), "3 pods left"),
        (lambda played: played.denied(), "being put back"),
        (lambda played: played.undone("g1 was uncordoned; evicted pods do not come back by themselves"), ""),
    )
    assert code == Exit.NO, err
    assert "g1 was uncordoned; evicted pods do not come back by themselves" in err
    assert "next: gatehold show" in err


def test_follow_is_live_on_a_terminal(nodes: Stage) -> None:
    def fresh() -> list[str]:
        listed = json.loads(nodes.plane.kubectl("get", "apr", "-n", "shop", "-o", "json").stdout)["items"]
        return [body["metadata"]["name"] for body in listed if body["spec"].get("summary", "").endswith("live page")]

    def play() -> None:
        wait_until(lambda: bool(fresh()), "it is asked", 90)
        played = Played(nodes, fresh()[0])
        played.asked()
        wait_until(lambda: "gatehold withdraw" in nodes.said[0].getvalue(), "the page shows what to type", 90)
        played.approved()
        played.released()

    player = threading.Thread(target=play)
    player.start()
    ended = nodes.cli("dora", "drain", "g2", "--reason", "live page", "--follow", tty=100)
    player.join()
    assert ended.code == Exit.OK, ended.err
    assert "\x1b[?25l" in ended.out
    assert "Drained" in ended.out
    assert "gatehold withdraw" in ended.out


def test_follow_ends_when_the_request_goes(nodes: Stage) -> None:
    code, _, err = follow(
        nodes, (lambda played: nodes.plane.kubectl("delete", "apr", played.name, "-n", "shop", user="dora"), "")
    )
    assert code == Exit.GONE
    assert "is gone: it was deleted" in err


# ---- uncordon


def node(stage: Stage, name: str) -> Json:
    found: Json = json.loads(stage.plane.kubectl("get", "node", name, "-o", "json").stdout)
    return found


def test_uncordon_ends_a_maintenance_and_says_whose(nodes: Stage) -> None:
    name = opened(nodes, "g1", *ASK)["metadata"]["name"]
    played = Played(nodes, name)
    played.asked()
    played.approved()
    played.released()
    played.cordoned("g1")

    def play() -> None:
        wait_until(lambda: "unschedulable" not in node(nodes, "g1")["spec"], "g1 is uncordoned", 90)
        played.ends_maintenance("g1")

    player = threading.Thread(target=play)
    player.start()
    ended = nodes.cli("dora", "uncordon", "node/g1", "free", "--timeout", "150s")
    player.join()
    assert ended.code == Exit.OK, ended.err
    assert "unschedulable" not in node(nodes, "g1")["spec"]
    assert ended.out == "node/g1 uncordoned\nnode/free uncordoned\n"
    assert f"g1: ended the maintenance of request shop/{name} (drain g1: kernel update; asked by dora)" in ended.err
    assert "free was under no maintenance of Gatehold" in ended.err


def test_uncordon_does_not_break_a_drain_that_is_under_way_unless_it_is_said(nodes: Stage) -> None:
    name = opened(nodes, "g2", *ASK)["metadata"]["name"]
    played = Played(nodes, name)
    played.asked()
    played.approved()
    played.says("Draining", podsLeft=3)
    played.cordoned("g2")
    stopped = nodes.cli("dora", "uncordon", "g2")
    assert stopped.code == Exit.NO
    assert "the drain of node g2 is under way" in stopped.err
    assert f"gatehold withdraw {name} -n shop" in stopped.err
    assert node(nodes, "g2")["spec"]["unschedulable"] is True
    late = nodes.cli("dora", "uncordon", "g2", "--force", "--timeout", "1s")
    assert late.code == Exit.TIMEOUT
    assert "the maintenance of g2 has not ended yet" in late.err
    assert "unschedulable" not in node(nodes, "g2")["spec"]
    played.ends_maintenance("g2")


def test_uncordon_says_what_it_cannot_do(nodes: Stage) -> None:
    assert nodes.cli("dora", "uncordon", "no-such").code == Exit.ABSENT
    nodes.plane.kubectl("cordon", "free")
    refused = nodes.cli("frank", "uncordon", "free")
    assert (refused.code, "frank may not patch nodes" in refused.err) == (Exit.REFUSED, True)
    shown = nodes.cli("dora", "uncordon", "free", "-o", "name")
    assert (shown.code, shown.out) == (Exit.OK, "node/free\n")
    assert name_of("free").startswith("gatehold-node-free-")
