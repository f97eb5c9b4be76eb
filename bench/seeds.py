"""Requests as the operator would have prepared them, copied from one that it did prepare; for the set-up only."""

import copy
import uuid
from collections.abc import Iterator
from typing import Any

from gatehold.api.digest import request_digest
from gatehold.api.job import resolved
from gatehold.api.request_status import render_resolved
from gatehold.domain.status import Resolved

Body = dict[str, Any]


class Seeds:
    """Copies of one prepared request."""

    def __init__(self, prepared: Body) -> None:
        """Take the one that goes for all; what is computed here must be what the operator computed there."""
        self._one = copy.deepcopy(prepared)
        del self._one["metadata"]["resourceVersion"]
        if _digest(self._one) != self._one["status"]["requestDigest"]:
            raise ValueError("a copy would not have the digest that the operator gives it")

    def idle(self, name: str, count: int) -> Iterator[Body]:
        """That many, each about a subject of its own."""
        for number in range(count):
            yield self._copy(f"{name}-{number}", {"name": f"{name}-{number}"}, None)

    def about(self, job: Body, *, bare: bool, deadline: str = "") -> Body:
        """One for a held Job, of the same name. For the bare loop it is labelled done: the operator leaves that alone."""
        meta = job["metadata"]
        body = self._copy(meta["name"], {"name": meta["name"], "uid": meta["uid"]}, job)
        if deadline:
            body["status"]["deadline"] = deadline
        if bare:
            body["metadata"]["labels"] = {"gatehold.dev/done": "true"}
        return body

    def _copy(self, name: str, subject: Body, job: Body | None) -> Body:
        body = copy.deepcopy(self._one)
        body["metadata"] |= {"name": name, "uid": str(uuid.uuid4())}
        body["spec"]["subject"] |= subject
        if job is not None:
            body["status"]["resolved"] = render_resolved(Resolved(resolved(job), None))
        body["status"]["requestDigest"] = _digest(body)
        return body


def _digest(body: Body) -> str:
    status = body["status"]
    return request_digest(body["metadata"]["uid"], body["spec"], status.get("resolved") or {}, status["policy"]["digest"])
