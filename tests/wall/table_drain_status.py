"""What the status of a drain may say, also of a stolen operator. Rows of the wall's table."""
# ruff: noqa: E501 (a row is a line, so that rows can be read down)

from typing import Any

from tests.wall.attempt import SCHEMA, Attempt, Check
from tests.wall.people import Body
from tests.wall.scene import Ask, Scene
from tests.wall.table_held import GATE, HELD, NODE
from tests.wall.table_status import writes

TWO: Body = {"subject": None, "effect": {"type": "Drain", "drain": {"nodes": [{"name": "n1"}, {"name": "n2"}]}}}
APPROVED = Ask(state="Approved", requester="drainer", spec=TWO, nodes=("n1", "n2"))
KUBECTL = Ask(
    state="Approved", opened_by="operator", requester="carol", spec={**HELD, "requester": {"username": "carol"}}, labels=GATE
)
PRIOR: Body = {"wasUnschedulable": False, "taints": ["example.com/x=a:NoSchedule"]}


def line(name: str, state: str = "Waiting", **more: Any) -> Body:
    return {"name": name, "uid": f"{name}-uid", "state": state, **PRIOR, **more}


def effect(*nodes: Body, state: str = "Running", **more: Any) -> Body:
    return {"type": "Drain", "state": state, "startedAt": "2026-01-01T00:00:00Z", "nodes": list(nodes), **more}


def begun(*nodes: Body, **more: Any) -> Any:
    """The effect is written down so."""

    def write(scene: Scene) -> None:
        answer = scene.write_status({"effect": effect(*nodes, **more)})
        assert answer.ok, answer.message

    return write


def states(*wanted: str) -> Check:
    return lambda scene, after: [found["state"] for found in (after or {})["status"]["effect"]["nodes"]] == list(wanted)


ASKED = "status.effect.nodes are the nodes that people were asked about, all of them and in that order"
DRAINED = "Released needs every node of status.effect.nodes Drained"
STAYS = "a node of a drain stays the one that it was"
ONCE = "the nodes of a drain are recorded once, in their order"
PRIOR_STAYS = "the earlier state of a node is recorded before its first write and stays"
WAITS = begun(line("n1"), line("n2"))
DRAINING = begun(line("n1", "Draining", podsLeft=3), line("n2"))
DONE = begun(line("n1", "Drained"), line("n2", "Draining"))
ONE = begun({**line("n1", "Draining"), "uid": NODE["uid"]}, type="Release")


def told(says: str, ask: Ask, refused: str = "", **more: Any) -> Attempt:
    return writes(f"of a drain {says}", ask, refused, **more)


DRAIN_STATUS_ROWS = [
    told("records its nodes", APPROVED, effect=effect(line("n1"), line("n2")), leaves=states("Waiting", "Waiting")),
    told("records a node that nobody was asked about", APPROVED, ASKED, effect=effect(line("n1"), line("n2"), line("n3"))),
    told("leaves a node out", APPROVED, ASKED, effect=effect(line("n1"))),
    told("records another node of that name", APPROVED, ASKED, effect=effect(line("n1"), line("n2", uid="another"))),
    told("records them in another order", APPROVED, ASKED, effect=effect(line("n2"), line("n1"))),
    told("sees them anew while they wait", APPROVED, before=WAITS, effect=effect(line("n1", taints=[]), line("n2", wasUnschedulable=True)), leaves=states("Waiting", "Waiting")),
    told("goes on with one", APPROVED, before=WAITS, effect=effect(line("n1", "Cordoned"), line("n2")), leaves=states("Cordoned", "Waiting")),
    told("sees one anew in the write that begins with it", APPROVED, before=WAITS, effect=effect(line("n1", "Cordoned", wasUnschedulable=True), line("n2")), leaves=states("Cordoned", "Waiting")),
    told("tells how one had been that it cordoned", APPROVED, PRIOR_STAYS, before=DRAINING, policy=SCHEMA, effect=effect(line("n1", "Draining", wasUnschedulable=True), line("n2"))),
    told("tells what taints one had that it cordoned", APPROVED, PRIOR_STAYS, before=DRAINING, policy=SCHEMA, effect=effect(line("n1", "Draining", taints=[]), line("n2"))),
    told("forgets that it had begun", APPROVED, "a node that was begun with does not wait any more", before=DRAINING, policy=SCHEMA, effect=effect(line("n1"), line("n2"))),
    told("turns to another node", APPROVED, STAYS, before=DRAINING, policy=SCHEMA, effect=effect(line("n1", "Draining", uid="another"), line("n2"))),
    told("drops a node", APPROVED, ONCE, before=DRAINING, policy=SCHEMA, effect=effect(line("n1", "Draining"))),
    told("says where a budget holds it", APPROVED, before=DRAINING, effect=effect(line("n1", "Draining", podsLeft=2, blockedBy="budget shop/web (needs 2 healthy pods and has 2)", blockedSince="2026-01-01T00:00:00Z"), line("n2")), leaves=states("Draining", "Waiting")),
    told("says that it is complete with a node left", APPROVED, DRAINED, before=DONE, phase="Released", effect=effect(line("n1", "Drained"), line("n2", "Draining"), state="Done")),
    told("says that it is complete without a node", APPROVED, DRAINED, phase="Released", effect={"type": "Drain", "state": "Done"}),
    told("says that it is complete", APPROVED, before=DONE, phase="Released", effect=effect(line("n1", "Drained"), line("n2", "Drained"), state="Done"), leaves=states("Drained", "Drained")),
    told("by kubectl looks at its node", KUBECTL, before=ONE, effect=effect({**line("n1", "Draining", podsLeft=1), "uid": NODE["uid"]}, type="Release"), leaves=states("Draining")),
    told("by kubectl looks at another node", KUBECTL, ASKED, effect=effect(line("n2", "Draining"), type="Release")),
    told("by kubectl says that it is complete with pods left", KUBECTL, DRAINED, before=ONE, phase="Released", effect=effect({**line("n1", "Draining"), "uid": NODE["uid"]}, state="Done", type="Release")),
]  # fmt: skip
