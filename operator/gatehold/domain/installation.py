"""Where Gatehold itself stands, and by which names: as in its manifests, and as the texts of the wall know it. Pure."""

from typing import Final

NAMESPACE: Final = "gatehold-system"
"""The operator's own: its account, its Lease, its Secrets, its questions about nodes, the price table."""

OPERATOR: Final = "gatehold"
"""The operator's service account."""

PROBE: Final = "gatehold-probe"
"""The account that tries forgeries, the one request that it may patch, and the policy of that; no figure counts them."""


def user_of(account: str) -> str:
    """The user name of one of its service accounts."""
    return f"system:serviceaccount:{NAMESPACE}:{account}"
