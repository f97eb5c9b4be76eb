"""An operator-run drain: asked, approved, carried out and verified; and how it holds and ends otherwise."""

from tests.e2e.drains.yard import UNSCHEDULABLE, Yard, is_cordoned, marks, taint_keys
from tests.e2e.stage import condition, failure, message

OPERATOR = "system:serviceaccount:gatehold-system:gatehold"


def test_a_node_with_a_hundred_pods_is_emptied_after_approval(yard: Yard) -> None:
    (node,) = yard.gated()
    yard.service(replicas=100)
    yard.drain(node)
    asked = yard.until_prepared("drain")
    resolved = asked["status"]["resolved"]
    assert resolved["nodes"] == [
        {"name": node, "uid": yard.node_of("n")["metadata"]["uid"], "gate": f"gate-{yard.namespace}", "cordoned": False}
    ]
    assert resolved["drain"]["owners"] == [f"Deployment {yard.namespace}/web: 100 pods"]
    assert resolved["drain"]["pods"] == 100
    assert not is_cordoned(yard.node_of("n"))
    assert len(yard.pods_on("n")) == 100
    yard.yes()
    done = yard.until_done("drain")
    assert done["status"]["phase"] == "Released"
    assert [pod for pod in yard.pods_on("n") if "deletionTimestamp" not in pod["metadata"]] == []
    after = yard.node_of("n")
    assert is_cordoned(after)
    assert marks(after)["gatehold.dev/released-by"] == done["metadata"]["uid"]
    assert marks(after)["gatehold.dev/request"] == f"{yard.namespace}/drain"
    lease = yard.lease_of("n")
    assert lease is not None
    assert lease["spec"]["holderIdentity"] == done["metadata"]["uid"]
    row = done["status"]["effect"]["nodes"][0]
    assert (row["state"], row["pods"], row["podsLeft"]) == ("Drained", 100, 0)


def test_the_maintenance_ends_when_somebody_uncordons_the_node(yard: Yard) -> None:
    (node,) = yard.gated()
    yard.drain(node)
    yard.yes()
    yard.until_done("drain")
    assert yard.lease_of("n") is not None
    yard.cluster.kubectl("uncordon", node)
    yard.until_free("n")
    after = yard.node_of("n")
    assert marks(after) == {}
    yard.drain(node, name="again")
    yard.until_prepared("again")


def test_a_node_under_maintenance_is_not_drained_again(yard: Yard) -> None:
    (node,) = yard.gated()
    yard.drain(node)
    yard.yes()
    yard.until_done("drain")
    yard.drain(node, name="second")
    second = yard.until_phase("second", "Failed")
    assert failure(second) == "SubjectTaken"
    assert f"{yard.namespace}/drain" in second["status"]["decision"]["message"]
    assert f"kubectl gatehold uncordon {node}" in second["status"]["decision"]["message"]


def test_two_requests_about_one_node(yard: Yard) -> None:
    one, other = yard.gated("a", "b")
    yard.drain(one, other, name="first")
    yard.until_prepared("first")
    yard.drain(other, name="second")
    second = yard.until_phase("second", "Failed")
    assert failure(second) == "SubjectTaken"
    assert "first" in second["status"]["decision"]["message"]
    assert yard.get("apr", "first")["status"]["phase"] == "Pending"


def test_nodes_by_label_are_resolved_once(yard: Yard) -> None:
    gate = yard.gate()
    for name in ("a", "b"):
        yard.node(name, gate=gate, team=yard.namespace)
    yard.drain(selector={"matchLabels": {"team": yard.namespace}}, parallelNodes=2)
    asked = yard.until_prepared("drain")
    yard.node("c", gate=gate, team=yard.namespace)
    names = [node["name"] for node in asked["status"]["resolved"]["nodes"]]
    assert names == [f"{yard.namespace}-a", f"{yard.namespace}-b"]
    yard.drain(names[0], name="second")
    assert failure(yard.until_phase("second", "Failed")) == "SubjectTaken"
    yard.yes()
    assert yard.until_done("drain")["status"]["phase"] == "Released"
    assert [is_cordoned(yard.node_of(name)) for name in ("a", "b", "c")] == [True, True, False]


def test_a_denial_while_it_runs_puts_the_unfinished_node_back(yard: Yard) -> None:
    first, second = yard.gated("a", "b")
    yard.service("free", replicas=2, node="a")
    yard.service("stuck", replicas=2, node="b")
    yard.budget("stuck")
    yard.drain(first, second)
    yard.yes()
    row = yard.until_row("b", lambda row: row.get("blockedBy"), "b is blocked")
    assert row["blockedBy"] == f"budget {yard.namespace}/stuck (needs 2 healthy pods and has 2)"
    assert row["podsLeft"] == 2
    assert is_cordoned(yard.node_of("b"))
    yard.say("bob", "drain", "deny", "not during the sale")
    done = yard.until_done("drain")
    assert done["status"]["phase"] == "Denied"
    assert condition(done, "RolledBack")[0] == "True"
    states = {entry["name"]: entry["state"] for entry in done["status"]["effect"]["nodes"]}
    assert states == {first: "Drained", second: "Uncordoned"}
    assert "evicted pods do not come back by themselves" in message(done, "RolledBack")
    a, b = yard.node_of("a"), yard.node_of("b")
    assert is_cordoned(a)
    assert not is_cordoned(b)
    assert marks(b) == {}
    yard.until_tainted("b", tainted=False)
    assert yard.lease_of("a") is not None
    assert yard.lease_of("b") is None


def test_a_node_that_somebody_else_had_cordoned_stays_cordoned(yard: Yard) -> None:
    gate = yard.gate()
    node = str(yard.node("n", gate=gate)["metadata"]["name"])
    yard.service(replicas=1)
    yard.budget()
    yard.cluster.kubectl("cordon", node)
    yard.until_tainted("n", tainted=True)
    yard.drain(node)
    asked = yard.until_prepared("drain")
    assert asked["status"]["resolved"]["nodes"][0]["cordoned"] is True
    yard.yes()
    yard.until_row("n", lambda row: row.get("blockedBy"), "blocked")
    yard.say("ci", "drain", "withdraw", "another day")
    done = yard.until_done("drain")
    assert done["status"]["phase"] == "Withdrawn"
    after = yard.node_of("n")
    assert is_cordoned(after)
    assert UNSCHEDULABLE in taint_keys(after)
    assert "gatehold.dev/released-by" not in marks(after)
    assert yard.lease_of("n") is None
