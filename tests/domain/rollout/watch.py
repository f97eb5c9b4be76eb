"""What must hold of every write about a Rollout, whatever happens. Called by World as it carries plans out."""

from typing import TYPE_CHECKING

from gatehold.domain.phases import Phase
from gatehold.domain.plan import Proof
from gatehold.domain.rollout.model import Approval, GateFacts, SetWeight
from gatehold.domain.rollout.needs import SHOWN
from gatehold.domain.rollout.plan import RolloutPlan
from gatehold.domain.rollout.record import Record, Stage, Track
from gatehold.domain.rollout.writes import PutChild

if TYPE_CHECKING:
    from tests.domain.rollout.world import World


def passes_only_what_was_approved(world: "World", before: Record, after: Record, plan: RolloutPlan) -> None:
    known = {q.name for q in before.run.questions if q.passed} if before.run is not None else set()
    for question in after.run.questions if after.run is not None else ():
        if question.passed and question.name not in known:
            facts = world.requests[question.name]
            assert facts.phase is Phase.APPROVED
            assert question.name in world.approved
            assert facts.valid_until is not None
            assert world.now < facts.valid_until
            assert facts.digest == question.digest
            assert world.wall
            assert plan.proof is Proof.BEFORE_STATUS or after.run.stage is Stage.UNDOING
            assert question.digest == world.digest(after.run.target.template, after.run.target.strategy, question.images)


def promotes_only_what_was_approved(world: "World", write: PutChild, plan: RolloutPlan) -> None:
    """Stable gets another template only in a promotion that everybody said yes to."""
    record, run = world.record, world.record.run
    here = world.children.get(Track.STABLE)
    if write.track is not Track.STABLE or (
        record.promoted is not None and write.wanted.template == record.promoted.template
    ):
        return
    again = any(isinstance(w, PutChild) and w.wanted.template == write.wanted.template for w in world.log[:-1])
    if (here is not None and here.template == write.wanted.template) or (again and record.promoted is None):
        return
    assert run is not None
    assert run.stage is Stage.PROMOTING
    assert write.wanted.template == run.target.template
    needed = {step.policy for step in world.rollout.steps if isinstance(step, Approval) and not run.first}
    if world.rollout.target != run.target:
        needed = set()  # the spec went on since; they were checked when the promotion began
    assert needed <= {q.policy for q in run.questions if q.passed}
    if (run.questions or not run.first) and not again:
        assert world.wall
        assert plan.proof is not Proof.NONE


def keeps_to_the_weight(world: "World", write: PutChild) -> None:
    """The canary grows to the share in force, or by one pod."""
    run, here = world.record.run, world.children.get(Track.CANARY)
    size = max(here.replicas, len(here.pods)) if here is not None else 0  # scaled by hand a moment ago: no new pods
    if write.track is not Track.CANARY or write.wanted.replicas <= max(size, 1):
        return
    assert run is not None
    assert run.stage is not Stage.UNDOING
    stable = world.children[Track.STABLE].replicas
    assert write.wanted.replicas * 100 <= run.weight * (write.wanted.replicas + stable)
    if isinstance(world.gate, GateFacts) and not any(q.passed and q.policy == world.gate.policy for q in run.questions):
        assert run.weight <= world.gate.max_weight or run.stage is Stage.PROMOTING
    asked = max((step.weight for step in world.rollout.steps if isinstance(step, SetWeight)), default=0)
    assert run.weight <= max(asked, SHOWN) or world.rollout.target != run.target
