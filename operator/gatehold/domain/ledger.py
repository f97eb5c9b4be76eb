"""The ledger: copies admitted verdicts into the status, once each, and never takes one out. Called by `decide`."""

from dataclasses import replace
from datetime import datetime

from gatehold.domain.eligibility import uncounted_because
from gatehold.domain.model import RecordedVerdict, Verdict, Word
from gatehold.domain.phases import Phase
from gatehold.domain.plan import Observed
from gatehold.domain.quorum import counted_approvals, tally
from gatehold.domain.reasons import Reason
from gatehold.domain.status import By, Decision, Status

MOST = 32  # entries that a ledger holds; admission stops there by itself


def record(observed: Observed, status: Status, now: datetime) -> Status:
    """Append each admitted verdict that is not recorded yet. A vanished annotation changes nothing."""
    for verdict in _fresh(observed, status):
        seen_at = min(observed.first_seen.get(verdict.id, now), now)
        entry = _judge(verdict, replace(observed, status=status), seen_at)
        status = replace(status, verdicts=(*status.verdicts, entry))
    if status.quorum:
        status = replace(status, approvals=tally(status.verdicts, status.quorum).text)
    return status


def _fresh(observed: Observed, status: Status) -> list[Verdict]:
    """What is not recorded yet, by number. Where the ledger has no room for all, words that stop come first."""
    known = {entry.verdict.id for entry in status.verdicts}
    unique = {v.id: v for v in reversed(observed.verdicts) if v.id not in known}
    fresh = sorted(unique.values(), key=lambda v: v.id)
    room = MOST - len(status.verdicts)
    if len(fresh) > room:
        fresh.sort(key=lambda v: v.word not in (Word.DENY, Word.WITHDRAW))
    return sorted(fresh[: max(room, 0)], key=lambda v: v.id)


def _judge(verdict: Verdict, observed: Observed, seen_at: datetime) -> RecordedVerdict:
    reason = uncounted_because(verdict, observed, seen_at) or _clash(verdict, observed.status)
    return RecordedVerdict(verdict, seen_at, counted=reason is None, reason=reason or "")


def _clash(verdict: Verdict, status: Status) -> Reason | None:
    """One approval a person, none after one's own deny, one option for all, and nothing after the decision."""
    if verdict.word is not Word.APPROVE:
        return None
    said = {(e.verdict.username, e.verdict.word) for e in status.verdicts if e.counted}
    if (verdict.username, Word.APPROVE) in said or (verdict.username, Word.DENY) in said:
        return Reason.INELIGIBLE
    options = {v.option for v in counted_approvals(status.verdicts)}
    return Reason.INELIGIBLE if options and verdict.option not in options else None


def passed(status: Status, at: datetime) -> Decision | None:
    """The decision of people that lets it pass, or None: a met quorum first, then an override."""
    approvals = counted_approvals(status.verdicts)
    if tally(status.verdicts, status.quorum).complete:
        text = f"approved by {', '.join(v.username for v in approvals)}"
        return Decision(Phase.APPROVED, By.PEOPLE, at, approvals[0].option, "", Reason.QUORUM_MET, text)
    override = first(status, Word.OVERRIDE)
    if override is None:
        return None
    text = f"{override.username} overrode the quorum: {override.comment}"
    return Decision(Phase.APPROVED, By.OVERRIDE, at, override.option, "", Reason.OVERRIDE, text)


def first(status: Status, word: Word) -> Verdict | None:
    """The first counted verdict of that word, or None."""
    return next((e.verdict for e in status.verdicts if e.counted and e.verdict.word is word), None)
