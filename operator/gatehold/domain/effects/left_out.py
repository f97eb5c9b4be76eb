"""An effect of a type of Gates that this installation leaves out, with the rights to it and the rules that guard it.

Nothing is read, so nothing is known, and nothing passes or ends by that: what waits goes on waiting, what runs or is undone
stands still. People's words and the clock count as ever. Once that type is back, each goes on from what its status says.
"""

from datetime import datetime, timedelta
from typing import Final

from gatehold.domain.effects.base import ALWAYS, Ending, Inert, Step, Undo
from gatehold.domain.model import EffectType, Request
from gatehold.domain.plan import Finding, Observed
from gatehold.domain.reasons import Reason
from gatehold.domain.status import Status

_SELDOM: Final = timedelta(minutes=10)
"""That type comes back with another process, so this is for nobody to be forgotten."""

_BY_HAND: Final = "docs/how-to/uninstall.md (4. Open what is still held)"


def held_back(observed: Observed) -> Finding:
    """Why it goes no further, and what to do about it."""
    text = "nothing is read or written for this request; switch them on again and it goes on, or open by hand what it holds"
    return _finding(observed, f"{text}: {_BY_HAND}")


def refused(observed: Observed) -> Finding:
    """Why it is not even asked: a person's request, which may be opened again."""
    return _finding(observed, f"it cannot carry out effect {observed.request.effect.type}; switch them on, and ask again")


def _finding(observed: Observed, text: str) -> Finding:
    gate = observed.left_out or ""
    value = f"gates.{gate[:1].lower()}{gate[1:]}.enabled"
    return Finding(
        Reason.GATE_LEFT_OUT, f"this installation leaves Gates of type {gate} out ({value}, GATEHOLD_GATES): {text}"
    )


class LeftOut(Inert):
    """The rules of every effect of such a type."""

    def supports(self, request: Request) -> bool:
        """Nothing: it takes the place of the rules that do."""
        return False

    def check(self, observed: Observed) -> Finding | None:
        """It must not be asked."""
        return refused(observed)

    def verify(self, observed: Observed, status: Status) -> Ending | None:
        """Its subject is not read, so it does not end by it."""
        return None

    def plan(self, observed: Observed, status: Status, now: datetime) -> Step:
        """It stands still, whatever its time is: that is looked at together with how far it came."""
        found = held_back(observed)
        return Step(status.effect, recheck_at=now + _SELDOM, held=found, stalled=found)

    def undo(self, observed: Observed, status: Status, now: datetime) -> Undo:
        """It waits. A drain that was never approved has touched nothing."""
        if _untouched(observed, status):
            return Undo(status.effect, Finding(Reason.NOTHING_TO_UNDO, "nothing had been begun"), restored=True)
        text = "what this request holds or did is not put back; switch them on again and it is, or put it back by hand"
        return Undo(status.effect, _finding(observed, f"{text}: {_BY_HAND}"), stalled=True)

    def keep_until(self, observed: Observed, status: Status) -> datetime | None:
        """Whether its subject still goes by it is known once that type is back."""
        return None if _untouched(observed, status) else ALWAYS


def _untouched(observed: Observed, status: Status) -> bool:
    return observed.request.effect.type is EffectType.DRAIN and status.effect is None
