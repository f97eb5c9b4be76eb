"""A request's whole life as a state machine: people, a Job controller, time, a wall that falls, operators that die.

Every rule is something that can happen at any moment. The stale replica is one that read, was paused, and writes later
with the resourceVersions that it had read. At the end of every run the world is left in peace, and the request must end.
"""

import os
from dataclasses import replace
from itertools import pairwise

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from gatehold.domain.model import Effect, EffectType, EscalationRule, Option, Policy, QuorumEntry, Tier, Verdict, Word
from gatehold.domain.phases import MOVES, Phase, is_over, is_refused
from gatehold.domain.plan import MarkDone, Observed, Plan, ReleaseJob, SuspendJob
from gatehold.domain.reasons import UNDER_WAY, ConditionType
from gatehold.domain.status import Status
from tests.builders import DIGEST, NOW, RELEASE, job, policy, release_request, resolved, undo_job, why
from tests.domain.world import World

PEOPLE = {"alice": "sre", "bob": "sre", "carol": "finance", "dave": "duty"}
POLICIES = [
    policy(),
    policy(quorum=(QuorumEntry("sre", 2, ("duty",)), QuorumEntry("finance")), escalation=(EscalationRule(30, ("duty",)),)),
    policy(tiers=(Tier("all", auto_approve=True),)),
]
EFFECTS = [RELEASE, RELEASE, RELEASE, replace(RELEASE, undo=None), Effect()]
GOING = ("", *UNDER_WAY)
seldom = st.integers(0, 5).map(lambda n: n == 5)  # what ends a life early must not end every life early


