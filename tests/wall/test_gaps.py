"""The wall weakened or taken away under way: the proof notices, and what was planted meanwhile neither counts nor blocks."""
# ruff: noqa: E501 (a row is a line, so that rows can be read down)

import asyncio
from collections.abc import Iterator, Sequence

import pytest

from controlplane import kubernetes
from gatehold.admission.proof import Proof, Reason, WallProof
from gatehold.admission.texts import Body, compare, shipped
from tests.wall.api import Answer, Call, path
from tests.wall.conftest import ADMISSION, Stage, poll
from tests.wall.people import SYSTEM
from tests.wall.scene import VERDICT, Ask, Scene, approval, notes

KINDS = {
    "validatingadmissionpolicies": "ValidatingAdmissionPolicy",
    "validatingadmissionpolicybindings": "ValidatingAdmissionPolicyBinding",
}
if kubernetes() >= (1, 36):
    KINDS |= {
        "mutatingadmissionpolicies": "MutatingAdmissionPolicy",
        "mutatingadmissionpolicybindings": "MutatingAdmissionPolicyBinding",
    }
PROBE = path("gatehold.dev/v1alpha1", "approvalrequests", SYSTEM, "gatehold-probe")


class Reply(Answer):
    """An answer as the proof wants it: with a status."""

    @property
    def status(self) -> int:
        return self.code


class Access:
    """The proof's hands, with the operator's and the probe's own tokens."""

    def __init__(self, stage: Stage) -> None:
        self._people = stage.people

    async def wall_objects(self) -> Sequence[Body]:
        found: list[Body] = []
        for plural, kind in KINDS.items():
            query = {"labelSelector": "app.kubernetes.io/part-of=gatehold"}
            answer = self._people["operator"].must(Call(path(ADMISSION, plural), how="get"), **query)
            found += [{**item, "kind": kind} for item in answer["items"]]
        return found

    async def try_as_probe(self, body: Body, subresource: str = "") -> Reply:
        where = PROBE + (f"/{subresource}" if subresource else "")
        answer = self._people["gatehold-probe"].send(Call(where, dict(body)), dryRun="All")
        return Reply(answer.code, answer.body)


def prove(stage: Stage) -> Proof:
    return asyncio.run(WallProof(Access(stage)).prove())


def change(stage: Stage, plural: str, name: str, operations: object) -> None:
    stage.people["admin"].must(Call(path(ADMISSION, plural, None, name), operations, "json"))


@pytest.fixture
def mended(stage: Stage) -> Iterator[Stage]:
    """The wall is put back afterwards, and known to stand."""
    yield stage
    restore(stage)


def restore(stage: Stage) -> None:
    """Replace what differs: a server-side apply would merge, and leave another's exception or exclusion where it is."""
    admin = stage.people["admin"]
    for body in (body for body in shipped() if body["kind"] in KINDS.values()):
        plural = next(plural for plural, kind in KINDS.items() if kind == body["kind"])
        where = path(ADMISSION, plural, None, body["metadata"]["name"])
        live = admin.get(where)
        if live is None:
            admin.must(Call(path(ADMISSION, plural), dict(body), "post"))
        elif compare([body], [{**live, "kind": body["kind"]}]):
            version = {"resourceVersion": live["metadata"]["resourceVersion"]}
            admin.must(Call(where, {**body, "metadata": {**body["metadata"], **version}}, "put"))
    poll(lambda: prove(stage).proven)
    stage.until_stamping_is(stage.stamped)  # the proof says nothing of it


def test_the_wall_as_shipped_is_proven(stage: Stage) -> None:
    proof = prove(stage)

    assert proof.proven, proof.message
    assert proof.reason is Reason.PROVEN
    assert {name for name, _, _ in proof.identity} >= {"ValidatingAdmissionPolicy/gatehold-requests"}


