"""Asking people: the ApprovalRequest of one pause. The name is the same on every replica, so that twice is once."""

import logging
import secrets
from collections.abc import Mapping
from typing import Any, Final

from gatehold import __version__
from gatehold.api import argo_request
from gatehold.api.approval_request import DONE_LABEL, GATE_LABEL, NOTE_ANNOTATION
from gatehold.domain.argo.model import ArgoQuestion
from gatehold.kube.errors import Absent, AlreadyExists
from gatehold.kube.resources import REQUESTS
from gatehold.runtime.parts import REQUEST, Key, Runtime

log = logging.getLogger(__name__)
Body = dict[str, Any]
MOST_NAMES: Final = 1_000


class Questions:
    """Creates requests."""

    def __init__(self, runtime: Runtime) -> None:
        """Use the runtime's account."""
        self._runtime = runtime
        self._account = ""
        self._key = secrets.token_hex(16)  # what is masked in a request; compared within one request only

    async def ask(self, question: ArgoQuestion, stable_images: tuple[str, ...]) -> str:
        """Create the request, and have its own cycle prepare it; answers its name. One in force about the same is it.

        Names that are taken are those of earlier pauses at that place: of a revision that was retried.
        """
        wanted = argo_request.request(question, stable_images, await self._me(), self._key)
        wanted["metadata"]["annotations"] = {NOTE_ANNOTATION: f"gatehold/{__version__}"}
        stem, _, number = question.name.rpartition("-a")
        for place in range(int(number), int(number) + MOST_NAMES):
            wanted["metadata"]["name"] = f"{stem}-a{place}"
            answer = await self._create(question.rollout.namespace, wanted)
            if answer is not None:
                return self._taken(answer)
        log.error("no name is left for a request about Rollout %s", question.rollout.name)
        return ""

    async def _create(self, namespace: str, wanted: Body) -> Body | None:
        """The request of that name, if it asks this; None where the name is taken by another, or by one that is over."""
        try:
            answer = await self._runtime.cluster.create(REQUESTS, namespace, wanted)
        except AlreadyExists:
            try:
                there = await self._runtime.cluster.get(REQUESTS, namespace, wanted["metadata"]["name"])
            except Absent:
                return None
            return there if _is_same(there, wanted) else None
        log.info("asked about Rollout %s: %s", wanted["spec"]["subject"]["name"], answer["metadata"]["name"])
        return answer

    def _taken(self, body: Body) -> str:
        self._runtime.answered(REQUESTS, body)
        meta = body["metadata"]
        self._runtime.enqueue(Key(REQUEST, meta["namespace"], meta["name"], meta["uid"]), True)
        return str(meta["name"])

    async def _me(self) -> str:
        self._account = self._account or str((await self._runtime.cluster.who_am_i()).get("username") or "")
        return self._account


def _is_same(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Whether a request of that name is ours (nobody else sets that label), in force, and about the same pause."""
    labels = found["metadata"].get("labels") or {}
    phase = (found.get("status") or {}).get("phase") or ""
    same = found["spec"].get("subject") == wanted["spec"]["subject"]
    ours = labels.get(GATE_LABEL) == wanted["metadata"]["labels"][GATE_LABEL]
    return same and ours and DONE_LABEL not in labels and phase in ("", "Pending", "Approved")
