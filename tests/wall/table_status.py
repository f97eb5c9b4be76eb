"""Status: others than the operator, and a stolen operator that writes what nobody said. Rows of the wall's table."""
# ruff: noqa: E501 (a row is a line, so that rows can be read down)

from collections.abc import Callable
from typing import Any

from tests.wall.api import Call, path
from tests.wall.attempt import IDENTITY, RBAC, SCHEMA, STATUS, Attempt, field_is
from tests.wall.people import Body
from tests.wall.scene import AT, GROUP, Ask, Scene, approval
from tests.wall.writes import patch, status

ONLY = "status is written by the operator only; decide with gatehold.dev/approve, deny, withdraw or override on the object itself"
FORGED: Body = {"phase": "Denied", "approvals": "2/2"}

OTHERS = [
    *(
        Attempt(f"{who} writes status by {how}", by=who, do=status(FORGED, how), refused=ONLY, policy=STATUS)
        for who in ("mallory", "alice", "ci", "wild", "admin")
        for how in ("merge", "put", "apply")
    ),
    Attempt("a user writes status by JSON patch", by="mallory", do=patch([{"op": "add", "path": "/status/phase", "value": "Denied"}], "json", "status"), refused=ONLY, policy=STATUS),
    Attempt("a user writes the status of a request that nobody has looked at", ask=Ask(state="new"), by="mallory", do=status({"phase": "Pending"}), refused=ONLY, policy=STATUS),
    Attempt("a user empties status", by="mallory", do=patch({"status": None}, sub="status"), refused="this phase change is not allowed", policy=SCHEMA),
    Attempt("the operator's name without a pod writes status", by="pretender", do=status(FORGED), refused="operator", policy=f"{STATUS}|{IDENTITY}"),
    Attempt("a cluster admin writes the status of a policy", by="admin", do=lambda scene: Call(path(GROUP, "approvalpolicies", None, "solo", "status"), {"status": {"observedGeneration": 9}}), refused=ONLY, policy=STATUS, target=lambda scene: path(GROUP, "approvalpolicies", None, "solo")),
    Attempt("who only reads writes status", by="viewer", do=status(FORGED), refused='cannot patch resource "approvalrequests/status"', policy=RBAC),
    Attempt("a subresource that does not exist", by="admin", do=patch({"spec": {"replicas": 3}}, sub="scale"), refused="not found", policy=SCHEMA),
]  # fmt: skip

EVERY = "every entry of status.verdicts must equal a verdict annotation that passed admission, or be recorded already"
SOLO_YES = Ask(said=(("alice", "approve", "sre"),))
TWO = Ask(policy="prod", said=(("alice", "approve", "sre"), ("bob", "approve", "sre")))
THREE = Ask(policy="prod", said=(("alice", "approve", "sre"), ("bob", "approve", "sre"), ("carol", "approve", "finance")))
THREE_RAW = Ask(policy="prod", said=THREE.said, recorded=False)
DENIED_TOO = Ask(policy="prod", said=(*THREE.said, ("bob", "deny", "sre")))
DENIED_RAW = Ask(policy="prod", said=DENIED_TOO.said, recorded=False)
BACK_RAW = Ask(said=(("alice", "approve", "sre"), ("ci", "withdraw")), recorded=False)
RUNNING = Ask(state="running", release=True)


def entry(number: int, who: str, say: str = "approve", role: str = "sre", **more: Any) -> Callable[[Scene], Body]:
    """A ledger entry that the operator makes up."""

    def make(scene: Scene) -> Body:
        made: Body = {"id": number, "verdict": say, "digest": scene.digest(), "username": who, "comment": "made up", **more}
        return made | ({"role": role} if role else {})

    return make


def ledger(*more: Callable[[Scene], Body], **overrides: Body) -> Callable[[Scene], list[Body]]:
    """What the annotations say, plus entries that are made up, minus none; overrides by number (v0=...)."""
    return lambda scene: [*scene.ledger(**overrides), *(make(scene) for make in more)]


