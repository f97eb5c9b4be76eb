"""Opening an ApprovalRequest as the operator: under whose name, and what a name means that is there already.

For the cycles that ask people: of Rollouts, of those of Argo, of pods. Its names count on every replica alike, so that
who asks twice has asked once.
"""

import logging
from collections.abc import Mapping
from typing import Any, Final

from gatehold import __version__
from gatehold.api.approval_request import DONE_LABEL, GATE_LABEL, NOTE_ANNOTATION
from gatehold.kube.errors import Absent, AlreadyExists
from gatehold.kube.resources import REQUESTS
from gatehold.runtime.parts import REQUEST, Key, Runtime

log = logging.getLogger(__name__)
Body = dict[str, Any]
MOST_NAMES: Final = 1_000


class Asking:
    """Creates requests by the runtime's account."""

    def __init__(self, runtime: Runtime) -> None:
        """Nothing is asked of the API server yet."""
        self._runtime = runtime
        self._account = ""

    async def me(self) -> str:
        """The operator's own user name, which requests bear as their requester's."""
        self._account = self._account or str((await self._runtime.cluster.who_am_i()).get("username") or "")
        return self._account

    async def ask(self, wanted: Body, called: str) -> str:
        """Create the request, and have its own cycle prepare it; answers its name. One in force about the same is it.

        Its name ends in the number to begin with; those that are taken by others, or are over, are passed. `called` is what
        it is about, for the log. Empty where no name is left. Raises the errors of gatehold.kube.
        """
        meta = wanted["metadata"]
        stem = meta["name"].rstrip("0123456789")
        first = int(meta["name"].removeprefix(stem))
        for number in range(first, first + MOST_NAMES):
            meta["name"] = f"{stem}{number}"
            answer = await self._create(noted(wanted), called)
            if answer is not None:
                return self.taken(answer)
        log.error("no name is left for a request about %s", called)
        return ""

    def taken(self, body: Body) -> str:
        """That is the request: its own cycle begins with what the API server answered."""
        self._runtime.answered(REQUESTS, body)
        meta = body["metadata"]
        self._runtime.enqueue(Key(REQUEST, meta["namespace"], meta["name"], meta["uid"]), True)
        return str(meta["name"])

    async def _create(self, wanted: Body, called: str) -> Body | None:
        """The request of that name, if it asks this; None where the name is taken by another, or by one that is over."""
        meta = wanted["metadata"]
        try:
            answer = await self._runtime.cluster.create(REQUESTS, meta["namespace"], wanted)
        except AlreadyExists:
            try:
                there = await self._runtime.cluster.get(REQUESTS, meta["namespace"], meta["name"])
            except Absent:
                return None
            return there if _is_same(there, wanted) else None
        log.info("asked about %s: %s", called, answer["metadata"]["name"])
        return answer


def noted(wanted: Body) -> Body:
    """The same with our mark, so that no GitOps tool ever owns the map that reviewers write into."""
    wanted["metadata"].setdefault("annotations", {})[NOTE_ANNOTATION] = f"gatehold/{__version__}"
    return wanted


def _is_same(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Whether a request of that name is ours (nobody else sets that label), in force, and about the same."""
    labels = found["metadata"].get("labels") or {}
    phase = (found.get("status") or {}).get("phase") or ""
    same = found["spec"].get("subject") == wanted["spec"]["subject"]
    ours = labels.get(GATE_LABEL) == wanted["metadata"]["labels"][GATE_LABEL]
    return same and ours and DONE_LABEL not in labels and phase in ("", "Pending", "Approved")
