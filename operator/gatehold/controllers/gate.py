"""The cycle of a Gate: can it be read, and can people be asked by its policy. It writes status only."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from gatehold.api import gate
from gatehold.api.common import ParseError, shortened, time
from gatehold.controllers.apply import merge_patch
from gatehold.controllers.policies import known_policy
from gatehold.controllers.price_table import PriceTables
from gatehold.domain.gate import (
    Readiness,
    WebhookState,
    argo_readiness,
    drains_readiness,
    left_out,
    pods_readiness,
    readiness,
    unreadable,
)
from gatehold.domain.model import GateType, Policy
from gatehold.domain.reasons import ConditionType
from gatehold.domain.status import Condition
from gatehold.kube.errors import Absent
from gatehold.kube.resources import GATES
from gatehold.runtime.parts import GATE, Key, Runtime

Body = dict[str, Any]
Webhook = Callable[[], tuple[WebhookState, str]]
"""What is known of the webhook for evictions, and why."""
_MOST_TEXT = 1024


class GateController:
    """Says on each Gate whether it is of use."""

    kind = GATE

    def __init__(self, runtime: Runtime, webhook: Webhook, prices: PriceTables) -> None:
        """Use the runtime's caches and account."""
        self._runtime = runtime
        self._webhook = webhook
        self._prices = prices

    async def reconcile(self, key: Key) -> datetime | None:
        """Write the status if it changed."""
        body = self._runtime.gates.by_uid(key.uid)
        if body is None:
            return None
        before = body.get("status") or {}
        found, generation = self._judged(body), int(body["metadata"].get("generation") or 0)
        ready = _condition(before, found, generation, self._runtime.clock.now())
        change = merge_patch(before, gate.render_status(generation, (ready,)))
        if change:
            patch = {"metadata": {"resourceVersion": body["metadata"]["resourceVersion"]}, "status": change}
            try:
                answer = await self._runtime.cluster.patch_status(GATES, None, key.name, patch)
            except Absent:
                return None
            self._runtime.gates.upsert(answer)
        return None

    def _judged(self, body: Body) -> Readiness:
        try:
            kind = gate.type_of(body)
            if kind in {*GateType} - {*self._runtime.settings.gates}:
                return left_out(kind)
            if kind == GateType.DRAINS:
                drains = gate.parse_drains(body)
                return drains_readiness(drains, *self._policy(drains.policy), *self._webhook())
            if kind == GateType.PODS:
                pods, prices = gate.parse_pods(body), self._prices
                return pods_readiness(pods, *self._policy(pods.policy), prices.flaw, missing=prices.missing)
            if kind == GateType.ARGO_ROLLOUTS:
                argo = gate.parse_argo(body)
                return argo_readiness(argo, *self._policy(argo.policy))
            name = gate.parse(body).policy
            return readiness(name, *self._policy(name))
        except ParseError as error:
            return unreadable(str(error))

    def _policy(self, name: str) -> tuple[Policy | None, str]:
        """The policy and what is wrong with it. Raises ParseError that names it."""
        try:
            return known_policy(self._runtime, name)
        except ParseError as error:
            raise ParseError(f"ApprovalPolicy {name}: {error}") from error


def _condition(before: Body, found: Readiness, generation: int, now: datetime) -> Condition:
    status = "True" if found.ready else "False"
    known = next((c for c in before.get("conditions") or () if c["type"] == ConditionType.READY), None)
    since = time(known["lastTransitionTime"]) if known is not None and known["status"] == status else now
    message = shortened(found.message, _MOST_TEXT)
    return Condition(ConditionType.READY, status, str(found.reason), message, since.replace(microsecond=0), generation)
