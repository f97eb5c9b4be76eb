"""How a drain ends that is not carried out: the node changes, goes or is freed, the time is over, the place is wrong."""

from controlplane import wait_until
from playground import bind_people
from tests.e2e.drains.yard import Yard, is_cordoned, marks, row
from tests.e2e.stage import condition, failure, message


def blocked_drain(yard: Yard, **drain: object) -> list[str]:
    """A drain of a and b, one after the other, which waits for a budget on a."""
    nodes = yard.gated("a", "b")
    yard.service("stuck", replicas=1, node="a")
    yard.budget("stuck")
    yard.drain(*nodes, **drain)
    yard.yes()
    yard.until_row("a", lambda found: found.get("blockedBy"), "a is blocked")
    return nodes


def anew(yard: Yard, name: str) -> str:
    """Delete a node, and make another of the same name; answers the uid of the old one."""
    old = yard.node_of(name)
    yard.forget_node(name)
    yard.node(name, gate=old["metadata"]["labels"].get("gatehold.dev/drain"))
    return str(old["metadata"]["uid"])


def test_a_node_that_is_made_anew_while_people_are_asked(yard: Yard) -> None:
    (node,) = yard.gated()
    yard.drain(node)
    yard.until_prepared("drain")
    anew(yard, "n")
    ended = yard.until_done("drain")
    assert ended["status"]["phase"] == "Superseded"
    assert failure(ended) in ("SubjectChanged", "SubjectDeleted")
    assert condition(ended, "RolledBack") == ("True", "NothingToUndo")
    assert not is_cordoned(yard.node_of("n"))


def test_a_node_that_is_made_anew_before_its_turn(yard: Yard) -> None:
    first, second = blocked_drain(yard)
    anew(yard, "b")
    ended = yard.until_done("drain")
    assert ended["status"]["phase"] == "Superseded"
    assert [is_cordoned(yard.node_of(name)) for name in ("a", "b")] == [False, False]
    assert row(ended, first)["state"] == "Uncordoned"
    assert row(ended, second)["state"] == "Waiting"
    assert [yard.lease_of(name) for name in ("a", "b")] == [None, None]


def test_a_node_that_is_made_anew_in_the_middle_of_its_drain(yard: Yard) -> None:
    first, _ = blocked_drain(yard)
    old = anew(yard, "a")
    ended = yard.until_done("drain")
    assert ended["status"]["phase"] == "Superseded"
    assert failure(ended) in ("SubjectChanged", "SubjectDeleted")
    fresh = yard.node_of("a")
    assert fresh["metadata"]["uid"] != old
    assert not is_cordoned(fresh)
    assert marks(fresh) == {}
    assert row(ended, first)["uid"] == old
    yard.until_free("a")


def test_a_node_that_goes_for_good(yard: Yard) -> None:
    blocked_drain(yard)
    yard.forget_node("a")
    ended = yard.until_done("drain")
    assert (ended["status"]["phase"], failure(ended)) == ("Superseded", "SubjectDeleted")
    assert condition(ended, "RolledBack")[0] == "True"
    yard.until_free("a")


def test_a_node_that_somebody_uncordons_in_the_middle(yard: Yard) -> None:
    first, _ = blocked_drain(yard)
    yard.cluster.kubectl("uncordon", first)
    ended = yard.until_done("drain")
    assert (ended["status"]["phase"], failure(ended)) == ("Failed", "EffectFailed")
    assert f"{first} was uncordoned while it was drained" in ended["status"]["decision"]["message"]
    after = yard.node_of("a")
    assert not is_cordoned(after)
    assert marks(after) == {}
    assert yard.lease_of("a") is None


def test_the_time_of_the_effect_is_over(yard: Yard) -> None:
    first, second = yard.gated("a", "b")
    yard.service("stuck", replicas=1, node="a")
    yard.budget("stuck")
    yard.drain(first, second, timeoutSeconds=10)
    yard.yes()  # what blocks it stands in the record every ten seconds only, and at the end
    ended = yard.until_done("drain")
    assert (ended["status"]["phase"], failure(ended)) == ("Failed", "EffectTimedOut")
    assert "budget" in ended["status"]["decision"]["message"]
    after = yard.node_of("a")
    assert not is_cordoned(after)
    yard.until_tainted("a", tainted=False)
    assert first in message(ended, "RolledBack")


