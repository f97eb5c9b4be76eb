"""What a decision about one owner's pods comes to."""

from dataclasses import dataclass
from datetime import datetime

from gatehold.domain.plan import Finding
from gatehold.domain.provision.model import LetGo, Question


@dataclass(frozen=True, slots=True)
class GroupPlan:
    """What to do for one owner: what goes now, what is asked, why the rest waits, when to look again."""

    let_go: tuple[LetGo, ...] = ()
    ask: tuple[Question, ...] = ()
    held: Finding | None = None
    recheck_at: datetime | None = None
