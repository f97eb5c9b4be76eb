"""The operator may die at any write: the end is the same, and every effect happened once. See `tests.faults.sweep`.

A test's id names the story and the write at which the operator died. The table of writes (`Story.writes`) is itself
checked: `test_an_undisturbed_life_writes_what_the_table_says` fails where one is missing, so no write goes unswept.
"""

import pytest

from tests.faults.checks import ends_the_same, ends_the_same_unanswered, rows
from tests.faults.stories import STORIES
from tests.faults.story import Story
from tests.faults.sweep import Point, Succession

ROWS = rows(STORIES)
EVENT = "request: events "


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_an_undisturbed_life_writes_what_the_table_says(succession: Succession, story: Story) -> None:
    life, _ = succession.undisturbed(story)
    written = succession.until_written(life, story.expected())
    assert sorted(written) == sorted(story.expected())
    assert [write for write in written if not write.startswith(EVENT)] == list(story.writes)
    assert life.wrongs() == []


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_the_operator_writes_no_more_on_a_request_than_the_design_allows(story: Story) -> None:
    """At most 4, one per verdict, and one per step of an effect; the undo Job is an effect that begins and ends, too."""
    written = sum(write.startswith("request: approvalrequests") for write in story.writes)
    steps = sum(2 for ran in story.jobs.values() if ran.pods)
    assert written <= 4 + story.told.count("VerdictRecorded") + steps


@pytest.mark.parametrize(("story", "point"), ROWS)
def test_a_death_before_and_after_a_write_changes_nothing(succession: Succession, story: Story, point: Point) -> None:
    ends_the_same(succession, story, point).forget()


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_a_life_whose_answers_are_lost_ends_and_is_told_as_any_other(succession: Succession, story: Story) -> None:
    ends_the_same_unanswered(succession, story).forget()
