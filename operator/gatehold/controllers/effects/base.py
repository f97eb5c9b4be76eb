"""What the hands of every effect can do. Called by `gather` (reading) and `apply` (writing) only."""

from typing import Protocol

from gatehold.domain.model import Request
from gatehold.domain.plan import Facts, Write
from gatehold.domain.status import Resolved, Status


class EffectHands(Protocol):
    """Reading and writing the subjects of one effect. All raise the errors of gatehold.kube."""

    def knows(self, request: Request) -> bool:
        """Whether this module handles that kind of subject."""
        ...

    async def resolve(self, request: Request) -> tuple[Facts, Resolved]:
        """Read the subject from the API server itself, for the question that is about to be asked."""
        ...

    async def facts(self, request: Request, status: Status) -> Facts:
        """The subject as it is now; a cache will do, since every write is guarded."""
        ...

    async def write(self, request: Request, write: Write) -> None:
        """Carry out one planned write on the subject."""
        ...


class NoHands:
    """For effect None, effects of other versions and of Gates that are left out: nothing is read or written."""

    def knows(self, request: Request) -> bool:
        """Everything."""
        return True

    async def resolve(self, request: Request) -> tuple[Facts, Resolved]:
        """Nothing is read."""
        return Facts(), Resolved()

    async def facts(self, request: Request, status: Status) -> Facts:
        """Nothing is read."""
        return Facts()

    async def write(self, request: Request, write: Write) -> None:
        """Nothing can be planned for these."""
        raise TypeError(f"no hands for {type(write).__name__}")