def writes(
    says: str,
    ask: Ask,
    refused: str = "",
    *,
    policy: str = STATUS,
    leaves: Any = None,
    before: Any = None,
    verdicts: Any = None,
    **body: Any,
) -> Attempt:
    """A write of status by the operator's own pod. Callable values are computed from the scene."""

    def make(scene: Scene) -> Body:
        found = {key: value(scene) if callable(value) else value for key, value in body.items()}
        return {**found, "verdicts": verdicts(scene)} if verdicts else found

    return Attempt(
        f"a stolen operator {says}" if refused else f"the operator {says}",
        by="operator",
        do=status(make),
        ask=ask,
        refused=refused,
        policy=policy if refused else STATUS,
        leaves=leaves,
        before=before,
        only="stopped",
    )


def phase(after: str, by: str = "Operator") -> Body:
    return {"phase": after, "decision": {"outcome": after, "by": by, "at": AT}}


def approved(by: str = "People", **more: Any) -> Body:
    return {"phase": "Approved", "decision": approval(by, **more)}


def late_word(*words: tuple[str, ...]) -> Callable[[Scene], None]:
    """Words given after the scene is set, which the operator has not recorded."""

    def give(scene: Scene) -> None:
        for said in words:
            scene.say(*said)

    return give


MISSING = "a write that changes the phase must have recorded every verdict that passed admission; verdict.gatehold.dev/"
PEOPLE = (
    "Approved by People needs, for every entry of status.quorum, count recorded and counted approvals by different people"
)
VETO = "somebody denied: only Denied, Failed or Superseded may follow"

HONEST = [
    writes("approves with the whole quorum", THREE_RAW, **approved(), verdicts=ledger(), leaves=field_is("status.phase", "Approved")),
    writes("approves by an override", Ask(said=(("oz", "override"),)), **approved("Override"), leaves=field_is("status.phase", "Approved")),
    writes("approves by a tier that it was granted", Ask(policy="auto"), **approved("Policy", tier="shop"), leaves=field_is("status.phase", "Approved")),
    writes("records a deny and closes", DENIED_RAW, **phase("Denied", "People"), verdicts=ledger(), leaves=field_is("status.phase", "Denied")),
    writes("records a withdrawal and closes", BACK_RAW, **phase("Withdrawn", "Requester"), verdicts=ledger(), leaves=field_is("status.phase", "Withdrawn")),
    writes("expires with an approval recorded", TWO, **phase("Expired", "Time"), leaves=field_is("status.phase", "Expired")),
    writes("supersedes although somebody denied", DENIED_RAW, **phase("Superseded"), verdicts=ledger(), leaves=field_is("status.phase", "Superseded")),
    writes("records without closing", DENIED_RAW, verdicts=ledger(), leaves=field_is("status.phase", "Pending")),
    writes("records an approval as late", Ask(said=(("alice", "approve", "sre"),), recorded=False), verdicts=ledger(v0={"counted": False, "reason": "Late"}), leaves=lambda scene, after: after["status"]["verdicts"][0]["reason"] == "Late"),
    writes("opens an escalation", Ask(policy="prod"), quorum=[{"role": "sre", "count": 2, "backups": ["duty"], "acceptedRoles": ["sre", "duty"]}, {"role": "finance", "count": 1, "acceptedRoles": ["finance"]}], escalations=[{"afterSeconds": 3600, "at": "2035-01-01T00:00:00Z", "roles": ["duty"], "openedAt": AT}], leaves=lambda scene, after: after["status"]["quorum"][0]["acceptedRoles"] == ["sre", "duty"]),
    writes("releases what is done", RUNNING, phase="Released", effect={"state": "Done"}, leaves=field_is("status.phase", "Released")),
    writes("denies what runs", RUNNING, **phase("Denied", "People"), verdicts=ledger(), before=late_word(("bob", "deny", "sre")), leaves=field_is("status.phase", "Denied")),
    writes("withdraws what runs", RUNNING, **phase("Withdrawn", "Requester"), verdicts=ledger(), before=late_word(("ci", "withdraw")), leaves=field_is("status.phase", "Withdrawn")),
]  # fmt: skip

