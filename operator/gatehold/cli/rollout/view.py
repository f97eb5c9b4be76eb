"""One Rollout read from the wire, and what every command asks of it: is it looked at, rejected, which question is open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gatehold.api.common import ParseError
from gatehold.api.rollout import parse
from gatehold.api.rollout_status import parse_status
from gatehold.cli.exits import Exit, Leave
from gatehold.cli.refusals import is_unknown_kind
from gatehold.cli.session import Session
from gatehold.cli.text import plain
from gatehold.domain.reasons import ConditionType
from gatehold.domain.rollout.asking import open_question
from gatehold.domain.rollout.model import Rollout
from gatehold.domain.rollout.record import Override, Question, Record, Rejected, RolloutPhase, Stage
from gatehold.domain.status import Condition
from gatehold.kube import errors
from gatehold.kube.resources import ROLLOUTS


@dataclass(frozen=True, slots=True)
class RolloutView:
    """A Rollout and its record. `unread` says why the record could not be read; it is the empty one then: held."""

    body: dict[str, Any]
    rollout: Rollout
    record: Record
    unread: str = ""

    @property
    def is_looked_at(self) -> bool:
        """Whether the operator has ever said anything about it."""
        return self.record.phase is not RolloutPhase.UNSET and self.record.observed_generation >= 0

    @property
    def is_current(self) -> bool:
        """Whether what is said is about the spec as it is now."""
        return self.is_looked_at and self.record.observed_generation >= self.rollout.generation

    @property
    def is_asked_again(self) -> bool:
        """Whether gatehold.dev/retry has a value that means something, and that the operator has not taken up yet."""
        used = {self.record.retried} if self.record.rejected is not None else set()
        used |= {override.retry for override in self._overrides.values()}
        return bool(self.rollout.retry and used) and self.rollout.retry not in used

    @property
    def rejected(self) -> Rejected | None:
        """The rejection of exactly what the spec asks for now, or None."""
        found = self.record.rejected
        return found if found is not None and found.target == self.rollout.target else None

    @property
    def overrides(self) -> dict[str, str]:
        """Children that were changed by break-glass, with who did it and why."""
        return {name: override.message for name, override in self._overrides.items()}

    @property
    def _overrides(self) -> dict[str, Override]:
        known = {"stable": self.record.stable, "canary": self.record.canary}
        return {name: track.override for name, track in known.items() if track is not None and track.override}

    @property
    def question(self) -> Question | None:
        """The question that waits for its answer."""
        run = self.record.run
        return open_question(run) if run is not None and run.stage is Stage.CANARY else None

    @property
    def place(self) -> str:
        """How a command names it, safe for a console."""
        return f"{plain(self.rollout.name)} -n {plain(self.rollout.namespace)}"

    def true(self, kind: ConditionType) -> Condition | None:
        """The condition of that type where it is True."""
        found = self.record.condition(kind)
        return found if found is not None and found.status == "True" else None


def view_of(body: dict[str, Any]) -> RolloutView:
    """Read a body. A status that this version cannot read counts as none. Raises ParseError for the rest."""
    rollout = parse(body)
    try:
        return RolloutView(body, rollout, parse_status(body))
    except ParseError as error:
        return RolloutView(body, rollout, Record(), str(error))


async def look(session: Session, name: str) -> RolloutView:
    """Read one Rollout from the API server."""
    try:
        return read(await session.cluster.get(ROLLOUTS, session.namespace, name), name)
    except errors.Absent as error:
        if is_unknown_kind(error):
            raise
        raise absent(session, name) from error


def read(body: dict[str, Any], name: str) -> RolloutView:
    """Read a body, or end the command with what is wrong with it."""
    try:
        return view_of(body)
    except ParseError as error:
        text = f"{plain(name)} cannot be read: {plain(error)}"
        raise Leave(Exit.API_ERROR, text, f"kubectl get gro {plain(name)} -o yaml") from error


def absent(session: Session, name: str) -> Leave:
    """How a command ends where there is none of that name."""
    text = f"there is no Rollout {plain(name)} in namespace {plain(session.namespace)}"
    return Leave(Exit.ABSENT, text, "kubectl get gro -A")
