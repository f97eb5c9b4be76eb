"""The operator may die at any write of a drain, and of its undo: the end is the same, and everything happened once.

As `tests.faults.test_crash_sweep`; the table is `tests.faults.drain_stories`.
"""

import pytest

from tests.faults.checks import ends_the_same, ends_the_same_unanswered, rows
from tests.faults.drain_stories import STORIES
from tests.faults.drain_story import DrainStory
from tests.faults.sweep import Point, Succession

ROWS = rows(STORIES)
EVENT = "request: events "


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_an_undisturbed_life_writes_what_the_table_says(succession: Succession, story: DrainStory) -> None:
    life, _ = succession.undisturbed(story)
    written = succession.until_written(life, story.expected())
    assert [write for write in written if not write.startswith(EVENT)] == list(story.writes)
    assert sorted(written) == sorted(story.expected())
    assert life.wrongs() == []


@pytest.mark.parametrize(("story", "point"), ROWS)
def test_a_death_before_and_after_a_write_changes_nothing(succession: Succession, story: DrainStory, point: Point) -> None:
    ends_the_same(succession, story, point).forget()


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_a_life_whose_answers_are_lost_ends_and_is_told_as_any_other(succession: Succession, story: DrainStory) -> None:
    ends_the_same_unanswered(succession, story).forget()
