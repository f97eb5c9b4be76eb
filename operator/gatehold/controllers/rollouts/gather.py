"""Gather: everything that `decide_rollout` may look at, as one Sight."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from gatehold.api import approval_policy, gate
from gatehold.api.approval_request import GATE_LABEL, parse
from gatehold.api.common import ParseError
from gatehold.api.digest import rollout_digest
from gatehold.api.request_status import parse_status
from gatehold.api.rollout import ROLLOUT_LABEL
from gatehold.api.rollout import parse as parse_rollout
from gatehold.api.rollout_status import parse_status as parse_record
from gatehold.controllers.rollouts.children import ChildReader, Children, Parent
from gatehold.controllers.rollouts.revisions import Revisions
from gatehold.controllers.wall import Wall
from gatehold.domain.phases import Phase
from gatehold.domain.rollout.course import is_overdue
from gatehold.domain.rollout.model import Approval, GateFacts, QuestionFacts, Refusal, Revision, Rollout, Sight, UnknownGate
from gatehold.domain.rollout.record import Run, Stage
from gatehold.kube.errors import Absent
from gatehold.kube.resources import REQUESTS, ROLLOUTS
from gatehold.runtime.parts import Runtime

Body = dict[str, Any]
IsGenuine = Callable[[Body], Awaitable[bool]]


@dataclass(frozen=True, slots=True)
class Seen:
    """A Sight, and whether time has to bring the next one, since nothing will tell of what it waits for.

    `genuine`: every yes that may be used now met the wall, as far as anybody can tell.
    """

    sight: Sight
    look_again: bool = False
    genuine: bool = True


class Gather:
    """Reads for the Rollouts of one operator."""

    def __init__(
        self, runtime: Runtime, wall: Wall, is_genuine: IsGenuine, children: ChildReader, revisions: Revisions
    ) -> None:
        """Use the runtime's caches and account; ask of requests what `is_genuine` knows."""
        self._runtime = runtime
        self._wall = wall
        self._is_genuine = is_genuine
        self._children = children
        self._revisions = revisions

    async def observe(self, body: Body, refusal: Refusal | None = None) -> Seen:
        """What stands and what is so. Raises ParseError and the errors of gatehold.kube."""
        rollout, record = parse_rollout(body), parse_record(body)
        questions = await self._questions(rollout, record.run)
        late = is_overdue(record, rollout, self._runtime.clock.now())
        parent = Parent(body, rollout, record, pressing=late, overdue=late)
        children, revisions, genuine = await self._belongings(parent, questions)
        gates = self.gate(rollout.namespace)
        images = children.canary.images if children.canary is not None else None
        sight = Sight(
            rollout=rollout,
            record=record,
            stable=children.stable,
            canary=children.canary,
            gate=gates,
            questions=questions,
            revisions=revisions,
            digest="" if images is None else _digest(rollout, images),
            bare_digest=_digest(rollout, ()),
            crowded=self._crowded(rollout, gates),
            wall_proven=genuine and self._wall.proven(),
            refusal=refusal,
        )
        return Seen(sight, children.look_again, genuine)

    def gate(self, namespace: str) -> GateFacts | UnknownGate | None:
        """The Gate that the namespace names, by the caches."""
        named = self._runtime.namespaces.named("", namespace)
        if named is None:
            return None
        body = self._runtime.gates.get("", named.note)
        if body is None:
            return UnknownGate(named.note, f"there is no Gate {named.note}" if named.note else "its label names no Gate")
        try:
            return gate.parse(body)
        except ParseError as error:
            return UnknownGate(named.note, f"Gate {named.note} is of no use here: {error}")

    async def _belongings(
        self, parent: Parent, questions: tuple[QuestionFacts, ...]
    ) -> tuple[Children, tuple[Revision, ...], bool]:
        """Both children and the templates. Where a yes is about to be used people wait: it is looked at beside them."""
        run, rollout = parent.record.run, parent.rollout
        unused = _unused(run, questions)
        if not unused:
            at_work = run is not None and run.stage is not Stage.CANARY
            return await self._children.of(parent), await self._revisions.of(rollout, pressing=at_work), True
        reading = self._children.of(replace(parent, pressing=True)), self._revisions.of(rollout, pressing=True)
        return await asyncio.gather(*reading, self._may_use(unused))

    async def _may_use(self, unused: tuple[QuestionFacts, ...]) -> bool:
        """Whether these met the wall. A request's status may say Approved before that is known; see `gather._settled`."""
        await self._wall.prove()  # a new one is a look, too
        bodies = [self._runtime.requests.body(question.uid) for question in unused]
        found = [body is not None and await self._is_genuine(body) for body in bodies]
        return all(found)

    async def _questions(self, rollout: Rollout, run: Run | None) -> tuple[QuestionFacts, ...]:
        """The requests about it. One that the record names and the cache lacks may be over: that is looked up."""
        subject = (ROLLOUTS.api_version, ROLLOUTS.kind, rollout.namespace, rollout.name)
        records = self._runtime.requests.by_subject(subject)
        bodies = [body for record in records if (body := self._runtime.requests.body(record.uid)) is not None]
        known = {str(body["metadata"]["name"]) for body in bodies}
        for question in run.questions if run is not None else ():
            if question.name not in known:
                bodies += await self._request(rollout.namespace, question.name)
        asked = {question.name for question in run.questions} if run is not None else set()
        return tuple(facts for body in bodies if (facts := _question(rollout, body) or _taken(asked, body)) is not None)

    async def _request(self, namespace: str, name: str) -> list[Body]:
        try:
            return [await self._runtime.cluster.get(REQUESTS, namespace, name)]
        except Absent:
            return []

    def _crowded(self, rollout: Rollout, gates: GateFacts | UnknownGate | None) -> frozenset[str]:
        """The policies that it may have to ask by, and under which no more questions fit."""
        policies = {step.policy for step in rollout.steps if isinstance(step, Approval)}
        policies |= {gates.policy} if isinstance(gates, GateFacts) else set()
        return frozenset(policy for policy in policies if self._is_full(policy))

    def _is_full(self, policy: str) -> bool:
        waiting = self._runtime.requests.pending_of_policy(policy)
        return waiting > 0 and waiting >= self._most(policy)

    def _most(self, policy: str) -> int:
        body, default = self._runtime.policies.get("", policy), self._runtime.settings.max_pending_per_policy
        try:
            most = approval_policy.parse(body).max_pending if body is not None else None
        except ParseError:
            return default
        return default if most is None else most


