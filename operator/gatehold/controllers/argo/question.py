"""Asking people: the ApprovalRequest of one pause."""

import secrets

from gatehold.api import argo_request
from gatehold.controllers.asking import Asking
from gatehold.domain.argo.model import ArgoQuestion
from gatehold.runtime.parts import Runtime


class Questions:
    """Creates requests."""

    def __init__(self, runtime: Runtime) -> None:
        """Use the runtime's account."""
        self._asking = Asking(runtime)
        self._key = secrets.token_hex(16)  # what is masked in a request; compared within one request only

    async def ask(self, question: ArgoQuestion, stable_images: tuple[str, ...]) -> str:
        """Open the request; answers its name, empty where none is left.

        Names that are taken are those of earlier pauses at that place: of a revision that was retried.
        """
        wanted = argo_request.request(question, stable_images, await self._asking.me(), self._key)
        return await self._asking.ask(wanted, f"Rollout {question.rollout.name}")
