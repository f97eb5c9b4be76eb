"""A toy world: a request, two Jobs, a Rollout or nodes, an API server with resourceVersions. Plans are applied to it."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from gatehold.domain.decide import decide
from gatehold.domain.model import EffectType, Policy, Request, Verdict
from gatehold.domain.nodes import DrainFacts, NodeFacts
from gatehold.domain.plan import (
    CloseJob,
    DropFinalizer,
    Facts,
    JobFacts,
    MarkDone,
    NoteRequest,
    Observed,
    Plan,
    Refusal,
    ReleaseJob,
    RolloutFacts,
    SuspendJob,
    Write,
)
from gatehold.domain.status import Resolved, Status
from tests.builders import facts
from tests.domain.node_world import Nodes
from tests.domain.wall import objections


@dataclass
class World:
    """Everything that the API server knows. `log` holds the releases that landed: Job uid and the status of that moment."""

    request: Request
    now: datetime
    jobs: dict[str, JobFacts]
    policy: Policy | None
    resolved: Resolved | None
    digest: str
    status: Status = field(default_factory=Status)
    verdicts: tuple[Verdict, ...] = ()
    first_seen: dict[int, datetime] = field(default_factory=dict)
    unproven: set[int] = field(default_factory=set)
    pods: int = 0
    undo_pods: int = 0
    wall: bool = True
    granted: bool = False
    jammed: bool = False
    rollout: RolloutFacts | None = None
    yard: Nodes | None = None
    version: int = 100
    history: list[Status] = field(default_factory=list)
    log: list[tuple[str, Status]] = field(default_factory=list)

    @classmethod
    def of(cls, observed: Observed, now: datetime) -> "World":
        """The world in which exactly that is observed."""
        found = (observed.facts.job, observed.facts.undo)
        return cls(
            request=observed.request,
            now=now,
            jobs={job.name: job for job in found if job is not None},
            policy=observed.policy,
            resolved=observed.resolved,
            digest=observed.request_digest,
            status=observed.status,
            verdicts=observed.verdicts,
            first_seen=dict(observed.first_seen),
            unproven=set(observed.unproven),
            pods=len(observed.facts.pods or ()),
            undo_pods=len(observed.facts.undo_pods or ()),
            rollout=observed.facts.rollout,
            yard=yard_of(observed),
            wall=observed.wall_proven,
            granted=observed.auto_approve_granted,
        )

    def observe(self) -> Observed:
        """What the operator gathers now."""
        return Observed(
            request=self.request,
            status=self.status,
            verdicts=self.verdicts,
            first_seen=dict(self.first_seen),
            unproven=frozenset(self.unproven),
            wall_proven=self.wall,
            policy=self.policy,
            auto_approve_granted=self.granted,
            facts=replace(self._jobs(), rollout=self.rollout, drain=self._drain(), node=self._node()),
            resolved=self.resolved,
            request_digest=self.digest,
        )

    def _drain(self) -> DrainFacts | None:
        return self.yard.facts() if self.yard is not None and self.request.effect.type is EffectType.DRAIN else None

    def _node(self) -> NodeFacts | None:
        subject = self.request.subject
        return self.yard.nodes.get(subject.name) if self.yard is not None and subject is not None else None

    def _jobs(self) -> Facts:
        subject, undo = self.request.subject, self.request.effect.undo
        return facts(
            self.jobs.get(subject.name) if subject is not None else None,
            self.jobs.get(undo.name) if undo is not None else None,
            self.pods,
            self.undo_pods,
        )

    def plan(self) -> tuple[Observed, Plan]:
        """One decision on what is there."""
        observed = self.observe()
        return observed, decide(observed, self.now)

    def write_status(self, observed: Observed, plan: Plan) -> bool:
        """The status write: it lands only on the status and the annotations that were read, and only within the wall."""
        if observed.status != self.status or observed.verdicts != self.verdicts:
            return False
        broken = objections(self.status, plan.status, observed)
        assert not broken, broken
        if plan.status != self.status:
            self.status = plan.status
            self.history.append(plan.status)
        return True

    def write(self, write: Write) -> bool:
        """One write to a target; False is a conflict."""
        match write:
            case NoteRequest():
                self.request = replace(self.request, noted=True)
            case MarkDone():
                self.request = replace(self.request, done=True)
            case ReleaseJob(job):
                return self._release(job)
            case SuspendJob(job):
                return self.patch(job, suspended=True)
            case CloseJob(job):
                return self.patch(job, closed_by=self.request.uid)
            case DropFinalizer(job):
                return self._drop_finalizer(job)
            case _:
                assert self.yard is not None
                return self.yard.write(write, self.now, self.status)
        return True

    def step(self) -> Plan:
        """One whole turn: observe, decide, apply."""
        observed, plan = self.plan()
        if self.write_status(observed, plan):
            all(self._try(write) for write in plan.writes)  # in order, and none after one that failed
        return plan

    def _try(self, write: Write) -> bool:
        """A write, which the platform's own admission may refuse; then the request says so."""
        if not self.jammed or isinstance(write, NoteRequest | MarkDone):
            return self.write(write)
        observed = replace(self.observe(), refusal=Refusal(write, "jammed"))
        plan = decide(observed, self.now)
        assert write not in plan.writes
        self.write_status(observed, plan)
        return False

    def settle(self, limit: int = 12) -> Plan:
        """Turns at one instant until nothing is left to write. Fails where that never comes."""
        for _ in range(limit):
            before = self._snapshot()
            plan = self.step()
            if self._snapshot() == before:
                return plan
        raise AssertionError(f"it never comes to rest: {plan}")

    def _snapshot(self) -> tuple[object, ...]:
        return (self.status, dict(self.jobs), self.request, self.yard.snapshot() if self.yard is not None else None)

    def later(self, seconds: float) -> None:
        """Time passes."""
        self.now += timedelta(seconds=seconds)

    def patch(self, job: JobFacts, **changes: object) -> bool:
        """A write to a Job with its uid and resourceVersion as precondition."""
        found = self.jobs.get(job.name)
        if found is None or (found.uid, found.resource_version) != (job.uid, job.resource_version):
            return False
        self.version += 1
        self.jobs[job.name] = replace(found, **{"resource_version": str(self.version)} | changes)
        return True

    def _release(self, job: JobFacts) -> bool:
        landed = self.patch(job, suspended=False, released_by=self.request.uid, has_finalizer=not job.deleting)
        if landed:
            self.log.append((job.uid, self.status))
        return landed

    def _drop_finalizer(self, job: JobFacts) -> bool:
        landed = self.patch(job, has_finalizer=False)
        if landed and job.deleting:
            del self.jobs[job.name]
        return landed


def yard_of(observed: Observed) -> Nodes | None:
    """The nodes in the world in which exactly that is observed; what was blocked stays so."""
    drain, node, request = observed.facts.drain, observed.facts.node, observed.request
    if drain is None and node is None:
        return None
    nodes = drain.nodes if drain is not None else (node,) if node is not None else ()
    yard = Nodes(request.uid, f"{request.namespace}/{request.name}")
    yard.nodes = {found.name: found for found in nodes}
    yard.leases = {lease.node: lease for lease in (drain.leases if drain is not None else ())}
    pods = [pod for found in nodes for pod in found.pods or ()]
    yard.blocks = {pod.uid: pod.blocked.kind for pod in pods if pod.blocked is not None}
    return yard
