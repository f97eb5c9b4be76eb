"""The hands of the effects: what reads and writes subjects. One module each; a new effect is a module and a row here.

What is to be done is decided in gatehold.domain.effects; nothing here decides.
"""

from gatehold.controllers.argo.gather import ArgoGather
from gatehold.controllers.effects.base import EffectHands, NoHands
from gatehold.controllers.effects.drain import DrainHands
from gatehold.controllers.effects.promote import RolloutHands
from gatehold.controllers.effects.promote_argo import ArgoHands
from gatehold.controllers.effects.release_job import JobHands
from gatehold.controllers.effects.release_node import NodeHands
from gatehold.controllers.effects.release_pods import PodsHands
from gatehold.controllers.provision.gather import Gather as Sights
from gatehold.controllers.provision.hands import ProvisionHands
from gatehold.domain.effects import rules_for
from gatehold.domain.model import EffectType, GateType, Request
from gatehold.runtime.parts import Runtime

__all__ = ["Hands"]


class Hands:
    """Finds the hands of a request's effect."""

    def __init__(self, runtime: Runtime, sights: Sights, provision: ProvisionHands, argo: ArgoGather) -> None:
        """Make each pair of hands once; what reads pods and Argo Rollouts is shared with their own cycles."""
        self._gates = runtime.settings.gates
        self._none = NoHands()
        self._by_type: dict[EffectType, tuple[EffectHands, ...]] = {
            EffectType.DRAIN: (DrainHands(runtime),),
            EffectType.PROMOTE: (ArgoHands(runtime, argo), RolloutHands(runtime)),
            EffectType.RELEASE: (PodsHands(sights, provision), JobHands(runtime), NodeHands(runtime)),
        }

    def left_out(self, request: Request) -> GateType | None:
        """The type of Gates that its effect belongs to, where this installation leaves that out."""
        rules = rules_for(request)
        return rules.gate if rules is not None and rules.gate not in (None, *self._gates) else None

    def of(self, request: Request) -> EffectHands:
        """The hands for this request; of an effect that this version does not know, or leaves out, they touch nothing."""
        if self.left_out(request):
            return self._none
        known = self._by_type.get(request.effect.type, ())
        return next((hands for hands in known if hands.knows(request)), self._none)
