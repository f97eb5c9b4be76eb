"""What goes on behind the Gate while nobody acts: a successor finds the world further on than any standby would.

The operator dies at a write, and whoever takes over begins once the story has taken so many steps. Nothing that was answered
before may be used on what is there by then.
"""

from dataclasses import dataclass
from typing import Any, Final

from tests.faults.argo_moves import (
    argo,
    at_once,
    has_abort,
    is_asked,
    is_at,
    passed,
    paused,
    pauses,
    retries,
    sends,
    serves,
    stops,
)
from tests.faults.argo_stories import ABORT, AGAIN, DENY, FIRST, NEWER, ON, RESUME, SECOND, approves, asked, tells, tells_yes
from tests.faults.argo_story import ArgoStory
from tests.faults.story import Step
from tests.faults.sweep import Point


@dataclass(frozen=True, slots=True)
class Gap:
    """One row: `story` has the writes on the Rollout only, and nobody acts from that write until so many steps are taken."""

    story: ArgoStory
    when: str
    """Whether the operator dies before or after it."""
    write: Point
    steps: int


def story(name: str, steps: tuple[Step, ...], **ends: Any) -> ArgoStory:
    """A story of a canary that goes on from its first pause in the end, after whatever was in between."""
    return ArgoStory(name, paused(), steps, **{"phase": "Progressing", "jobs": {}, **ends})


YES: Final = is_at(FIRST, "Approved")
NO: Final = is_at(FIRST, "Denied")
BACK: Final = Step("stable serves again", has_abort, argo(lambda life: life.dock.aborts(life.name)))
RETRIED: Final = Step("somebody retries it", at_once, retries)
REACHED: Final = Step("it reaches that pause again", at_once, pauses("new", 1, seconds=1))
REPLACED: Final = Step("the next version is at its first pause", at_once, pauses("newer", 1))
ON_AGAIN: Final = (approves(AGAIN), ON)
ON_NEWER: Final = (approves(NEWER), Step("it goes on", passed("newer-1"), ON.act))
LOST: Final = ("VerdictRecorded", "Approved", "EffectStarted", "Superseded")
DENIED: Final = ("VerdictRecorded", "Denied")


GAPS: Final = (
    Gap(
        story(
            "argo-unseen",
            (Step("ci sends version 3", is_asked(FIRST), sends(3)), REPLACED, *ON_NEWER),
            told=(f"{FIRST}: Superseded", *tells_yes(NEWER)),
            writes=(RESUME,),
            requests={FIRST: "Superseded", NEWER: "Released"},
            passed=("newer-1",),
        ),
        "before",
        Point(asked(FIRST)[1]),
        2,
    ),
    Gap(
        story(
            "argo-went-on",
            (
                *(approves(FIRST), ON, Step("it reaches its second pause", at_once, pauses("new", 3))),
                *(approves(SECOND), Step("it is promoted", passed("new-3"), serves(currentStepIndex=4))),
            ),
            phase="Healthy",
            told=(*tells_yes(FIRST), *tells_yes(SECOND)),
            writes=(RESUME, RESUME),
            requests={FIRST: "Released", SECOND: "Released"},
            passed=("new-1", "new-3"),
        ),
        "after",
        Point(RESUME),
        3,
    ),
    Gap(
        story(
            "argo-replaced",
            (approves(FIRST), Step("ci sends version 3", YES, sends(3)), REPLACED, *ON_NEWER),
            told=(*tells(FIRST, *LOST), *tells_yes(NEWER)),
            writes=(RESUME,),
            requests={FIRST: "Superseded", NEWER: "Released"},
            passed=("newer-1",),
        ),
        "before",
        Point(RESUME),
        3,
    ),
    Gap(
        story(
            "argo-walked-again",
            (approves(FIRST), Step("somebody aborts it", YES, stops), BACK, RETRIED, REACHED, *ON_AGAIN),
            told=(*tells(FIRST, *LOST), *tells_yes(AGAIN)),
            writes=(RESUME,),
            requests={FIRST: "Superseded", AGAIN: "Released"},
            passed=("new-1",),
        ),
        "before",
        Point(RESUME),
        5,
    ),
    Gap(
        story(
            "argo-hasty",
            (DENY, BACK, RETRIED, REACHED, *ON_AGAIN),
            told=(*tells(FIRST, *DENIED, "RolledBack"), *tells_yes(AGAIN)),
            writes=(ABORT, RESUME),
            requests={FIRST: "Denied", AGAIN: "Released"},
            passed=("new-1",),
        ),
        "after",
        Point(ABORT),
        4,
    ),
    Gap(
        story(
            "argo-denied-replaced",
            (DENY, Step("ci sends version 3", NO, sends(3)), REPLACED, *ON_NEWER),
            told=(*tells(FIRST, *DENIED), *tells_yes(NEWER)),
            writes=(RESUME,),
            requests={FIRST: "Denied", NEWER: "Released"},
            passed=("newer-1",),
        ),
        "before",
        Point(ABORT),
        3,
    ),
)
