"""The operator may die at any write in the life of a Rollout: the end is the same, and every effect happened once.

As `tests.faults.test_crash_sweep`, whose table is of requests. Two cycles are at work here, the Rollout's and its
request's, and either may be the faster; so the order of writes is that of each object.
"""

from collections.abc import Iterable

import pytest

from tests.faults.rollout_stories import STORIES
from tests.faults.rollout_story import RolloutStory
from tests.faults.sweep import Point, Succession, points

ROWS = [pytest.param(story, point, id=f"{story.name}-{point}") for story in STORIES for point in points(story)]
EVENT = ": events "


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_an_undisturbed_life_writes_what_the_table_says(succession: Succession, story: RolloutStory) -> None:
    life, _ = succession.undisturbed(story)
    written = succession.writes(life)
    assert by_object(written) == by_object(story.writes)
    assert sorted(written) == sorted(story.expected())
    assert life.wrongs() == []


@pytest.mark.parametrize(("story", "point"), ROWS)
def test_a_death_before_and_after_a_write_changes_nothing(succession: Succession, story: RolloutStory, point: Point) -> None:
    life = succession.new_life(story)
    assert succession.live_and_die(life, point) == succession.end_of(story)
    assert life.wrongs() == []
    life.forget()


def by_object(writes: Iterable[str]) -> dict[str, list[str]]:
    """What was written on each object, in order, Events aside."""
    found: dict[str, list[str]] = {}
    for write in writes:
        about, _, what = write.partition(": ")
        if EVENT not in write:
            found.setdefault(about, []).append(what)
    return found
