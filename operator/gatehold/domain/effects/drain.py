"""Effect Drain: node by node take its Lease, cordon it, evict its pods, see them gone. The way back is in drain_undo.

The order that makes it safe, whatever dies when: a node's prior state is recorded while it waits; its cordon is one write
that is guarded by uid and resourceVersion and signs itself (released-by); evictions are guarded by the pods' uids. So what
was done to a node is read off the node, and the record follows.
"""

from dataclasses import replace
from datetime import datetime

from gatehold.domain.effects.base import Ending, Step, Undo
from gatehold.domain.effects.drain_checks import check, drift, loss, taken
from gatehold.domain.effects.drain_pods import LATER, MOST, QUIET, Load
from gatehold.domain.effects.drain_rows import (
    TOUCHED,
    Sight,
    advance,
    loads_of,
    look,
    names,
    refreshed,
    what_blocks,
    with_prior,
)
from gatehold.domain.effects.drain_undo import settle, undo
from gatehold.domain.effects.release_job import effect_timeout
from gatehold.domain.model import DrainSpec, EffectType, GateType, Request
from gatehold.domain.nodes import CordonNode, EvictPods, TakeLease
from gatehold.domain.phases import Phase
from gatehold.domain.plan import Finding, Observed, Write
from gatehold.domain.reasons import ConditionType, Reason
from gatehold.domain.schedule import earliest
from gatehold.domain.status import By, EffectState, EffectStatus, NodeDrain, NodeState, ResolvedNode, Status


class DrainRules:
    """The rules of effect Drain."""

    gate = GateType.DRAINS
    proven_with_yes = False

    def supports(self, request: Request) -> bool:
        """Nodes are no subject: they stand in the effect."""
        return request.effect.type is EffectType.DRAIN and request.effect.drain is not None and request.subject is None

    def check(self, observed: Observed) -> Finding | None:
        """The nodes must be there, free, asked about at the right place, and lose nothing that was not said."""
        return check(observed)

    def verify(self, observed: Observed, status: Status) -> Ending | None:
        """Every node must still be the one that was resolved, behind its Gate. Before anybody is asked, `check` says it."""
        drain, resolved = observed.facts.drain, _resolved(status)
        if not status.request_digest:
            return None
        if not resolved or drain is None:
            finding = Finding(Reason.INVALID_REQUEST, "the request was not resolved")
            return Ending(Phase.FAILED, By.OPERATOR, finding)
        there = {node.name: node for node in drain.nodes}
        drifts = (drift(node, there.get(node.name)) for node in resolved)
        return next((ending for ending in drifts if ending is not None), None)

    def begun(self, observed: Observed) -> bool:
        """Whether a node bears the mark of this request."""
        drain, uid = observed.facts.drain, observed.request.uid
        return drain is not None and any(node.released_by == uid for node in drain.nodes)

    def begin(self, observed: Observed, status: Status) -> EffectStatus | None:
        """Record every node as it is; one whose turn comes later is recorded again then, before its first write."""
        drain = observed.facts.drain
        if drain is None or not _resolved(status):
            return None
        there = {node.name: node for node in drain.nodes}
        rows = (NodeDrain(node.name, node.uid, was_unschedulable=node.cordoned) for node in _resolved(status))
        recorded = tuple(with_prior(row, there[row.name]) if row.name in there else row for row in rows)
        return EffectStatus(observed.request.effect.type, EffectState.WAITING, nodes=recorded)

    def plan(self, observed: Observed, status: Status, now: datetime) -> Step:
        """Begin it, or follow it."""
        effect, drain, spec = status.effect, observed.facts.drain, observed.request.effect.drain
        if effect is None or not effect.nodes or drain is None or spec is None:
            finding = Finding(Reason.INVALID_REQUEST, "no prior state is recorded, so nothing may be begun")
            return Step(effect, ending=Ending(Phase.FAILED, By.OPERATOR, finding))
        sights = look(effect, drain, observed.request.uid)
        ending = _lost(sights, status)
        begun = any(sight.ours or sight.row.state is not NodeState.WAITING for sight in sights)
        if ending is not None:
            return Step(effect, ending=ending)
        if begun:
            return _follow(effect, sights, spec, observed, now)
        if status.valid_until is None or now >= status.valid_until:
            finding = Finding(Reason.VALIDITY_PASSED, "the approval was not used within its validity; open a new request")
            return Step(effect, ending=Ending(Phase.LAPSED, By.TIME, finding))
        rows, writes = _next(sights, effect.nodes, spec.parallel_nodes if observed.wall_proven else 0)
        return Step(replace(effect, nodes=rows), writes, recheck_at=status.valid_until)

    def undo(self, observed: Observed, status: Status, now: datetime) -> Undo:
        """Put back the nodes that are not finished."""
        return undo(observed, status, now)

    def settle(self, observed: Observed) -> tuple[Write, ...]:
        """Take the marks off that were only set to fence a node."""
        return settle(observed)

    def keep_until(self, observed: Observed, status: Status) -> datetime | None:
        """Nothing is left to wait for."""
        return None


def _resolved(status: Status) -> tuple[ResolvedNode, ...]:
    return status.resolved.nodes if status.resolved is not None else ()


def _lost(sights: tuple[Sight, ...], status: Status) -> Ending | None:
    """How the drain ends because of a node that is not drained yet, and is not as it must be."""
    asked = {node.name: node for node in _resolved(status)}
    endings = (_lost_one(s, asked.get(s.row.name)) for s in sights if s.row.state is not NodeState.DRAINED)
    return next((ending for ending in endings if ending is not None), None)