BINDINGS, POLICIES = "validatingadmissionpolicybindings", "validatingadmissionpolicies"
LAX = [{"op": "replace", "path": "/spec/validations", "value": [{"expression": "true"}]}]
EXCLUSION = {"namespaceSelector": {"matchExpressions": [{"key": "lax", "operator": "DoesNotExist"}]}}
WEAKENED = {
    "set to Audit": (BINDINGS, [{"op": "replace", "path": "/spec/validationActions", "value": ["Audit"]}]),
    "set to Warn": (BINDINGS, [{"op": "replace", "path": "/spec/validationActions", "value": ["Warn"]}]),
    "rebound with an exclusion": (BINDINGS, [{"op": "add", "path": "/spec/matchResources", "value": EXCLUSION}]),
    "bound to another policy": (BINDINGS, [{"op": "replace", "path": "/spec/policyName", "value": "gatehold-token"}]),
    "replaced by a lax text of the same name": (POLICIES, LAX),
    "one rule of it made true": (POLICIES, [{"op": "replace", "path": "/spec/validations/3/expression", "value": "true"}]),
    "set to ignore failures": (POLICIES, [{"op": "replace", "path": "/spec/failurePolicy", "value": "Ignore"}]),
    "given an exception": (POLICIES, [{"op": "add", "path": "/spec/matchConditions", "value": [{"name": "x", "expression": "request.userInfo.username != 'mallory'"}]}]),
    "matched to fewer operations": (POLICIES, [{"op": "replace", "path": "/spec/matchConstraints/resourceRules/0/operations", "value": ["CREATE"]}]),
}  # fmt: skip


@pytest.mark.parametrize("says", WEAKENED)
@pytest.mark.parametrize("policy", ["gatehold-requests", "gatehold-status"])
def test_a_weakened_wall_is_not_proven(mended: Stage, policy: str, says: str) -> None:
    plural, operations = WEAKENED[says]
    change(mended, plural, policy, operations)

    proof = prove(mended)

    assert (proof.proven, proof.reason) == (False, Reason.TEXT_DIFFERS)
    assert f"{KINDS[plural]} {policy}: spec." in proof.message


@pytest.mark.parametrize(
    "name", ["gatehold-requests", "gatehold-status", "gatehold-jobs", "gatehold-token", "gatehold-identity"]
)
@pytest.mark.parametrize("plural", [BINDINGS, POLICIES])
def test_a_part_that_is_missing_is_not_proven(mended: Stage, plural: str, name: str) -> None:
    mended.people["admin"].must(Call(path(ADMISSION, plural, None, name), how="delete"))

    proof = prove(mended)

    assert (proof.proven, proof.reason) == (False, Reason.TEXT_DIFFERS)
    assert proof.message == f"{KINDS[plural]} {name}: missing"


@pytest.mark.since(1, 36)
def test_stamping_may_be_missing_but_not_altered(mended: Stage) -> None:
    change(
        mended,
        "mutatingadmissionpolicies",
        "gatehold-stamp",
        [{"op": "replace", "path": "/spec/failurePolicy", "value": "Ignore"}],
    )
    altered = prove(mended)
    for plural in ("mutatingadmissionpolicybindings", "mutatingadmissionpolicies"):
        mended.people["admin"].must(Call(path(ADMISSION, plural, None, "gatehold-stamp"), how="delete"))
    missing = prove(mended)

    assert (altered.proven, altered.reason) == (False, Reason.TEXT_DIFFERS)
    assert missing.proven, missing.message


def test_texts_alone_prove_nothing_where_the_forgery_gets_through(mended: Stage) -> None:
    """What an API server does that has not taken the policy up, or where enforcement is switched off."""
    texts = asyncio.run(Access(mended).wall_objects())
    mended.people["admin"].must(Call(path(ADMISSION, BINDINGS, None, "gatehold-requests"), how="delete"))

    class Old(Access):
        async def wall_objects(self) -> Sequence[Body]:
            return texts

    def accepted() -> bool:
        return asyncio.run(WallProof(Old(mended)).prove()).reason is Reason.FORGERY_ACCEPTED

    poll(accepted)


