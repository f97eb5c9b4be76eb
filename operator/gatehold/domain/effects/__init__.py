"""The effects: one module each, with the same verbs. A new effect is a new module and one row in EFFECTS."""

from gatehold.domain.effects.base import EffectRules
from gatehold.domain.effects.drain import DrainRules
from gatehold.domain.effects.left_out import LeftOut
from gatehold.domain.effects.none import NoEffect
from gatehold.domain.effects.promote import PromoteRules
from gatehold.domain.effects.promote_argo import PromoteArgoRules
from gatehold.domain.effects.release_job import ReleaseJobRules
from gatehold.domain.effects.release_node import ReleaseNodeRules
from gatehold.domain.effects.release_pods import ReleasePodsRules
from gatehold.domain.effects.unsupported import Unsupported
from gatehold.domain.model import EffectType, Request
from gatehold.domain.plan import Observed

__all__ = ["EffectRules", "rules_for", "rules_now"]

EFFECTS: dict[EffectType, tuple[EffectRules, ...]] = {
    EffectType.NONE: (NoEffect(),),
    EffectType.PROMOTE: (PromoteRules(), PromoteArgoRules()),
    EffectType.DRAIN: (DrainRules(),),
    EffectType.RELEASE: (
        ReleasePodsRules(),
        ReleaseJobRules(),
        ReleaseNodeRules(),
    ),  # by who asks, and the kind of the subject
}


def rules_for(request: Request) -> EffectRules | None:
    """The rules of the request's effect on its subject, or None where this version cannot carry it out."""
    return next((rules for rules in EFFECTS.get(request.effect.type, ()) if rules.supports(request)), None)


def rules_now(observed: Observed) -> EffectRules:
    """The rules by which a request that waits, runs or is over goes on in this installation, by this version."""
    if observed.left_out:
        return LeftOut()
    return rules_for(observed.request) or Unsupported()