def _lost_one(sight: Sight, asked: ResolvedNode | None) -> Ending | None:
    row, node = sight.row, sight.there
    if row.state is NodeState.WAITING and not sight.ours and asked is not None:
        ending = drift(asked, sight.node)
        if ending is None and sight.taken and sight.lease is not None:
            return Ending(Phase.FAILED, By.OPERATOR, taken(sight.lease))
        return ending
    if node is None:
        return loss(row.name, row.uid, sight.node)
    if sight.ours and node.unschedulable:
        return None
    what = "was uncordoned while it was drained" if sight.ours else "does not bear the mark of this request any more"
    return Ending(Phase.FAILED, By.OPERATOR, Finding(Reason.EFFECT_FAILED, f"node {row.name} {what}"))


def _follow(effect: EffectStatus, sights: tuple[Sight, ...], spec: DrainSpec, observed: Observed, now: datetime) -> Step:
    """It was begun: record that, how far it is and its end, evict what can be, and go on to the next nodes."""
    started = effect.started_at or now
    loads = loads_of(sights, spec, now)
    rows = tuple(advance(sight, loads.get(sight.row.name), now) for sight in sights)
    said = observed.status.condition(ConditionType.STALLED)
    flips = (said is not None and said.status == "True") != (_stuck(loads) is not None)
    effect = replace(effect, state=EffectState.RUNNING, started_at=started)
    effect = refreshed(effect, rows, now, every=observed.rules.progress_seconds, at_once=flips)
    ends_at = started + effect_timeout(observed.request, observed.rules)
    ending = _outcome(rows, now >= ends_at)
    if ending is not None:
        return _ended(effect, rows, ending, now)
    free = spec.parallel_nodes - sum(row.state in TOUCHED for row in rows)
    held = _held(rows, free) if not observed.wall_proven else None
    next_rows, writes = _next(sights, effect.nodes, free if observed.wall_proven else 0)
    quiet = effect.progress is not None and now - effect.progress.at > QUIET
    looks = [load.recheck(now, quiet=quiet) if load is not None else now + LATER for load in loads.values()]
    return Step(
        replace(effect, nodes=next_rows),
        (*_evictions(loads, spec), *writes),
        recheck_at=earliest((ends_at, now + LATER if held is not None else None, *looks)),
        held=held,
        stalled=_said(_stuck(loads), effect.nodes),
    )


def _next(
    sights: tuple[Sight, ...], rows: tuple[NodeDrain, ...], free: int
) -> tuple[tuple[NodeDrain, ...], tuple[Write, ...]]:
    """The nodes whose turn it is: their prior state recorded afresh, and what to write to them afterwards."""
    waiting = [(s, s.there) for s in sights if s.row.state is NodeState.WAITING and not s.ours]
    turn = [(sight, node) for sight, node in waiting if node is not None][: max(free, 0)]
    nodes = {node.name: node for _, node in turn}
    recorded = tuple(with_prior(row, nodes[row.name]) if row.name in nodes else row for row in rows)
    writes: list[Write] = []
    for sight, node in turn:
        writes += [*(() if sight.leased else (TakeLease(node),)), CordonNode(node)]
    return recorded, tuple(writes)


def _evictions(loads: dict[str, Load | None], spec: DrainSpec) -> tuple[Write, ...]:
    pods = tuple(pod for load in loads.values() if load is not None for pod in load.due)[:MOST]
    return (EvictPods(pods, spec.parallel_pods, spec.grace_period_seconds),) if pods else ()


def _held(rows: tuple[NodeDrain, ...], free: int) -> Finding | None:
    waiting = [row for row in rows if row.state is NodeState.WAITING]
    if not waiting or free < 1:
        return None
    text = f"the admission policies are not proven in force: the drain does not go on to node {waiting[0].name}"
    return Finding(Reason.WALL_NOT_PROVEN, text)


def _stuck(loads: dict[str, Load | None]) -> Reason | None:
    """Why somebody has to look, if so."""
    found = [load for load in loads.values() if load is not None]
    if any(load.stuck_by_budgets for load in found):
        return Reason.TWO_BUDGETS
    return Reason.PODS_IN_THE_WAY if any(load.in_the_way for load in found) else None


def _said(reason: Reason | None, rows: tuple[NodeDrain, ...]) -> Finding | None:
    return Finding(reason, what_blocks(rows)) if reason is not None else None


def _outcome(rows: tuple[NodeDrain, ...], is_late: bool) -> Ending | None:
    unfinished = [row for row in rows if row.state is not NodeState.DRAINED]
    if not unfinished:
        stay = "cordoned until somebody uncordons them (kubectl gatehold uncordon)"
        text = f"drained and {stay}: {names(rows)}"
        return Ending(Phase.RELEASED, By.OPERATOR, Finding(Reason.EFFECT_COMPLETE, text))
    if not is_late:
        return None
    blocks = what_blocks(unfinished)
    text = f"the drain ran beyond its time; not drained: {names(unfinished)}{f'; {blocks}' if blocks else ''}"
    return Ending(Phase.FAILED, By.TIME, Finding(Reason.EFFECT_TIMED_OUT, text[:1024]))


def _ended(effect: EffectStatus, rows: tuple[NodeDrain, ...], ending: Ending, now: datetime) -> Step:
    if ending.phase is not Phase.RELEASED:
        return Step(replace(effect, nodes=rows), ending=ending)
    return Step(
        replace(effect, state=EffectState.DONE, nodes=rows, finished_at=now, message=ending.finding.message), ending=ending
    )
