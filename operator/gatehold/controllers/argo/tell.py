"""Telling: Events on Argo Rollouts. Never in the way of a decision."""

from typing import Literal

from gatehold.domain.argo.decide import ArgoPlan
from gatehold.domain.argo.model import ArgoRollout
from gatehold.domain.reasons import Reason
from gatehold.kube.resources import ARGO_ROLLOUTS
from gatehold.runtime.parts import Runtime
from gatehold.telemetry.events import Event, Regarding

HELD = "PromotionHeld"
_MOST_TOLD = 20_000


class TellArgo:
    """Tells for the Argo Rollouts of one operator. Events have deterministic names, so what is told twice stands once."""

    def __init__(self, runtime: Runtime) -> None:
        """Use the runtime's recorder."""
        self._runtime = runtime
        self._told: dict[str, str] = {}

    def held(self, rollout: ArgoRollout, plan: ArgoPlan) -> None:
        """Tell why it waits, once for each reason: that people are asked, and how to answer, once they can.

        That is told by each process that finds it so: one that died after the question was opened left a hole.
        """
        if plan.asked:
            answer = f'kubectl annotate apr/{plan.asked} gatehold.dev/approve="why"'
            self._once(rollout, f"request {plan.asked} asks people about its pause; to answer: {answer}", "Normal")
        elif plan.held is not None and plan.held.reason is not Reason.AWAITING_APPROVAL:
            self._once(rollout, f"{plan.held.reason}: it stays at its pause: {plan.held.message}", "Warning")

    def _once(self, rollout: ArgoRollout, text: str, kind: Literal["Normal", "Warning"]) -> None:
        mark = f"{rollout.asks} {text}"
        if self._told.get(rollout.uid) == mark:
            return
        if len(self._told) > _MOST_TOLD:
            self._told.clear()
        self._told[rollout.uid] = mark
        self._event(rollout, text, kind)

    def _event(self, rollout: ArgoRollout, text: str, kind: Literal["Normal", "Warning"]) -> None:
        about = Regarding(ARGO_ROLLOUTS.api_version, ARGO_ROLLOUTS.kind, rollout.namespace, rollout.name, rollout.uid)
        self._runtime.events.record(Event(about, HELD, HELD, text, kind, f"{rollout.asks}/{text}"))
