"""The hands of effect Promote: they read the Rollout and never write it, since its own controller does."""

from dataclasses import replace
from typing import Any

from gatehold.api import rollout as wire
from gatehold.api.common import ParseError
from gatehold.api.digest import rollout_digest
from gatehold.api.rollout_status import parse_status
from gatehold.domain.effects import promote
from gatehold.domain.model import Request
from gatehold.domain.phases import Phase
from gatehold.domain.plan import Facts, RolloutFacts, Write
from gatehold.domain.status import EffectState, Resolved, Status
from gatehold.kube.errors import Absent
from gatehold.kube.resources import ROLLOUTS
from gatehold.runtime.parts import Runtime

Body = dict[str, Any]


class RolloutHands:
    """Reads Rollouts."""

    def __init__(self, runtime: Runtime) -> None:
        """Use the runtime's cache of Rollouts, and its account."""
        self._runtime = runtime

    def knows(self, request: Request) -> bool:
        """Rollouts only."""
        return request.subject is not None and request.subject.kind == ROLLOUTS.kind

    async def resolve(self, request: Request) -> tuple[Facts, Resolved]:
        """Read it live: template and steps as they stand, with the image ids that its record names for this question."""
        body = await self._live(request)
        if body is None:
            return Facts(), Resolved()
        try:
            asked, record = wire.parse(body), parse_status(body)
            seen = promote.facts(request, asked.uid, record, deleting=asked.deleting)
            images = seen.question.images if seen.question is not None else ()
            digest = rollout_digest(asked.uid, asked.template, asked.strategy, images)
        except ParseError as error:
            raise ParseError(f"Rollout {body['metadata']['name']}: {error}") from None
        return Facts(rollout=replace(seen, digest=digest)), Resolved(image_ids=images)

    async def facts(self, request: Request, status: Status) -> Facts:
        """The Rollout as cached; read live wherever a cache that lags behind would end the request."""
        subject = request.subject
        cached = self._runtime.rollouts.get(request.namespace, subject.name) if subject is not None else None
        seen = _seen(request, cached)
        if seen is None or not self._is_settled(request, status, seen):
            seen = _seen(request, await self._live(request))
        return Facts(rollout=seen)

    async def write(self, request: Request, write: Write) -> None:
        """Nothing can be planned for these."""
        raise TypeError(f"a Rollout has no write {type(write).__name__}")

    def _is_settled(self, request: Request, status: Status, seen: RolloutFacts) -> bool:
        """Whether what the cache says is enough.

        A Rollout's record is written before its question is asked, so one that does not name the request is an old one, or
        the question does not stand any more. And what is about to lapse may have been used a moment ago.
        """
        same = request.subject is not None and seen.uid == request.subject.uid
        waits = status.phase is Phase.APPROVED and status.effect is not None and status.effect.state is EffectState.WAITING
        over = status.valid_until is not None and self._runtime.clock.now() >= status.valid_until
        return same and (bool(seen.unread) or seen.knows_it) and not (waits and over and not seen.passed)

    async def _live(self, request: Request) -> Body | None:
        if request.subject is None:
            return None
        try:
            return await self._runtime.cluster.get(ROLLOUTS, request.namespace, request.subject.name)
        except Absent:
            return None


def _seen(request: Request, body: Body | None) -> RolloutFacts | None:
    """What the record says about the request. One that cannot be read holds: nothing passes, and nothing ends by it."""
    if body is None:
        return None
    meta = body["metadata"]
    uid, deleting = str(meta["uid"]), bool(meta.get("deletionTimestamp"))
    try:
        return promote.facts(request, uid, parse_status(body), deleting=deleting)
    except ParseError as error:
        return RolloutFacts(str(meta["name"]), uid, deleting=deleting, unread=str(error))