INVENT = [
    writes("invents an approval", Ask(), EVERY, verdicts=ledger(entry(0, "alice"))),
    writes("invents a deny", Ask(), EVERY, verdicts=ledger(entry(0, "alice", "deny"))),
    writes("invents a deny and closes", Ask(), EVERY, **phase("Denied", "People"), verdicts=ledger(entry(0, "alice", "deny"))),
    writes("invents a withdrawal and closes", Ask(), EVERY, **phase("Withdrawn", "Requester"), verdicts=ledger(entry(0, "ci", "withdraw", ""))),
    writes("invents an override and approves", Ask(), EVERY, **approved("Override"), verdicts=ledger(entry(0, "oz", "override", ""))),
    writes("records an approval under another name", Ask(said=SOLO_YES.said, recorded=False), EVERY, verdicts=ledger(v0={"username": "bob"})),
    writes("records an approval in another role", Ask(policy="prod", said=(("erin", "approve", "sre"),), recorded=False), EVERY, verdicts=ledger(v0={"role": "finance"})),
    writes("records a deny as an approval", Ask(policy="prod", said=(("alice", "deny", "sre"),), recorded=False), EVERY, verdicts=ledger(v0={"verdict": "approve"})),
    writes("records another comment", Ask(said=SOLO_YES.said, recorded=False), EVERY, verdicts=ledger(v0={"comment": "go, go, go"})),
    writes("records another option", Ask(policy="choice", options=("cheap", "fast"), said=(("alice", "approve", "sre", "cheap"),), recorded=False), EVERY, verdicts=ledger(v0={"option": "fast"})),
    writes("records another digest", Ask(said=SOLO_YES.said, recorded=False), EVERY, verdicts=ledger(v0={"digest": "sha256:" + "b" * 64})),
    writes("records an approval twice", SOLO_YES, EVERY, verdicts=lambda scene: [*scene.ledger(), scene.ledger()[0] | {"id": 1}]),
    writes("cuts a name at its separator", Ask(said=(("auth0|123", "approve", "sre"),), recorded=False), EVERY, verdicts=ledger(v0={"username": "auth0", "option": "123"})),
    writes("takes the escaped name as the name", Ask(said=(("auth0|123", "approve", "sre"),), recorded=False), EVERY, verdicts=ledger(v0={"username": "auth0%7C123"})),
    writes("edits a recorded verdict", SOLO_YES, "a recorded verdict is never edited", policy=SCHEMA, verdicts=lambda scene: [scene.read()["status"]["verdicts"][0] | {"comment": "x"}]),
    writes("makes a late approval count afterwards", Ask(said=SOLO_YES.said, recorded=False), "a recorded verdict is never edited", policy=SCHEMA, before=lambda scene: scene.write_status({"verdicts": scene.ledger(v0={"counted": False, "reason": "Late"})}), verdicts=lambda scene: [{k: v for k, v in scene.read()["status"]["verdicts"][0].items() if k not in ("counted", "reason")}]),
    writes("drops a recorded verdict", TWO, "recorded verdicts are never removed", policy=SCHEMA, verdicts=lambda scene: scene.read()["status"]["verdicts"][:1]),
    writes("records a deny as not counted", Ask(policy="prod", said=(("alice", "deny", "sre"),), recorded=False), "a deny always counts", policy=SCHEMA, verdicts=ledger(v0={"counted": False, "reason": "Ineligible"})),
    writes("records an approval as not counted without a reason", Ask(said=SOLO_YES.said, recorded=False), "reason goes together with counted: false", policy=SCHEMA, verdicts=ledger(v0={"counted": False})),
]  # fmt: skip

