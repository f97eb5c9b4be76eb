"""Effect Release for the pods of an owner in a gated namespace: people accepted the price, so that many of them may run.

It is released once what waits now goes; then the request stays in sight while its owner lives with that template, so that
later pods within the size go by the same yes (`gatehold.domain.provision.decide`). Refused, the Gate says what becomes of
what never ran.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from gatehold.domain.effects.base import ALWAYS, Ending, Step, Undo, concluded
from gatehold.domain.effects.undo_pods import undo
from gatehold.domain.model import EffectType, GateType, Request
from gatehold.domain.phases import Phase
from gatehold.domain.plan import Finding, Observed, Write
from gatehold.domain.provision.decide import first_wave, is_outgrown
from gatehold.domain.provision.groups import Group, group, is_current, is_leftover
from gatehold.domain.provision.model import Asked, Sight
from gatehold.domain.reasons import Reason
from gatehold.domain.status import By, EffectState, EffectStatus, ObjectRef, Status

_AGAIN = timedelta(seconds=2)
_REMEMBERED = (Phase.RELEASED, Phase.DENIED, Phase.EXPIRED, Phase.WITHDRAWN, Phase.LAPSED, Phase.FAILED)


class ReleasePodsRules:
    """The rules of effect Release on what a Gate of type Pods holds."""

    gate = GateType.PODS
    proven_with_yes = False

    def supports(self, request: Request) -> bool:
        """Only the operator asks, for a Gate, about an owner in the request's own namespace."""
        subject = request.subject
        known = subject is not None and subject.namespace == request.namespace and subject.kind != "Node"
        return bool(request.gate) and known

    def check(self, observed: Observed) -> Finding | None:
        """Something must be known of them; the rest is said by `verify`."""
        if observed.facts.provision is None:
            return Finding(Reason.SUBJECT_NOT_FOUND, "nothing is known of the pods that it is about")
        return None

    def verify(self, observed: Observed, status: Status) -> Ending | None:
        """The owner must live with that template, behind this Gate; and nobody asks about fewer pods than there are."""
        request, sight = observed.request, observed.facts.provision
        if sight is None:
            return None
        owner, digest = sight.owner, _digest(request)
        if owner.gone or owner.deleting:
            return _superseded(Reason.SUBJECT_DELETED, f"{owner.kind} {owner.name} is gone")
        if sight.gate is not None and sight.gate.name != request.gate:
            return _superseded(Reason.SUBJECT_CHANGED, f"its namespace is behind gate {sight.gate.name} by now")
        unasked = _unaskable(request, sight) if not status.request_digest else None
        if unasked is not None:
            return unasked
        found, asked = group(sight, digest), _mine(sight, request)
        if not is_current(sight, digest) or (asked is not None and is_leftover(sight, asked)):
            return _superseded(Reason.SUBJECT_CHANGED, f"{owner.kind} {owner.name} has another template by now")
        heard = bool(status.verdicts or observed.verdicts) or status.resolved is None
        if not heard and not found.idle and asked is not None and is_outgrown(sight, asked, found.size):
            text = f"{found.size} pods are wanted by now, and it is about {asked.asked}: asked about anew"
            return _superseded(Reason.SUBJECT_CHANGED, text)
        if owner.known and not owner.replicas and found.idle:
            return _superseded(Reason.SUBJECT_CHANGED, f"{owner.kind} {owner.name} wants no pods any more")
        return None

    def begun(self, observed: Observed) -> bool:
        """Whether one of them bears this request's name."""
        sight = observed.facts.provision
        if sight is None:
            return False
        names = {*(pod.released_by for pod in sight.pods), *(job.released_by for job in sight.jobs)}
        return observed.request.uid in names

    def begin(self, observed: Observed, status: Status) -> EffectStatus | None:
        """Which owner it is."""
        sight = observed.facts.provision
        if sight is None:
            return None
        owner = sight.owner
        ref = ObjectRef(owner.api_version, owner.kind, owner.name, owner.uid, owner.resource_version)
        return EffectStatus(EffectType.RELEASE, EffectState.WAITING, object=ref)

    def plan(self, observed: Observed, status: Status, now: datetime) -> Step:
        """Let go what waits, up to the size; it is released once nothing of that waits any more."""
        request, sight, effect = observed.request, observed.facts.provision, status.effect
        if sight is None or effect is None or status.resolved is None or status.resolved.provision is None:
            finding = Finding(Reason.INVALID_REQUEST, "it was not resolved, so nothing may be let go")
            return Step(effect, ending=Ending(Phase.FAILED, By.OPERATOR, finding))
        begun = self.begun(observed)
        ending = None if begun else self.verify(observed, status) or _lapsed(status, now)
        if ending is not None:
            return Step(effect, ending=ending)
        if begun and effect.state is EffectState.WAITING:
            effect = replace(effect, state=EffectState.RUNNING, started_at=now)
        found = group(sight, _digest(request))
        let = first_wave(found, covered(status), request.uid)
        if let is not None:
            return Step(effect, writes=(let,), recheck_at=now + _AGAIN)
        return _released(effect, found, covered(status), now)

    def undo(self, observed: Observed, status: Status, now: datetime) -> Undo:
        """What the Gate says, of what never ran."""
        sight, record = observed.facts.provision, status.effect or self.begin(observed, status)
        if sight is None or record is None or status.phase not in (Phase.DENIED, Phase.EXPIRED):
            return concluded(status.effect, Reason.NOTHING_TO_UNDO, "what waits stays held; what runs goes on", now)
        owner = sight.owner
        if owner.known and owner.digest != _digest(observed.request):
            text = f"{owner.kind} {owner.name} wants other pods than these, so it is left alone; these stay held"
            return concluded(status.effect, Reason.NOTHING_TO_UNDO, text, now)
        on_denied = status.resolved.provision.on_denied if status.resolved and status.resolved.provision else ""
        return undo(sight, record, on_denied, now)

    def settle(self, observed: Observed) -> tuple[Write, ...]:
        """Nothing to tidy."""
        return ()

    def keep_until(self, observed: Observed, status: Status) -> datetime | None:
        """As long as its owner lives with that template: a yes covers later pods, and a no is not asked again."""
        request, sight = observed.request, observed.facts.provision
        mine = _mine(sight, request) if sight is not None else None
        if sight is not None and mine is not None and status.phase is Phase.SUPERSEDED:
            return ALWAYS if is_leftover(sight, mine) and is_current(sight, mine.digest) else None
        if sight is None or status.phase not in _REMEMBERED:
            return None
        past = mine is not None and mine.retry != sight.owner.retry and status.phase is not Phase.RELEASED
        return ALWAYS if is_current(sight, _digest(request)) and not past else None


