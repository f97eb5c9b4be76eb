"""Asking people: the ApprovalRequest of one question, with the evidence that the operator reads itself."""

import logging
import secrets
from collections.abc import Mapping
from typing import Any

from gatehold.api import promotion
from gatehold.api.approval_request import GATE_LABEL
from gatehold.controllers.asking import Asking, noted
from gatehold.controllers.rollouts.children import ChildReader, Parent
from gatehold.controllers.rollouts.revisions import Revisions
from gatehold.domain.rollout.model import Sight
from gatehold.domain.rollout.plan import Ask
from gatehold.domain.rollout.record import Track
from gatehold.kube.errors import AlreadyExists, Conflict, Invalid
from gatehold.kube.resources import REQUESTS
from gatehold.runtime.parts import Runtime

log = logging.getLogger(__name__)
Body = dict[str, Any]


class Questions:
    """Creates requests."""

    def __init__(self, runtime: Runtime, children: ChildReader, revisions: Revisions) -> None:
        """Use the runtime's account."""
        self._runtime = runtime
        self._children = children
        self._revisions = revisions
        self._asking = Asking(runtime)
        self._key = secrets.token_hex(16)  # what is masked in a request; compared within one request only

    async def ask(self, sight: Sight, body: Body, write: Ask) -> None:
        """Create the request, and have its own cycle prepare it. One that is there already was ours before a crash."""
        wanted = noted(promotion.request(body, write, await self._seen(sight, body), await self._asking.me()))
        namespace = sight.rollout.namespace
        try:
            answer = await self._runtime.cluster.create(REQUESTS, namespace, wanted)
        except AlreadyExists:
            answer = await self._runtime.cluster.get(REQUESTS, namespace, write.question.name)
            if not _is_same(answer, wanted):
                raise Conflict(f"ApprovalRequest {write.question.name} is about something else") from None
        self._asking.taken(answer)

    async def _seen(self, sight: Sight, body: Body) -> promotion.Seen:
        """What is shown: the template that stable runs, and how both children do."""
        rollout, stable = sight.rollout, sight.stable
        if stable is None or stable.owner != rollout.uid or not stable.template or sight.record.promoted is None:
            return promotion.Seen(canary=sight.canary, weight=sight.record.weight, key=self._key)
        looked = await self._children.looked_at(Parent(body, rollout, sight.record), Track.STABLE) or stable
        return promotion.Seen(
            former=await self._former(sight, body, stable.template),
            images=looked.images or (),
            stable=looked,
            canary=sight.canary,
            weight=sight.record.weight,
            key=self._key,
        )

    async def _former(self, sight: Sight, body: Body, digest: str) -> Mapping[str, Any] | None:
        try:
            return await self._revisions.template(sight.rollout, body, digest)
        except Invalid as error:
            log.warning("nothing to compare with: %s", error)
            return None


def _is_same(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Whether a request of that name is ours (nobody else sets that label) and asks what was about to be asked."""
    asks, would_ask = found["spec"], wanted["spec"]
    label = (found["metadata"].get("labels") or {}).get(GATE_LABEL)
    same = all(asks.get(part) == would_ask[part] for part in ("subject", "policyRef", "effect"))
    return same and label == wanted["metadata"]["labels"][GATE_LABEL]
