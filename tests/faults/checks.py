"""What every crash sweep asserts, whatever its stories are about; for the modules `test_*_crash_sweep`.

Whoever calls adds what only its own stories promise, and takes the life away.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import pytest

from tests.faults.story import Life, Story
from tests.faults.sweep import Point, Succession, points

EVENT: Final = ": events "


def rows(stories: Sequence[Story]) -> list[Any]:
    """A parameter for each write of each story that is swept; its id names both."""
    return [pytest.param(story, point, id=f"{story.name}-{point}") for story in stories for point in points(story)]


def lives_as_told(succession: Succession, story: Story) -> Life:
    """Undisturbed it writes what the table says, on each object in that order; two cycles may be at work on two objects."""
    life, _ = succession.undisturbed(story)
    written = succession.until_written(life, story.expected())
    assert by_object(written) == by_object(story.writes)
    assert sorted(written) == sorted(story.expected())
    assert life.wrongs() == []
    return life


def ends_the_same(succession: Succession, story: Story, point: Point) -> Life:
    """With a death before that write and another after it, it ends as it does without."""
    life = succession.new_life(story)
    assert succession.live_and_die(life, point) == succession.end_of(story)
    assert life.wrongs() == []
    return life


def ends_the_same_unanswered(succession: Succession, story: Story) -> Life:
    """With every answer to a write lost, it ends as it does when all of them come, and as much is told."""
    life = succession.new_life(story)
    assert succession.live_unanswered(life) == succession.end_of(story)
    assert life.wrongs() == []
    return life


def by_object(writes: Iterable[str]) -> dict[str, list[str]]:
    """What was written on each object, in order, Events aside."""
    found: dict[str, list[str]] = {}
    for write in writes:
        about, _, what = write.partition(": ")
        if EVENT not in write:
            found.setdefault(about, []).append(what)
    return found
