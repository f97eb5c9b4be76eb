"""What every effect answers. Called by `decide` and `prepare` only; pure like all of the core."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from gatehold.domain.model import Request
from gatehold.domain.phases import Phase
from gatehold.domain.plan import Finding, Observed, Write
from gatehold.domain.status import By, EffectStatus, Status


@dataclass(frozen=True, slots=True)
class Ending:
    """The phase that ends a request, through whom, and why."""

    phase: Phase
    by: By
    finding: Finding


@dataclass(frozen=True, slots=True)
class Step:
    """One step of an approved effect: its record, what to write, whether that is the end, when to look again."""

    effect: EffectStatus | None
    writes: tuple[Write, ...] = ()
    ending: Ending | None = None
    recheck_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Undo:
    """One step of an undo. `restored` is None while it goes on, else whether the recorded state is back.

    `stalled`: it goes on, and will hardly get further before somebody looks.
    """

    effect: EffectStatus | None
    finding: Finding
    restored: bool | None = None
    stalled: bool = False
    writes: tuple[Write, ...] = ()
    recheck_at: datetime | None = None


class EffectRules(Protocol):
    """The verbs of an effect."""

    def supports(self, request: Request) -> bool:
        """Whether this module can carry out the effect on that kind of subject."""
        ...

    def check(self, observed: Observed) -> Finding | None:
        """Before anybody is asked: why this must not be asked, or None."""
        ...

    def verify(self, observed: Observed, status: Status) -> Ending | None:
        """While it waits, asked or not: how it ends because the subject is no longer what it is about, or None."""
        ...

    def begin(self, observed: Observed, status: Status) -> EffectStatus | None:
        """The record of the prior state, written together with Approved and before the first write."""
        ...

    def plan(self, observed: Observed, status: Status, now: datetime) -> Step:
        """The next step of an approved effect."""
        ...

    def undo(self, observed: Observed, status: Status, now: datetime) -> Undo:
        """The next step back, after an end that is not Released."""
        ...

    def settle(self, observed: Observed) -> tuple[Write, ...]:
        """What is left to tidy once the outcome stands in the status."""
        ...
