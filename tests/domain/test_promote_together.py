"""A Rollout and its requests, each decided by itself and in any order: whatever happens, both tell the same story."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import sha256

from hypothesis import given, settings
from hypothesis import strategies as st

from gatehold.domain.effects import promote
from gatehold.domain.model import Effect, EffectType, Request, Requester, Subject, Word
from gatehold.domain.phases import Phase, is_over
from gatehold.domain.plan import RolloutFacts
from gatehold.domain.reasons import UNDER_WAY, ConditionType
from gatehold.domain.rollout.decide import decide_rollout
from gatehold.domain.rollout.model import (
    Answer,
    Approval,
    Child,
    GateFacts,
    QuestionFacts,
    Revision,
    Rollout,
    SetWeight,
    Sight,
    Track,
)
from gatehold.domain.rollout.plan import Ask, DropFinalizer, DropRevision, KeepTemplate, PutChild, SetFinalizer
from gatehold.domain.rollout.plan import Write as RolloutWrite
from gatehold.domain.rollout.record import Outcome, Record, Stage
from gatehold.domain.status import Resolved
from tests.builders import DIGEST, NOW, observed, request, verdict, why
from tests.domain.world import World
from tests.promotions import OPERATOR

GATE = GateFacts("shop-gate", "prod", 20)
STEPS = (SetWeight(20), Approval("finance"), SetWeight(60))


def digest(*parts: object) -> str:
    return "sha256:" + sha256(repr(parts).encode()).hexdigest()


@dataclass
class Both:
    """One Rollout with pods that come up, if their template is good, and a request for each of its questions."""

    rollout: Rollout
    record: Record = field(default_factory=Record)
    children: dict[Track, Child] = field(default_factory=dict)
    revisions: tuple[Revision, ...] = ()
    requests: dict[str, World] = field(default_factory=dict)
    now: datetime = NOW
    bad: set[str] = field(default_factory=set)
    gone: bool = False
    slow: bool = False
    old_record: Record | None = None
    old_facts: tuple[QuestionFacts, ...] | None = None

    def rollout_turn(self) -> bool:
        """One cycle of the Rollout; whether it changed anything."""
        if self.gone:
            return False
        plan = decide_rollout(self._sight(), self.now)
        changed, self.record = self.record != plan.record, plan.record
        for write in plan.writes:
            changed = self._write(write) or changed
        return changed

    def request_turn(self, name: str) -> bool:
        """One cycle of a request; whether it changed anything."""
        world = self.requests[name]
        world.now, world.rollout = self.now, None
        if not self.gone:
            world.rollout = self._seen(world)
        before = (world.status, world.request)
        world.step()
        return before != (world.status, world.request)

    def lag(self) -> None:
        """From now on, until it settles, both see the other as it is at this moment."""
        self.old_record, self.old_facts = self.record, self._facts()

    def settle(self) -> None:
        """Cycles of everything until nothing changes any more."""
        self.old_record = self.old_facts = None
        self.slow = False
        self.pods_come_up()
        for _ in range(60):
            if not any([self.rollout_turn(), *(self.request_turn(name) for name in self.requests)]):
                return
        raise AssertionError("they never come to rest")

    def pods_come_up(self) -> None:
        """All pods are there that can be."""
        for track, child in self.children.items():
            count = 0 if child.template in self.bad else child.replicas
            images = (f"app={child.template[7:11]}",) if count else ()
            self.children[track] = replace(child, ready=count, available=count, images=images)

    def say(self, word: Word, who: str) -> None:
        """Somebody speaks on the newest request, if the API server still takes the word."""
        for world in reversed(self.requests.values()):
            if world.request.done or is_over(world.status.phase, has_effect=True) or not world.status.request_digest:
                continue
            said = verdict(len(world.verdicts), word, who, role=world.request.policy)
            if not any((v.word, v.username) == (word, who) for v in world.verdicts):
                world.verdicts = (*world.verdicts, said)
            return

    def _seen(self, world: World) -> RolloutFacts:
        """What the hands answer: an old cache does not end a request, see gatehold.controllers.effects.promote."""
        record = self.old_record or self.record
        asked = (
            next((q for q in self.record.run.questions if q.name == world.request.name), None) if self.record.run else None
        )
        read, deleting = self._digest(asked.images if asked is not None else ()), self.rollout.deleting
        seen = promote.facts(world.request, self.rollout.uid, record, deleting=deleting, digest=read)
        until = world.status.valid_until
        if seen.knows_it and world.status.request_digest and (until is None or self.now < until or seen.passed):
            return seen
        return promote.facts(world.request, self.rollout.uid, self.record, deleting=deleting, digest=read)

    def _facts(self) -> tuple[QuestionFacts, ...]:
        return tuple(_facts(world) for world in self.requests.values() if not world.request.done)

    def _sight(self) -> Sight:
        canary = self.children.get(Track.CANARY)
        facts = self.old_facts if self.old_facts is not None else self._facts()
        return Sight(
            self.rollout,
            self.record,
            self.children.get(Track.STABLE),
            canary,
            GATE,
            facts,
            self.revisions,
            self._digest(canary.images or () if canary is not None else ()),
            self._digest(()),
            wall_proven=True,
        )

    def _digest(self, images: tuple[str, ...]) -> str:
        return digest(self.rollout.uid, self.rollout.template, self.rollout.strategy, sorted(images))

    def _write(self, write: RolloutWrite) -> bool:
        match write:
            case SetFinalizer():
                self.rollout = replace(self.rollout, has_finalizer=True)
            case DropFinalizer():
                self.gone = True
            case KeepTemplate(template, number):
                self.revisions = (*self.revisions, Revision(template[7:17], template, number, f"uid-{number}"))
            case DropRevision(name):
                self.revisions = tuple(r for r in self.revisions if r.name != name)
            case PutChild():
                return self._put(write)
            case Ask():
                self._ask(write)
            case _:
                self.rollout = replace(self.rollout, authors=())
        return True

    def _put(self, write: PutChild) -> bool:
        want, old = write.wanted, self.children.get(write.track)
        generation = old.generation if old is not None else 0
        same = old is not None and (old.template, old.replicas) == (want.template, want.replicas)
        generation += 0 if same else 1
        self.children[write.track] = Child(
            f"web-{write.track}",
            f"{write.track}-uid",
            str(generation),
            generation,
            self.rollout.uid,
            want.template,
            want.replicas,
            generation,
            want.replicas,
            want.replicas,
            answer=Answer(write.write, generation),
            images=(),
        )
        if not self.slow:
            self.pods_come_up()
        return self.children[write.track] != old

    def _ask(self, write: Ask) -> None:
        asked = write.question
        if asked.name in self.requests:
            return
        subject = Subject("gatehold.dev/v1alpha1", "Rollout", "shop", "web", self.rollout.uid, asked.digest)
        made: Request = request(
            name=asked.name,
            uid=f"uid-of-{asked.name}",
            subject=subject,
            effect=Effect(EffectType.PROMOTE),
            requester=Requester(OPERATOR),
            authors=("zoe",),
            gate=asked.gate,
            policy=asked.policy,
        )
        there = observed(request=made, resolved=Resolved(image_ids=asked.images), request_digest=DIGEST)
        assert there.policy is not None
        first = replace(there.policy.quorum[0], role=asked.policy, backups=())
        self.requests[asked.name] = World.of(replace(there, policy=replace(there.policy, quorum=(first,))), self.now)


def _facts(world: World) -> QuestionFacts:
    subject, status = world.request.subject, world.status
    decision = status.decision
    return QuestionFacts(
        world.request.name,
        world.request.uid,
        world.request.policy,
        subject.digest if subject is not None else "",
        status.phase,
        status.deadline,
        status.valid_until,
        str(decision.reason) if decision is not None else "",
        decision.message if decision is not None else "",
    )


def agree(both: Both) -> None:
    """What must hold at rest."""
    run = None if both.gone else both.record.run
    for world in both.requests.values():
        status, name = world.status, world.request.name
        stands = run is not None and any(question.name == name for question in run.questions)
        undoing = stands and run is not None and run.stage is Stage.UNDOING  # stable does not come back so soon
        assert is_over(status.phase, has_effect=True) == (undoing or not stands), status
        assert world.request.done == (not stands)
        assert (why(status, ConditionType.ROLLED_BACK)[1] in UNDER_WAY) == undoing
    last = both.record.last_run
    if last is not None and last.outcome is Outcome.PROMOTED and not both.gone:
        for ref in last.requests:
            assert both.requests[ref.name].status.phase in (Phase.RELEASED, Phase.DENIED)


def promoted(template: int) -> Both:
    """A Rollout whose first deployment was approved."""
    both = Both(Rollout("shop", "web", "rollout-uid", 1, digest(template), digest(STEPS), 5, STEPS, authors=("zoe",)))
    both.settle()
    both.say(Word.APPROVE, "alice")
    both.settle()
    assert both.record.promoted is not None
    return both


def test_two_policies_are_asked_and_both_requests_are_released() -> None:
    both = promoted(1)
    both.rollout = replace(both.rollout, template=digest(2), generation=2)
    both.settle()
    assert [w.status.phase for w in both.requests.values()] == [Phase.RELEASED, Phase.PENDING]
    both.say(Word.APPROVE, "alice")
    both.settle()
    assert [w.status.phase for w in both.requests.values()] == [Phase.RELEASED, Phase.APPROVED, Phase.PENDING]
    both.say(Word.APPROVE, "bob")
    both.settle()

    assert [w.status.phase for w in both.requests.values()] == [Phase.RELEASED] * 3
    assert both.record.promoted is not None
    assert both.record.promoted.template == digest(2)
    agree(both)


def test_a_deny_of_the_second_question_takes_the_first_with_it() -> None:
    both = promoted(1)
    both.rollout = replace(both.rollout, template=digest(2), generation=2)
    both.settle()
    both.say(Word.APPROVE, "alice")
    both.settle()
    both.say(Word.DENY, "bob")
    both.settle()
    ends = [(w.status.phase, why(w.status, ConditionType.ROLLED_BACK)) for w in both.requests.values()][1:]

    assert ends == [(Phase.SUPERSEDED, ("True", "UndoCompleted")), (Phase.DENIED, ("True", "UndoCompleted"))]
    agree(both)


COMMON = (
    *[("turn", 0), ("turn", 0), ("pods", 0), ("settle", 0), ("settle", 0)],
    *[("ask", 0), ("ask", 1), ("ask", 0), ("approve", 0), ("approve", 1), ("approve", 0), ("approve", 1)],
    *[("template", 1), ("template", 2), ("template", 3), ("template", 2)],
)
RARE = (
    *[("approve", 2), ("deny", 0), ("deny", 1), ("deny", 2), ("bad", 1), ("bad", 2), ("bad", 3)],
    *[("retry", 0), ("lag", 0), ("lag", 0), ("slow", 0), ("slow", 0), ("delete", 0)],
    *[("time", 5), ("time", 400), ("time", 700), ("time", 1000), ("time", 4000)],
)
EVENTS = st.one_of(*[st.sampled_from(COMMON)] * 3, st.sampled_from(RARE))
PEOPLE = ("alice", "bob", "zoe")


def happen(both: Both, what: str, number: int) -> None:
    match what:
        case "turn":
            both.rollout_turn()
        case "ask" if both.requests:
            both.request_turn(list(both.requests)[-1 - number % len(both.requests)])
        case "approve" | "deny":
            both.say(Word(what), PEOPLE[number])
        case "settle":
            both.settle()
        case _:
            change(both, what, number)


def change(both: Both, what: str, number: int) -> None:
    match what:
        case "lag":
            both.lag()
        case "slow":
            both.slow = True
        case "pods":
            both.pods_come_up()
        case "template":
            both.rollout = replace(both.rollout, template=digest(number), generation=both.rollout.generation + 1)
        case "bad":
            both.bad ^= {digest(number)}
        case "time":
            both.now += timedelta(seconds=number)
        case "retry":
            both.rollout = replace(both.rollout, retry=f"{both.rollout.retry}x")
        case "delete" if both.rollout.has_finalizer and len(both.requests) > 1:
            both.rollout = replace(both.rollout, deleting=True)


@settings(max_examples=settings.default.max_examples * 2)
@given(st.lists(EVENTS, min_size=12, max_size=40))
def test_in_any_order_both_come_to_rest_with_the_same_story(events: list[tuple[str, int]]) -> None:
    both = promoted(1)
    for what, number in events:
        happen(both, what, number)
    both.settle()
    agree(both)
    for _ in range(4):  # whatever is still open ends by time, and nothing is left behind
        both.now += timedelta(hours=3)
        both.settle()
    agree(both)
    assert all(world.request.done for world in both.requests.values()) or both.record.run is not None
