"""Telling: Events on Argo Rollouts. Never in the way of a decision."""

from typing import Literal

from gatehold.domain.argo.model import ArgoRollout
from gatehold.domain.plan import Finding
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

    def asked(self, rollout: ArgoRollout, request: str) -> None:
        """Tell who waits for what, and how to answer."""
        answer = f'kubectl annotate apr/{request} gatehold.dev/approve="why"'
        self._event(rollout, f"request {request} asks people about its pause; to answer: {answer}", "Normal")

    def held(self, rollout: ArgoRollout, held: Finding | None) -> None:
        """Tell why nobody is asked, once for each reason."""
        if held is None or held.reason is Reason.AWAITING_APPROVAL:
            return
        mark = f"{rollout.asks} {held.message}"
        if self._told.get(rollout.uid) == mark:
            return
        if len(self._told) > _MOST_TOLD:
            self._told.clear()
        self._told[rollout.uid] = mark
        self._event(rollout, f"{held.reason}: it stays at its pause: {held.message}", "Warning")

    def _event(self, rollout: ArgoRollout, text: str, kind: Literal["Normal", "Warning"]) -> None:
        about = Regarding(ARGO_ROLLOUTS.api_version, ARGO_ROLLOUTS.kind, rollout.namespace, rollout.name, rollout.uid)
        self._runtime.events.record(Event(about, HELD, HELD, text, kind, f"{rollout.asks}/{text}"))