APPROVE = [
    writes("approves with nobody's approval", Ask(), PEOPLE, **approved()),
    writes("approves without saying through whom", Ask(), PEOPLE, phase="Approved"),
    writes("approves with count 2 and one approval", Ask(policy="choice", said=(("alice", "approve", "sre"),)), PEOPLE, **approved()),
    writes("approves with one entry of two", TWO, PEOPLE, **approved()),
    writes("approves with one approval of two and the other entry", Ask(policy="prod", said=(("alice", "approve", "sre"), ("carol", "approve", "finance"))), PEOPLE, **approved()),
    writes("approves with an approval recorded as not counted", Ask(said=SOLO_YES.said, recorded=False), PEOPLE, **approved(), verdicts=ledger(v0={"counted": False, "reason": "Unproven"})),
    writes("approves by Time", TWO, PEOPLE, **approved("Time")),
    writes("approves by Policy though people are asked", Ask(policy="prod"), PEOPLE, **approved("Policy", tier="shop")),
    writes("approves by an override that nobody gave", SOLO_YES, "Approved by Override needs a recorded and counted override", **approved("Override")),
    writes("approves by an override recorded as not counted", Ask(said=(("oz", "override"),), recorded=False), "Approved by Override needs a recorded and counted override", **approved("Override"), verdicts=ledger(v0={"counted": False, "reason": "Late"})),
    writes("approves by an override that is not recorded", Ask(said=(("oz", "override"),), recorded=False), MISSING + "0 is missing", **approved("Override")),
    writes("approves by a tier that it was not granted", Ask(policy="auto-refused"), "Approved without status.quorum takes decision.by Policy, and the operator needs verb auto-approve on approvalpolicies with resourceName auto-refused in namespace shop", **approved("Policy", tier="shop")),
    writes("approves by People without a quorum", Ask(policy="auto"), "Approved without status.quorum takes decision.by Policy", **approved()),
    writes("approves before there is a digest", Ask(state="unprepared"), "Approved needs status.requestDigest", **approved()),
    writes("approves what nobody has looked at", Ask(state="new"), "this phase change is not allowed", policy=SCHEMA, **approved()),
    writes("approves with an empty quorum", Ask(), "quorum: Invalid value", policy=SCHEMA, **approved(), quorum=[]),
    writes("approves without the quorum that was set", Ask(), "quorum is set once", policy=SCHEMA, **approved(), quorum=None),
    writes("approves with an option that nobody named", Ask(policy="choice", options=("cheap", "fast"), said=(("alice", "approve", "sre", "cheap"), ("bob", "approve", "sre", "cheap"))), PEOPLE, **approved(option="fast")),
    writes("approves without the option that was named", Ask(policy="choice", options=("cheap", "fast"), said=(("alice", "approve", "sre", "cheap"), ("bob", "approve", "sre", "cheap"))), PEOPLE, **approved()),
    writes("approves an override with another option", Ask(options=("cheap", "fast"), said=(("oz", "override", "", "cheap"),)), "Approved by Override needs a recorded and counted override for decision.option", **approved("Override", option="fast")),
    writes("approves with an option that does not exist by a tier", Ask(policy="auto", options=("cheap",)), "decision.option must be one of spec.options", **approved("Policy", option="dear", tier="shop")),
    writes("approves beside a recorded deny", DENIED_TOO, VETO, **approved()),
    writes("approves and records a deny in the same write", DENIED_RAW, VETO, **approved(), verdicts=ledger()),
    writes("approves and leaves the deny out", DENIED_RAW, MISSING + "3 is missing", **approved(), verdicts=lambda scene: scene.ledger()[:3]),
    writes("approves by an override beside a deny", Ask(policy="prod", said=(("oz", "override"), ("alice", "deny", "sre"))), VETO, **approved("Override")),
    writes("approves by a tier beside a deny", Ask(policy="auto", said=(("vic", "deny", "security"),)), VETO, **approved("Policy", tier="shop")),
    writes("approves beside a recorded withdrawal", Ask(said=(("alice", "approve", "sre"), ("ci", "withdraw"))), "the requester withdrew, so Approved and Released are closed", **approved()),
    writes("approves and leaves the withdrawal out", BACK_RAW, MISSING + "1 is missing", **approved(), verdicts=lambda scene: scene.ledger()[:1]),
    writes("approves and leaves an approval out", THREE_RAW, MISSING, **approved(), verdicts=lambda scene: scene.ledger()[1:]),
]  # fmt: skip

