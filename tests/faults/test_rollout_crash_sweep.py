"""The operator may die at any write in the life of a Rollout: the end is the same, and every effect happened once.

As `tests.faults.test_crash_sweep`, whose table is of requests. Two cycles are at work here, the Rollout's and its
request's, and either may be the faster; so the order of writes is that of each object.
"""

import pytest

from tests.faults.checks import ends_the_same, ends_the_same_unanswered, lives_as_told, rows
from tests.faults.rollout_stories import STORIES
from tests.faults.rollout_story import RolloutStory
from tests.faults.sweep import Point, Succession

ROWS = rows(STORIES)


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_an_undisturbed_life_writes_what_the_table_says(succession: Succession, story: RolloutStory) -> None:
    lives_as_told(succession, story)


@pytest.mark.parametrize(("story", "point"), ROWS)
def test_a_death_before_and_after_a_write_changes_nothing(succession: Succession, story: RolloutStory, point: Point) -> None:
    ends_the_same(succession, story, point).forget()


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_a_life_whose_answers_are_lost_ends_and_is_told_as_any_other(succession: Succession, story: RolloutStory) -> None:
    ends_the_same_unanswered(succession, story).forget()
