"""`kubectl drain` of a node in mode Hold: it waits, goes on by itself, or is told no."""

import time

from controlplane import wait_until
from tests.e2e.drains.yard import is_cordoned
from tests.e2e.held_drains.hall import Hall, address
from tests.e2e.stage import condition, message
from tests.wall.api import Call


def test_it_waits_visibly_and_goes_on_by_itself_once_approved(hall: Hall) -> None:
    node = hall.held(count=5)
    drain = hall.kubectl_drain(node)
    asked = hall.asked()
    gate = f"gate-{hall.namespace}"
    said = drain.until_says(f"gate {gate} holds the drain of {node}: approval {address(asked)} is pending (0 of 1)")
    name = asked["metadata"]["name"]
    assert f'approve with: kubectl -n {hall.namespace} annotate apr/{name} gatehold.dev/approve="why"' in said
    drain.until_told(5)
    assert drain.waits
    assert len(hall.pods_on("n")) == 5
    spec = asked["spec"]
    assert (spec["requester"]["username"], spec["requester"]["groups"]) == ("olga", ["ops", "system:authenticated"])
    assert (spec["effect"], spec["policyRef"]["name"]) == ({"type": "Release"}, f"prod-{hall.namespace}")
    assert (spec["subject"]["name"], spec["subject"]["uid"]) == (node, hall.node_of("n")["metadata"]["uid"])
    assert asked["metadata"]["labels"]["gatehold.dev/gate"] == gate
    assert "5 pods" in spec["summary"]
    hall.say("alice", name, "approve")
    assert drain.ends() == 0, drain.said
    assert f"node/{node} drained" in drain.said
    assert len(hall.questions()) == 1  # one for all pods and all tries
    hall.until_phase(name, "Released")
    hall.until_done(name)
    assert is_cordoned(hall.node_of("n"))
    assert hall.pods_on("n") == []


def test_a_no_ends_it_with_the_reason_and_uncordons_and_is_remembered_for_a_while(hall: Hall) -> None:
    node = hall.held(count=2, cooldownSeconds=30)
    drain = hall.kubectl_drain(node)
    name = hall.asked()["metadata"]["name"]
    hall.say("alice", name, "deny", "not on a Friday")
    assert drain.ends() == 1
    assert f"gate gate-{hall.namespace} refuses the drain of {node}" in drain.said
    assert "was denied by alice: not on a Friday; it can be asked again not before" in drain.said
    wait_until(lambda: not is_cordoned(hall.node_of("n")), "the node is uncordoned", 60)
    assert len(hall.pods_on("n")) == 2
    denied = hall.until(name, lambda body: condition(body, "RolledBack")[0] == "True", "rolled back")
    assert "gatehold.dev/done" not in denied["metadata"]["labels"]
    again = hall.kubectl_drain(node)
    assert again.ends() == 1
    assert "was denied by alice" in again.said
    assert len(hall.questions()) == 1
    hall.until_done(name, 90)
    third = hall.kubectl_drain(node)
    asked = hall.asked(count=2)
    third.until_says(f"approval {address(asked)} is pending")
    hall.say("alice", asked["metadata"]["name"], "approve")
    assert third.ends() == 0


def test_without_an_answer_it_expires_and_is_told_so(hall: Hall) -> None:
    node = hall.held(count=1, policy={"timeoutSeconds": {"default": 8}})
    drain = hall.kubectl_drain(node)
    name = hall.asked()["metadata"]["name"]
    assert drain.ends() == 1
    assert "expired: not enough people said yes in time" in drain.said
    hall.until_phase(name, "Expired")
    wait_until(lambda: not is_cordoned(hall.node_of("n")), "the node is uncordoned", 60)


def test_who_drains_may_take_it_back(hall: Hall) -> None:
    node = hall.held(count=1)
    drain = hall.kubectl_drain(node)
    name = hall.asked()["metadata"]["name"]
    hall.say("olga", name, "withdraw", "wrong node")
    assert drain.ends() == 1
    assert "was withdrawn by olga: wrong node" in drain.said
    wait_until(lambda: not is_cordoned(hall.node_of("n")), "the node is uncordoned", 60)


def test_who_drains_does_not_approve_it(hall: Hall) -> None:
    node = hall.held(count=1)
    hall.kubectl_drain(node)
    name = hall.asked()["metadata"]["name"]
    let_in, why = hall.word("olga", name, "approve")
    assert not let_in, why