def _unused(run: Run | None, questions: tuple[QuestionFacts, ...]) -> tuple[QuestionFacts, ...]:
    """The requests that are approved, and whose yes was not used yet."""
    names = {question.name for question in run.questions if not question.passed} if run is not None else set()
    return tuple(question for question in questions if question.phase is Phase.APPROVED and question.name in names)


def _digest(rollout: Rollout, images: tuple[str, ...]) -> str:
    return rollout_digest(rollout.uid, rollout.template, rollout.strategy, images)


def _taken(asked: set[str], body: Mapping[str, Any]) -> QuestionFacts | None:
    """A request that somebody else made under the name of a question: it says nothing, and the question needs another."""
    name, labels = str(body["metadata"]["name"]), body["metadata"].get("labels") or {}
    if name not in asked or labels.get(GATE_LABEL):
        return None
    return QuestionFacts(name=name, uid=str(body["metadata"]["uid"]), policy="", digest="")


def _question(rollout: Rollout, body: Mapping[str, Any]) -> QuestionFacts | None:
    """A request that the operator itself made about this very Rollout; what else there is, is not ours to go by."""
    labels = body["metadata"].get("labels") or {}
    if labels.get(ROLLOUT_LABEL) != rollout.name or not labels.get(GATE_LABEL):
        return None
    try:
        request, status = parse(body), parse_status(body)
    except ParseError:
        return None
    if request.subject is None or request.subject.uid != rollout.uid:
        return None
    decision = status.decision
    return QuestionFacts(
        name=request.name,
        uid=request.uid,
        policy=request.policy,
        digest=request.subject.digest,
        phase=status.phase,
        deadline=status.deadline,
        valid_until=status.valid_until,
        reason=str(decision.reason) if decision is not None else "",
        message=decision.message if decision is not None else "",
        done=request.done,
    )
