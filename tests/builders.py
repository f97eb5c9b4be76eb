"""Builders of domain values for every test: a good value by default, and the one thing that the test is about by name.

The clock stands at NOW. The people: ci asks, alice and bob are of role sre, carol of finance, dave is a backup (duty).
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from gatehold.domain.conditions import RolledBack, with_conditions
from gatehold.domain.model import (
    Effect,
    EffectType,
    Policy,
    QuorumEntry,
    RecordedVerdict,
    Request,
    Requester,
    Subject,
    UndoRef,
    Verdict,
    Word,
)
from gatehold.domain.phases import Phase
from gatehold.domain.plan import Facts, Finding, JobFacts, Observed, PodFacts, Pods
from gatehold.domain.reasons import ConditionType, Reason
from gatehold.domain.status import (
    By,
    Decision,
    EffectState,
    EffectStatus,
    ObjectRef,
    PolicySnapshot,
    Resolved,
    ResolvedJob,
    Status,
    UndoStatus,
)

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
UID = "request-uid"
DIGEST = "sha256:" + "d" * 64
POLICY_DIGEST = "sha256:" + "b" * 64
JOB_DIGEST = "sha256:" + "1" * 64
UNDO_DIGEST = "sha256:" + "2" * 64
RELEASE = Effect(EffectType.RELEASE, UndoRef("undo", "undo-uid"), 600)


def after(seconds: float) -> datetime:
    """That many seconds after NOW; before it with a minus."""
    return NOW + timedelta(seconds=seconds)


def request(**changes: Any) -> Request:
    """A prepared-for request of ci with effect None; see also `release_request`."""
    subject = Subject("apps/v1", "Deployment", "shop", "web")
    base = Request("shop", "web-3", UID, 1, after(-10), "prod", subject, Effect(), Requester("ci"), noted=True)
    return replace(base, **changes)


def release_request(*, undo: bool = True, **changes: Any) -> Request:
    """The same for a held Job, with an undo Job unless told otherwise."""
    effect = RELEASE if undo else replace(RELEASE, undo=None)
    subject = Subject("batch/v1", "Job", "shop", "migrate", "job-uid")
    return request(**{"subject": subject, "effect": effect} | changes)


def policy(**changes: Any) -> Policy:
    """One approval of sre, with duty as backup; every effect of this version allowed; an hour to answer."""
    base = Policy(
        "prod",
        "policy-uid",
        4,
        POLICY_DIGEST,
        (QuorumEntry("sre", 1, ("duty",)),),
        effects=(EffectType.NONE, EffectType.PROMOTE, EffectType.RELEASE),
        timeout_default=3600,
        timeout_max=7200,
        validity_seconds=900,
        retention_seconds=86400,
    )
    return replace(base, **changes)


def job(**changes: Any) -> JobFacts:
    """The held Job, suspended."""
    return replace(JobFacts("migrate", "job-uid", "10", JOB_DIGEST, "prod", suspended=True), **changes)


def undo_job(**changes: Any) -> JobFacts:
    """The undo Job, suspended."""
    return replace(JobFacts("undo", "undo-uid", "20", UNDO_DIGEST, "prod", suspended=True), **changes)


def ours(job: JobFacts, **changes: Any) -> JobFacts:
    """A Job as our release write leaves it."""
    return replace(job, **{"suspended": False, "released_by": UID, "has_finalizer": True} | changes)


def resolved(*, undo: bool = True) -> Resolved:
    """What the operator read of both Jobs."""
    second = ResolvedJob("undo", "undo-uid", UNDO_DIGEST) if undo else None
    return Resolved(ResolvedJob("migrate", "job-uid", JOB_DIGEST, ("img:1",), ("run",), "default"), second)


def verdict(number: int, word: Word, username: str, **changes: Any) -> Verdict:
    """An admitted verdict."""
    role = "sre" if word in (Word.APPROVE, Word.DENY) else ""
    return replace(Verdict(number, word, DIGEST, role, username, "", "because of the graph"), **changes)


def approve(number: int = 0, username: str = "alice", **changes: Any) -> Verdict:
    """An approval by role sre."""
    return verdict(number, Word.APPROVE, username, **changes)


def deny(number: int = 0, username: str = "alice", **changes: Any) -> Verdict:
    """A denial."""
    return verdict(number, Word.DENY, username, **changes)


def withdraw(number: int = 0, username: str = "ci", **changes: Any) -> Verdict:
    """The requester's own withdrawal."""
    return verdict(number, Word.WITHDRAW, username, **changes)


def override(number: int = 0, username: str = "erin", **changes: Any) -> Verdict:
    """A break-glass."""
    return verdict(number, Word.OVERRIDE, username, **changes)


