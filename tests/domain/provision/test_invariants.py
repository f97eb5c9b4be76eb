"""Whatever happens in whatever order: nobody's pods run beyond what was approved, and people are not asked in a loop."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from gatehold.domain.effects.release_pods import ReleasePodsRules
from gatehold.domain.phases import Phase
from gatehold.domain.pricing.price import Threshold
from gatehold.domain.provision.decide import decide, first_wave, is_outgrown
from gatehold.domain.provision.groups import group, is_current, is_leftover
from gatehold.domain.provision.model import Asked, JobSeen, LetGo, Owner, PodSeen, Sight
from gatehold.domain.provision.plan import GroupPlan
from tests.builders import after
from tests.provisions import GATE, TABLE, TWO_CORES, job, owner, pod, sight

DIGESTS = ["sha256:" + letter * 64 for letter in "abc"]
DEAR = replace(GATE, threshold=Threshold(hourly=Decimal("0.1")))
"""A pod is dearer than that, so everything is asked."""


@dataclass
class World:
    """A Deployment, its pods, and the people who answer."""

    owner: Owner = field(default_factory=lambda: owner(digest=DIGESTS[0]))
    pods: list[PodSeen] = field(default_factory=list)
    strays: list[PodSeen] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    table: bool = True
    made: int = 0
    second: int = 0

    def sight(self) -> Sight:
        """As the operator sees it."""
        uids = {one.uid for one in self.asked}
        strays = tuple(one for one in self.strays if one.released_by in uids)
        table = TABLE if self.table else None
        return sight(*self.pods, owner=self.owner, gate=DEAR, asked=tuple(self.asked), strays=strays, table=table)

    def create(self, count: int, digest: str = "") -> None:
        """A controller, or somebody in its name, makes pods."""
        for _ in range(count):
            self.made += 1
            self.pods.append(pod(self.made, digest=digest or self.owner.digest, created=after(self.second)))

    def running(self) -> list[PodSeen]:
        """What was let go and is live."""
        return [one for one in self.pods if one.live and not one.gated]

    def change(self, count: int, **changes: object) -> None:
        """So many of those that run become that."""
        uids = [one.uid for one in self.running()][:count]
        self.pods = [replace(one, **changes) if one.uid in uids else one for one in self.pods]  # type: ignore[arg-type]

    def relabel(self, count: int) -> None:
        """Somebody takes so many of those that run out of their owner."""
        uids = [one.uid for one in self.running()][:count]
        self.strays += [one for one in self.pods if one.uid in uids]
        self.pods = [one for one in self.pods if one.uid not in uids]

    def cycle(self) -> GroupPlan:
        """The operator's cycle, carried out."""
        plan = decide(self.sight(), after(self.second))
        for wave in plan.let_go:
            names = {one.name for one in wave.pods}
            self.pods = [replace(p, gated=False, released_by=wave.released_by) if p.name in names else p for p in self.pods]
        for question in plan.ask:
            uid = f"uid-{len(self.asked)}"
            made = Asked(question.name, uid, question.digest, Phase.PENDING, question.size, retry=question.retry)
            self.asked.append(replace(made, odd=question.odd))
        return plan

    def requests(self) -> None:
        """The cycles of the requests: those that are overtaken end."""
        seen = self.sight()
        for place, one in enumerate(self.asked):
            found = group(seen, one.digest)
            gone = not is_current(seen, one.digest) or is_leftover(seen, one)
            if one.phase is Phase.PENDING and (gone or (not found.idle and is_outgrown(seen, one, found.size))):
                self.asked[place] = replace(one, phase=Phase.SUPERSEDED)

    def answer(self, phase: Phase, share: int = 1) -> None:
        """The newest open question ends; a yes covers that share of it."""
        for place in reversed(range(len(self.asked))):
            one = self.asked[place]
            if one.phase is Phase.PENDING:
                covered = -(-one.asked // share) if phase is Phase.RELEASED else 0
                self.asked[place] = replace(one, phase=phase, covered=covered, heard=True)
                return

    def settle(self) -> None:
        """Time passes until nobody has anything to do."""
        for _ in range(6):
            self.second += 2
            self.requests()
            self.cycle()


HAPPENS: dict[str, Callable[[World, int], None]] = {
    "create": lambda world, n: world.create(n),
    "odd": lambda world, n: world.create(1, DIGESTS[n % 3]),
    "delete": lambda world, n: world.pods.__delitem__(slice(n)),
    "end": lambda world, n: world.change(n, live=False),
    "leave": lambda world, n: world.change(n, deleting=True),
    "image": lambda world, n: world.change(n, digest=DIGESTS[n % 3]),
    "relabel": World.relabel,
    "scale": lambda world, n: setattr(world, "owner", replace(world.owner, replicas=n)),
    "edit": lambda world, n: setattr(world, "owner", replace(world.owner, digest=DIGESTS[n % 3])),
    "retry": lambda world, n: setattr(world, "owner", replace(world.owner, retry=str(n))),
    "unread": lambda world, n: setattr(world, "owner", replace(world.owner, known=bool(n % 2))),
    "gone": lambda world, n: setattr(world, "owner", replace(world.owner, deleting=n == 6)),
    "table": lambda world, n: setattr(world, "table", bool(n % 2)),
    "yes": lambda world, n: world.answer(Phase.RELEASED, 1 + n % 2),
    "no": lambda world, n: world.answer(Phase.DENIED),
    "fails": lambda world, n: world.answer(Phase.FAILED),
}
Steps = list[tuple[str, int]]
STEPS = st.tuples(st.sampled_from([*HAPPENS, "create", "create", "create", "yes", "yes", "yes"]), st.integers(0, 6))


@given(st.lists(STEPS, max_size=25))
def test_no_more_run_than_were_approved(steps: Steps) -> None:
    """Counted by who let them go: under which owner and with which image they run by now does not matter."""
    world = World()
    for what, number in steps:
        HAPPENS[what](world, number)
        world.requests()
        world.cycle()
        running = [*world.running(), *(one for one in world.strays if one.live)]
        for digest in DIGESTS:
            mine = {one.uid: one.covered for one in world.asked if one.digest == digest}
            assert sum(one.released_by in mine for one in running) <= max(mine.values(), default=0)
        assert all(one.released_by.startswith("uid-") for one in running)


@given(st.lists(STEPS, max_size=25))
def test_people_are_not_asked_in_a_loop(steps: Steps) -> None:
    """Each question about a template is about more than every one before it that stands, or of another retry."""
    world = World()
    for what, number in steps:
        HAPPENS[what](world, number)
        world.settle()
        for digest in DIGESTS:
            standing = [a for a in world.asked if a.digest == digest and a.phase is not Phase.SUPERSEDED]
            assert sum(a.phase is Phase.PENDING for a in standing) <= 1
            for retry in {a.retry for a in standing}:
                sizes = [a.asked for a in standing if a.retry == retry]
                assert sizes == sorted(set(sizes))


@given(st.lists(STEPS, max_size=15))
def test_one_thing_that_happens_is_one_question_for_each_template(steps: Steps) -> None:
    """Nothing that the operator does itself makes it ask again."""
    world = World()
    for what, number in steps:
        HAPPENS[what](world, number)
        before = len(world.asked)
        world.settle()
        assert len(world.asked) - before <= len(DIGESTS)


@given(st.lists(STEPS, max_size=15))
def test_what_was_done_needs_not_be_done_again(steps: Steps) -> None:
    world = World()
    for what, number in steps:
        HAPPENS[what](world, number)
        world.settle()
        plan = decide(world.sight(), after(world.second))
        assert (plan.let_go, plan.ask) == ((), ())


@given(st.integers(0, 6), st.integers(0, 6), st.integers(0, 6))
def test_a_wave_never_exceeds_what_is_covered(waiting: int, running: int, covered: int) -> None:
    seen = tuple(pod(n, gated=n > running) for n in range(1, waiting + running + 1))
    wave = first_wave(group(sight(*seen), seen[0].digest if seen else DIGESTS[0]), covered, "uid")

    assert len(wave.pods if wave is not None else ()) == max(0, min(waiting, covered - running))


ASKED = st.builds(
    Asked,
    st.sampled_from(["q1", "q2"]),
    st.sampled_from(["u1", "u2"]),
    st.sampled_from(DIGESTS),
    st.sampled_from(Phase),
    st.integers(0, 5),
    st.integers(0, 5),
    st.booleans(),
    st.sampled_from(["", "2"]),
    st.booleans(),
)
PODS = st.builds(
    pod,
    st.integers(1, 9),
    gated=st.booleans(),
    live=st.booleans(),
    deleting=st.booleans(),
    digest=st.sampled_from(DIGESTS),
    released_by=st.sampled_from(["", "u1", "u2"]),
    shape=st.sampled_from([TWO_CORES, replace(TWO_CORES, claims=("gpu",))]),
)
JOBS = st.builds(
    job,
    suspended=st.booleans(),
    finished=st.booleans(),
    deleting=st.booleans(),
    hold=st.sampled_from(["", "prod"]),
    size=st.integers(0, 5),
    digest=st.sampled_from(DIGESTS),
)
OWNERS = st.builds(
    owner,
    known=st.booleans(),
    gone=st.booleans(),
    deleting=st.booleans(),
    replicas=st.integers(0, 5),
    why=st.sampled_from(["", "unreadable"]),
    digest=st.sampled_from(DIGESTS),
)
THRESHOLDS = st.builds(
    Threshold, st.none() | st.decimals(0, 5, allow_nan=False), st.none() | st.decimals(0, 9, allow_nan=False)
)
GATES = st.none() | st.builds(lambda threshold: replace(GATE, threshold=threshold), THRESHOLDS)


@given(
    st.lists(PODS, max_size=6),
    st.lists(JOBS, max_size=3),
    st.lists(ASKED, max_size=3),
    OWNERS,
    GATES,
    st.sampled_from([TABLE, None]),
)
def test_it_answers_whatever_it_sees(
    seen: list[PodSeen], jobs: list[JobSeen], about: list[Asked], of: Owner, gate: object, table: object
) -> None:
    """Nothing goes but what waits, once, and by a yes or the Gate; and nothing goes by a Gate that has no threshold."""
    there = sight(*seen, jobs=tuple(jobs), asked=tuple(about), owner=of, gate=gate, table=table)
    plan = decide(there, after(0))
    went: list[LetGo] = list(plan.let_go)

    assert plan == decide(there, after(0))
    assert all(one.gated and one.live and not one.deleting for wave in went for one in wave.pods)
    assert all(one.suspended and not one.hold and not one.finished for wave in went for one in wave.jobs)
    yes = {one.uid for one in about if one.phase is Phase.RELEASED and one.covered}
    dear = there.gate is None or there.gate.threshold == Threshold() or table is None
    assert {wave.released_by for wave in went} <= yes | (set() if dear else {"gate/gpu"})
    assert not (plan.ask and (there.gate is None or table is None or of.gone or of.deleting or of.why))


def test_the_rules_are_stateless() -> None:
    """Any number of operators decide the same of the same."""
    assert vars(ReleasePodsRules()) == {}
