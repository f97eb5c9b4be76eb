"""Hypothesis strategies for drains: any nodes, pods and Leases, any record that the operator could have written of them."""

from dataclasses import replace

from hypothesis import strategies as st

from gatehold.domain.model import DrainSpec, Effect, EffectType, NodeRef
from gatehold.domain.nodes import Block, Blocked, DrainFacts, GateOfNode, LeaseFacts, NodeFacts, PodToEvict
from gatehold.domain.phases import Phase, is_refused
from gatehold.domain.plan import Facts, Observed
from gatehold.domain.status import EffectState, EffectStatus, NodeDrain, NodeState, Progress, Resolved, Status
from tests.builders import UID, after
from tests.domain.strategies import instants, observeds
from tests.drains import GPU, MARK, TAINT, drain_request, held_record, held_request, shown

NAMES = ("n1", "n2", "n3")
usually = st.integers(0, 7).map(lambda n: n > 0)
seldom = usually.map(lambda often: not often)

blocks = (
    st.none()
    | st.none()
    | st.builds(Blocked, st.sampled_from(Block), st.sampled_from(["budget a", "b" * 600]), instants, instants)
)
pods = st.builds(
    PodToEvict,
    st.just("shop"),
    st.just(""),
    st.just(""),
    st.just(""),
    owner=st.sampled_from(["Deployment shop/web", "Deployment shop/web", ""]),
    mirror=seldom,
    daemon_set=seldom,
    ended=seldom,
    terminating=st.booleans(),
    empty_dir=seldom,
    blocked=blocks,
)


@st.composite
def pods_of(draw: st.DrawFn, node: str) -> tuple[PodToEvict, ...] | None:
    """A few pods of a node, or none that were read."""
    if draw(seldom):
        return None
    found = draw(st.lists(pods, max_size=3))
    return tuple(replace(pod, name=f"{node}-{n}", uid=f"{node}-{n}-uid", node=node) for n, pod in enumerate(found))


@st.composite
def nodes(draw: st.DrawFn, name: str) -> NodeFacts | None:
    """Whatever may stand under that name; mostly the node that is meant."""
    if draw(seldom):
        return None
    released = draw(st.sampled_from(["", "", UID, UID, "dead"]))
    mark = {UID: MARK, "dead": "ops/dead"}.get(released) or draw(st.sampled_from(["", "", "", MARK]))
    return NodeFacts(
        name,
        f"{name}-uid" if draw(usually) else "new-uid",
        str(draw(st.integers(1, 99))),
        unschedulable=draw(usually if released else st.booleans()),
        taints=draw(st.sampled_from([(), (TAINT,), ("a=b:NoExecute", TAINT)])),
        gate=draw(st.sampled_from([None, None, None, GPU, GateOfNode("lab", why="gone")])),
        cordoned_by=draw(st.sampled_from(["", "ci", "bob"])),
        released_by=released,
        request=mark,
        deleting=draw(seldom),
        pods=draw(pods_of(name)),
    )


@st.composite
def leases(draw: st.DrawFn) -> tuple[LeaseFacts, ...]:
    """Leases of some of the nodes, mostly our own."""
    holders = {name: draw(st.sampled_from(["", UID, UID, "other"])) for name in NAMES}
    return tuple(LeaseFacts(name, f"{name}-uid", holder, "ops/r") for name, holder in holders.items() if holder)


@st.composite
def rows(draw: st.DrawFn, name: str, states: tuple[NodeState, ...]) -> NodeDrain:
    """The record of one node."""
    state = draw(st.sampled_from(states))
    count = st.none() if state is NodeState.WAITING else st.none() | st.integers(0, 4)
    blocked = draw(st.sampled_from(["", "", "budget a"]))
    taints = draw(st.sampled_from([(), (TAINT,)]))
    since = draw(instants) if blocked else None
    return NodeDrain(name, f"{name}-uid", state, draw(st.booleans()), taints, draw(count), draw(count), blocked, since)


AT_WORK = (NodeState.WAITING, NodeState.WAITING, NodeState.CORDONED, NodeState.DRAINING, NodeState.DRAINED)


@st.composite
def records(draw: st.DrawFn, state: EffectState) -> EffectStatus:
    """The record of a drain in that state."""
    states = {EffectState.WAITING: (NodeState.WAITING,), EffectState.DONE: (NodeState.DRAINED,)}.get(state, AT_WORK)
    if state in (EffectState.UNDOING, EffectState.UNDONE, EffectState.FAILED):
        states = tuple(NodeState)
    found = tuple(draw(rows(name, states)) for name in NAMES)
    started = None if state is EffectState.WAITING else draw(instants)
    progress = draw(st.none() | st.builds(Progress, instants, st.integers(0, 9))) if started is not None else None
    return EffectStatus(EffectType.DRAIN, state, started_at=started, progress=progress, nodes=found)


specs = st.builds(
    DrainSpec,
    nodes=st.just(tuple(NodeRef(name) for name in NAMES)),
    parallel_nodes=st.integers(1, 3),
    delete_empty_dir_data=st.booleans(),
    evict_unmanaged_pods=st.booleans(),
)


@st.composite
def drain_observeds(draw: st.DrawFn) -> Observed:
    """Anything that may be observed of a drain of three nodes."""
    seen = draw(observeds(st.just(Effect(EffectType.DRAIN))))
    asked = drain_request(spec=draw(specs))
    request = replace(seen.request, namespace="ops", subject=None, effect=asked.effect, gate="")
    found = [node for name in NAMES if (node := draw(nodes(name))) is not None]
    drain = DrainFacts(tuple(found), draw(leases()), draw(st.sampled_from(["prod", "prod", ""])), "ops")
    status = _with(seen.status, shown(*NAMES), draw(records(seen.status.effect.state)) if seen.status.effect else None)
    return replace(seen, request=request, status=status, facts=Facts(drain=drain), resolved=shown(*NAMES), refusal=None)


def _with(status: Status, resolved: Resolved, effect: EffectStatus | None) -> Status:
    return replace(
        status, resolved=resolved if status.resolved is not None or status.request_digest else None, effect=effect
    )


@st.composite
def held_observeds(draw: st.DrawFn) -> Observed:
    """Anything that may be observed of a held drain of n1 by ci."""
    seen = draw(observeds(st.just(Effect(EffectType.RELEASE))))
    asked = held_request()
    gate = draw(st.sampled_from(["gpu", "gpu", "gpu", "gpu", ""]))
    request = replace(seen.request, namespace="ops", subject=asked.subject, effect=asked.effect, gate=gate)
    node = draw(st.none() | nodes("n1") | nodes("n1").map(lambda n: replace(n, gate=GPU, unschedulable=True) if n else n))
    was, status = seen.status.effect, seen.status
    effect = draw(_held(status.phase, was.state)) if was is not None else None
    status = replace(status, resolved=None, effect=effect)
    return replace(seen, request=request, status=status, facts=Facts(node=node), resolved=Resolved(), refusal=None)


@st.composite
def _held(draw: st.DrawFn, phase: Phase, state: EffectState) -> EffectStatus:
    if phase is Phase.APPROVED:
        state = EffectState.RUNNING
    pods, left = draw(st.none() | st.integers(0, 3)), draw(st.none() | st.integers(0, 3))
    row = replace(held_record().nodes[0], pods=pods, pods_left=left)
    row = replace(row, state=NodeState.DRAINED) if phase is Phase.RELEASED else row
    until = draw(st.none() | st.just(after(100))) if is_refused(phase) else None
    return held_record(state, nodes=(row,), cooldown_until=until, progress=draw(st.none() | st.just(Progress(after(-1)))))