CLOSE = [
    writes("expires and drops a deny", DENIED_RAW, MISSING, **phase("Expired", "Time"), verdicts=lambda scene: scene.ledger()[:3]),
    writes("expires and records nothing", DENIED_RAW, MISSING, **phase("Expired", "Time")),
    writes("expires beside a recorded deny", DENIED_TOO, VETO, **phase("Expired", "Time")),
    writes("fails and drops a deny", DENIED_RAW, MISSING, **phase("Failed"), verdicts=lambda scene: scene.ledger()[:3]),
    writes("supersedes and drops a deny", DENIED_RAW, MISSING, **phase("Superseded"), verdicts=lambda scene: scene.ledger()[:3]),
    writes("lapses and drops a deny", Ask(state="Approved", release=True), MISSING + "1 is missing", **phase("Lapsed", "Time"), before=late_word(("bob", "deny", "sre"))),
    writes("lapses beside a recorded deny", Ask(state="Approved", release=True), VETO, **phase("Lapsed", "Time"), before=late_word(("bob", "deny", "sre")), verdicts=ledger()),
    writes("releases and drops a deny", RUNNING, MISSING + "1 is missing", phase="Released", effect={"state": "Done"}, before=late_word(("bob", "deny", "sre"))),
    writes("releases beside a deny that it records", RUNNING, VETO, phase="Released", effect={"state": "Done"}, before=late_word(("bob", "deny", "sre")), verdicts=ledger()),
    writes("releases beside a withdrawal that it records", RUNNING, "the requester withdrew", phase="Released", effect={"state": "Done"}, before=late_word(("ci", "withdraw")), verdicts=ledger()),
    writes("releases what is not done", RUNNING, "Released needs effect.state Done", policy=SCHEMA, phase="Released"),
    writes("releases what has no effect", Ask(state="Approved"), "a request without an effect ends with Approved", policy=SCHEMA, phase="Released", effect={"state": "Done"}),
    writes("denies without a deny", SOLO_YES, "Denied needs a recorded deny, and decision.by People", **phase("Denied", "People")),
    writes("denies by Time", DENIED_TOO, "Denied needs a recorded deny, and decision.by People", **phase("Denied", "Time")),
    writes("withdraws without a withdrawal", SOLO_YES, "Withdrawn needs a recorded withdraw by the requester", **phase("Withdrawn", "Requester")),
    writes("withdraws in people's name", Ask(said=(("ci", "withdraw"),)), "and decision.by Requester", **phase("Withdrawn", "People")),
    *(
        writes(f"moves from {was} to {after}", Ask(state=was, release=was in ("Released", "Lapsed", "running")), "this phase change is not allowed", policy=SCHEMA, **(phase(after) if after != "Pending" else {"phase": after}))
        for was, after in (
            ("new", "Denied"), ("new", "Expired"), ("pending", "Lapsed"), ("running", "Pending"), ("running", "Expired"),
            ("Denied", "Pending"), ("Denied", "Expired"), ("Expired", "Pending"), ("Withdrawn", "Pending"), ("Superseded", "Pending"),
            ("Failed", "Pending"), ("Released", "Failed"), ("Released", "Denied"), ("Lapsed", "Superseded"),
        )
    ),
    writes("approves what expired", Ask(state="Expired", said=(("alice", "approve", "sre"),)), "this phase change is not allowed", policy=SCHEMA, phase="Approved"),
    writes("forgets the phase", Ask(state="Denied"), "this phase change is not allowed", policy=SCHEMA, phase=None),
]  # fmt: skip

