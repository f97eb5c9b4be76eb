"""A Rollout's life under random events: what World watches must hold at every write, and life comes to rest at the end."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from gatehold.domain.phases import MOVES, Phase
from gatehold.domain.rollout.model import Approval, GateFacts, Pause, SetWeight, Step, UnknownGate
from gatehold.domain.rollout.record import Outcome, Record, RolloutPhase, Track
from gatehold.domain.rollout.writes import Ask, PutChild, SetChildFree
from tests.domain.rollout.world import World

weights = st.sampled_from([0, 1, 10, 20, 34, 50, 51, 66, 80, 99, 100])
policies = st.sampled_from(["prod", "legal"])
one_step = st.builds(SetWeight, weights) | st.builds(Pause, st.sampled_from([0, 30])) | st.builds(Approval, policies)
plans = st.lists(one_step, max_size=4).map(tuple)
gates = (
    st.none()
    | st.builds(GateFacts, st.just("g"), policies, st.sampled_from([0, 5, 20, 60, 100]))
    | st.just(UnknownGate("g", "absent"))
)
tracks = st.sampled_from(Track)
templates = st.sampled_from(["t1", "t2", "t3"])


class RolloutMachine(RuleBasedStateMachine):
    """Random hands at one Rollout."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.outcomes: list[tuple[object, ...]] = []
        self.before = Record()

    @initialize(steps=plans, replicas=st.integers(0, 12), gate=gates, ready=st.booleans())
    def begin(self, steps: tuple[Step, ...], replicas: int, gate: GateFacts | UnknownGate | None, ready: bool) -> None:
        self.world.spec(replicas=replicas)
        if ready:
            self.world.settle()
        self.world.spec(steps=steps, strategy=f"{steps}")
        self.world.gate = gate

    @rule(pods=st.sampled_from([0, 1, 2, 100]))
    def life(self, pods: int) -> None:
        self.world.live(pods)

    @rule()
    def turn(self) -> None:
        self.world.turn()

    @rule(writes=st.integers(0, 4))
    def turn_and_crash(self, writes: int) -> None:
        self.world.turn(crash_after=writes)

    @rule()
    def settle(self) -> None:
        self.world.settle()

    @rule(seconds=st.sampled_from([5, 40, 700]))
    def time(self, seconds: int) -> None:
        self.world.now += timedelta(seconds=seconds)

    @rule(template=templates)
    def new_template(self, template: str) -> None:
        self.world.spec(template=template)

    @rule(steps=plans)
    def new_steps(self, steps: tuple[Step, ...]) -> None:
        self.world.spec(steps=steps, strategy=f"{steps}")

    @rule(replicas=st.integers(0, 12))
    def scale(self, replicas: int) -> None:
        self.world.spec(replicas=replicas)

    @rule(restart=st.sampled_from(["a", "b"]))
    def restart(self, restart: str) -> None:
        self.world.spec(restarted_at=restart)

    @rule(retry=st.sampled_from(["1", "2", "3"]))
    def retry(self, retry: str) -> None:
        self.world.spec(retry=retry)

    @rule(gate=gates)
    def other_gate(self, gate: GateFacts | UnknownGate | None) -> None:
        self.world.gate = gate

    def pending(self) -> bool:
        return any(q.phase is Phase.PENDING for q in self.world.requests.values())

    @precondition(pending)
    @rule(validity=st.sampled_from([1, 3600, 3600]))
    def approve(self, validity: int) -> None:
        for facts in list(self.world.requests.values()):
            if facts.phase is Phase.PENDING:
                self.world.answer(Phase.APPROVED, validity, facts.name)

    @precondition(lambda self: any(MOVES[q.phase] for q in self.world.requests.values()))
    @rule(
        phase=st.sampled_from([Phase.DENIED, Phase.EXPIRED, Phase.WITHDRAWN, Phase.LAPSED, Phase.FAILED, Phase.SUPERSEDED])
    )
    def refuse(self, phase: Phase) -> None:
        for facts in list(self.world.requests.values()):
            if MOVES[facts.phase]:
                self.world.answer(phase, name=facts.name)
                return

    @rule(template=templates)
    def sicken(self, template: str) -> None:
        self.world.bad ^= {template}

    @rule(track=tracks, pods=st.integers(1, 3))
    def fail_pods(self, track: Track, pods: int) -> None:
        for pod in (self.world.children[track].pods if track in self.world.children else [])[:pods]:
            pod.ready = False

    @rule(template=templates, image=st.sampled_from(["x", "y"]))
    def move_tag(self, template: str, image: str) -> None:
        self.world.images[template] = image

    @rule()
    def wall(self) -> None:
        self.world.wall = not self.world.wall

    @rule()
    def own_gate_on_pods(self) -> None:
        self.world.held = 0 if self.world.held else 1

    @rule(track=tracks, replicas=st.integers(0, 14))
    def scale_by_hand(self, track: Track, replicas: int) -> None:
        if track in self.world.children:
            self.world.change(track, replicas=replicas)

    @rule(track=tracks, template=templates)
    def edit_by_hand(self, track: Track, template: str) -> None:
        if track in self.world.children:
            self.world.change(track, template=template)

    @rule(track=tracks)
    def delete_by_hand(self, track: Track) -> None:
        self.world.children.pop(track, None)

    @rule(track=tracks)
    def disown_by_hand(self, track: Track) -> None:
        known, child = self.world.record.track(track), self.world.children.get(track)
        if known is not None and child is not None and child.uid == known.uid:
            child.owner = ""

    @rule(track=tracks, word=st.sampled_from(["INC-1", "INC-2"]))
    def break_the_glass(self, track: Track, word: str) -> None:
        if track in self.world.children:
            self.world.change(track, overridden=word)

    @rule(kind=st.sampled_from([PutChild, Ask, None]))
    def platform_says_no(self, kind: type[PutChild] | type[Ask] | None) -> None:
        self.world.refuses = kind

    @rule(crowded=st.sampled_from([frozenset(), frozenset({"prod"})]))
    def crowd(self, crowded: frozenset[str]) -> None:
        self.world.crowded = crowded

    @rule()
    def pods_unread(self) -> None:
        self.world.unread = not self.world.unread

    @invariant()
    def an_end_is_an_end(self) -> None:
        """A run that is over is over: its result stays until another run ends; what was rejected is not tried again."""
        before, record = self.before, self.world.record
        if before.last_run != record.last_run:
            assert before.run is not None or record.last_run is not None
        if record.rejected is not None and record.run is None:
            assert record.last_run is not None
            assert record.last_run.target == record.rejected.target
            assert record.last_run.outcome is not Outcome.PROMOTED
        if record.promoted != before.promoted:
            assert record.last_run is not None
            assert record.last_run.outcome is Outcome.PROMOTED
        conditions = {str(c.type): c.status for c in record.conditions}
        assert not conditions.get("Reconciling") == conditions.get("Stalled") == "True"
        self.before = record

    def teardown(self) -> None:
        """The storm is over: whatever happened, it comes to rest, and nothing is planned then until something changes."""
        world = self.world
        world.wall, world.held, world.bad, world.refuses, world.unread = True, 0, set(), None, False
        world.crowded, world.rollout = frozenset(), replace(world.rollout, retry="the end")
        if isinstance(world.gate, UnknownGate):
            world.gate = None
        for track in world.children:
            world.change(track, overridden="")
        for _ in range(12):
            world.later(5)
            if world.record.run is None:
                break
            for facts in list(world.requests.values()):
                if facts.phase is Phase.PENDING:
                    world.answer(Phase.APPROVED, name=facts.name)
            world.later(700)
        world.later(11)
        assert world.record.run is None, world.record
        self.comes_to_rest(world)
        self.stays_as_an_ordinary_deployment(world)

    def comes_to_rest(self, world: World) -> None:
        plan = world.plan()
        assert plan.record == world.record
        assert plan.writes == ()
        later = replace(world, now=world.now + timedelta(seconds=1)).plan()
        assert (later.record, later.writes) == (plan.record, ())
        assert world.record.phase in (RolloutPhase.HEALTHY, RolloutPhase.DEGRADED)
        if world.record.phase is RolloutPhase.HEALTHY:
            assert world.sizes() == (0, world.rollout.replicas)
            assert world.children[Track.STABLE].template == world.rollout.template

    def stays_as_an_ordinary_deployment(self, world: World) -> None:
        world.rollout = replace(world.rollout, deleting=True, orphaning=True)
        world.settle()
        assert not world.rollout.has_finalizer
        assert Track.CANARY not in world.children
        if Track.STABLE in world.children:
            assert any(isinstance(write, SetChildFree) for write in world.log)
            assert world.children[Track.STABLE].owner == ""


RolloutMachine.TestCase.settings = settings(
    max_examples=settings.default.max_examples,
    stateful_step_count=40,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
TestRolloutMachine = RolloutMachine.TestCase
