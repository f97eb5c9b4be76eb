"""What every effect answers. Called by `decide` and `prepare` only; pure like all of the core."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Protocol

from gatehold.domain.model import GateType, Request
from gatehold.domain.phases import Phase
from gatehold.domain.plan import Finding, Observed, Write
from gatehold.domain.reasons import Reason
from gatehold.domain.status import By, EffectState, EffectStatus, Status

ALWAYS = datetime.max.replace(tzinfo=UTC)
"""What `keep_until` answers for a request that stays in sight until its subject says otherwise."""

MOST_TEXT = 1024
"""Characters of a message in a status: as in the CRD."""


@dataclass(frozen=True, slots=True)
class Ending:
    """The phase that ends a request, through whom, and why."""

    phase: Phase
    by: By
    finding: Finding


@dataclass(frozen=True, slots=True)
class Step:
    """One step of an approved effect: its record, what to write, whether that is the end, when to look again.

    `held` says why its next write waits though it goes on; `stalled`, that it will hardly get further before somebody looks.
    """

    effect: EffectStatus | None
    writes: tuple[Write, ...] = ()
    ending: Ending | None = None
    recheck_at: datetime | None = None
    held: Finding | None = None
    stalled: Finding | None = None


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


def concluded(effect: EffectStatus | None, reason: Reason, text: str, now: datetime, *, restored: bool = True) -> Undo:
    """The last step of an undo, with its record; when it ended first stays."""
    text = text[:MOST_TEXT]
    if effect is not None:
        state = EffectState.UNDONE if restored else EffectState.FAILED
        effect = replace(effect, state=state, finished_at=effect.finished_at or now, message=text)
    return Undo(effect, Finding(reason, text), restored=restored)


class EffectRules(Protocol):
    """The verbs of an effect."""

    @property
    def gate(self) -> GateType | None:
        """The type of Gates that it belongs to, if to any: an installation without that has not the rights to it."""
        ...

    @property
    def proven_with_yes(self) -> bool:
        """Whether the wall is proven together with the yes, and not only before a write that lets the subject go.

        So it is where another cycle uses the yes, and where that write leaves no mark on the subject: the status alone can
        say then that the yes has met the wall.
        """
        ...

    def supports(self, request: Request) -> bool:
        """Whether this module can carry out the effect on that kind of subject."""
        ...

    def check(self, observed: Observed) -> Finding | None:
        """Before anybody is asked: why this must not be asked, or None."""
        ...

    def verify(self, observed: Observed, status: Status) -> Ending | None:
        """While it waits, asked or not: how it ends because the subject is no longer what it is about, or None."""
        ...

    def begun(self, observed: Observed) -> bool:
        """Whether the subject bears the mark of the first write, though that is not recorded yet: a process died there."""
        ...

    def begin(self, observed: Observed, status: Status) -> EffectStatus | None:
        """The record of the prior state, written together with Approved and before the first write.

        One that is Running already is let go by that status itself, without any write.
        """
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

    def keep_until(self, observed: Observed, status: Status) -> datetime | None:
        """Until when a request that is over has to stay in sight, or None where nobody looks at it any more."""
        ...


class Inert:
    """The rules that effects share of which the operator begins nothing: whoever derives from it says the rest."""

    gate: GateType | None = None
    proven_with_yes = False

    def begun(self, observed: Observed) -> bool:
        """There is no first write, or nobody here knows it: a yes that has come into doubt ends the request."""
        return False

    def begin(self, observed: Observed, status: Status) -> EffectStatus | None:
        """Nothing is begun, so there is no record."""
        return None

    def settle(self, observed: Observed) -> tuple[Write, ...]:
        """Nothing to tidy, or what is left is left."""
        return ()

    def keep_until(self, observed: Observed, status: Status) -> datetime | None:
        """Nothing is left to wait for."""
        return None
