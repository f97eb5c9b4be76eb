"""The operator may die at any write of a drain, and of its undo: the end is the same, and everything happened once.

As `tests.faults.test_crash_sweep`; the table is `tests.faults.drain_stories`.
"""

import pytest

from tests.faults.drain_stories import STORIES
from tests.faults.drain_story import DrainStory
from tests.faults.sweep import Point, Succession, points

ROWS = [pytest.param(story, point, id=f"{story.name}-{point}") for story in STORIES for point in points(story)]
EVENT = "request: events "


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_an_undisturbed_life_writes_what_the_table_says(succession: Succession, story: DrainStory) -> None:
    life, _ = succession.undisturbed(story)
    written = succession.writes(life)
    assert [write for write in written if not write.startswith(EVENT)] == list(story.writes)
    assert sorted(written) == sorted(story.expected())
    assert life.wrongs() == []


@pytest.mark.parametrize(("story", "point"), ROWS)
def test_a_death_before_and_after_a_write_changes_nothing(succession: Succession, story: DrainStory, point: Point) -> None:
    life = succession.new_life(story)
    assert succession.live_and_die(life, point) == succession.end_of(story)
    assert life.wrongs() == []
    life.forget()
