"""All stories at once, each at another point of its life, through one fault: what ends otherwise than alone is a bug.

chorus = Chorus(stage, "silent")
chorus.begin()                     # each life goes to its point, and waits there
...the fault...
chorus.end()                       # the lives go on to their ends; compared with ends that nothing disturbed
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final

from controlplane import wait_until
from tests.e2e.stage import Stage
from tests.faults.stories import (
    DENIAL,
    EXPIRY,
    FAILURE,
    OVERRIDING,
    RELEASE,
    STORIES,
    WITHDRAWAL,
    approvals,
    held_job,
    policy_of,
    prepared,
    undo,
    waits_for_pods,
    works,
)
from tests.faults.story import Life, Story

End = dict[str, Any]
Ends = Mapping[str, End]
"""Name of a story -> how it ends when nothing disturbs it."""


_ENDS: Final[dict[str, End]] = {}


@dataclass(frozen=True, slots=True)
class Point:
    """Where a life waits for the fault: after so many steps, once something is seen."""

    what: str
    story: Story
    steps: int
    seen: Callable[[Life], bool]


def expires_in(seconds: int) -> Story:
    """The story of a request that nobody answers in that time."""
    return replace(EXPIRY, setting=held_job(timeoutSeconds=seconds))


def anything(life: Life) -> bool:
    """What is seen does not matter."""
    return True


POINTS: Final = (
    Point("waits-for-a-first", OVERRIDING, 0, prepared),
    Point("waits-for-its-requester", WITHDRAWAL, 0, prepared),
    Point("waits-for-a-second", RELEASE, 1, approvals("1/2")),
    Point("runs", DENIAL, 1, works),
    Point("is-stopped", DENIAL, 2, waits_for_pods),
    Point("is-undone", FAILURE, 2, undo("Running")),
    Point("just-approved", RELEASE, 2, anything),
)
"""The last is due last, so that its word is as fresh as can be when the fault begins."""


def undisturbed(stage: Stage) -> Ends:
    """How each story ends when nothing happens: lived once a session, since what differs between clusters is masked.

    The policies of the stage are made in any case: whoever begins to live there finds an operator that knows them.
    """
    for reviewers in (1, 2):
        policy_of(Life(EXPIRY, stage, "nobody"), reviewers)
    if not _ENDS:
        lives = [Life(story, stage, f"calm-{story.name}") for story in STORIES]
        for life in lives:
            life.begin()
        _until(lives, Life.ended, "the undisturbed end", 120)
        _ENDS.update({life.story.name: life.until_settled() for life in lives})
    return _ENDS


@dataclass
class Chorus:
    """Lives that meet one fault."""

    stage: Stage
    name: str
    lives: list[Life] = field(default_factory=list)

    def begin(self, *points: Point) -> None:
        """Bring each life to its point."""
        for point in points or POINTS:
            life = Life(
                replace(point.story, steps=point.story.steps[: point.steps]), self.stage, f"{self.name}-{point.what}"
            )
            life.begin()
            _until([life], partial(_is_there, point), point.what, 120)
            life.story = point.story
            self.lives.append(life)

    def join(self, story: Story, what: str) -> Life:
        """One more life, which begins now."""
        life = Life(story, self.stage, f"{self.name}-{what}")
        life.begin()
        self.lives.append(life)
        return life

    def advance(self) -> None:
        """Everybody does what is due now."""
        for life in self.lives:
            if not life.ended():
                life.advance()

    def end(self, ends: Ends, *, seconds: float = 180, meanwhile: Callable[[], object] = lambda: None) -> None:
        """Live on to the end, which must be the undisturbed one, every effect having happened once."""
        _until(self.lives, Life.ended, "the end", seconds, meanwhile)
        for life in self.lives:
            told = life.until_settled(ends[life.story.name])
            assert life.wrongs() == []
            assert told == ends[life.story.name], life.name


def _is_there(point: Point, life: Life) -> bool:
    return life.taken == point.steps and point.seen(life)


def _until(
    lives: list[Life],
    holds: Callable[[Life], bool],
    what: str,
    seconds: float,
    meanwhile: Callable[[], object] = lambda: None,
) -> None:
    """Advance them all until something holds for each."""

    def all_do() -> bool:
        meanwhile()
        for life in lives:
            if not holds(life):
                life.advance()
        return all(holds(life) for life in lives)

    try:
        wait_until(all_do, f"{what} of {[life.name for life in lives]}", seconds)
    except Exception as error:
        left = "\n".join(life.where() for life in lives if not holds(life))
        raise AssertionError(f"{error}\n{left}\n{lives[0].stage.operator.log(80)}") from error