def test_nobody_answers(yard: Yard) -> None:
    (node,) = yard.gated()
    yard.drain(node, spec={"timeoutSeconds": 2})
    ended = yard.until_done("drain")
    assert ended["status"]["phase"] == "Expired"
    assert condition(ended, "RolledBack") == ("True", "NothingToUndo")
    after = yard.node_of("n")
    assert not is_cordoned(after)
    assert marks(after) == {}


def test_the_gate_of_a_node_changes_while_people_are_asked(yard: Yard) -> None:
    (node,) = yard.gated()
    yard.drain(node)
    yard.until_prepared("drain")
    yard.change_node("n", {"metadata": {"labels": {"gatehold.dev/drain": None}}})
    ended = yard.until_done("drain")
    assert (ended["status"]["phase"], failure(ended)) == ("Superseded", "SubjectChanged")


def test_another_policy_than_the_gates_is_refused(yard: Yard) -> None:
    (node,) = yard.gated()
    mine = yard.drains(f"mine-{yard.namespace}", quorum=[{"role": "duty"}])
    yard.drain(node, policy=mine)
    ended = yard.until_done("drain")
    assert (ended["status"]["phase"], failure(ended)) == ("Failed", "PolicyMismatch")
    assert f"prod-{yard.namespace}" in ended["status"]["decision"]["message"]


def test_a_node_whose_gate_nobody_knows(yard: Yard) -> None:
    policy = yard.drains()
    node = str(yard.node("n", gate=f"none-{yard.namespace}")["metadata"]["name"])
    yard.drain(node, policy=policy)
    ended = yard.until_done("drain")
    assert (ended["status"]["phase"], failure(ended)) == ("Failed", "GateNotFound")


def test_a_node_that_is_not_there(yard: Yard) -> None:
    policy = yard.drains()
    yard.drain("nowhere", name="named", policy=policy)
    yard.drain(name="selected", policy=policy, selector={"matchLabels": {"team": yard.namespace}})
    for name in ("named", "selected"):
        ended = yard.until_done(name)
        assert (ended["status"]["phase"], failure(ended)) == ("Failed", "SubjectNotFound")


def test_a_node_of_another_uid(yard: Yard) -> None:
    (node,) = yard.gated()
    yard.drain(nodes=[{"name": node, "uid": "0b5c9c58-8a5b-4b0e-9d43-5f0a6b9f0e11"}])
    ended = yard.until_done("drain")
    assert (ended["status"]["phase"], failure(ended)) == ("Failed", "SubjectChanged")


def test_a_node_behind_no_gate_is_asked_about_where_the_operator_is_configured(yard: Yard) -> None:
    node = str(yard.node("n")["metadata"]["name"])
    yard.drains()
    yard.drain(node)
    ended = yard.until_done("drain")
    assert (ended["status"]["phase"], failure(ended)) == ("Failed", "PolicyMismatch")
    assert "under policy node-drains in namespace node-drains" in ended["status"]["decision"]["message"]
    bind_people(yard.cluster, "node-drains")
    there = Yard(yard.cluster, "node-drains", yard.operator)
    there.drain(node, name=node, policy=there.drains("node-drains"))
    there.yes(node)
    assert there.until_done(node)["status"]["phase"] == "Released"
    assert is_cordoned(yard.node_of("n"))


def test_progress_is_written_at_most_every_ten_seconds_beside_state_changes(yard: Yard) -> None:
    (node,) = yard.gated()
    yard.service("stuck", replicas=1, node="n")
    yard.service("slow", replicas=12, node="n")
    yard.budget("stuck")
    yard.budget("slow", maxUnavailable=1)
    seen: dict[str, str] = {}
    yard.drain(node, timeoutSeconds=24)
    yard.yes()
    yard.until_state("n", "Draining")

    def over() -> bool:
        body = yard.get("apr", "drain")
        seen[body["metadata"]["resourceVersion"]] = body["status"]["phase"]
        return str(body["status"]["phase"]) != "Approved"

    wait_until(over, "it has ended", 60)
    assert list(seen.values()).count("Approved") <= 4
