"""Asking people: the ApprovalRequest of one group."""

from gatehold.api import provision_request
from gatehold.controllers.asking import Asking
from gatehold.controllers.provision.gather import Gather
from gatehold.domain.provision.model import Question, Sight
from gatehold.runtime.parts import Runtime


class Questions:
    """Creates requests."""

    def __init__(self, runtime: Runtime, gather: Gather) -> None:
        """Use the runtime's account."""
        self._asking = Asking(runtime)
        self._gather = gather

    async def ask(self, sight: Sight, question: Question) -> str:
        """Open the request; answers its name, empty where none is left."""
        bodies = self._gather.bodies(sight, question.digest)
        wanted = provision_request.request(question, sight, await self._asking.me(), bodies)
        return await self._asking.ask(wanted, question.owner.name)
