"""The effects: one module each, with the same verbs. A new effect is a new module and one row in EFFECTS."""

from gatehold.domain.effects.base import EffectRules
from gatehold.domain.effects.none import NoEffect
from gatehold.domain.effects.promote import PromoteRules
from gatehold.domain.effects.release_job import ReleaseJobRules
from gatehold.domain.model import EffectType, Request

__all__ = ["EffectRules", "rules_for"]

EFFECTS: dict[EffectType, EffectRules] = {
    EffectType.NONE: NoEffect(),
    EffectType.PROMOTE: PromoteRules(),
    EffectType.RELEASE: ReleaseJobRules(),
}


def rules_for(request: Request) -> EffectRules | None:
    """The rules of the request's effect, or None where this version cannot carry it out."""
    rules = EFFECTS.get(request.effect.type)
    return rules if rules is not None and rules.supports(request) else None