def recorded(verdict: Verdict, seconds: float = -1, reason: str = "") -> RecordedVerdict:
    """A verdict in the ledger; with a reason it does not count."""
    return RecordedVerdict(verdict, after(seconds), counted=not reason, reason=reason)


def entry(role: str = "sre", count: int = 1, backups: tuple[str, ...] = (), accepted: tuple[str, ...] = ()) -> QuorumEntry:
    """An entry of a snapshot, which accepts its own role."""
    return QuorumEntry(role, count, backups, accepted or (role,))


def pending(**changes: Any) -> Status:
    """A prepared status: asked a minute ago, an hour to answer, one approval of sre needed."""
    base = Status(
        observed_generation=1,
        phase=Phase.PENDING,
        request_digest=DIGEST,
        policy=PolicySnapshot("prod", "policy-uid", 4, POLICY_DIGEST, 900, 86400),
        quorum=(entry(backups=("duty",)),),
        approvals="0/1",
        prepared_at=after(-60),
        deadline=after(3540),
    )
    return replace(base, **changes)


def effect(state: EffectState = EffectState.WAITING, **changes: Any) -> EffectStatus:
    """The record of a release, with the prior state."""
    ref = ObjectRef("batch/v1", "Job", "migrate", "job-uid", "10")
    started = None if state is EffectState.WAITING else after(-30)
    base = EffectStatus(EffectType.RELEASE, state, object=ref, prior_suspend=True, started_at=started)
    return replace(base, **changes)


def undo_status(state: EffectState = EffectState.WAITING, **changes: Any) -> UndoStatus:
    """The record of the undo Job."""
    started = None if state is EffectState.WAITING else after(-20)
    return replace(UndoStatus(state, ObjectRef("batch/v1", "Job", "undo", "undo-uid", "20"), started), **changes)


def approved(state: EffectState = EffectState.WAITING, **changes: Any) -> Status:
    """Approved by alice a few seconds ago, with effect Release in that state."""
    decision = Decision(Phase.APPROVED, By.PEOPLE, after(-40), "", "", Reason.QUORUM_MET, "approved by alice")
    base = pending(
        phase=Phase.APPROVED,
        approvals="1/1",
        resolved=resolved(),
        verdicts=(recorded(approve(), -40),),
        decision=decision,
        valid_until=after(860),
        effect=effect(state),
    )
    return replace(with_conditions(base, None, None, after(-40)), **changes)


def ended(phase: Phase = Phase.DENIED, state: EffectState = EffectState.RUNNING, **changes: Any) -> Status:
    """Ended while the effect was in that state, by a denial of bob where nothing else is said; not yet undone."""
    said = approved(state).verdicts + ((recorded(deny(1, "bob"), -5),) if phase is Phase.DENIED else ())
    decision = Decision(phase, By.PEOPLE, after(-5), reason=Reason.DENIED_BY_REVIEWER, message="bob: no")
    return replace(approved(state), **{"phase": phase, "verdicts": said, "decision": decision} | changes)


def concluded(status: Status, reason: Reason = Reason.NOTHING_TO_UNDO, *, restored: bool = True) -> Status:
    """The same status once its undo is over."""
    return with_conditions(status, None, RolledBack(restored, Finding(reason, "it is over")), after(-1))


def observed(status: Status | None = None, **changes: Any) -> Observed:
    """What a healthy cluster shows about a request with effect None."""
    base = Observed(request(), status or Status(), wall_proven=True, policy=policy(), request_digest=DIGEST)
    return replace(base, **changes)


def release_observed(status: Status | None = None, **changes: Any) -> Observed:
    """What a healthy cluster shows about a request with effect Release, both Jobs held."""
    jobs = facts(job(), undo_job())
    return observed(status, **{"request": release_request(), "resolved": resolved(), "facts": jobs} | changes)


def pods(name: str, number: int | None) -> Pods:
    """That many pods of a Job on a node each; None: not read."""
    return None if number is None else tuple(PodFacts(f"{name}-{n}", f"node-{n}") for n in range(number))


def facts(
    job: JobFacts | None = None, undo: JobFacts | None = None, pods_left: int | None = 0, undo_left: int | None = 0
) -> Facts:
    """Both Jobs, absent unless given, and how many pods of each are left."""
    return Facts(job, undo, pods("migrate", pods_left), pods("undo", undo_left))


def why(status: Status, kind: ConditionType = ConditionType.HELD) -> tuple[str, str]:
    """Status and reason of a condition, empty where it was never stated."""
    found = status.condition(kind)
    return (found.status, str(found.reason)) if found is not None else ("", "")


def end(status: Status) -> tuple[str, str, str]:
    """How it ended: phase, through whom, reason."""
    decision = status.decision
    return (status.phase, decision.by if decision else "", str(decision.reason) if decision else "")
