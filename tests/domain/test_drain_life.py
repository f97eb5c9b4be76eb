"""The life of a drain as a state machine: people, pods, budgets, nodes that come and go, the wall, operators that die.

As in test_life, a stale replica is one that read, was paused, and writes later with what it had read. At the end of every
run the world is left in peace; then the request must end, and every node that it touched and did not finish must be back.
"""

import os
from dataclasses import replace
from datetime import timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from gatehold.domain.effects.drain_evidence import resolved
from gatehold.domain.effects.drain_pods import is_evictable, missing_consent
from gatehold.domain.model import DrainSpec, NodeRef, Verdict, Word
from gatehold.domain.nodes import Block, CloseNode, CordonNode, EvictPods, LeaseFacts, TakeLease
from gatehold.domain.phases import Phase, is_refused
from gatehold.domain.plan import MarkDone, NoteRequest, Observed, Plan, Write
from gatehold.domain.reasons import UNDER_WAY, ConditionType
from gatehold.domain.status import NodeState, Status
from tests.builders import DIGEST, NOW, UID, approve, deny, why, withdraw
from tests.domain.node_world import TAINT, Nodes
from tests.domain.world import World
from tests.drains import GPU, MARK, POLICY, drain_request, node, pod

NAMES = ("n1", "n2", "n3")
GOING = ("", *UNDER_WAY)
names = st.sampled_from(NAMES)
seldom = st.integers(0, 5).map(lambda n: n == 5)


