"""The operator may die at any write about an Argo Rollout behind a Gate: the end is the same, and nothing passes twice.

As `tests.faults.test_crash_sweep`; the table is `tests.faults.argo_stories`. Two cycles are at work, the Rollout's, which
asks, and its request's. Argo's controller is played, on the reduced kind of the wall's table; the real one: tests/e2e/argo.
"""

from collections import Counter

import pytest

from controlplane import ControlPlane
from tests.e2e.argo_pauses.dock import controller
from tests.faults.argo_gaps import GAPS, Gap
from tests.faults.argo_stories import STORIES
from tests.faults.argo_story import ArgoStory
from tests.faults.checks import EVENT, by_object, ends_the_same, ends_the_same_unanswered, lives_as_told, rows
from tests.faults.sweep import Point, Succession

ROWS = rows(STORIES)


@pytest.fixture(scope="module", autouse=True)
def argo(plane: ControlPlane) -> None:
    """Argo's kind, there before the operators look."""
    controller(plane)


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_an_undisturbed_life_writes_what_the_table_says(succession: Succession, story: ArgoStory) -> None:
    lives_as_told(succession, story).forget()


@pytest.mark.parametrize(("story", "point"), ROWS)
def test_a_death_before_and_after_a_write_changes_nothing(succession: Succession, story: ArgoStory, point: Point) -> None:
    life = ends_the_same(succession, story, point)
    written = Counter(write for write in succession.writes(life) if EVENT not in write)
    assert not written - Counter(story.writes)  # none of them twice
    life.forget()


@pytest.mark.parametrize("gap", GAPS, ids=lambda gap: gap.story.name)
def test_what_was_answered_before_a_gap_is_not_used_on_what_came_in_it(succession: Succession, gap: Gap) -> None:
    life = succession.new_life(gap.story)
    succession.die_and_stay_away(life, gap.when, gap.write, gap.steps)
    life.live()
    life.until_settled()
    assert life.wrongs() == []
    written = succession.until_written(life, gap.story.writes)
    assert by_object(written)["rollout"] == by_object(gap.story.writes)["rollout"]
    life.forget()


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_a_life_whose_answers_are_lost_ends_and_is_told_as_any_other(succession: Succession, story: ArgoStory) -> None:
    ends_the_same_unanswered(succession, story).forget()