def test_an_approval_is_one_persons(hall: Hall) -> None:
    """Approved for olga; oscar is asked about anew, and his pods stay."""
    node = hall.held(count=2)
    hall.kubectl_drain(node).until_says("holds the drain")
    name = hall.asked()["metadata"]["name"]
    hall.end_drains()
    hall.say("alice", name, "approve")
    hall.until(name, lambda body: body["status"].get("phase") == "Approved", "approved")
    hall.until_evicts("n-0", 429, "oscar", "people are being asked")
    second = hall.asked(count=2, user="oscar")
    hall.until_evicts("n-0", 429, "oscar", f"approval {address(second)} is pending")
    assert hall.evict("n-0", "olga")[0] == 201  # what the webhook learns of requests it learns in their order
    hall.say("bob", second["metadata"]["name"], "deny", "one is enough")
    hall.until_evicts("n-1", 403, "oscar")
    assert hall.evict("n-1", "olga")[0] == 201  # a no to him is none to her
    hall.until(second["metadata"]["name"], lambda body: condition(body, "RolledBack")[0] == "True", "it is over")
    assert is_cordoned(hall.node_of("n"))  # she had cordoned it, not he


def test_an_approval_is_one_nodes(hall: Hall) -> None:
    """The node is made anew under the same name between the approval and the drain."""
    node = hall.held(count=1)
    hall.kubectl_drain(node).until_says("holds the drain")
    name = hall.asked()["metadata"]["name"]
    hall.end_drains()
    hall.say("alice", name, "approve")
    hall.until_phase(name, "Approved")
    hall.forget_node("n")
    hall.node("n", gate=f"gate-{hall.namespace}")
    hall.until_mode("n", "Hold")
    hall.kubectl("delete", "pods", "--all", "--force", "--grace-period=0")
    wait_until(lambda: not hall.pods_on("n"), "the old pods are gone", 60)
    hall.pod("fresh", "n")
    drain = hall.kubectl_drain(node)
    drain.until_says("holds the drain")
    assert [pod["metadata"]["name"] for pod in hall.pods_on("n")] == ["fresh"]
    hall.until_phase(name, "Superseded")
    hall.asked(count=2)  # both may be of one second, so which came first cannot be read off them
    uids = {body["spec"]["subject"]["uid"] for body in hall.questions()}
    assert hall.node_of("n")["metadata"]["uid"] in uids


def test_what_somebody_else_had_cordoned_stays_cordoned(hall: Hall) -> None:
    node = hall.held(count=1)
    hall.cluster.kubectl("cordon", node, user="oscar")
    drain = hall.kubectl_drain(node)
    name = hall.asked()["metadata"]["name"]
    hall.say("alice", name, "deny", "not now")
    assert drain.ends() == 1
    denied = hall.until(name, lambda body: condition(body, "RolledBack")[0] == "True", "nothing to undo")
    assert condition(denied, "RolledBack") == ("True", "NothingToUndo")
    assert "oscar" in message(denied, "RolledBack")
    assert is_cordoned(hall.node_of("n"))


def test_an_approval_that_nobody_uses_lapses(hall: Hall) -> None:
    node = hall.held(count=1, policy={"validitySeconds": 3})
    hall.kubectl_drain(node).until_says("holds the drain")
    name = hall.asked()["metadata"]["name"]
    hall.end_drains()
    hall.say("alice", name, "approve")
    hall.until_phase(name, "Lapsed")
    hall.until_evicts("n-0", 403)
    wait_until(lambda: not is_cordoned(hall.node_of("n")), "the node is uncordoned", 60)
    assert len(hall.pods_on("n")) == 1


def test_an_uncordon_ends_the_question_and_is_no_yes_to_a_drain_that_still_waits(hall: Hall) -> None:
    node = hall.held(count=1)
    waiting = hall.kubectl_drain(node)
    waiting.until_says("holds the drain")
    name = hall.asked()["metadata"]["name"]
    hall.cluster.kubectl("uncordon", node)
    hall.until_phase(name, "Superseded")
    waiting.until_says("since the node was uncordoned")
    assert waiting.ends() == 1
    assert len(hall.pods_on("n")) == 1


def test_a_no_to_one_person_ends_the_question_of_the_other_since_it_uncordons_the_node(hall: Hall) -> None:
    """The uncordon is the operator's own write, and no news to its watch."""
    node = hall.held(count=1)
    hall.kubectl_drain(node).until_says("holds the drain")
    first = hall.asked()["metadata"]["name"]
    hall.until_evicts("n-0", 429, "oscar", "people are being asked")
    second = hall.asked(count=2, user="oscar")["metadata"]["name"]
    hall.say("alice", first, "deny", "not on a Friday")
    wait_until(lambda: not is_cordoned(hall.node_of("n")), "the node is uncordoned", 60)
    hall.until_phase(second, "Superseded")
    assert len(hall.pods_on("n")) == 1


