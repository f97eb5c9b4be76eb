"""One ApprovalRequest as the commands look at it: the body as it came, and what gatehold.api reads in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from gatehold.api.approval_request import parse, parse_verdicts
from gatehold.api.common import ParseError
from gatehold.api.request_status import parse_status
from gatehold.cli.exits import Exit, Leave
from gatehold.cli.people import Person
from gatehold.cli.session import Session
from gatehold.cli.terminal import err
from gatehold.cli.text import plain
from gatehold.domain.model import QuorumEntry, Request, Verdict, Word
from gatehold.domain.phases import Phase, is_over
from gatehold.domain.quorum import tally
from gatehold.domain.status import Status
from gatehold.kube.resources import REQUESTS


@dataclass(frozen=True, slots=True)
class View:
    """A request and its record. `waiting` are admitted verdicts that the operator has not recorded yet."""

    body: dict[str, Any]
    request: Request
    status: Status
    waiting: tuple[Verdict, ...]

    @property
    def over(self) -> bool:
        """Whether no verdict can change it any more."""
        return is_over(self.status.phase, has_effect=self.request.has_effect)

    @property
    def spec(self) -> dict[str, Any]:
        """The spec as it stands on the wire, for what only a reader looks at."""
        spec: dict[str, Any] = self.body["spec"]
        return spec

    def words_of(self, name: str) -> set[Word]:
        """What that person has said already; an approval that does not count may be given again."""
        recorded = {e.verdict.word for e in self.status.verdicts if e.verdict.username == name and e.counted}
        return recorded | {v.word for v in self.waiting if v.username == name}

    def lacking(self) -> Iterator[tuple[QuorumEntry, int]]:
        """Entries that still need approvals, with how many; approvals on their way are counted."""
        count = tally(self.status.verdicts, self.status.quorum)
        for entry, given, need in zip(self.status.quorum, count.given, count.needed, strict=True):
            coming = sum(v.word is Word.APPROVE and v.role in entry.accepted for v in self.waiting)
            if given + coming < need:
                yield entry, need - given - coming


def view_of(body: dict[str, Any]) -> View:
    """Read a body. Raises ParseError."""
    status = parse_status(body)
    known = {entry.verdict.id for entry in status.verdicts}
    admitted = parse_verdicts((body.get("metadata") or {}).get("annotations"))
    return View(body, parse(body), status, tuple(v for v in admitted if v.id not in known))


def readable(body: dict[str, Any]) -> View | None:
    """The same of one among many: what cannot be read is said, and left out."""
    try:
        return view_of(body)
    except ParseError as error:
        name = plain((body.get("metadata") or {}).get("name"))
        err().print(f"[yellow]left out:[/yellow] {name} cannot be read: {plain(error)}")
        return None


async def look(session: Session, name: str) -> View:
    """Read one request from the API server."""
    body = await session.cluster.get(REQUESTS, session.namespace, name)
    try:
        return view_of(body)
    except ParseError as error:
        text = f"{plain(name)} cannot be read: {plain(error)}"
        raise Leave(Exit.API_ERROR, text, f"kubectl get apr {plain(name)} -o yaml") from error


def barred(view: View, person: Person) -> str:
    """Why that person may not approve this request whatever roles they hold, or nothing."""
    request = view.request
    if person.is_system:
        return "system accounts do not decide"
    if person.username == request.requester.username or (person.uid and person.uid == request.requester.uid):
        return "you asked, so somebody else has to decide"
    if person.username in request.authors:
        return "you changed what is asked about, so somebody else has to approve"
    if person.username in request.on_behalf_of:
        return "it was asked on your behalf, so somebody else has to approve"
    said = view.words_of(person.username)
    if said & {Word.APPROVE, Word.DENY}:
        return f"you have decided already ({', '.join(sorted(said))})"
    return ""


async def roles_held(session: Session, view: View, verb: str = "approve") -> tuple[str, ...]:
    """The user's roles that count here, those of entries that still lack approvals first."""
    lacking = [entry for entry, _ in view.lacking()]
    entries = [*lacking, *(entry for entry in view.status.quorum if entry not in lacking)]
    roles = [role for entry in entries for role in entry.accepted]
    held = [await session.may(verb, view.request.policy, view.request.namespace, role) for role in roles]
    return tuple(role for role, yes in zip(roles, held, strict=True) if yes)


async def waits_for(session: Session, view: View, person: Person) -> bool:
    """Whether this very person can bring it forward now."""
    if view.status.phase is not Phase.PENDING or not view.status.request_digest or barred(view, person):
        return False
    roles = {role for entry, _ in view.lacking() for role in entry.accepted}
    for role in sorted(roles):
        if await session.may("approve", view.request.policy, view.request.namespace, role):
            return True
    return False
