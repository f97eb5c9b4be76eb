"""Hindsight: what the newest done requests have to tell, told again once by each process that begins to act.

A process that dies between the label `done` and an Event leaves a hole that nobody else would fill: done requests are not
watched. Retention shows every one of them to this, page by page.
"""

import contextlib
import heapq
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from gatehold.api.common import ParseError, time
from gatehold.api.request_status import parse_status
from gatehold.controllers.tell import Tell

_MOST = 100  # a process that dies has not more Events under way than these have
LATELY = timedelta(minutes=15)  # the API server forgets Events after an hour: what it has forgotten is not told again


class Hindsight:
    """Keeps the newest of what it is shown, and tells it at the end of the first look."""

    def __init__(self, tell: Tell) -> None:
        """Nothing was seen yet."""
        self._tell = tell
        self._over = False
        self._newest: list[tuple[datetime, str, Mapping[str, Any]]] = []

    def see(self, body: Mapping[str, Any], now: datetime) -> None:
        """Take one done request in, if it is among the newest."""
        ended = None if self._over else ended_at(body)
        if ended is None or ended < now - LATELY:
            return
        heapq.heappush(self._newest, (ended, str(body["metadata"]["uid"]), body))
        if len(self._newest) > _MOST:
            heapq.heappop(self._newest)

    def tell(self) -> None:
        """Tell what was kept, and keep nothing more."""
        newest, self._newest, self._over = self._newest, [], True
        for _, _, body in newest:
            with contextlib.suppress(ParseError):  # of another version: it is kept, and says nothing
                self._tell.whole_story(body, parse_status(body), late=True)


def ended_at(body: Mapping[str, Any]) -> datetime | None:
    """The last thing that its status says happened; None where that cannot be read."""
    status = body.get("status") or {}
    effect = status.get("effect") or {}
    ends = ((status.get("decision") or {}).get("at"), effect.get("finishedAt"), (effect.get("undo") or {}).get("finishedAt"))
    try:
        return max((time(str(end)) for end in ends if end), default=None)
    except ParseError:
        return None
