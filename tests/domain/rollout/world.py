"""A toy cluster for one Rollout: two Deployments with pods, requests, an API server. It carries plans out, and watches."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import count

from gatehold.domain.phases import MOVES, Phase
from gatehold.domain.plan import Proof
from gatehold.domain.rollout.decide import decide_rollout
from gatehold.domain.rollout.model import (
    Answer,
    Child,
    GateFacts,
    QuestionFacts,
    Refusal,
    Revision,
    Rollout,
    SetWeight,
    Sight,
    UnknownGate,
)
from gatehold.domain.rollout.plan import RolloutPlan
from gatehold.domain.rollout.record import Outcome, Record, Track
from gatehold.domain.rollout.writes import (
    Ask,
    ClearAuthors,
    DeleteChild,
    DropFinalizer,
    DropRevision,
    KeepTemplate,
    PutChild,
    SetChildFree,
    SetFinalizer,
    Write,
)
from tests.builders import NOW
from tests.domain.rollout.deployment import UID, Deployment
from tests.domain.rollout.watch import keeps_to_the_weight, passes_only_what_was_approved, promotes_only_what_was_approved

IDS = count(1)
ENDS = {
    Outcome.PROMOTED: Phase.RELEASED,
    Outcome.DENIED: Phase.DENIED,
    Outcome.EXPIRED: Phase.LAPSED,
    Outcome.WITHDRAWN: Phase.WITHDRAWN,
    Outcome.SUPERSEDED: Phase.SUPERSEDED,
    Outcome.FAILED: Phase.FAILED,
}


@dataclass
class World:
    """Everything that the API server knows, and what must hold whenever it is written to."""

    rollout: Rollout = field(
        default_factory=lambda: Rollout("shop", "web", UID, 1, "t1", "s1", replicas=5, steps=(SetWeight(20),))
    )
    now: datetime = NOW
    record: Record = field(default_factory=Record)
    gate: GateFacts | UnknownGate | None = None
    children: dict[Track, Deployment] = field(default_factory=dict)
    requests: dict[str, QuestionFacts] = field(default_factory=dict)
    revisions: dict[str, Revision] = field(default_factory=dict)
    wall: bool = True
    crowded: frozenset[str] = frozenset()
    bad: set[str] = field(default_factory=set)  # templates whose pods never serve
    images: dict[str, str] = field(default_factory=dict)
    held: int = 0
    unread: bool = False
    approved: set[str] = field(default_factory=set)
    refuses: type[Write] | None = None
    fuse: int | None = None  # so many writes of any kind, and the process dies once
    log: list[Write] = field(default_factory=list)
    told: list[Record] = field(default_factory=list)

    def digest(self, template: str, strategy: str, images: tuple[str, ...]) -> str:
        return "sha256:" + sha256(f"{template} {strategy} {images}".encode()).hexdigest()

    def sight(self, refusal: Refusal | None = None) -> Sight:
        seen: dict[Track, Child] = {track: d.child(self.held) for track, d in self.children.items()}
        if self.unread:
            seen = {track: replace(child, images=None) for track, child in seen.items()}
        stable, canary = seen.get(Track.STABLE), seen.get(Track.CANARY)
        images = canary.images if canary is not None else None
        spec = (self.rollout.template, self.rollout.strategy)
        return Sight(
            rollout=self.rollout,
            record=self.record,
            stable=stable,
            canary=canary,
            gate=self.gate,
            questions=tuple(q for q in self.requests.values() if not q.done),
            revisions=tuple(self.revisions.values()),
            digest="" if images is None else self.digest(*spec, images),
            bare_digest=self.digest(*spec, ()),
            crowded=self.crowded,
            wall_proven=self.wall,
            refusal=refusal,
        )

    def plan(self) -> RolloutPlan:
        sight = self.sight()
        plan = decide_rollout(sight, self.now)
        assert decide_rollout(sight, self.now) == plan
        assert plan.recheck_at is None or plan.recheck_at > self.now
        return plan

    def turn(self, crash_after: int | None = None) -> RolloutPlan:
        """Observe, decide, apply. `crash_after`: the process dies after so many writes, the record being the first."""
        plan = self.plan()
        size = 1 + len(plan.writes)
        if self.fuse is not None and self.fuse < size:
            crash_after, self.fuse = self.fuse, None
        elif self.fuse is not None:
            self.fuse -= size
        left = 1_000 if crash_after is None else crash_after
        if left > 0:
            self.put_record(plan)
            for write in plan.writes[: left - 1]:
                if self.refuses is not None and isinstance(write, self.refuses):
                    told = decide_rollout(self.sight(Refusal(write, "quota")), self.now)
                    assert write not in told.writes
                    self.put_record(told)
                    break
                self.write(write, plan)
        if crash_after is not None:
            self.crash()
        return plan

    def crash(self) -> None:
        """What was in memory is gone."""
        for deployment in self.children.values():
            deployment.answer = None

    def put_record(self, plan: RolloutPlan) -> None:
        before, after = self.record, plan.record
        assert plan.proof is not Proof.BEFORE_STATUS or self.wall
        passes_only_what_was_approved(self, before, after, plan)
        if before.last_run != after.last_run:
            assert after.last_run is not None
            assert after.last_run.at == self.now
        self.record = after
        if before != after:
            self.told.append(after)

    def write(self, write: Write, plan: RolloutPlan) -> None:
        self.log.append(write)
        match write:
            case SetFinalizer():
                self.rollout = replace(self.rollout, has_finalizer=True)
            case DropFinalizer():
                self.rollout = replace(self.rollout, has_finalizer=False)
            case ClearAuthors():
                assert self.record.promoted == self.rollout.target
                self.rollout = replace(self.rollout, authors=())
            case KeepTemplate(template, number):
                assert template == self.rollout.template
                self.revisions[template] = Revision(f"web-{template}", template, number, f"uid-{template}")
            case DropRevision(name, uid):
                self.revisions = {t: r for t, r in self.revisions.items() if r.name != name}
            case PutChild():
                self.put(write, plan)
            case DeleteChild(track, uid):
                assert self.children[track].uid == uid
                del self.children[track]
            case SetChildFree(track):
                deployment = self.children[track]
                deployment.owner, deployment.labelled = "", False
            case Ask(question):
                assert self.record.run is not None
                assert question in self.record.run.questions
                facts = QuestionFacts(question.name, f"uid-{next(IDS)}", question.policy, question.digest, Phase.PENDING)
                self.requests.setdefault(question.name, facts)

    def put(self, write: PutChild, plan: RolloutPlan) -> None:
        deployment = self.children.get(write.track)
        assert write.wanted.template in self.revisions, "kept before it is written"
        promotes_only_what_was_approved(self, write, plan)
        keeps_to_the_weight(self, write)
        if deployment is None:
            assert not write.uid
            deployment = Deployment(f"web-{write.track}", write.wanted.template, 0, uid=f"uid-{next(IDS)}", generation=0)
            self.children[write.track] = deployment
        assert write.uid in ("", deployment.uid)
        before = self.capacity()
        self.change(
            write.track,
            template=write.wanted.template,
            replicas=write.wanted.replicas,
            overridden="",
            restarted_at=write.wanted.restarted_at,
        )
        deployment.owner = UID if write.owned else ""
        deployment.answer = Answer(write.write, deployment.generation)
        deployment.roll(self.images)
        if self.record.promoted is not None:
            stable = self.children.get(Track.STABLE)
            broken = stable.replicas if stable is not None and stable.overridden else self.rollout.replicas
            assert self.capacity() >= min(self.rollout.replicas, before, broken), "our write took capacity away"

    def change(self, track: Track, **changes: object) -> None:
        """A write of a Deployment: its generation moves where its spec does."""
        deployment = self.children[track]
        spec = ("template", "replicas", "restarted_at", "overridden")
        before = tuple(getattr(deployment, name) for name in spec)
        for name, value in changes.items():
            setattr(deployment, name, value)
        deployment.version += 1
        if tuple(getattr(deployment, name) for name in spec) != before or not deployment.generation:
            deployment.generation += 1

    def capacity(self) -> int:
        return sum(deployment.available for deployment in self.children.values())

    def live(self, pods: int = 1_000) -> None:
        """Controllers work, and so many pods of good templates come up. Requests follow the Rollout."""
        for deployment in self.children.values():
            deployment.roll(self.images)
            for pod in deployment.pods:
                if pods and not self.held and not pod.ready and pod.template not in self.bad:
                    pod.ready, pods = True, pods - 1
            deployment.roll(self.images)
        self.mirror()

    def mirror(self) -> None:
        """The request side: it follows the Rollout's record."""
        run, last = self.record.run, self.record.last_run
        standing = {q.name for q in run.questions} if run is not None else set()
        over = {ref.name for ref in last.requests} if last is not None else set()
        passed = {q.name for q in run.questions if q.passed} if run is not None else set()
        for name, facts in self.requests.items():
            is_late = facts.valid_until is not None and self.now >= facts.valid_until
            if facts.phase is Phase.APPROVED and is_late and name in standing - passed:
                self.requests[name] = replace(facts, phase=Phase.LAPSED)
            if name in standing or not MOVES[facts.phase]:
                continue
            phase = ENDS[last.outcome] if last is not None and name in over else Phase.SUPERSEDED
            self.requests[name] = replace(facts, phase=phase)

    def settle(self, limit: int = 60) -> RolloutPlan:
        """Turns and life at one instant, until nothing is new. Fails where that never comes."""
        for _ in range(limit):
            before = (self.record, self.rollout, repr(self.children), dict(self.requests), dict(self.revisions))
            fuse = self.fuse
            plan = self.turn()
            self.live()
            if fuse is not None and self.fuse is None:
                continue  # it died in that turn
            if (self.record, self.rollout, repr(self.children), dict(self.requests), dict(self.revisions)) == before:
                return plan
        raise AssertionError(f"it never comes to rest: {plan}")

    def later(self, seconds: float) -> RolloutPlan:
        """Time passes, and it settles."""
        self.now += timedelta(seconds=seconds)
        return self.settle()

    # what people and others do

    def spec(self, **changes: object) -> "World":
        """Somebody changes the Rollout."""
        self.rollout = replace(self.rollout, generation=self.rollout.generation + 1, **changes)  # type: ignore[arg-type]
        return self

    def request(self) -> QuestionFacts:
        """The one request that waits."""
        (found,) = [q for q in self.requests.values() if q.phase is Phase.PENDING]
        return found

    def answer(self, phase: Phase, validity: float = 3600, name: str = "") -> None:
        """The question that waits is answered."""
        facts = self.requests[name] if name else self.request()
        until = self.now + timedelta(seconds=validity) if phase is Phase.APPROVED else facts.valid_until
        self.requests[facts.name] = replace(facts, phase=phase, valid_until=until, message="because")
        if phase is Phase.APPROVED:
            self.approved.add(facts.name)

    def sizes(self) -> tuple[int, int]:
        """Wanted pods: canary, stable."""
        found = [self.children[t].replicas if t in self.children else 0 for t in (Track.CANARY, Track.STABLE)]
        return (found[0], found[1])


def healthy(**spec: object) -> World:
    """A Rollout whose first template is promoted and rests."""
    world = World().spec(**spec)
    world.settle()
    assert world.record.promoted == world.rollout.target
    world.log.clear()
    world.told.clear()
    return world
