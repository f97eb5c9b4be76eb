"""The decision about one Argo Rollout: whether people are asked, and why it waits. Total and deterministic.

Its requests carry out what was decided, see gatehold.domain.effects.promote_argo; here nothing is let go.
"""

from dataclasses import dataclass

from gatehold.domain.argo.model import ArgoQuestion, ArgoRollout, ArgoSight
from gatehold.domain.model import EffectType, Policy, UnknownRequester
from gatehold.domain.phases import Phase
from gatehold.domain.plan import Finding
from gatehold.domain.reasons import Reason

_MOST_NAME = 30
_ANSWERED = frozenset(Phase) - {Phase.SUPERSEDED}
"""A question that was superseded is asked anew where its pause is still there; every other one is answered, or will be."""


@dataclass(frozen=True, slots=True)
class ArgoPlan:
    """What to ask, and why the Rollout waits; both None where it waits for nobody.

    `asked` is the question that people can answer now, empty where there is none.
    """

    ask: ArgoQuestion | None = None
    held: Finding | None = None
    asked: str = ""


def decide_argo(sight: ArgoSight) -> ArgoPlan:
    """Ask about the pause at which the Rollout stands, once."""
    rollout = sight.rollout
    if rollout is None or rollout.deleting or not rollout.asks or not sight.label:
        return ArgoPlan()
    open_one = next((a for a in sight.asked if a.digest == rollout.asks and a.phase in _ANSWERED), None)
    if open_one is not None:
        answerable = open_one.prepared and open_one.phase is Phase.PENDING
        held = Finding(Reason.AWAITING_APPROVAL, f"request {open_one.name} asks people")
        return ArgoPlan(held=held, asked=open_one.name if answerable else "")
    if sight.gate is None:
        return ArgoPlan(held=Finding(Reason.GATE_NOT_FOUND, sight.why))
    if not rollout.observed:
        return ArgoPlan()
    return ArgoPlan(ask=ArgoQuestion(request_name(rollout, 0), sight.gate, rollout))


def request_name(rollout: ArgoRollout, number: int) -> str:
    """The name of the `number`th question at that place of that revision: on every replica the same, so twice is once."""
    place = rollout.step if rollout.step is not None else "switch"
    return f"{rollout.name[:_MOST_NAME].rstrip('-.')}-{rollout.pod_hash[:10]}-{place}-a{number}"


def why_unasked(policy: Policy | None, flaw: str, name: str, timeout_seconds: int | None) -> str:
    """Why nobody can be asked about Argo Rollouts by that policy, or nothing: what is asked all the same would fail."""
    if policy is None:
        return f"ApprovalPolicy {name} does not exist"
    if flaw:
        return f"ApprovalPolicy {name} is of no use: {flaw}"
    if EffectType.PROMOTE not in policy.effects:
        return f"ApprovalPolicy {name} does not list effect {EffectType.PROMOTE}"
    if policy.on_unknown_requester is UnknownRequester.REFUSE:
        return f"ApprovalPolicy {name} takes requests of known people only, and nobody knows who changed an Argo Rollout"
    if timeout_seconds is not None and policy.timeout_max is not None and timeout_seconds > policy.timeout_max:
        return f"ApprovalPolicy {name} allows at most {policy.timeout_max} s, and the gate asks for {timeout_seconds}"
    return ""