SNAPSHOT = [
    writes("changes the digest", Ask(), "requestDigest is set once", policy=SCHEMA, requestDigest="sha256:" + "b" * 64),
    writes("removes the digest", Ask(), "requestDigest is set once", policy=SCHEMA, requestDigest=None),
    writes("lowers a count", Ask(policy="choice"), "count and backups are set once", policy=SCHEMA, quorum=[{"role": "sre", "count": 1, "acceptedRoles": ["sre"]}]),
    writes("drops an entry of the quorum", Ask(policy="prod"), "quorum is set once", policy=SCHEMA, quorum=[{"role": "sre", "count": 2, "backups": ["duty"], "acceptedRoles": ["sre"]}]),
    writes("puts another role in the place of one", Ask(), "quorum is set once", policy=SCHEMA, quorum=[{"role": "easy", "count": 1, "acceptedRoles": ["easy"]}]),
    writes("lets a role in that is no backup", Ask(policy="prod"), "acceptedRoles holds the role itself and may only grow by its backups", policy=SCHEMA, quorum=[{"role": "sre", "count": 2, "backups": ["duty"], "acceptedRoles": ["sre", "easy"]}, {"role": "finance", "count": 1, "acceptedRoles": ["finance"]}]),
    writes("adds a backup", Ask(policy="prod"), "count and backups are set once", policy=SCHEMA, quorum=[{"role": "sre", "count": 2, "backups": ["duty", "easy"], "acceptedRoles": ["sre"]}, {"role": "finance", "count": 1, "acceptedRoles": ["finance"]}]),
    writes("lets a backup in without an escalation", Ask(policy="prod"), "a backup stands in acceptedRoles only after an escalation that names it was opened", policy=SCHEMA, quorum=[{"role": "sre", "count": 2, "backups": ["duty"], "acceptedRoles": ["sre", "duty"]}, {"role": "finance", "count": 1, "acceptedRoles": ["finance"]}]),
    writes("adds an escalation", Ask(), "set together with requestDigest or before it, never after", policy=SCHEMA, escalations=[{"afterSeconds": 1, "at": AT, "roles": ["easy"], "openedAt": AT}]),
    writes("changes a planned escalation", Ask(policy="prod"), "an escalation is planned once and opened once", policy=SCHEMA, escalations=[{"afterSeconds": 3600, "at": AT, "roles": ["duty"]}]),
    writes("drops a planned escalation", Ask(policy="prod"), "never", policy=SCHEMA, escalations=None),
    writes("moves the deadline", Ask(), "the deadline does not move once the request is prepared", policy=SCHEMA, deadline="2046-01-01T00:00:00Z"),
    writes("moves the preparation", Ask(), "preparedAt is set once", policy=SCHEMA, preparedAt="2036-01-01T00:00:00Z"),
    writes("prolongs the validity", Ask(state="Approved", release=True), "validUntil is set once", policy=SCHEMA, validUntil="2046-01-01T00:00:00Z"),
    Attempt("a stolen operator changes the snapshot of the policy", by="operator", do=status({"policy": {"validitySeconds": 31536000}}), refused="policy is set once", policy=SCHEMA),
    Attempt("a stolen operator takes the snapshot of another policy", ask=Ask(state="new"), by="operator", do=status({"phase": "Pending", "policy": {"name": "easy"}}), refused="status.policy is the snapshot of spec.policyRef", policy=SCHEMA),
    writes("changes what was shown", Ask(), "resolved is set once", policy=SCHEMA, resolved={"imageIDs": ["other"]}),
    writes("decides while it is pending", Ask(), "a decision is written together with the phase that it brings", policy=SCHEMA, decision=approval()),
    writes("changes a decision afterwards", Ask(state="Denied"), "a decision is written with its phase and stays", policy=SCHEMA, decision={"message": "because"}),
    writes("removes a decision", Ask(state="Denied"), "a decision is written with its phase and stays", policy=SCHEMA, decision=None),
    writes("gives a released request another decision", RUNNING, "Released keeps the decision that approved it", policy=SCHEMA, phase="Released", effect={"state": "Done"}, decision={"by": "Override"}),
    writes("changes the recorded earlier state", RUNNING, "the earlier state is recorded once, before the first write", policy=SCHEMA, effect={"prior": {"suspend": False}}),
    writes("turns to another object", RUNNING, "an effect acts on one object", policy=SCHEMA, effect={"object": {"uid": "other"}}),
    writes("removes what the effect did", RUNNING, "what the effect did is never removed", policy=SCHEMA, effect=None),
    writes("records an effect of another type", Ask(state="Approved"), "status.effect.type is the type of spec.effect", policy=SCHEMA, effect={"type": "Release", "state": "Running"}),
    writes("says Reconciling and Stalled at once", Ask(), "never both Reconciling and Stalled", policy=SCHEMA, conditions=[{"type": kind, "status": "True", "reason": "X", "message": "", "lastTransitionTime": AT} for kind in ("Reconciling", "Stalled")]),
    writes("names a condition that does not exist", Ask(), "Unsupported value", policy=SCHEMA, conditions=[{"type": "Fine", "status": "True", "reason": "X", "message": "", "lastTransitionTime": AT}]),
    writes("sets up a quorum in which one verdict counts twice", Ask(state="new"), "a role or backup may stand in one entry only, and only once", policy=SCHEMA, phase="Pending", quorum=[{"role": "sre", "count": 1, "backups": ["duty"], "acceptedRoles": ["sre"]}, {"role": "duty", "count": 1, "acceptedRoles": ["duty"]}]),
    writes("sets up a quorum of 13 roles", Ask(state="new"), "at most 12 roles and backups in all", policy=SCHEMA, phase="Pending", quorum=[{"role": f"r{n}", "count": 1, "backups": [f"b{n}"], "acceptedRoles": [f"r{n}"]} for n in range(7)]),
    writes("sets up a role named status", Ask(state="new"), "status and scale are reserved names", policy=SCHEMA, phase="Pending", quorum=[{"role": "status", "count": 1, "acceptedRoles": ["status"]}]),
]  # fmt: skip

STATUS_ROWS = [*OTHERS, *HONEST, *INVENT, *APPROVE, *CLOSE, *SNAPSHOT]
