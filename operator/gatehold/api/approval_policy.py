"""ApprovalPolicy from the wire, and its status back."""

from gatehold.api.common import Body, Wire, amount, read, word
from gatehold.api.digest import policy_digest
from gatehold.domain.model import EffectType, EscalationRule, Policy, QuorumEntry, Tier, UnknownRequester


class _Quorum(Wire):
    role: str
    count: int = 1
    backups: list[str] = []


class _Timeout(Wire):
    default: int | None = None
    max: int | None = None


class _Escalation(Wire):
    after_seconds: int
    roles: list[str]


class _When(Wire):
    effects: list[str] = []
    namespaces: list[str] = []
    max_price: str | None = None


class _AtLeast(Wire):
    risk: int | None = None
    cost: str | None = None


class _Tier(Wire):
    name: str
    when: _When | None = None
    at_least: _AtLeast | None = None
    quorum: list[_Quorum] = []
    auto_approve: bool = False


class _Spec(Wire):
    quorum: list[_Quorum] = []
    effects: list[str] = []
    timeout_seconds: _Timeout | None = None
    validity_seconds: int | None = None
    retention_seconds: int | None = None
    escalation: list[_Escalation] = []
    max_pending: int | None = None
    on_unknown_requester: str = UnknownRequester.REQUIRE_EXTRA_REVIEWER
    tiers: list[_Tier] = []


class _Metadata(Wire):
    name: str
    uid: str = ""
    generation: int = 0


def parse(body: Body) -> Policy:
    """The policy as a value, with the digest of its spec. Raises ParseError."""
    meta = read(_Metadata, body.get("metadata"), "metadata")
    spec = read(_Spec, body.get("spec"), "spec")
    timeout = spec.timeout_seconds or _Timeout()
    return Policy(
        name=meta.name,
        uid=meta.uid,
        generation=meta.generation,
        digest=policy_digest(body["spec"]),
        quorum=_quorum(spec.quorum),
        effects=_effects(spec.effects, "spec.effects") or (EffectType.NONE,),
        timeout_default=timeout.default,
        timeout_max=timeout.max,
        validity_seconds=spec.validity_seconds,
        retention_seconds=spec.retention_seconds,
        escalation=tuple(EscalationRule(e.after_seconds, tuple(e.roles)) for e in spec.escalation),
        max_pending=spec.max_pending,
        on_unknown_requester=word(UnknownRequester, spec.on_unknown_requester, "spec.onUnknownRequester"),
        tiers=tuple(_tier(t, f"spec.tiers.{number}") for number, t in enumerate(spec.tiers)),
    )


def _quorum(wire: list[_Quorum]) -> tuple[QuorumEntry, ...]:
    return tuple(QuorumEntry(q.role, q.count, tuple(q.backups)) for q in wire)


def _effects(wire: list[str], where: str) -> tuple[EffectType, ...]:
    return tuple(word(EffectType, effect, f"{where}.{number}") for number, effect in enumerate(wire))


def _tier(wire: _Tier, where: str) -> Tier:
    when, least = wire.when or _When(), wire.at_least or _AtLeast()
    return Tier(
        name=wire.name,
        effects=_effects(when.effects, f"{where}.when.effects"),
        namespaces=tuple(when.namespaces),
        max_price=amount(when.max_price, f"{where}.when.maxPrice"),
        at_least_risk=least.risk,
        at_least_cost=amount(least.cost, f"{where}.atLeast.cost"),
        quorum=_quorum(wire.quorum),
        auto_approve=wire.auto_approve,
    )