def test_both_forms_of_a_dry_run_are_answered_alike_and_start_nothing(hall: Hall) -> None:
    node = hall.held(count=1)
    hall.cluster.kubectl("cordon", node, user="olga")
    for options in ({"query": {"dryRun": "All"}}, {"dryRun": ["All"]}):
        hall.until_evicts("n-0", 429, text="holds the drain", **options)
    hall.kubectl_drain(node, "--dry-run=server").until_says("holds the drain")
    hall.end_drains()
    time.sleep(2)  # whatever it had started would be there by now
    assert hall.questions() == []
    hall.until_evicts("n-0", 429, text="holds the drain")
    asked = hall.asked()
    code, text = hall.evict("n-0", dryRun=["All"])
    assert (code, address(asked) in text) == (429, True)
    hall.say("alice", asked["metadata"]["name"], "approve")
    hall.until_phase(asked["metadata"]["name"], "Approved")
    hall.until_evicts("n-0", 201, dryRun=["All"])
    assert len(hall.pods_on("n")) == 1


def test_evictions_without_a_cordon_and_from_other_nodes_pass(hall: Hall) -> None:
    hall.held(count=1)
    hall.node("free")
    hall.pod("elsewhere", "free")
    hall.change_node("free", {"spec": {"unschedulable": True}})
    hall.until_evicts("n-0", 201)  # once the pod is known
    hall.until_evicts("elsewhere", 201)
    assert hall.questions() == []


def test_the_first_evictions_after_the_cordon_are_held_however_late_its_watch_is(hall: Hall) -> None:
    """Cordon and eviction within a millisecond, again and again: what the cache says of the node is older than that."""
    hall.held(count=1)
    admin, olga = hall.api(), hall.api("olga")
    node = f"/api/v1/nodes/{hall.namespace}-n"
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "n-0", "namespace": hall.namespace}}
    eviction["deleteOptions"] = {"dryRun": ["All"]}
    where = hall.path("pods", "n-0") + "/eviction"
    olga.send(Call(where, eviction, "post"))
    for _ in range(30):
        admin.must(Call(node, {"spec": {"unschedulable": True}}))
        assert olga.send(Call(where, eviction, "post")).code == 429
        admin.must(Call(node, {"spec": {"unschedulable": None}}))


def test_a_pod_that_is_gone_is_told_as_gone(hall: Hall) -> None:
    hall.held()
    answers = []

    def known() -> bool:
        answers.append(hall.evict("nobody")[0])
        return answers[-1] == 404

    wait_until(known, "the pod is known not to be there", 60)
    assert set(answers) <= {429, 404}


def test_mode_deny_refuses_cordoned_or_not_and_lets_pass_who_may_drain(hall: Hall) -> None:
    node = hall.gated("n", mode="Deny", policy=hall.drains(quorum=[{"role": "sre"}]))[0]
    hall.pod("n-0", "n")
    drain = hall.kubectl_drain(node)  # its cordon is refused, and it goes on without
    assert drain.ends() == 1
    assert f"guards node {node}: ask for its drain with `kubectl gatehold drain {node} --reason ...`" in drain.said
    assert "or hold verb drain on nodes" in drain.said
    assert len(hall.pods_on("n")) == 1
    assert hall.questions() == []
    hall.cluster.kubectl("create", "clusterrole", f"may-drain-{hall.namespace}", "--verb=drain", "--resource=nodes")
    role = f"--clusterrole=may-drain-{hall.namespace}"
    hall.cluster.kubectl("create", "clusterrolebinding", f"may-drain-{hall.namespace}", role, "--user=oscar")
    hall.until_evicts("n-0", 403, "olga")
    wait_until(lambda: hall.evict("n-0", "oscar")[0] == 201, "oscar may", 60)


def test_where_people_cannot_be_asked_it_says_why(hall: Hall) -> None:
    hall.held(count=1, namespace="not-there")
    hall.change_node("n", {"spec": {"unschedulable": True}})

    def told() -> bool:
        code, text = hall.evict("n-0")
        assert code == 429
        return "people could not be asked in namespace not-there" in text and '"not-there" not found' in text

    wait_until(told, "it says why", 60)


def test_questions_of_a_gate_are_capped(hall: Hall) -> None:
    hall.held(count=1)
    hall.change_node("n", {"spec": {"unschedulable": True}})
    for number in range(21):
        hall.cluster.user(f"person-{number}", "system:masters")

    def asks(number: int) -> bool:
        assert hall.evict("n-0", f"person-{number}")[0] == 429
        return len(hall.questions()) > number

    for number in range(20):
        wait_until(lambda number=number: asks(number), f"question {number}", 60)  # type: ignore[misc]
    hall.until_evicts("n-0", 429, "person-20", "questions of gate")
    assert len(hall.questions()) == 20
