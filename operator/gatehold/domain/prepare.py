"""The first step of a request: may it be asked, of whom, until when. Called by `decide` while there is no digest.

Three answers are kept apart: failed (it should not have been asked), held (it cannot be asked yet), prepared.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from gatehold.domain.effects import rules_for
from gatehold.domain.effects.left_out import held_back, refused
from gatehold.domain.model import EffectType, Policy, UnknownRequester
from gatehold.domain.phases import Phase
from gatehold.domain.plan import Finding, Observed
from gatehold.domain.quorum import tally
from gatehold.domain.reasons import Reason
from gatehold.domain.schedule import planned_escalations, timeout, whole
from gatehold.domain.status import PolicySnapshot, Status
from gatehold.domain.tiers import Asked, ask, is_allowed, is_unknown, matching_tiers, nobody_known, people

Check = Callable[[Observed, Policy], Finding | None]


def _gate_is_there(observed: Observed, policy: Policy) -> Finding | None:
    return refused(observed) if observed.left_out else None


def _effect_is_supported(observed: Observed, policy: Policy) -> Finding | None:
    if rules_for(observed.request) is not None:
        return None
    effect = observed.request.effect.type
    return Finding(Reason.EFFECT_NOT_SUPPORTED, f"this operator cannot carry out effect {effect} on that subject")


def _effect_is_allowed(observed: Observed, policy: Policy) -> Finding | None:
    effect = observed.request.effect.type
    if is_allowed(policy, effect):
        return None
    return Finding(Reason.EFFECT_NOT_ALLOWED, f"policy {policy.name} does not list effect {effect}")


def _time_is_allowed(observed: Observed, policy: Policy) -> Finding | None:
    found = timeout(policy, observed.request, observed.rules)
    return found if isinstance(found, Finding) else None


def _requester_is_known(observed: Observed, policy: Policy) -> Finding | None:
    refuses = policy.on_unknown_requester is UnknownRequester.REFUSE
    if not refuses or not is_unknown(observed.request, observed.rules):
        return None
    text = f"policy {policy.name} takes requests of known people only, and {nobody_known(observed.request)}"
    return Finding(Reason.REQUESTER_UNKNOWN, text)


def _subject_is_free(observed: Observed, policy: Policy) -> Finding | None:
    request = observed.request
    if not observed.owner or request.gate:
        return None  # a Gate asks by itself: about a Rollout one policy after the other, about a node each who drains it
    what = "drains one of these nodes already" if request.effect.type is EffectType.DRAIN else "owns this subject"
    return Finding(Reason.SUBJECT_TAKEN, f"request {observed.owner} is live and {what}")


def _subject_is_as_asked(observed: Observed, policy: Policy) -> Finding | None:
    rules = rules_for(observed.request)
    return rules.check(observed) if rules is not None else None


def _queue_has_room(observed: Observed, policy: Policy) -> Finding | None:
    return None if observed.request.gate else queue_is_full(observed, policy)


CHECKS: tuple[Check, ...] = (
    _gate_is_there,  # nothing was read then, so nothing else can be said
    _effect_is_supported,  # else nothing below can be asked of the effect's module
    _effect_is_allowed,
    _time_is_allowed,
    _requester_is_known,
    _subject_is_free,  # before the subject's own state: who comes second is told about the first
    _subject_is_as_asked,
    _queue_has_room,  # last: a request that is wrong anyway is told what is wrong
)


def queue_is_full(observed: Observed, policy: Policy) -> Finding | None:
    """Whether the policy's or the author's queue has no room. How many wait is no part of the text: it would flap."""
    limit = policy.max_pending or observed.rules.max_pending_per_policy
    if observed.pending_in_policy >= limit:
        text = f"the queue of policy {policy.name} is full: at most {limit} requests may wait under it"
        return Finding(Reason.TOO_MANY_PENDING, text)
    limit = observed.rules.max_pending_per_author
    if not observed.request.gate and observed.pending_of_author >= limit:
        text = f"your queue is full: at most {limit} requests of one person may wait in this namespace"
        return Finding(Reason.TOO_MANY_PENDING, text)
    return None


def why_failed(observed: Observed, policy: Policy) -> Finding | None:
    """The first check that speaks: the request should not have been asked."""
    return next((finding for check in CHECKS if (finding := check(observed, policy)) is not None), None)


def why_held(observed: Observed) -> Finding | None:
    """Why the request cannot be asked yet, or None."""
    policy = observed.policy
    if observed.left_out and observed.request.gate:  # what a Gate asked about is held by it all the same
        return held_back(observed)
    if policy is None:
        text = f"there is no ApprovalPolicy {observed.request.policy}; create it, or withdraw this request"
        return Finding(Reason.POLICY_NOT_FOUND, text)
    if observed.policy_flaw:
        return Finding(Reason.POLICY_NOT_READY, f"policy {policy.name}: {observed.policy_flaw}")
    if not observed.wall_proven:
        return Finding(Reason.WALL_NOT_PROVEN, "the admission policies are not proven in force; run: gatehold doctor")
    if observed.request.gate:
        return queue_is_full(observed, policy)
    return None


def hold(observed: Observed, now: datetime) -> Status:
    """Pending without a digest: nobody can approve, and it ends by the operator's default time."""
    deadline = observed.status.deadline or whole(now + timedelta(seconds=observed.rules.timeout_seconds))
    return replace(observed.status, phase=Phase.PENDING, deadline=deadline)


def prepared(observed: Observed, policy: Policy, now: datetime) -> Status | Finding:
    """The snapshot that people answer to, or why the policy cannot be used for this request."""
    asked = _asked(observed, policy)
    wait = timeout(policy, observed.request, observed.rules)
    if isinstance(asked, Finding):
        return asked
    if not observed.request_digest:  # without one it would be prepared again and again, with a deadline that moves
        return Finding(Reason.INVALID_REQUEST, "the digest of the request could not be computed, so nobody can be asked")
    if isinstance(wait, Finding):
        return wait
    deadline = whole(now + wait)
    status = replace(
        observed.status,
        phase=Phase.PENDING,
        request_digest=observed.request_digest,
        policy=_snapshot(observed, policy),
        quorum=asked.quorum,
        resolved=observed.resolved,
        prepared_at=now,
        deadline=deadline,
        escalations=planned_escalations(policy, now, deadline) if asked.quorum else (),
    )
    return replace(status, approvals=tally((), asked.quorum).text if asked.quorum else "")


def _asked(observed: Observed, policy: Policy) -> Asked | Finding:
    """The quorum; where a tier would decide alone without the platform's grant, people are asked."""
    price = observed.resolved.price if observed.resolved is not None else None
    asked = ask(policy, observed.request, price, observed.rules)
    if isinstance(asked, Asked) and asked.automatic and not observed.auto_approve_granted:
        matching = [t for t in matching_tiers(policy, observed.request, price) if not t.auto_approve]
        return people(policy, observed.request, matching, observed.rules)
    return asked


def _snapshot(observed: Observed, policy: Policy) -> PolicySnapshot:
    rules, kept = observed.rules, policy.retention_seconds  # zero is a value: the record is not kept at all
    return PolicySnapshot(
        name=policy.name,
        uid=policy.uid,
        generation=policy.generation,
        digest=policy.digest,
        validity_seconds=policy.validity_seconds or rules.validity_seconds,
        retention_seconds=rules.retention_seconds if kept is None else kept,
    )
