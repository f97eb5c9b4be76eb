"""What the state of the wall is read from and written to; `wall` asks, `probe` answers."""

import hashlib
from collections.abc import Callable
from typing import Final, Protocol

from gatehold.admission.proof import Head, Proof
from gatehold.controllers.standing import Trust

GUARDS: Final = frozenset(
    f"{kind}/gatehold-requests" for kind in ("ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding")
)
"""What stands between a person and a verdict in another's name."""
OPEN: Final = ""
"""What is remembered while the wall does not stand, or while what was said meanwhile is not recorded yet."""
Identity = frozenset[Head]


class WallAccess(Protocol):
    """What the wall needs beyond the proof's own access. All but `settled` raise ApiError."""

    async def guards(self) -> Identity:
        """Read the objects named in GUARDS from the API server itself."""
        ...

    async def catch_up(self) -> bool:
        """Take in every request as it stands now; answers whether that was all."""
        ...

    async def recall(self) -> str:
        """Read the fingerprint of the last proven wall, which outlives the process; OPEN where there is none."""
        ...

    async def remember(self, fingerprint: str) -> bool:
        """Write it, if this process may; answers whether it did."""
        ...

    async def settled(self, trust: Callable[[float], Trust]) -> bool:
        """Whether every verdict that is unproven by `trust` stands in a status as such."""
        ...


def fingerprint(proof: Proof) -> str:
    """A short text that is equal exactly for the same objects at the same generations."""
    return hashlib.sha256(repr(proof.identity).encode()).hexdigest()[:32]
