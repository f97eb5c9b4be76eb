"""The table of stories of Argo Rollouts behind a Gate; `argo_moves` has what they are made of.

What is the same in two stories is swept in one of them: the question, the yes and its use in `argo`, the way back in
`argo-denied`. What can go on while nobody acts, which no life with a standby has, is in `argo_gaps`.
"""

from typing import Final

from tests.e2e.argo_pauses.dock import BLUE_GREEN
from tests.faults.argo_moves import (
    aborting,
    answerable,
    argo,
    at_once,
    is_closed,
    passed,
    paused,
    pauses,
    retries,
    says,
    sends,
    serves,
)
from tests.faults.argo_story import ArgoStory
from tests.faults.story import Step

FIRST, SECOND, AGAIN, NEWER, SWITCH = "new-1-a0", "new-3-a0", "new-1-a1", "newer-1-a0", "new-switch-a0"


def approves(question: str) -> Step:
    """Alice says yes."""
    return Step(f"alice approves {question}", answerable(question), says("approve", question))


DENY: Final = Step("alice denies", answerable(FIRST), says("deny", FIRST))
ON: Final = Step("it goes on to its next step", passed("new-1"), argo(lambda life: life.dock.goes_on(2, life.name)))
BACK: Final = Step("stable serves again", aborting(FIRST), argo(lambda life: life.dock.aborts(life.name)))

RESUME: Final = "rollout: rollouts/status remove pauseConditions"
ABORT: Final = "rollout: rollouts/status add abort"


def asked(question: str) -> tuple[str, ...]:
    """The writes until people can answer."""
    return (f"{question}: approvalrequests post", f"{question}: approvalrequests/status Pending")


def used(question: str) -> tuple[str, ...]:
    """The writes of a yes."""
    end = (f"{question}: approvalrequests/status Released", f"{question}: approvalrequests labels")
    return (f"{question}: approvalrequests/status Approved", RESUME, *end)


def beside(question: str) -> tuple[str, ...]:
    """Of both, what is swept with the first question of `argo`: all but that it is asked, and what is done on a yes."""
    return (*asked(question)[1:], *(write for write in used(question) if write != RESUME))


def undone(question: str, phase: str) -> tuple[str, ...]:
    """The writes of anything but a yes."""
    return (
        f"{question}: approvalrequests/status {phase}",
        ABORT,
        f"{question}: approvalrequests/status conditions effect",
        f"{question}: approvalrequests/status effect Undone",
        f"{question}: approvalrequests labels",
    )


def tells(question: str, *reasons: str) -> tuple[str, ...]:
    """That people are asked, and then that."""
    return ("rollout: PromotionHeld", *(f"{question}: {reason}" for reason in ("Waiting", *reasons)))


def tells_yes(question: str) -> tuple[str, ...]:
    """The Events of a yes."""
    return tells(question, "VerdictRecorded", "Approved", "EffectStarted", "Released")


def events(*told: str) -> tuple[str, ...]:
    """Events as the writes that they are."""
    return tuple(text.replace(": ", ": events ") for text in told)


PROMOTION: Final = ArgoStory(
    "argo",
    paused(),
    (
        approves(FIRST),
        ON,
        Step("it reaches its second pause", is_closed(FIRST), pauses("new", 3)),
        approves(SECOND),
        Step("it is promoted", passed("new-3"), serves(currentStepIndex=4)),
    ),
    "Healthy",
    told=(*tells_yes(FIRST), *tells_yes(SECOND)),
    jobs={},
    writes=(*asked(FIRST), *used(FIRST), *asked(SECOND), *used(SECOND)),
    known=(*beside(SECOND), *events(*tells_yes(SECOND)[1:])),
    requests={FIRST: "Released", SECOND: "Released"},
    passed=("new-1", "new-3"),
)
DENIAL: Final = ArgoStory(
    "argo-denied",
    paused(),
    (DENY, BACK),
    "Degraded",
    told=tells(FIRST, "VerdictRecorded", "Denied", "RolledBack"),
    jobs={},
    writes=(*asked(FIRST), *undone(FIRST, "Denied")),
    known=(*asked(FIRST), undone(FIRST, "Denied")[-1], *events(*tells(FIRST, "VerdictRecorded"))),
    requests={FIRST: "Denied"},
)
EXPIRY: Final = ArgoStory(
    "argo-expired",
    paused(seconds=4),
    (BACK,),
    "Degraded",
    told=tells(FIRST, "Expired", "RolledBack"),
    jobs={},
    writes=(*asked(FIRST), *undone(FIRST, "Expired")),
    known=(*asked(FIRST), *undone(FIRST, "Expired")[2:], *events(*tells(FIRST), f"{FIRST}: RolledBack")),
    requests={FIRST: "Expired"},
)
SUPERSEDING: Final = ArgoStory(
    "argo-superseded",
    paused(),
    (
        Step("ci sends version 3", answerable(FIRST), sends(3)),
        Step("that reaches its first pause", is_closed(FIRST), pauses("newer", 1)),
        approves(NEWER),
        Step("it goes on", passed("newer-1"), ON.act),
    ),
    "Progressing",
    told=(*tells(FIRST, "Superseded"), *tells_yes(NEWER)),
    jobs={},
    writes=(
        *asked(FIRST),
        *(f"{FIRST}: approvalrequests/status Superseded", f"{FIRST}: approvalrequests labels"),
        *(*asked(NEWER), *used(NEWER)),
    ),
    known=(
        *(*asked(FIRST), f"{FIRST}: approvalrequests labels", *beside(NEWER)),
        *events(*tells(FIRST), *tells_yes(NEWER)),
    ),
    requests={FIRST: "Superseded", NEWER: "Released"},
    passed=("newer-1",),
)
RETRY: Final = ArgoStory(
    "argo-retried",
    paused(),
    (
        DENY,
        BACK,
        Step("somebody retries it", is_closed(FIRST), retries),
        Step("it reaches that pause again", at_once, pauses("new", 1, seconds=1)),
        approves(AGAIN),
        ON,
    ),
    "Progressing",
    told=(*tells(FIRST, "VerdictRecorded", "Denied", "RolledBack"), *tells_yes(AGAIN)),
    jobs={},
    writes=(*asked(FIRST), *undone(FIRST, "Denied"), *asked(AGAIN), *used(AGAIN)),
    known=(
        *(*asked(FIRST), *undone(FIRST, "Denied"), *beside(AGAIN)),
        *events(*tells(FIRST, "VerdictRecorded", "Denied", "RolledBack"), *tells_yes(AGAIN)),
    ),
    requests={FIRST: "Denied", AGAIN: "Released"},
    passed=("new-1",),
)
BLUE_GREEN_SWITCH: Final = ArgoStory(
    "argo-blue-green",
    paused(strategy=BLUE_GREEN),
    (approves(SWITCH), Step("it switches", passed("new-switch"), serves(blueGreen={"activeSelector": "new"}))),
    "Healthy",
    told=tells_yes(SWITCH),
    jobs={},
    writes=(*asked(SWITCH), *used(SWITCH)),
    known=(*beside(SWITCH), *events(*tells_yes(SWITCH))),
    requests={SWITCH: "Released"},
    passed=("new-switch",),
)

STORIES: Final = (PROMOTION, DENIAL, EXPIRY, SUPERSEDING, RETRY, BLUE_GREEN_SWITCH)
"""Every one of them is swept: see `tests.faults.test_argo_crash_sweep`."""