def test_the_probe_without_its_request_proves_nothing(stage: Stage) -> None:
    class Elsewhere(Access):
        async def try_as_probe(self, body: Body, subresource: str = "") -> Reply:
            where = path("gatehold.dev/v1alpha1", "approvalrequests", SYSTEM, "another")
            answer = stage.people["gatehold-probe"].send(Call(where, dict(body)), dryRun="All")
            return Reply(answer.code, answer.body)

    proof = asyncio.run(WallProof(Elsewhere(stage)).prove())

    assert (proof.proven, proof.reason) == (False, Reason.PROBE_MISSING)


# ---- what was planted while the wall was open


@pytest.fixture
def gap(mended: Stage) -> Iterator[Stage]:
    """The wall around requests open; `restore` puts it back while the test goes on."""
    mended.people["admin"].must(Call(path(ADMISSION, BINDINGS, None, "gatehold-requests"), how="delete"))
    scene = mended.scene().request(Ask(policy="prod"))
    poll(lambda: mended.people["nora"].send(Call(scene.target, notes({VERDICT + "7": "x"})), dryRun="All").ok)
    return mended


JUNK = {
    VERDICT + "first": "approve|x|sre|bob||junk",
    VERDICT + "00": "deny|x|sre|bob||junk",
    VERDICT + "5": "no verdict at all",
    VERDICT + "6": "approve|x|sre|bob||" + "x" * 5000,
    VERDICT + "7": "deny|x|" + "r" * 64 + "|bob||junk",
    VERDICT + "8": "deny|x|sre|100%zz||junk",
    VERDICT + "9": "deny|x|sre|||junk",
}


def test_junk_planted_in_a_gap_neither_counts_nor_blocks(gap: Stage) -> None:
    scene = gap.scene().request(Ask())
    gap.people["nora"].must(Call(scene.target, notes(JUNK)))
    restore(gap)

    scene.say("alice", "approve", "sre")
    number = max(n for n, value in scene.verdicts().items() if "|alice|" in value)
    line = next(entry for entry in scene.ledger() if entry["id"] == number)
    answer = scene.write_status({"phase": "Approved", "decision": approval(), "verdicts": [line]})

    assert answer.ok, answer.message


def test_a_forged_approval_planted_in_a_gap_has_to_be_recorded_and_may_be_recorded_as_not_counted(gap: Stage) -> None:
    scene = gap.scene().request(Ask())
    forged = f"approve|{scene.digest()}|sre|alice||forged"
    gap.people["nora"].must(Call(scene.target, notes({VERDICT + "0": forged})))
    restore(gap)

    unproven = {"counted": False, "reason": "Unproven"}
    refused = scene.write_status({"phase": "Approved", "decision": approval(), "verdicts": scene.ledger(v0=unproven)})
    ignored = scene.write_status({"phase": "Expired", "decision": {"outcome": "Expired", "by": "Time"}})
    recorded = scene.write_status({"verdicts": scene.ledger(v0=unproven)})
    scene.say("alice", "approve", "sre")  # the real Alice gives it again
    approved = scene.write_status({"phase": "Approved", "decision": approval(), "verdicts": scene.ledger()})

    assert "Approved by People needs" in refused.message
    assert "must have recorded every verdict" in ignored.message
    assert recorded.ok and approved.ok, (recorded.message, approved.message)


