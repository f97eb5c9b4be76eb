"""The largest request there can be: it is still judged within the API server's cost limit, and a veto finds its place."""

from tests.wall.api import Api, Call, path
from tests.wall.conftest import Stage, poll
from tests.wall.people import RBAC, SHOP, may
from tests.wall.scene import AT, VERDICT, Ask, Scene, notes
from tests.wall.writes import word

ROLES = [f"role-{n}" for n in range(12)]
LONG = "\U0001f680" * 1024  # four bytes each
CROWD = 30
RIGHTS = (
    (("approve", "gatehold.dev", "approvalpolicies"), {"subresource": ROLES[-1]}),
    (("override", "gatehold.dev", "approvalpolicies"), {}),
    (("patch", "gatehold.dev", "approvalrequests"), {}),
)
"""What the crowd holds: the API server knows of a role and its binding a moment after they were made."""


def crowd(stage: Stage) -> dict[str, Api]:
    """People of group crowd, who hold the last of twelve roles only, and override."""
    admin = stage.people["admin"]
    rules = [
        {"apiGroups": ["gatehold.dev"], "resources": [f"approvalpolicies/{ROLES[-1]}"], "verbs": ["approve"]},
        {"apiGroups": ["gatehold.dev"], "resources": ["approvalpolicies"], "verbs": ["override"]},
        {"apiGroups": ["gatehold.dev"], "resources": ["approvalrequests"], "verbs": ["get", "patch"]},
    ]
    ref = {"apiGroup": RBAC.split("/")[0], "kind": "Role", "name": "crowd"}
    subject = {"kind": "Group", "name": "crowd", "apiGroup": RBAC.split("/")[0]}
    head = {"apiVersion": RBAC, "metadata": {"name": "crowd"}}
    admin.must(Call(path(RBAC, "roles", SHOP), {**head, "kind": "Role", "rules": rules}, "post"))
    admin.must(
        Call(
            path(RBAC, "rolebindings", SHOP), {**head, "kind": "RoleBinding", "roleRef": ref, "subjects": [subject]}, "post"
        )
    )
    people = {f"crowd-{n:02}": admin.impersonating(f"crowd-{n:02}", "crowd") for n in range(CROWD)}
    poll(lambda: all(may(people["crowd-00"], *right, namespace=SHOP, **more) for right, more in RIGHTS))
    return people


def test_the_largest_request(stage: Stage) -> None:
    people = crowd(stage)
    scene = stage.scene().request(Ask(state="new"))
    quorum = [
        {"role": r, "count": 1, "backups": [b], "acceptedRoles": [r]} for r, b in zip(ROLES[::2], ROLES[1::2], strict=True)
    ]
    opened = [{"afterSeconds": 1, "at": AT, "roles": ROLES[1::2], "openedAt": AT}]
    quorum = [q | {"acceptedRoles": [q["role"], *q["backups"]]} for q in quorum]
    ready = {"phase": "Pending", "requestDigest": "sha256:" + "a" * 64, "quorum": quorum, "escalations": opened}
    assert scene.write_status(ready).ok
    room = {f"example.com/{n}": "x" * 300 for n in range(96)}
    stage.people["ci"].must(
        Call(scene.target, {"metadata": {"annotations": room, "labels": {f"l{n}": "x" * 63 for n in range(64)}}})
    )

    # 24 authorizer checks, all in vain
    refused = "you hold none of the roles this request needs" if scene.stamped else "you do not hold role"
    assert refused in give(scene, stage.people, "nora", "deny")
    said = [give(scene, people, f"crowd-{n:02}", "approve") for n in range(25)]
    said += [give(scene, people, f"crowd-{n:02}", "override") for n in range(25, 28)]
    full = scene.ledger()
    for n in range(6):
        said.append(give(scene, people, f"crowd-{n:02}", "deny"))
    withdrawn = stage.people["ci"].send(word("withdraw", LONG, by="ci")(scene))

    admitted = [answer == "" for answer in said]
    assert admitted == [True] * 24 + [False] + [True] * 2 + [False] + [True] * 6, [text[-200:] for text in said]
    assert "this request already carries 24 verdicts" in said[24]
    assert len(full) == 26
    assert "the last eight of 32 are kept" in withdrawn.message
    assert scene.write_status({"verdicts": full}).ok
    done = scene.write_status(
        {"phase": "Denied", "decision": {"outcome": "Denied", "by": "People"}, "verdicts": scene.ledger()}
    )
    assert done.ok, done.message
    assert len(scene.read()["status"]["verdicts"]) == 32


def give(scene: Scene, people: dict[str, Api], who: str, say: str) -> str:
    """Say the word, as it is said on this version; the refusal, or nothing."""
    said = word(say, f"{who[-2:]} for a reason " + LONG[: 1024 - 16], by=who, holds=ROLES[-1])
    answer = people[who].send(said(scene))
    return "" if answer.ok else answer.message


def test_thousands_of_tiny_annotations_planted_in_a_gap_are_no_verdicts(stage: Stage) -> None:
    """Keys that never passed admission may cost the writes on that request, never let one in."""
    scene = stage.scene().request(Ask(said=(("alice", "approve", "sre"),)))
    answer = stage.people["nora"].send(Call(scene.target, notes({VERDICT + f"{n}": "x" for n in range(1, 3000)})))

    assert not answer.ok
    assert list(scene.verdicts()) == [0]


def test_the_largest_drain(stage: Stage) -> None:
    names = [f"n{n:03}-{'x' * 55}" for n in range(256)]
    spec = {"subject": None, "effect": {"type": "Drain", "drain": {"selector": {"matchLabels": {"pool": "gpu"}}}}}
    scene = stage.scene().request(Ask(requester="drainer", spec=spec, state="Approved", nodes=names))
    prior = {"wasUnschedulable": False, "taints": ["example.com/" + "y" * 380] * 8}
    rows = [{"name": name, "uid": f"{name}-uid", "state": "Waiting", **prior} for name in names]
    drained = [{**row, "state": "Drained", "pods": 110, "podsLeft": 0, "message": "z" * 500} for row in rows]

    refused = scene.write_status({"effect": {"type": "Drain", "nodes": rows[:-1]}})
    assert "are the nodes that people were asked about" in refused.message
    for nodes, state in ((rows, "Waiting"), (drained, "Running")):
        answer = scene.write_status({"effect": {"type": "Drain", "state": state, "nodes": nodes}})
        assert answer.ok, answer.message
    answer = scene.write_status({"phase": "Released", "effect": {"type": "Drain", "state": "Done", "nodes": drained}})
    assert answer.ok, answer.message
