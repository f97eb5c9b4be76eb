"""The policy that a Gate names, from the runtime's cache. For the cycles of Gates and of what is behind them."""

from gatehold.api import approval_policy
from gatehold.domain.model import Policy
from gatehold.domain.tiers import policy_flaw
from gatehold.runtime.parts import Runtime


def known_policy(runtime: Runtime, name: str) -> tuple[Policy | None, str]:
    """The policy that a Gate names, None where there is none, and what is wrong with it. Raises ParseError."""
    body = runtime.policies.get("", name)
    if body is None:
        return None, ""
    parsed = approval_policy.parse(body)
    return parsed, policy_flaw(parsed)
