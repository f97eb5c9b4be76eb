"""What the webhook's thread may read of the caches: held drains by person and node, nodes and Gates as they change."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from gatehold.controllers.held_board import Board, held_drain
from gatehold.controllers.summary import summarise
from gatehold.domain.eviction_sight import NodeSight
from gatehold.domain.phases import Phase
from gatehold.runtime.caches import Caches
from gatehold.settings import Settings

NUMBERS = itertools.count(1)
DIGEST = "sha256:" + "0" * 64
AT = "2026-05-01T14:05:00Z"
INSTANT = datetime(2026, 5, 1, 14, 5, tzinfo=UTC)


def request(uid: str = "r-1", user: str = "alice", node: str = "node-1", **status: Any) -> dict[str, Any]:
    return {
        "apiVersion": "gatehold.dev/v1alpha1",
        "kind": "ApprovalRequest",
        "metadata": {
            "name": f"n1-{uid}",
            "namespace": "ops",
            "uid": uid,
            "resourceVersion": str(next(NUMBERS)),
            "creationTimestamp": "2026-05-01T14:00:00Z",
            "labels": {"gatehold.dev/gate": "gpu"},
        },
        "spec": {
            "policyRef": {"name": "drains"},
            "subject": {"apiVersion": "v1", "kind": "Node", "name": "n1", "uid": node},
            "effect": {"type": "Release"},
            "requester": {"username": user},
        },
        **({"status": {"observedGeneration": 1, **status}} if status else {}),
    }


def node(name: str = "n1", *, mode: str | None = "Hold", gate: str | None = "gpu", closed: bool = True) -> dict[str, Any]:
    labels = {"gatehold.dev/drain": gate, "gatehold.dev/drain-mode": mode}
    return {
        "metadata": {
            "name": name,
            "uid": f"{name}-uid",
            "resourceVersion": str(next(NUMBERS)),
            "labels": {key: value for key, value in labels.items() if value is not None},
        },
        "spec": {"unschedulable": True} if closed else {},
    }


def gate(**drains: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": "gpu", "uid": "g-1", "resourceVersion": str(next(NUMBERS))},
        "spec": {"type": "Drains", "policyRef": {"name": "drains"}, "drains": drains},
    }


@pytest.fixture
def caches() -> Caches:
    return Caches(summarise)


@pytest.fixture
def board(caches: Caches) -> Board:
    runtime: Any = SimpleNamespace(
        settings=Settings(),
        requests=caches.requests,
        nodes=caches.nodes,
        gates=caches.gates,
        knows=lambda: True,
    )
    return Board(runtime)


def test_a_request_is_found_by_its_person_and_node_as_it_changes(caches: Caches, board: Board) -> None:
    caches.requests.upsert(request(), None)
    assert [drain.phase for drain in board.requests("node-1", "alice")] == [Phase.UNSET]
    assert board.waiting("gpu") == 1
    assert board.requests("node-1", "bob") == board.requests("node-2", "alice") == ()
    pending = {"phase": "Pending", "requestDigest": DIGEST, "approvals": "0/2", "deadline": AT}
    caches.requests.upsert(request(**pending), None)
    (drain,) = board.requests("node-1", "alice")
    assert (drain.phase, drain.approvals, drain.deadline) == (Phase.PENDING, "0/2", INSTANT)
    assert (drain.address, board.waiting("gpu")) == ("ops/n1-r-1", 1)
    caches.requests.upsert(request(**(pending | {"phase": "Approved", "validUntil": AT})), None)
    (drain,) = board.requests("node-1", "alice")
    assert (drain.phase, drain.valid_until, board.waiting("gpu")) == (Phase.APPROVED, INSTANT, 0)
    caches.requests.upsert(request("r-2", "bob"), None)
    assert board.waiting("gpu") == 1
    caches.requests.remove("r-1")
    caches.requests.remove("r-1")
    assert board.requests("node-1", "alice") == ()
    assert len(board.requests("node-1", "bob")) == 1


def test_why_people_could_not_be_asked_is_known_until_they_are(board: Board) -> None:
    assert board.unasked("node-1", "alice") == ""
    board.tried("node-1", "alice", "no such namespace")
    assert (board.unasked("node-1", "alice"), board.unasked("node-1", "bob")) == ("no such namespace", "")
    board.tried("node-1", "alice", "")
    assert board.unasked("node-1", "alice") == ""
    for number in range(300):
        board.tried(f"node-{number}", "alice", "why")
    assert len(board._unasked) <= 101


def test_an_older_body_changes_nothing(caches: Caches, board: Board) -> None:
    old = request()
    caches.requests.upsert(request(phase="Pending", requestDigest=DIGEST), None)
    caches.requests.upsert(old, None)
    assert [drain.phase for drain in board.requests("node-1", "alice")] == [Phase.PENDING]


@pytest.mark.parametrize(
    ("phase", "verdict", "decision", "said"),
    [
        ("Denied", ("deny", "bob", "not on a Friday"), {}, "was denied by bob: not on a Friday"),
        ("Denied", ("deny", "bob", ""), {}, "was denied by bob"),
        ("Denied", None, {}, "was denied"),
        ("Withdrawn", ("withdraw", "alice", "wrong node"), {}, "was withdrawn by alice: wrong node"),
        ("Expired", None, {"message": "1 of 2"}, "expired: not enough people said yes in time"),
        ("Lapsed", None, {}, "lapsed: it was not used in time"),
        ("Failed", None, {"message": "the gate is gone"}, "failed: the gate is gone"),
        ("Failed", None, {}, "failed"),
    ],
)
def test_a_refusal_says_how_by_whom_and_why(
    phase: str, verdict: tuple[str, str, str] | None, decision: dict[str, str], said: str
) -> None:
    verdicts = []
    if verdict is not None:
        word, user, comment = verdict
        entry = {"id": 0, "verdict": word, "digest": DIGEST, "username": user, "observedAt": AT, "counted": True}
        verdicts = [entry | ({"comment": comment} if comment else {})]
    drain = held_drain(
        request(
            phase=phase,
            verdicts=verdicts,
            decision={"outcome": phase, "by": "People", "at": AT, **decision},
            effect={"type": "Release", "state": "Undone", "cooldownUntil": AT},
        )
    )
    assert drain is not None
    assert (drain.said, drain.cooldown_until) == (said, INSTANT)


def test_what_is_no_held_drain_is_none() -> None:
    strangers = request()
    del strangers["metadata"]["labels"]
    of_job = request()
    of_job["spec"]["subject"]["kind"] = "Job"
    without = request()
    without["spec"]["effect"] = {"type": "None"}
    for body in (strangers, of_job, without):
        assert held_drain(body) is None


@pytest.mark.parametrize(
    "spoil",
    [
        lambda body: body.update(status={"phase": "Later"}),
        lambda body: body.update(status={"phase": "Approved", "validUntil": "tomorrow"}),
        lambda body: body["spec"].update(policyRef=None),
        lambda body: body["spec"].update(requester={"username": "alice", "groups": 7}),
    ],
)
def test_one_that_cannot_be_read_is_open_and_lets_nothing_pass(spoil: Any) -> None:
    body = request(phase="Approved", validUntil=AT)
    spoil(body)
    drain = held_drain(body)
    assert drain is not None
    assert (drain.phase, drain.valid_until, drain.username) == (Phase.UNSET, None, "alice")
    assert "cannot be read" in drain.said


def test_nodes_and_gates_are_as_last_seen(caches: Caches, board: Board) -> None:
    assert board.node("n1") is None
    assert board.gate("gpu") is None
    for body, wanted in (
        (node(), NodeSight("n1", "n1-uid", "gpu", hold=True, cordoned=True)),
        (node(closed=False), NodeSight("n1", "n1-uid", "gpu", hold=True)),
        (node(mode=None), NodeSight("n1", "n1-uid", "gpu", cordoned=True)),
        (node(mode="hold"), NodeSight("n1", "n1-uid", "gpu", cordoned=True)),
        (node(mode=None, gate=None), NodeSight("n1", "n1-uid", cordoned=True)),
    ):
        caches.nodes.upsert(body)
        assert board.node("n1") == wanted
        assert board.node("n1") is board.node("n1")  # read once for each change
    caches.nodes.remove("n1-uid")
    assert board.node("n1") is None
    caches.gates.upsert(gate(mode="Hold", namespace="ops"))
    found = board.gate("gpu")
    assert found is not None and (found.hold, found.namespace, found.policy) == (True, "ops", "drains")
    caches.gates.upsert(gate())
    found = board.gate("gpu")
    assert found is not None and (found.hold, found.namespace) == (False, "gatehold-system")
    caches.gates.upsert({**gate(), "spec": {"type": "Rollouts", "policyRef": {"name": "drains"}}})
    assert board.gate("gpu") is None


def test_a_request_that_changes_is_never_missing_for_the_webhooks_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    runtime = SimpleNamespace(settings=Settings(), requests=Caches(summarise).requests)
    board = Board(runtime)  # type: ignore[arg-type]
    body = request(phase="Pending")
    board.changed(body)
    seen: list[int] = []

    def look(changed: Any) -> Any:
        seen.append(len(board.requests("node-1", "alice")))
        return held_drain(changed)

    monkeypatch.setattr("gatehold.controllers.held_board.held_drain", look)
    board.changed(body)
    assert seen == [1]
    assert len(board.requests("node-1", "alice")) == 1
    assert board.waiting("gpu") == 1