def covered(status: Status) -> int:
    """How many pods the yes covers: as many as were asked about, or as the chosen option says; 0 without a yes."""
    provision = status.resolved.provision if status.resolved is not None else None
    if provision is None or status.phase not in (Phase.APPROVED, Phase.RELEASED):
        return 0
    chosen = status.decision.option if status.decision is not None else ""
    if not chosen:
        return provision.pods
    return next((option.pods for option in provision.options if option.name == chosen), 0)


def _digest(request: Request) -> str:
    return request.subject.digest if request.subject is not None else ""


def _mine(sight: Sight, request: Request) -> Asked | None:
    return next((asked for asked in sight.asked if asked.uid == request.uid), None)


def _unaskable(request: Request, sight: Sight) -> Ending | None:
    """Why it cannot be asked: it makes way, and the owner's cycle asks anew once that is possible."""
    if sight.gate is None:
        return _superseded(Reason.GATE_NOT_FOUND, f"Gate {request.gate}: {sight.why}"[:1024])
    if sight.gate.policy != request.policy:
        text = f"gate {sight.gate.name} asks under policy {sight.gate.policy} by now"
        return _superseded(Reason.POLICY_MISMATCH, text)
    if sight.table is None:
        return _superseded(Reason.PRICE_TABLE_BROKEN, f"nothing can be priced: {sight.table_flaw}"[:1024])
    return None


def _superseded(reason: Reason, text: str) -> Ending:
    return Ending(Phase.SUPERSEDED, By.OPERATOR, Finding(reason, text))


def _lapsed(status: Status, now: datetime) -> Ending | None:
    if status.valid_until is None or now < status.valid_until:
        return None
    finding = Finding(Reason.VALIDITY_PASSED, "the approval was not used within its validity")
    return Ending(Phase.LAPSED, By.TIME, finding)


def _released(effect: EffectStatus, found: Group, most: int, now: datetime) -> Step:
    text = f"{found.running} pods were let go, and up to {most} of this template may run at the same time"
    done = replace(effect, state=EffectState.DONE, started_at=effect.started_at or now, finished_at=now, message=text)
    return Step(done, ending=Ending(Phase.RELEASED, By.OPERATOR, Finding(Reason.EFFECT_COMPLETE, text)))
