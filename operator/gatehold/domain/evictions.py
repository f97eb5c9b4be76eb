"""May this eviction pass? The webhook's one question, judged from what it knows. Pure, total: doubt is 429, never yes.

429 makes `kubectl drain` wait and try again, 403 ends it, 404 is a pod that is gone already. What waits for people says so.
"""

from datetime import datetime

from gatehold.domain.eviction_sight import Answer, GateSight, HeldDrain, NodeSight, Sight, Word
from gatehold.domain.installation import PROBE, user_of
from gatehold.domain.phases import Phase

PROBE_NAMESPACE = "default"
PROBE_POD = "gatehold-probe"
PROBE_USER = user_of(PROBE)
"""The reserved pod, which does not exist: an eviction of it, by the probe's account, proves that it is we who answer."""

MOST_OPEN = 20
"""Questions of one Gate that may wait at the same time."""

_MOST_SAID = 200


def judge(sight: Sight, now: datetime | None) -> Answer:
    """Answer an eviction. `now` is None where the time is not known."""
    eviction = sight.eviction
    if (eviction.namespace, eviction.pod, eviction.by.username) == (PROBE_NAMESPACE, PROBE_POD, PROBE_USER):
        return Answer(False, 403, PROBE_POD, Word.PROBE)
    if sight.trouble:
        return unsure(sight.trouble)
    if sight.pod is None:
        return unsure(f"pod {eviction.namespace}/{eviction.pod} is not known yet")
    if sight.pod.absent:
        return Answer(False, 404, f'pods "{eviction.pod}" not found', Word.GONE)
    if not sight.pod.node:
        return _allowed()
    if sight.node is None or sight.node.name != sight.pod.node:
        return unsure(f"node {sight.pod.node} is not known yet")
    return _of_node(sight, sight.node, now)


def unsure(why: str) -> Answer:
    """Held, since something is not known: whoever drains tries again."""
    return Answer(False, 429, f"held by gatehold, try again: {why}", Word.UNSURE)


def _allowed() -> Answer:
    return Answer(True, 200, "", Word.ALLOWED)


def _of_node(sight: Sight, node: NodeSight, now: datetime | None) -> Answer:
    gate = sight.gate
    if not node.gate:
        return _allowed()
    if gate is None or gate.name != node.gate:
        return unsure(f"gate {node.gate}, which guards node {node.name}, cannot be read")
    if not sight.holds:
        return _denied(sight, node)
    if now is None:
        return unsure("the time is not known")
    return _held(sight, node, gate, now)


def _denied(sight: Sight, node: NodeSight) -> Answer:
    """Mode Deny: cordoned or not, only those who may drain."""
    if sight.may_drain is None:
        return unsure(f"whether {sight.eviction.by.username} may drain nodes could not be found out")
    if sight.may_drain:
        return _allowed()
    ask = f"ask for its drain with `kubectl gatehold drain {node.name} --reason ...`, or hold verb drain on nodes"
    return Answer(False, 403, f"gate {node.gate} guards node {node.name}: {ask}", Word.GUARDED)


def _held(sight: Sight, node: NodeSight, gate: GateSight, now: datetime) -> Answer:
    """Mode Hold: what was said to this person about this node counts first, cordoned or not. A no beats a yes.

    Whoever is told no has the node uncordoned under a drain that tries again: that must not let it pass.
    """
    theirs = [r for r in sight.requests if (r.node_uid, r.username) == (node.uid, sight.eviction.by.username)]
    refused = next((r for r in theirs if r.refuses(now)), None)
    if refused is not None:
        return _refused(node, refused, now)
    if any(r.gate == node.gate and r.lets_pass(node.uid, sight.eviction.by.username, now) for r in theirs):
        return _allowed()
    live = next((r for r in theirs if r.live(now)), None)
    if live is not None:
        return Answer(False, 429, f"gate {gate.name} holds the drain of {node.name}: {_pending(live, now)}", Word.HELD)
    if not node.cordoned:
        return _allowed() if node.live else unsure(f"whether node {node.name} is cordoned is not known")
    return _unasked(sight, node, gate)


def _unasked(sight: Sight, node: NodeSight, gate: GateSight) -> Answer:
    if sight.waiting >= MOST_OPEN:
        full = f"{sight.waiting} questions of gate {gate.name} wait already, so nobody is asked about this one yet"
        return Answer(False, 429, f"gate {gate.name} holds the drain of {node.name}: {full}", Word.HELD)
    asking = f"people are being asked in namespace {gate.namespace}"
    if sight.unasked:
        asking = f"people could not be asked in namespace {gate.namespace}, it is tried again: {readable(sight.unasked)}"
    return Answer(False, 429, f"gate {gate.name} holds the drain of {node.name}: {asking}", Word.ASKED, ask=True)


def _pending(request: HeldDrain, now: datetime) -> str:
    """What it waits for, until when, and the command that says yes."""
    name = f"approval {request.address}"
    if request.phase is Phase.APPROVED:
        until = clock(request.valid_until, now) if request.valid_until is not None else "a time that is not known"
        return f"{name} was valid until {until}"
    if not request.approvals or request.deadline is None:
        return f"{name} is not ready for people yet" + (f": {readable(request.said)}" if request.said else "")
    count = request.approvals.replace("/", " of ")
    say = f'kubectl -n {request.namespace} annotate apr/{request.name} gatehold.dev/approve="why"'
    return f"{name} is pending ({count}), until {clock(request.deadline, now)}; approve with: {say}"


def _refused(node: NodeSight, request: HeldDrain, now: datetime) -> Answer:
    until = f"not before {clock(request.cooldown_until, now)}" if request.cooldown_until is not None else "later"
    how = readable(request.said) or f"ended as {request.phase}"
    text = f"gate {request.gate} refuses the drain of {node.name}: approval {request.address} {how}"
    return Answer(False, 403, f"{text}; it can be asked again {until}", Word.REFUSED)


def clock(instant: datetime, now: datetime) -> str:
    """An instant as people read it: the time of today, or the whole of it."""
    form = "%H:%M:%SZ" if instant.date() == now.date() else "%Y-%m-%dT%H:%M:%SZ"
    return instant.strftime(form)


def readable(text: str) -> str:
    """What others wrote, in one line for a terminal."""
    plain = "".join(c if c.isprintable() else " " for c in text)
    return plain if len(plain) <= _MOST_SAID else plain[: _MOST_SAID - 1] + "…"