@pytest.mark.parametrize(
    ("says", "forged"),
    [
        ("the requester's own approval", "approve|{digest}|sre|ci||forged"),
        ("of whom it was asked for", "approve|{digest}|sre|frank||forged"),
        ("of an author", "approve|{digest}|sre|grace||forged"),
        ("of another digest", "approve|sha256:" + "c" * 64 + "|sre|bob||forged"),
        ("in a role that is not asked for", "approve|{digest}|finance|bob||forged"),
        ("an override of an author", "override|{digest}||grace||forged"),
    ],
)  # fmt: skip
def test_an_approval_planted_in_a_gap_that_nobody_may_give_never_counts(gap: Stage, says: str, forged: str) -> None:
    authors = ("grace",) if "author" in says else ()  # the operator is the requester then
    scene = gap.scene().request(Ask(on_behalf_of=("frank",), authors=authors))
    gap.people["nora"].must(Call(scene.target, notes({VERDICT + "0": forged.replace("{digest}", scene.digest())})))
    restore(gap)
    by = "Override" if forged.startswith("override") else "People"

    answer = scene.write_status({"phase": "Approved", "decision": approval(by), "verdicts": scene.ledger()})

    assert f"Approved by {by} needs" in answer.message


def test_a_withdrawal_planted_in_another_name_closes_nothing(gap: Stage) -> None:
    scene = gap.scene().request(Ask())
    gap.people["nora"].must(Call(scene.target, notes({VERDICT + "0": f"withdraw|{scene.digest()}||nora||forged"})))
    restore(gap)

    withdrawn = scene.write_status(
        {"phase": "Withdrawn", "decision": {"outcome": "Withdrawn", "by": "Requester"}, "verdicts": scene.ledger()}
    )
    scene.say("alice", "approve", "sre")
    approved = scene.write_status({"phase": "Approved", "decision": approval(), "verdicts": scene.ledger()})

    assert "Withdrawn needs a recorded withdraw by the requester" in withdrawn.message
    assert approved.ok, approved.message


def test_two_options_planted_in_a_gap_never_count_together(gap: Stage) -> None:
    scene = gap.scene().request(Ask(policy="choice", options=("cheap", "fast")))
    planted = {
        VERDICT + str(n): f"approve|{scene.digest()}|sre|{who}|{option}|forged"
        for n, who, option in ((0, "alice", "cheap"), (1, "bob", "fast"))
    }
    gap.people["nora"].must(Call(scene.target, notes(planted)))
    restore(gap)

    answers = [
        scene.write_status({"phase": "Approved", "decision": approval(option=option), "verdicts": scene.ledger()})
        for option in ("cheap", "fast", "")
    ]

    assert all("Approved by People needs" in answer.message for answer in answers)


def test_a_verdict_that_vanished_in_a_gap_stays_recorded_and_frees_nothing(gap: Stage) -> None:
    scene = Scene(gap.people, gap.scene().hand, stamped=gap.stamped)
    scene.request(Ask(policy="prod", said=(("alice", "approve", "sre"), ("bob", "deny", "sre"))))
    gap.people["nora"].must(Call(scene.target, {"metadata": {"annotations": None}}))
    restore(gap)

    again = gap.people["alice"].send(
        Call(scene.target, notes({VERDICT + "2": f"approve|{scene.digest()}|sre|alice||again"}))
    )
    reused = gap.people["erin"].send(
        Call(scene.target, notes({VERDICT + "0": f"approve|{scene.digest()}|sre|erin||reused"}))
    )
    override = gap.people["oz"].send(
        Call(scene.target, notes({VERDICT + "2": f"override|{scene.digest()}||oz||INC-4711: site down"}))
    )
    deleted = gap.people["ci"].send(Call(scene.target, how="delete"))
    dropped = scene.write_status({"verdicts": []})
    expired = scene.write_status({"phase": "Expired", "decision": {"outcome": "Expired", "by": "Time"}})

    assert "you have already decided this request (approve)" in again.message
    assert "a verdict goes under the next free number: verdict.gatehold.dev/2" in reused.message
    assert "somebody has denied this request" in override.message
    assert "only the operator deletes a request" in deleted.message
    assert "recorded verdicts are never removed" in dropped.message
    assert "somebody denied: only Denied, Failed or Superseded may follow" in expired.message
