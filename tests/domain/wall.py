"""What the API server refuses of a status write, mirrored from crds/ and manifests/wall: a plan that it refuses is stuck.

`objections(before, after, observed)` returns every rule that such a write breaks, as sentences; an empty list is a write
that lands. Kept apart from the code under test on purpose: it counts by itself.
"""

from collections.abc import Iterator

from gatehold.domain.model import EffectType, RecordedVerdict, Word
from gatehold.domain.phases import Phase
from gatehold.domain.plan import Observed
from gatehold.domain.reasons import ConditionType
from gatehold.domain.status import By, EffectState, EffectStatus, NodeState, Status

MOVES = {
    "": {"Pending", "Failed", "Superseded"},
    "Pending": {"Approved", "Denied", "Expired", "Withdrawn", "Superseded", "Failed"},
    "Approved": {"Released", "Failed", "Lapsed", "Denied", "Withdrawn", "Superseded"},
}
MAX_MESSAGE = 1024
MOST = 32


def objections(before: Status, after: Status, observed: Observed) -> list[str]:
    """Every rule that the write breaks."""
    found = [*_phase(before, after, observed), *_once(before, after), *_ledger(before, after, observed)]
    found += [*_yes(before, after, observed), *_no(before, after, observed), *_sizes(after), *_effect(before, after)]
    return [*found, *_drain(before, after, observed)]


def _phase(before: Status, after: Status, observed: Observed) -> Iterator[str]:
    if before.phase != after.phase:
        if after.phase not in MOVES.get(before.phase, set()):
            yield f"no move from {before.phase} to {after.phase}"
        if before.phase is Phase.APPROVED and observed.request.effect.type is EffectType.NONE:
            yield "a request without an effect ends with Approved"
        known = {e.verdict.id for e in after.verdicts}
        if len(known) < MOST and any(v.id not in known for v in observed.verdicts):
            yield "a write that changes the phase records every admitted verdict"
    if after.decision is not None and after.phase in (Phase.UNSET, Phase.PENDING):
        yield "a decision is written together with the phase that it brings"
    if before.decision not in (None, after.decision) and (before.phase == after.phase or after.phase is Phase.RELEASED):
        yield "a decision stays"
    true = {c.type for c in after.conditions if c.status == "True"}
    if {ConditionType.RECONCILING, ConditionType.STALLED} <= true:
        yield "never both Reconciling and Stalled"


def _once(before: Status, after: Status) -> Iterator[str]:
    for name in ("policy", "resolved", "prepared_at", "valid_until"):
        if getattr(before, name) is not None and getattr(before, name) != getattr(after, name):
            yield f"{name} is set once"
    if not before.request_digest:
        return
    if after.request_digest != before.request_digest or after.deadline != before.deadline:
        yield "digest and deadline stay"
    if [(q.role, q.count, q.backups) for q in before.quorum] != [(q.role, q.count, q.backups) for q in after.quorum]:
        yield "the quorum is set once"
    if not all(set(b.accepted) <= set(a.accepted) for b, a in zip(before.quorum, after.quorum, strict=False)):
        yield "acceptedRoles never shrink"
    opened = {role for step in after.escalations if step.opened_at is not None for role in step.roles}
    for q in after.quorum:
        if q.role not in q.accepted or not set(q.accepted) <= {q.role} | (set(q.backups) & opened):
            yield "acceptedRoles grow by opened backups only"
    if [(s.at, s.roles) for s in before.escalations] != [(s.at, s.roles) for s in after.escalations]:
        yield "escalations are planned once"


def _ledger(before: Status, after: Status, observed: Observed) -> Iterator[str]:
    if after.verdicts[: len(before.verdicts)] != before.verdicts:
        yield "recorded verdicts are never removed or edited"
    ids = [e.verdict.id for e in after.verdicts]
    if len(set(ids)) != len(ids) or len(ids) > MOST:
        yield f"verdicts are a map by id, at most {MOST}"
    for e in after.verdicts[len(before.verdicts) :]:
        if e.verdict not in observed.verdicts:
            yield "a recorded verdict equals an admitted annotation"
        if bool(e.reason) == e.counted:
            yield "reason goes together with counted: false"
        mine = e.verdict.username == observed.request.requester.username
        if not e.counted and (e.verdict.word is Word.DENY or (e.verdict.word is Word.WITHDRAW and mine)):
            yield "a deny always counts, and the requester's own withdrawal"


def _counted(after: Status, observed: Observed) -> list[RecordedVerdict]:
    request = observed.request
    barred = {request.requester.username, *request.on_behalf_of, *request.authors}
    found: dict[str, RecordedVerdict] = {}
    for e in sorted(after.verdicts, key=lambda e: e.verdict.id):
        v = e.verdict
        fits = v.digest == after.request_digest and (after.decision is None or v.option == after.decision.option)
        if v.word is Word.APPROVE and e.counted and fits and v.username not in barred:
            found.setdefault(v.username, e)
    return list(found.values())