class DrainLife(RuleBasedStateMachine):
    """One drain of three nodes from its creation to the label done."""

    def __init__(self) -> None:
        super().__init__()
        self.world: World
        self.yard: Nodes
        self.honest: list[Verdict] = []
        self.late: list[
            tuple[Observed, Plan, bool]
        ] = []  # plans of replicas that were paused, and whether the status is written
        self.foreign: set[str] = set()  # nodes (by uid) whose cordon or taints somebody else changed
        self.orphaned: set[str] = set()  # nodes that a paused replica leased or fenced after the end: swept by others
        self.number = 0

    @initialize(parallel=st.integers(1, 3), cordoned=st.booleans(), pods=st.integers(0, 3), consents=st.booleans())
    def begin(self, parallel: int, *, cordoned: bool, pods: int, consents: bool) -> None:
        given = DrainSpec(tuple(NodeRef(name) for name in NAMES), parallel_nodes=parallel, evict_unmanaged_pods=consents)
        self.yard = Nodes(UID, MARK)
        for name in NAMES:
            found = tuple(pod(f"{name}-{n}", name) for n in range(pods))
            self.yard.nodes[name] = node(name, *found, pod(f"{name}-agent", name, daemon_set=True))
        if cordoned:
            self.yard.change("n1", unschedulable=True, taints=(TAINT,))
        self.world = World(
            request=drain_request(spec=given, noted=False),
            now=NOW,
            jobs={},
            policy=POLICY,
            resolved=resolved(self.yard.facts()),
            digest=DIGEST,
            yard=self.yard,
        )
        for _ in range(2):
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
    def it_dies_between_the_status_and_the_nodes(self) -> None:
        self.world.write_status(*self.world.plan())

    @rule(writes=st.integers(1, 3), pods=st.integers(0, 2))
    def it_dies_in_the_middle_of_its_writes(self, writes: int, pods: int) -> None:
        observed, plan = self.world.plan()
        if self.world.write_status(observed, plan):
            all(self.carry_out(write, pods) for write in plan.writes[:writes])

    def carry_out(self, write: Write, pods: int = 9999) -> bool:
        if isinstance(write, NoteRequest | MarkDone):
            return self.world.write(write)
        return self.yard.write(write, self.world.now, self.world.status, pods)

    @rule()
    def it_is_paused_before_it_writes(self) -> None:
        self.late.append((*self.world.plan(), False))

    @rule()
    def it_is_paused_between_the_status_and_the_nodes(self) -> None:
        observed, plan = self.world.plan()
        if self.world.write_status(observed, plan) and plan.writes:
            self.late.append((observed, plan, True))

    @rule()
    def it_is_paused_after_the_first_write(self) -> None:
        observed, plan = self.world.plan()
        if self.world.write_status(observed, plan) and plan.writes and self.carry_out(plan.writes[0]):
            self.late.append((observed, replace(plan, writes=plan.writes[1:]), True))

    @precondition(lambda self: self.late)
    @rule(data=st.data())
    def a_paused_replica_goes_on(self, data: st.DataObject) -> None:
        observed, plan, written = self.late.pop(data.draw(st.integers(0, len(self.late) - 1)))
        if not written and not self.world.write_status(observed, plan):
            return
        held = {lease.node for lease in self.yard.leases.values() if lease.holder == UID}
        all(self.carry_out(write) for write in plan.writes if not isinstance(write, NoteRequest | MarkDone))
        if is_refused(self.world.status.phase) or self.world.status.phase is Phase.RELEASED:
            self.orphaned |= {write.node.name for write in plan.writes if isinstance(write, TakeLease)} - held
            self.orphaned |= {write.node.name for write in plan.writes if isinstance(write, CloseNode)}

    @rule(seconds=st.sampled_from([1, 1, 5, 10, 60, 700, 4000]))
    def time_passes(self, seconds: int) -> None:
        self.world.later(seconds)

    @rule(falls=seldom)
    def the_wall_falls_or_stands_again(self, *, falls: bool) -> None:
        self.world.wall = not falls

    @rule(jams=seldom)
    def somebody_elses_admission_refuses_every_change(self, *, jams: bool) -> None:
        self.world.jammed = jams

    # ---- people
    def say(self, verdict: Verdict) -> None:
        status = self.world.status
        open_now = status.phase in (Phase.PENDING, Phase.APPROVED) and status.request_digest
        if not open_now or verdict.word in {v.word for v in self.world.verdicts}:
            return
        if verdict.word is Word.APPROVE and (self.world.verdicts or status.phase is not Phase.PENDING):
            return
        self.number += 1
        said = replace(verdict, id=self.number)
        self.world.verdicts = (*self.world.verdicts, said)
        self.world.first_seen[said.id] = self.world.now
        self.honest.append(said)

    @rule()
    def a_reviewer_approves(self) -> None:
        if self.world.wall:
            self.say(approve(username="alice"))

    @rule()
    def somebody_approves_while_the_wall_is_down(self) -> None:
        if not self.world.wall and not self.world.verdicts and self.world.status.phase is Phase.PENDING:
            self.number += 1
            self.world.verdicts = (approve(self.number, "mallory"),)
            self.world.first_seen[self.number] = self.world.now
            self.world.unproven.add(self.number)

    @rule(really=seldom)
    def a_reviewer_denies(self, *, really: bool) -> None:
        if really or self.world.status.phase is Phase.APPROVED:
            self.say(deny(username="bob"))

    @rule(really=seldom)
    def the_requester_withdraws(self, *, really: bool) -> None:
        if really:
            self.say(withdraw())

    # ---- pods and budgets
    @rule(name=names)
    def pods_go(self, name: str) -> None:
        if name in self.yard.nodes:
            self.yard.drop_pods(name)

    @rule(name=names, kind=st.sampled_from(["owned", "alone", "daemon", "ended"]))
    def a_pod_comes(self, name: str, kind: str) -> None:
        if name in self.yard.nodes:
            self.number += 1
            changes = {"alone": {"owner": ""}, "daemon": {"daemon_set": True}, "ended": {"ended": True, "owner": ""}}
            self.yard.add_pod(pod(f"{name}-x{self.number}", name, **changes.get(kind, {})))

    @rule(name=names, kind=st.sampled_from(Block))
    def a_budget_has_no_room(self, name: str, kind: Block) -> None:
        found = self.yard.nodes.get(name)
        self.yard.blocks |= {pod.uid: kind for pod in (found.pods or ())[:1]} if found is not None else {}

    @rule()
    def budgets_have_room_again(self) -> None:
        self.yard.blocks = {}

    # ---- nodes and their Leases
    @rule(name=names)
    def a_node_changes_somehow(self, name: str) -> None:
        if name in self.yard.nodes:
            self.yard.change(name)

    @rule(name=names, cordons=st.booleans(), really=seldom)
    def somebody_cordons_or_uncordons_a_node(self, name: str, *, cordons: bool, really: bool) -> None:
        found = self.yard.nodes.get(name)
        if found is None or not (really or not found.released_by):
            return
        if found.released_by or any(cordon.before.uid == found.uid for cordon in self.yard.cordons):
            self.foreign.add(found.uid)
        self.yard.change(name, unschedulable=cordons, taints=(TAINT,) if cordons else ("a=b:NoSchedule",))

    @rule(name=names, again=st.booleans(), really=seldom)
    def a_node_is_deleted(self, name: str, *, again: bool, really: bool) -> None:
        if name in self.yard.nodes and really:
            del self.yard.nodes[name]
            if again:
                self.number += 1
                self.yard.nodes[name] = node(name, uid=f"new-{self.number}", resource_version=f"0{self.number}")

    @rule(name=names, really=seldom)
    def a_node_gets_another_gate(self, name: str, *, really: bool) -> None:
        if name in self.yard.nodes and really:
            self.yard.change(name, gate=GPU)

    @rule(name=names, really=seldom)
    def somebody_elses_maintenance_begins(self, name: str, *, really: bool) -> None:
        found = self.yard.nodes.get(name)
        if really and found is not None and name not in self.yard.leases:
            self.yard.leases[name] = LeaseFacts(name, found.uid, "other", "ops/other")

    # ---- what must hold at every moment
    def rows(self, status: Status) -> dict[str, NodeState]:
        return {row.name: row.state for row in status.effect.nodes} if status.effect is not None else {}

    @invariant()
    def nothing_is_done_without_an_approval_that_counts(self) -> None:
        for status in [c.status for c in self.yard.cordons] + [e.status for e in self.yard.evictions]:
            past = next((s for s in self.world.history if s.phase is Phase.APPROVED), None)
            assert past is not None
            yes = [e.verdict for e in past.verdicts if e.counted and e.verdict.word is Word.APPROVE]
            assert yes
            assert all(verdict in self.honest for verdict in yes)
            assert status.request_digest

    @invariant()
    def only_the_nodes_that_were_shown_are_touched(self) -> None:
        shown = {f"{name}-uid" for name in NAMES}
        assert {cordon.before.uid for cordon in self.yard.cordons} <= shown
        assert {found.uid for found in self.yard.nodes.values() if found.released_by == UID} <= shown

    @invariant()
    def no_pod_is_evicted_that_the_request_does_not_give_up(self) -> None:
        spec = self.world.request.effect.drain
        assert spec is not None
        for eviction in self.yard.evictions:
            assert is_evictable(eviction.pod)
            assert not missing_consent(replace(eviction.pod, terminating=False), spec)

    @invariant()
    def never_more_nodes_than_may_are_at_work(self) -> None:
        spec, states = self.world.request.effect.drain, self.rows(self.world.status)
        assert spec is not None
        marked = [n for n in self.yard.nodes.values() if n.released_by == UID and states[n.name] is not NodeState.DRAINED]
        assert len(marked) <= spec.parallel_nodes

    @invariant()
    def what_was_there_before_is_recorded(self) -> None:
        effect = self.world.status.effect
        for cordon in self.yard.cordons:
            assert effect is not None
            row = next(row for row in effect.nodes if row.name == cordon.before.name)
            assert (row.was_unschedulable, set(row.taints)) == (cordon.before.unschedulable, set(cordon.before.taints))

    @invariant()
    def no_node_is_cordoned_twice(self) -> None:
        cordoned = [cordon.before.uid for cordon in self.yard.cordons]
        assert len(set(cordoned)) == len(cordoned)

    @invariant()
    def drained_is_said_of_what_is_cordoned_and_empty_and_stays(self) -> None:
        before: dict[str, NodeState] = {}
        for status in self.world.history:
            states = self.rows(status)
            assert all(states[name] is NodeState.DRAINED for name, was in before.items() if was is NodeState.DRAINED)
            before = states

    @invariant()
    def what_is_said_to_be_back_is_back(self) -> None:
        status = self.world.status
        if not is_refused(status.phase) or why(status, ConditionType.ROLLED_BACK)[1] in GOING or status.effect is None:
            return
        restored = why(status, ConditionType.ROLLED_BACK)[0] == "True"
        cordoned = {cordon.before.uid: cordon.before for cordon in self.yard.cordons}
        for row in status.effect.nodes:
            found, before = self.yard.nodes.get(row.name), cordoned.get(row.uid)
            if row.state is NodeState.DRAINED or found is None or found.uid != row.uid:
                continue
            assert found.released_by != UID
            if before is None or row.uid in self.foreign:
                continue
            assert restored or self.foreign
            assert (found.unschedulable, set(found.taints)) == (before.unschedulable, set(before.taints))

    @invariant()
    def done_is_said_at_the_end_only(self) -> None:
        if not self.world.request.done:
            return
        status = self.world.status
        states = self.rows(status)
        ours = {name for name, lease in self.yard.leases.items() if lease.holder == UID}
        assert status.phase is Phase.RELEASED or why(status, ConditionType.ROLLED_BACK)[1] not in GOING
        assert all(states.get(name) is NodeState.DRAINED or name in self.orphaned for name in ours)
        for name, found in self.yard.nodes.items():
            assert states.get(name) is NodeState.DRAINED or found.request != MARK or name in self.orphaned

    def teardown(self) -> None:
        """Left in peace it ends: nothing waits for ever."""
        if not hasattr(self, "world"):
            return
        world = self.world
        world.wall, world.jammed, self.late = True, False, []
        for _ in range(120):
            if world.request.done:
                break
            for name in self.yard.nodes:
                self.yard.drop_pods(name)
            plan = world.step()
            if plan.recheck_at is not None and not plan.writes:
                world.now = max(world.now + timedelta(seconds=30), plan.recheck_at)  # or a blocked pod takes long
            self.never_more_nodes_than_may_are_at_work()
            self.what_was_there_before_is_recorded()
            self.done_is_said_at_the_end_only()
        assert world.request.done, world.status
        self.what_is_said_to_be_back_is_back()
        rest = world.plan()[1]
        assert rest == Plan(world.status), "a request that is done is left alone"
        assert not any(isinstance(write, CordonNode | EvictPods | CloseNode) for write in rest.writes)


TestDrainLife = DrainLife.TestCase
TestDrainLife.settings = settings(max_examples=int(os.environ.get("LIVES", "100")), stateful_step_count=40)
