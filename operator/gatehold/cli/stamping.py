"""How a word becomes a stored verdict on this server: the API server stamps it (1.36 and later), or we write it ourselves.

Which of the two is looked up, never guessed: by the stamping policy where it may be read, else by a dry run of the word.
After a write the answer is looked at: a verdict that is not in it was not given, whatever the HTTP code says.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gatehold.api.approval_request import VERDICT_PREFIX, escape, parse_verdicts
from gatehold.cli.exits import Exit, Leave
from gatehold.cli.refusals import leave_for
from gatehold.cli.session import Session
from gatehold.cli.text import plain
from gatehold.cli.view import View, look
from gatehold.domain.model import Verdict, Word
from gatehold.kube import errors
from gatehold.kube.resources import MAP, REQUESTS

STAMP = "gatehold-stamp"
NOT_ACTIVE = "the stamping policy is not active here"
_NUMBER_LOST = ("next free number", "write-once")
_TRIES = 20
_NO_WALL = "the word was written, but no verdict was made of it: the admission wall is not in force here"


@dataclass(frozen=True, slots=True)
class Say:
    """One person's word on one digest, before it is written."""

    word: Word
    digest: str
    role: str
    option: str
    comment: str
    username: str

    def as_words(self) -> dict[str, str]:
        """The annotations that the API server turns into a verdict."""
        extra = {"digest": self.digest, "role": self.role, "option": self.option}
        return {f"gatehold.dev/{key}": value for key, value in {self.word.value: self.comment, **extra}.items() if value}

    def as_stored(self, number: int) -> dict[str, str]:
        """The annotation that the API server would have made of it."""
        fields = (self.word.value, self.digest, self.role, escape(self.username), self.option, one_line(self.comment))
        return {f"{VERDICT_PREFIX}{number}": "|".join(fields)}


def one_line(comment: str) -> str:
    """A comment without the line breaks and tabs that the wall refuses, as the stamp does it."""
    return comment.replace("\r\n", " ").replace("\n", " ").replace("\t", " ")


class Pen:
    """Writes one word on one request; first as a rehearsal where a person is about to read a long question."""

    def __init__(self, session: Session, view: View, say: Say) -> None:
        """Nothing is asked before the first use."""
        self._session = session
        self._view = view
        self._say = say
        self._stamps: bool | None = None

    async def rehearse(self) -> None:
        """Let the API server judge the verdict without storing it. Raises Leave with its sentence."""
        await self._guarded(dry_run=True)

    async def write(self) -> Verdict:
        """Give the verdict; returns it as it is stored. Raises Leave with the server's sentence."""
        answer = await self._guarded(dry_run=False)
        known = _annotations(self._view.body)
        fresh = {key: value for key, value in _annotations(answer).items() if key not in known}
        mine = [v for v in parse_verdicts(fresh) if (v.username, v.word) == (self._say.username, self._say.word)]
        if not mine:
            raise Leave(Exit.API_ERROR, _NO_WALL, "gatehold doctor")
        return mine[-1]

    async def _guarded(self, *, dry_run: bool) -> dict[str, Any]:
        try:
            if self._stamps is None:
                self._stamps = await self._does_stamp()
            return await (self._by_word(dry_run=dry_run) if self._stamps else self._stored(dry_run=dry_run))
        except errors.ApiError as error:
            raise leave_for(error, f"{self._view.request.name} -n {self._view.request.namespace}") from error

    async def _does_stamp(self) -> bool:
        """Whether this API server turns words into verdicts."""
        try:
            await self._session.cluster.get(MAP, None, STAMP)
        except errors.Absent:
            return False
        except errors.Forbidden:
            return await self._seen_to_stamp()
        return True

    async def _seen_to_stamp(self) -> bool:
        """Try the word without storing it: a server that stamps takes the word away and leaves a verdict."""
        try:
            answer = await self._patch(self._say.as_words(), dry_run=True)
        except errors.ApiError as error:
            if NOT_ACTIVE in error.message:
                return False
            raise
        return not any(key in _annotations(answer) for key in self._say.as_words())

    async def _by_word(self, *, dry_run: bool) -> dict[str, Any]:
        try:
            return await self._patch(self._say.as_words(), dry_run=dry_run)
        except errors.ApiError as error:
            if NOT_ACTIVE not in error.message:
                raise
        return await self._stored(dry_run=dry_run)

    async def _stored(self, *, dry_run: bool) -> dict[str, Any]:
        """Write under the next free number; who loses the race for it looks again and takes the next one."""
        seen = self._view
        for _ in range(_TRIES):
            try:
                return await self._patch(self._say.as_stored(next_number(seen)), dry_run=dry_run)
            except errors.ApiError as error:
                if not any(part in error.message for part in _NUMBER_LOST):
                    raise
            seen = await look(self._session, self._view.request.name)
            self._demand_same(seen)
        raise Leave(Exit.API_ERROR, f"{_TRIES} others were faster each time", "the same command again")

    def _demand_same(self, seen: View) -> None:
        same = seen.request.uid == self._view.request.uid and seen.status.request_digest == self._view.status.request_digest
        if not same:
            text = "the request was replaced meanwhile; nothing was decided"
            raise Leave(Exit.CHANGED, text, f"gatehold show {plain(seen.request.name)}")

    async def _patch(self, annotations: dict[str, str], *, dry_run: bool) -> dict[str, Any]:
        body = {"metadata": {"annotations": annotations}}
        request = self._view.request
        return await self._session.cluster.merge_patch(REQUESTS, request.namespace, request.name, body, dry_run=dry_run)


def next_number(view: View) -> int:
    """One more than the largest number among the annotations and in the record."""
    tails = (key.removeprefix(VERDICT_PREFIX) for key in _annotations(view.body) if key.startswith(VERDICT_PREFIX))
    numbers = [int(tail) for tail in tails if tail.isascii() and tail.isdigit() and len(tail) <= 4]
    return 1 + max([*numbers, *(entry.verdict.id for entry in view.status.verdicts), -1])


def _annotations(body: dict[str, Any]) -> dict[str, str]:
    found: dict[str, str] = (body.get("metadata") or {}).get("annotations") or {}
    return found
