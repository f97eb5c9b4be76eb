"""The hands of effect Release on the pods of an owner: they see what the cycle of that owner sees, and write as it does."""

from gatehold.controllers.provision.gather import Gather
from gatehold.controllers.provision.hands import ProvisionHands
from gatehold.domain.model import Request
from gatehold.domain.plan import Facts, Write
from gatehold.domain.provision.model import DeleteOwner, LetGo, OwnerRef, ScaleOwner, Sight, SuspendOwner
from gatehold.domain.provision.shown import resolved
from gatehold.domain.status import Resolved, Status
from gatehold.kube.resources import NODES


class PodsHands:
    """Reads and writes what a Gate of type Pods holds."""

    def __init__(self, gather: Gather, hands: ProvisionHands) -> None:
        """Share both with the cycle of owners."""
        self._gather = gather
        self._hands = hands

    def knows(self, request: Request) -> bool:
        """What a Gate asks about in a namespace; Nodes are in none."""
        return bool(request.gate) and request.subject is not None and request.subject.kind != NODES.kind

    async def resolve(self, request: Request) -> tuple[Facts, Resolved]:
        """The owner read live, and priced anew."""
        self._gather.forget(request.namespace, _ref(request).name)
        sight = await self._sight(request)
        return Facts(provision=sight), resolved(sight, request.subject.digest if request.subject is not None else "")

    async def facts(self, request: Request, status: Status) -> Facts:
        """The owner as it was a moment ago at most, and its pods as they are watched."""
        return Facts(provision=await self._sight(request))

    async def write(self, request: Request, write: Write) -> None:
        """Let go, or what the Gate says of what was not approved."""
        if isinstance(write, LetGo):
            await self._hands.let_go(write)
            return
        try:
            await self._on_owner(write)
        finally:  # also where it was refused as stale: then the owner is another than was seen
            self._gather.forget(request.namespace, _ref(request).name)

    async def _on_owner(self, write: Write) -> None:
        match write:
            case ScaleOwner():
                await self._hands.scale(write)
            case SuspendOwner():
                await self._hands.suspend(write)
            case DeleteOwner():
                await self._hands.delete(write)
            case _:
                raise TypeError(f"pods have no write {type(write).__name__}")

    async def _sight(self, request: Request) -> Sight:
        return await self._gather.sight(request.namespace, _ref(request))


def _ref(request: Request) -> OwnerRef:
    subject = request.subject
    if subject is None:
        raise TypeError("a request without a subject has no owner")
    return OwnerRef(subject.api_version, subject.kind, subject.name, subject.uid)