def _yes(before: Status, after: Status, observed: Observed) -> Iterator[str]:
    if before.phase == after.phase or after.phase not in (Phase.APPROVED, Phase.RELEASED):
        return
    requester, ids = observed.request.requester.username, {e.verdict.id for e in after.verdicts}
    unrecorded = [v for v in observed.verdicts if v.id not in ids]
    words = (*unrecorded, *(e.verdict for e in after.verdicts))
    said = {(v.word, v.username == requester) for v in words}
    if said & {(Word.DENY, True), (Word.DENY, False), (Word.WITHDRAW, True)}:
        yield "Approved and Released are closed once somebody denied or the requester withdrew"
    if after.phase is Phase.RELEASED:
        return
    decision, counted = after.decision, _counted(after, observed)
    if decision is None or not after.request_digest:
        yield "Approved needs a decision and a digest"
        return
    met = all(sum(e.verdict.role in q.accepted for e in counted) >= q.count for q in after.quorum)
    overrides = [e for e in after.verdicts if e.verdict.word is Word.OVERRIDE and e.counted]
    if decision.by is By.PEOPLE and not (after.quorum and met):
        yield "Approved by People needs count approvals for every entry"
    shown = (after.request_digest, decision.option)
    if decision.by is By.OVERRIDE and not any(
        (e.verdict.digest, e.verdict.option) == shown and e.verdict.username not in observed.request.authors
        for e in overrides
    ):
        yield "Approved by Override needs a recorded override, not by an author"
    if decision.by is By.POLICY and (after.quorum or not observed.auto_approve_granted):
        yield "Approved by Policy needs an empty quorum and the grant"
    if decision.by not in (By.PEOPLE, By.OVERRIDE, By.POLICY):
        yield f"nobody approves by {decision.by}"
    if decision.option and decision.option not in {o.name for o in observed.request.options}:
        yield "decision.option is one of spec.options"


def _no(before: Status, after: Status, observed: Observed) -> Iterator[str]:
    if before.phase == after.phase:
        return
    words = {e.verdict.word for e in after.verdicts}
    if Word.DENY in words and after.phase not in (Phase.DENIED, Phase.FAILED, Phase.SUPERSEDED, Phase.PENDING):
        yield "a deny is recorded: only Denied, Failed or Superseded may follow"
    by = after.decision.by if after.decision is not None else None
    own = {e.verdict.word for e in after.verdicts if e.verdict.username == observed.request.requester.username}
    if after.phase is Phase.DENIED and (Word.DENY not in words or by is not By.PEOPLE):
        yield "Denied needs a recorded deny, and decision.by People"
    if after.phase is Phase.WITHDRAWN and (Word.WITHDRAW not in own or by is not By.REQUESTER):
        yield "Withdrawn needs a recorded withdraw by the requester, and decision.by Requester"


def _sizes(after: Status) -> Iterator[str]:
    effect, decision = after.effect, after.decision
    texts = [c.message for c in after.conditions] + ([decision.message] if decision is not None else [])
    if effect is not None:
        texts += [effect.message] + ([effect.undo.message] if effect.undo is not None else [])
    if any(len(text) > MAX_MESSAGE for text in texts):
        yield f"a message has at most {MAX_MESSAGE} characters"


def _effect(before: Status, after: Status) -> Iterator[str]:
    old, new = before.effect, after.effect
    if old is not None and new is None:
        yield "what the effect did is never removed"
    if old is not None and new is not None:
        if old.prior_suspend is not None and new.prior_suspend != old.prior_suspend:
            yield "the earlier state is recorded once"
        if old.object is not None and (new.object is None or new.object.uid != old.object.uid):
            yield "an effect acts on one object"
        yield from _nodes(old, new)
    if after.phase is Phase.RELEASED and (new is None or new.state is not EffectState.DONE):
        yield "Released needs effect.state Done"


def _nodes(old: EffectStatus, new: EffectStatus) -> Iterator[str]:
    if old.nodes and [row.name for row in new.nodes] != [row.name for row in old.nodes]:
        yield "the nodes of a drain are recorded once, in their order"
        return
    for was, row in zip(old.nodes, new.nodes, strict=False):
        begun = was.state is not NodeState.WAITING
        if row.uid != was.uid:
            yield "a node of a drain stays the one that it was"
        if begun and row.state is NodeState.WAITING:
            yield "a node that was begun with does not wait any more"
        if begun and (row.was_unschedulable, row.taints) != (was.was_unschedulable, was.taints):
            yield "the earlier state of a node is recorded before its first write and stays"


def _drain(before: Status, after: Status, observed: Observed) -> Iterator[str]:
    """What the wall itself says about nodes: those that were asked about, all of them drained where it is over."""
    request, rows = observed.request, after.effect.nodes if after.effect is not None else ()
    is_drain = request.effect.type is EffectType.DRAIN
    if not is_drain and (request.subject is None or request.subject.kind != "Node"):
        return
    if is_drain:
        asked = [(node.name, node.uid) for node in after.resolved.nodes] if after.resolved is not None else []
    else:
        asked = [(request.subject.name, request.subject.uid)] if request.subject is not None else []
    if rows and [(row.name, row.uid) for row in rows] != asked:
        yield "the nodes of a drain are those that were asked about"
    moved = before.phase is not after.phase
    if moved and after.phase is Phase.RELEASED and not (rows and all(row.state is NodeState.DRAINED for row in rows)):
        yield "Released needs every node Drained"
