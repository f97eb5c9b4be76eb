"""Instants: deadlines, validity, escalation. All computed from the API server's time, which is an argument."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from gatehold.domain.model import Policy, Request
from gatehold.domain.plan import Finding, Rules
from gatehold.domain.reasons import Reason
from gatehold.domain.status import EscalationStep, Status


def timeout(policy: Policy, request: Request, rules: Rules) -> timedelta | Finding:
    """How long the question stays open, or why that is not allowed."""
    longest = policy.timeout_max
    asked = request.timeout_seconds or default_seconds(policy, rules)
    if longest is not None and asked > longest:
        text = f"spec.timeoutSeconds is {asked}, policy {policy.name} allows at most {longest}"
        return Finding(Reason.TIMEOUT_OUT_OF_BOUNDS, text)
    return timedelta(seconds=asked)


def default_seconds(policy: Policy, rules: Rules) -> int:
    """How long the question of a request that does not say stays open."""
    return policy.timeout_default or min(rules.timeout_seconds, policy.timeout_max or rules.timeout_seconds)


def planned_escalations(policy: Policy, prepared_at: datetime, deadline: datetime) -> tuple[EscalationStep, ...]:
    """The policy's escalation as absolute instants; what would come after the deadline never comes."""
    steps = (
        EscalationStep(rule.after_seconds, whole(prepared_at + timedelta(seconds=rule.after_seconds)), rule.roles)
        for rule in sorted(policy.escalation, key=lambda r: r.after_seconds)
    )
    return tuple(step for step in steps if step.at < deadline)


def escalate(status: Status, now: datetime) -> Status:
    """Open the backups whose time has come. It widens who is asked and never lowers the quorum."""
    due = [step for step in status.escalations if step.opened_at is None and step.at <= now]
    if not due:
        return status
    roles = {role for step in due for role in step.roles}
    steps = tuple(replace(s, opened_at=now) if s in due else s for s in status.escalations)
    quorum = tuple(
        replace(q, accepted=(*q.accepted, *(b for b in q.backups if b in roles and b not in q.accepted)))
        for q in status.quorum
    )
    return replace(status, escalations=steps, quorum=quorum)


def whole(instant: datetime) -> datetime:
    """The next full second: instants that people read carry no fractions, and nobody's time is cut short."""
    return instant if not instant.microsecond else instant.replace(microsecond=0) + timedelta(seconds=1)


def earliest(instants: Iterable[datetime | None]) -> datetime | None:
    """The first of the instants that are there, or None."""
    found = [instant for instant in instants if instant is not None]
    return min(found) if found else None


def next_instant(status: Status) -> datetime | None:
    """When time alone can change a pending request: its deadline or the next escalation."""
    return earliest((status.deadline, *(s.at for s in status.escalations if s.opened_at is None)))