class Life(RuleBasedStateMachine):
    """One request from its creation to the label done."""

    def __init__(self) -> None:
        super().__init__()
        self.world: World
        self.honest: list[Verdict] = []  # what passed the wall while it stood
        self.late: list[tuple[Observed, Plan]] = []  # plans of replicas that were paused
        self.dead_uids: set[str] = set()

    @initialize(
        asked=st.sampled_from(POLICIES),
        effect=st.sampled_from(EFFECTS),
        options=st.booleans(),
        granted=st.booleans(),
        unseen=seldom,
    )
    def begin(self, asked: Policy, effect: Effect, *, options: bool, granted: bool, unseen: bool) -> None:
        offered = (Option("slow"), Option("fast")) if options else ()
        self.world = World(
            request=release_request(effect=effect, options=offered, noted=False),
            now=NOW,
            jobs={"migrate": job(), "undo": undo_job()},
            policy=asked,
            resolved=resolved(undo=effect.undo is not None) if effect.type is EffectType.RELEASE else None,
            digest=DIGEST,
            granted=granted,
        )
        for _ in range(0 if unseen else 2):
            self.world.step()

    # ---- the operator
    @rule(times=st.integers(1, 3))
    def it_turns(self, times: int) -> None:
        for _ in range(times):
            self.world.step()

    @rule()
    def it_turns_until_nothing_is_left_to_write(self) -> None:
        self.world.settle()

    @rule()
    def it_dies_between_the_status_and_the_target(self) -> None:
        self.world.write_status(*self.world.plan())

    @rule()
    def it_dies_between_two_targets(self) -> None:
        observed, plan = self.world.plan()
        if self.world.write_status(observed, plan) and plan.writes:
            self.world.write(plan.writes[0])

    @rule()
    def it_is_paused_before_it_writes(self) -> None:
        self.late.append(self.world.plan())

    @rule()
    def it_is_paused_between_the_status_and_the_target(self) -> None:
        observed, plan = self.world.plan()
        if self.world.write_status(observed, plan) and plan.writes:
            self.late.append((replace(observed, status=Status(request_digest="written")), plan))

    @precondition(lambda self: self.late)
    @rule(data=st.data())
    def a_paused_replica_goes_on(self, data: st.DataObject) -> None:
        observed, plan = self.late.pop(data.draw(st.integers(0, len(self.late) - 1)))
        landed = observed.status.request_digest == "written" or self.world.write_status(observed, plan)
        targets = [w for w in plan.writes if isinstance(w, ReleaseJob | SuspendJob)]
        if landed:
            all(self.world.write(write) for write in targets)

    @rule(seconds=st.sampled_from([1, 1, 2, 10, 10, 40, 700, 4000, 90_000]))
    def time_passes(self, seconds: int) -> None:
        self.world.later(seconds)

    @rule(falls=seldom)
    def the_wall_falls_or_stands_again(self, *, falls: bool) -> None:
        self.world.wall = not falls

    @rule()
    def the_grant_is_given_or_taken(self) -> None:
        self.world.granted = not self.world.granted

    @rule(goes=seldom)
    def the_policy_goes_or_comes(self, *, goes: bool) -> None:
        self.world.policy = None if goes else POLICIES[0]

    @rule(jams=seldom)
    def somebody_elses_admission_refuses_every_change_of_jobs(self, *, jams: bool) -> None:
        self.world.jammed = jams

    # ---- people
    def admit(self, word: Word, name: str, role: str = "") -> None:
        """Admission: what it lets in while it stands, and what anybody may plant while it does not."""
        world, status = self.world, self.world.status
        option = status.verdicts[0].verdict.option if status.verdicts else "slow"
        offered = option if world.request.options and word in (Word.APPROVE, Word.OVERRIDE) else ""
        used = [v.id for v in world.verdicts] + [e.verdict.id for e in status.verdicts]
        verdict = Verdict(max(used, default=-1) + 1, word, status.request_digest, role, name, offered, "because")
        roles = {r for q in status.quorum for r in q.accepted}
        before = {(v.username, v.word) for v in world.verdicts if v.id not in world.unproven}
        open_now = status.phase is Phase.PENDING or (
            status.phase is Phase.APPROVED and world.request.has_effect and word in (Word.DENY, Word.WITHDRAW)
        )
        fits = role in roles or word is not Word.APPROVE
        allowed = open_now and status.request_digest and fits and (name, word) not in before
        if word is Word.WITHDRAW:
            allowed = open_now and name == "ci" and (name, word) not in before
        elif word is Word.APPROVE:
            allowed = allowed and name != "ci" and (name, Word.DENY) not in before
        elif word is Word.OVERRIDE:
            allowed = allowed and not any(v.word is Word.DENY for v in world.verdicts)
        if len(world.verdicts) >= 20 or (world.wall and not allowed):
            return
        world.verdicts = (*world.verdicts, verdict)
        world.first_seen[verdict.id] = world.now
        if world.wall:
            self.honest.append(verdict)
        else:
            world.unproven.add(verdict.id)

    @rule(name=st.sampled_from(sorted(PEOPLE)))
    def a_reviewer_approves(self, name: str) -> None:
        self.admit(Word.APPROVE, name, PEOPLE[name])

    @rule()
    def all_reviewers_approve(self) -> None:
        for name, role in PEOPLE.items():
            self.admit(Word.APPROVE, name, role)

    @precondition(lambda self: self.world.status.phase is Phase.APPROVED)
    @rule(name=st.sampled_from(["alice", "bob", "erin"]))
    def a_reviewer_denies(self, name: str) -> None:
        self.admit(Word.DENY, name, "sre")

    @rule(name=st.sampled_from(["alice", "bob", "erin"]), really=seldom)
    def a_reviewer_denies_at_any_time(self, name: str, *, really: bool) -> None:
        if really:
            self.admit(Word.DENY, name, "sre")

    @rule(name=st.sampled_from(["ci", "mallory", "mallory"]), really=seldom)
    def somebody_withdraws(self, name: str, *, really: bool) -> None:
        if really:
            self.admit(Word.WITHDRAW, name)

    @rule(really=seldom)
    def somebody_overrides(self, *, really: bool) -> None:
        if really:
            self.admit(Word.OVERRIDE, "erin")

    @rule(role=st.sampled_from(["sre", "finance"]))
    def the_requester_tries_to_approve(self, role: str) -> None:
        self.admit(Word.APPROVE, "ci", role)

    @rule()
    def an_annotation_vanishes_while_the_wall_is_down(self) -> None:
        if not self.world.wall and self.world.status.verdicts:
            kept = {e.verdict.id for e in self.world.status.verdicts[:1]}
            self.world.verdicts = tuple(v for v in self.world.verdicts if v.id not in kept)

    # ---- the Jobs
    @rule(name=st.sampled_from(["migrate", "undo"]))
    def pods_start(self, name: str) -> None:
        found = self.world.jobs.get(name)
        if found is None or found.suspended or found.finished or found.deleting:
            return
        if name == "migrate":
            self.world.pods = 2
        else:
            self.world.undo_pods = 1

    @rule(name=st.sampled_from(["migrate", "migrate", "undo"]), good=st.booleans())
    def a_job_ends(self, name: str, *, good: bool) -> None:
        found = self.world.jobs.get(name)
        if found is not None and not found.suspended and not found.finished:
            self.world.patch(found, complete=good, failed=not good)
            self.world.pods = 0 if name == "migrate" else self.world.pods
            self.world.undo_pods = 0 if name == "undo" else self.world.undo_pods

    @rule()
    def pods_go(self) -> None:
        for name, member in (("migrate", "pods"), ("undo", "undo_pods")):
            found = self.world.jobs.get(name)
            if found is None or found.suspended or found.finished or found.deleting:
                setattr(self.world, member, 0)

    @rule(name=st.sampled_from(["migrate", "undo"]), really=seldom)
    def somebody_deletes_a_job(self, name: str, *, really: bool) -> None:
        found = self.world.jobs.get(name)
        if found is None or not (really or found.released_by):
            return
        if found.has_finalizer:
            self.world.patch(found, deleting=True)
        else:
            del self.world.jobs[name]

    @rule(name=st.sampled_from(["migrate", "undo"]))
    def somebody_creates_another_job_of_that_name(self, name: str) -> None:
        if name not in self.world.jobs:
            self.world.version += 1
            good = job() if name == "migrate" else undo_job()
            self.world.jobs[name] = replace(good, uid=f"new-{self.world.version}", resource_version=str(self.world.version))

    @rule(name=st.sampled_from(["migrate", "migrate", "undo"]), really=seldom)
    def break_glass_on_a_job(self, name: str, *, really: bool) -> None:
        found = self.world.jobs.get(name)
        if found is not None and found.suspended and not found.deleting and (really or found.released_by):
            self.world.patch(found, suspended=False, overridden="INC-4711")

    # ---- what must hold at every moment
    def approved_of(self, status: Status) -> bool:
        """Whether that status rests on words that passed the wall, or on a grant."""
        decision = status.decision
        counted = [e.verdict for e in status.verdicts if e.counted and e.verdict.word in (Word.APPROVE, Word.OVERRIDE)]
        return decision is not None and (bool(counted) or not status.quorum) and all(v in self.honest for v in counted)

    @invariant()
    def the_effect_happens_at_most_once(self) -> None:
        released = [uid for uid, _ in self.world.log]

        assert len(set(released)) == len(released), released
        assert set(released) <= {"job-uid", "undo-uid"}

    @invariant()
    def nothing_is_released_without_a_valid_approval(self) -> None:
        for uid, status in self.world.log:
            past = next((s for s in self.world.history if s.phase is Phase.APPROVED), None)
            assert past is not None
            assert self.approved_of(past), past.verdicts
            assert uid == "job-uid" or is_refused(status.phase)

    @invariant()
    def no_forged_word_counts(self) -> None:
        for e in self.world.status.verdicts:
            if e.counted and e.verdict.word in (Word.APPROVE, Word.OVERRIDE):
                assert e.verdict in self.honest
                assert e.verdict.word is Word.OVERRIDE or e.verdict.username != "ci"

    @invariant()
    def once_it_is_rolled_back_nothing_runs_by_our_hand(self) -> None:
        status, found = self.world.status, self.world.jobs.get("migrate")
        if not is_refused(status.phase) or why(status, ConditionType.ROLLED_BACK)[1] in GOING or found is None:
            return
        runs = not found.suspended and not found.finished and not found.deleting
        assert not (runs and found.uid == "job-uid" and found.released_by == self.world.request.uid and not found.overridden)

    @invariant()
    def once_the_end_of_the_undo_is_said_nothing_of_it_runs(self) -> None:
        world, found = self.world, self.world.jobs.get("undo")
        record = world.status.effect.undo if world.status.effect is not None else None
        if record is None or record.finished_at is None or (found is not None and found.overridden):
            return
        ours = found is not None and found.uid == "undo-uid" and found.released_by == world.request.uid
        assert not (ours and found is not None and not (found.suspended or found.finished or found.deleting))
        assert not world.undo_pods

    @invariant()
    def phases_only_move_forward(self) -> None:
        phases = [Phase.UNSET, *(s.phase for s in self.world.history)]
        for before, to in pairwise(phases):
            assert before is to or to in MOVES[before]

    @invariant()
    def done_is_said_at_the_end_only(self) -> None:
        if not self.world.request.done:
            return
        status = self.world.status
        assert is_over(status.phase, has_effect=self.world.request.has_effect)
        assert not is_refused(status.phase) or why(status, ConditionType.ROLLED_BACK)[1] not in GOING
        assert not any(j.has_finalizer and j.released_by == self.world.request.uid for j in self.world.jobs.values())

    def teardown(self) -> None:
        """Left in peace it ends: nothing waits for ever."""
        if not hasattr(self, "world"):
            return
        world = self.world
        world.wall, world.jammed, self.late = True, False, []
        for _ in range(60):
            if world.request.done:
                break
            self.a_job_ends("migrate", good=True)
            self.a_job_ends("undo", good=True)
            self.pods_go()
            plan = world.step()
            if plan.recheck_at is not None and not plan.writes:
                world.now = max(world.now, plan.recheck_at)
            self.the_effect_happens_at_most_once()
            self.nothing_is_released_without_a_valid_approval()
            self.done_is_said_at_the_end_only()
        assert world.request.done, world.status
        assert world.plan()[1] == Plan(world.status), "a request that is done is left alone"
        assert MarkDone() not in world.plan()[1].writes


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=int(os.environ.get("LIVES", "120")), stateful_step_count=40)
