"""What a person is told about a drain and about a held one, in every state. Nothing here needs a server."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest

from gatehold.cli.checks import Result, offline_checks
from gatehold.cli.drain import parts, sight
from gatehold.cli.drain.follow import sentence
from gatehold.cli.drain.screen import page
from gatehold.cli.exits import Exit
from gatehold.cli.question import question
from gatehold.cli.record import at_the_deadline, record
from gatehold.cli.telling import standing
from gatehold.cli.view import view_of
from tests.cli.bodies import Cluster
from tests.cli.drains import SINCE, drain_request, held_request, node
from tests.cli.pages import text
from tests.cli.test_hostile import ends

NOW = datetime(2030, 1, 1, 11, 30, tzinfo=UTC)
Json = dict[str, Any]
BUSY = (
    node("n1", "Draining", podsLeft=3, blockedBy="budget shop/web (needs 2 healthy pods and has 2)", blockedSince=SINCE),
    node("n2", "Waiting", wasUnschedulable=True, taints=["dedicated=gpu:NoSchedule"]),
)


def asked(body: Json) -> str:
    return text(question(view_of(body), NOW))


def times(body: Json) -> dict[str, str]:
    return dict(at_the_deadline(view_of(body), NOW))


def test_the_question_shows_nodes_pods_budgets_owners_and_what_is_lost() -> None:
    spec = {"parallelNodes": 2, "parallelPods": 4, "timeoutSeconds": 1800, "gracePeriodSeconds": 0,
            "evictUnmanagedPods": True, "deleteEmptyDirData": True}  # fmt: skip
    said = asked(drain_request(spec=spec))
    for part in ("drain n1, n2: kernel update", "n1, uid uid-n1, gate gpu", "14 to evict, 2 stay (DaemonSets, static pods)",
                 "Deployment shop/web: 3 pods", "shop/web: 1 disruption allowed now, of 3 pods",
                 "shop/cache-0: its emptyDir is lost", "2 nodes at once", "4 evictions at once", "grace period 0 s",
                 "for 30m at most", "data in emptyDir volumes is lost", "without a controller go for good"):  # fmt: skip
        assert part in said, part


def test_what_nobody_has_looked_at_names_the_nodes_or_the_labels() -> None:
    fresh = drain_request(status={"resolved": None})
    fresh["status"].pop("resolved")
    assert "the nodes of the drain: n1, n2" in asked(fresh)
    many = view_of(drain_request("a", "b", "c", "d", "e"))
    assert sight.names(many) == "a, b, c and 2 more"
    fresh["spec"]["effect"]["drain"] = {"selector": {"matchLabels": {"pool": "a", "zone": "b"}}}
    assert sight.names(view_of(fresh)) == "pool=a,zone=b"
    assert "1 node at once, 16 evictions at once on each" in parts.effect_words(view_of(fresh))


def test_the_record_says_how_far_each_node_is_and_what_it_was_before() -> None:
    said = text(record(view_of(drain_request(phase="Approved", nodes=BUSY)), NOW))
    for part in ("n1", "Draining", "budget shop/web (needs 2 healthy pods and has 2)", "2030-01-01T11:20:00Z (10m)",
                 "n2: cordoned, taint dedicated=gpu:NoSchedule"):  # fmt: skip
        assert part in said, part


def test_a_line_says_it_in_a_few_words() -> None:
    view = view_of(drain_request(phase="Approved", nodes=BUSY))
    blocked = "waits for budget shop/web (needs 2 healthy pods and has 2)"
    assert parts.progress(view) == f"0 of 2 nodes drained, n1: 3 pods left, {blocked}"
    assert standing(view) == f"approved, its effect is running ({parts.progress(view)})"
    assert parts.progress(view_of(drain_request())) == ""
    many = [node(f"n{n}", "Draining", podsLeft=1) for n in range(5)]
    assert parts.progress(view_of(drain_request(phase="Approved", nodes=tuple(many)))).count("1 pod left") == 3


def test_progress_is_counted_in_pods_that_go_not_in_pods_that_run() -> None:
    counted = {"effect": {"progress": {"at": SINCE, "active": 3, "succeeded": 11}}}
    view = view_of(drain_request(phase="Approved", nodes=BUSY, status=counted))
    assert "3 to go, 11 gone, counted 2030-01-01T11:20:00Z" in text(record(view, NOW))
    assert "running, 11" not in standing(view)


def test_what_time_does_to_it() -> None:
    assert any("no node was touched" in words for words in times(drain_request()).values())
    waiting = times(drain_request(phase="Approved"))
    assert any("Lapsed" in words for words in waiting.values())
    busy = times(drain_request(phase="Approved", nodes=BUSY, spec={"timeoutSeconds": 1800}))
    assert busy == {"2030-01-01T11:40:00Z (in 10m)": "[bold]Failed[/bold]: nodes that are not finished are uncordoned; "
                    "evicted pods do not come back by themselves"}  # fmt: skip
    assert times(drain_request(phase="Approved", nodes=BUSY)) == {}  # the operator's own limit is not known here


def test_a_held_drain_says_whose_evictions_wait() -> None:
    said = asked(held_request())
    assert "the waiting evictions of alice from node n1 pass, and nobody else's" in said
    assert "Node n1, uid uid-n1" in said
    assert any("node n1 is uncordoned if alice cordoned it" in words for words in times(held_request()).values())
    status = {
        "effect": {"type": "Release", "state": "Running", "nodes": [node("n1", "Draining", podsLeft=5)]},
        "validUntil": "2030-01-01T12:00:00Z",
    }
    running = held_request("Approved", status=status)
    assert parts.progress(view_of(running)) == "5 pods left"
    assert any("the approval is over" in words for words in times(running).values())


def test_a_refused_held_drain_says_until_when() -> None:
    cool = {"effect": {"type": "Release", "state": "Undone", "cooldownUntil": "2030-01-01T11:35:00Z"}}
    assert times(held_request("Denied", status=cool)) == {
        "2030-01-01T11:35:00Z (in 5m)": "until then evictions of alice from node n1 answer with this refusal"
    }
    cool["effect"]["cooldownUntil"] = "2030-01-01T11:20:00Z"
    assert times(held_request("Denied", status=cool)) == {}


# ---- the live page


def test_the_page_shows_nodes_that_are_worked_on_first_and_counts_the_rest() -> None:
    lines = (*(node(f"a{n}", "Waiting") for n in range(30)), node("zz", "Draining", podsLeft=2))
    said = text(page(view_of(drain_request(phase="Approved", nodes=lines)), NOW, most=5))
    assert said.index("zz") < said.index("a0")
    assert "and 26 more: 26 Waiting" in said
    assert "gatehold withdraw web -n shop" in said
    assert "Deployment shop/web: 3 pods" in said


def test_the_page_says_what_is_stuck_and_how_it_ended() -> None:
    stalled = {"type": "Stalled", "status": "True", "reason": "TwoBudgets", "message": "pod shop/a is under two budgets",
               "lastTransitionTime": SINCE}  # fmt: skip
    said = text(page(view_of(drain_request(phase="Approved", nodes=BUSY, status={"conditions": [stalled]})), NOW))
    assert "TwoBudgets: pod shop/a is under two budgets" in said
    gone = over("Denied", nodes=(node("n1", "Drained", podsLeft=0), node("n2", "Uncordoned")))
    ended = text(page(view_of(gone), NOW))
    assert "DeniedByReviewer: alice: stop" in ended
    assert "Next" not in ended
    assert "1 of 2 nodes drained" in sentence(view_of(gone))
    assert "n2 was uncordoned" in sentence(view_of(gone))


def over(phase: str, **more: Any) -> Json:
    decision = {"outcome": phase, "by": "People", "at": SINCE, "reason": "DeniedByReviewer", "message": "alice: stop"}
    back = {"type": "RolledBack", "status": "True", "reason": "Restored", "message": "n2 was uncordoned, n1 stays drained",
            "lastTransitionTime": SINCE}  # fmt: skip
    return drain_request(phase=phase, status={"decision": decision, "conditions": [back]}, **more)


# ---- commands without a server


def test_show_says_how_to_end_the_maintenance() -> None:
    done = over("Released", nodes=(node("n1", "Drained", podsLeft=0), node("n2", "Drained", podsLeft=0)))
    code, said = ends(["show", "web"], Cluster(done))
    assert code == Exit.OK
    assert "gatehold uncordon n1 n2" in said
    many = tuple(node(f"n{n}", "Drained") for n in range(12))
    assert "gatehold uncordon n0 n1 n2 n3 n4 n5 n6 n7 ..." in ends(["show", "web"], Cluster(over("Released", nodes=many)))[1]


def test_list_names_the_nodes_and_how_far_they_are() -> None:
    _, said = ends(["list", "-o", "wide"], Cluster(drain_request(phase="Approved", nodes=BUSY)))
    assert "nodes/n1, n2" in said
    assert "0 of 2 nodes drained, n1: 3 pods left" in said


def read(**uids: str) -> Json:
    """What was read of nodes with these uids."""
    return {"resolved": {"nodes": [{"name": name, "uid": uid} for name, uid in uids.items()]}}


WRONG: dict[str, tuple[Json, str]] = {
    "another uid": (read(n1="other", n2="uid-n2"), "uid uid-n1 asked, other read"),
    "one that nobody asked about": (read(n1="uid-n1", n2="uid-n2", n3="uid-n3"), "n3 read, not asked"),
    "one that was left out": (read(n1="uid-n1"), "n2 asked, not read"),
}


@pytest.mark.parametrize(("status", "what"), WRONG.values(), ids=WRONG.keys())
def test_verify_finds_nodes_that_are_not_those_that_were_asked_about(status: Json, what: str) -> None:
    found = [check for check in offline_checks(drain_request(status=status)) if check.name == "Nodes"]
    assert [check.result for check in found] == [Result.DIFFERS]
    assert what in found[0].detail


def test_verify_finds_a_drained_node_that_is_another_one() -> None:
    body = drain_request(phase="Approved", nodes=({**node("n1", "Drained"), "uid": "other"}, node("n2", "Waiting")))
    found = next(check for check in offline_checks(body) if check.name == "Nodes")
    assert "n1: uid other drained, uid-n1 read" in found.detail
    fits = next(check for check in offline_checks(drain_request()) if check.name == "Nodes")
    assert (fits.result, fits.detail) == (Result.FITS, "n1, n2 are those that were asked about")


LIVE: dict[str, tuple[Json | None, str]] = {
    "there and cordoned": ({"metadata": {"uid": "uid-n1"}, "spec": {"unschedulable": True}}, "it is cordoned now"),
    "there and open": ({"metadata": {"uid": "uid-n1"}, "spec": {}}, "it is not cordoned now"),
    "another one": ({"metadata": {"uid": "other"}}, "another node stands under this name"),
    "gone": (None, "it is not there any more"),
}


@pytest.mark.parametrize(("live", "what"), LIVE.values(), ids=LIVE.keys())
@pytest.mark.parametrize("body", [drain_request("n1"), held_request()], ids=["drain", "held"])
def test_verify_looks_at_the_nodes_as_they_are(body: Json, live: Json | None, what: str) -> None:
    more = {"nodes/n1": live} if live is not None else {}
    _, said = ends(["verify", "web"], Cluster(body, **more))
    assert what in said


# ---- hostile texts


EVIL = "\x1b]0;pwn\x07\x1b[2J[red]x[/red]\u202egnp\u200b\x9b31m\r\x7f\\"


def hostile(body: Json) -> Json:
    """Every text that a node, a pod, a budget or a stolen operator could fill."""
    lines = {"pods": 3, "skipped": 1, "owners": [EVIL], "budgets": [EVIL], "losses": [EVIL]}
    body["status"]["resolved"] = {"nodes": [{"name": EVIL, "uid": EVIL, "gate": EVIL, "cordoned": True}], "drain": lines}
    body["status"].setdefault("effect", {"type": "Drain", "state": "Running"})["nodes"] = [
        node(
            EVIL,
            "Draining",
            podsLeft=3,
            blockedBy=EVIL,
            blockedSince=SINCE,
            message=EVIL,
            taints=[EVIL],
            wasUnschedulable=True,
        )
    ]
    body["spec"]["requester"]["username"] = body["spec"]["summary"] = EVIL
    body["metadata"]["name"] = EVIL
    return body


@pytest.mark.parametrize("tty", [0, 100])
@pytest.mark.parametrize(
    "words",
    [["show", "web"], ["list"], ["list", "-o", "wide"], ["verify", "web"], ["wait", "web", "--timeout", "1"], ["doctor"],
     ["uncordon", "n1"], ["drain", "n1", "--reason", EVIL], ["drain", "n1", "--policy", EVIL, "--reason", "why"]],
    ids=" ".join,
)  # fmt: skip
@pytest.mark.parametrize("held", [False, True], ids=["drain", "held"])
def test_no_text_steers_a_terminal(words: list[str], held: bool, tty: int) -> None:
    body = hostile(held_request("Approved") if held else drain_request(phase="Approved"))
    live = {"metadata": {"name": EVIL, "uid": EVIL, "labels": {"gatehold.dev/drain": EVIL},
                         "annotations": {"gatehold.dev/request": f"{EVIL}/x"}}}  # fmt: skip
    gate = {"metadata": {"name": EVIL}, "spec": {"type": EVIL, "policyRef": {"name": EVIL}, "drains": {"namespace": EVIL}}}
    _, said = ends(words, Cluster(body, me=EVIL, nodes=live, gates=gate), tty=tty)
    assert said.strip()
    left = re.sub(r"\x1b\[[0-9;]*[mAK]|\x1b\[\?25[lh]|\x1b\[2K|\r", "", said)
    assert not [char for char in left if char != "\n" and (not char.isprintable() or "\ue000" <= char <= "\uf8ff")]


def test_the_live_page_lets_nothing_through() -> None:
    assert "\x1b" not in text(page(view_of(hostile(drain_request(phase="Approved"))), NOW))
