"""The operator may die at any write of a provision, and of each word of the Gate about what was denied: the end is the same.

As `tests.faults.test_crash_sweep`; the table is `tests.faults.provision_stories`. Every pod goes exactly once, and at no
moment are more free than people accepted. Two cycles are at work, the owner's and its request's; either may let pods go.
"""

import pytest

from controlplane import ControlPlane
from tests.e2e.provisioning.depot import put_prices
from tests.faults.checks import ends_the_same, ends_the_same_unanswered, lives_as_told, rows
from tests.faults.provision_stories import STORIES
from tests.faults.provision_story import ProvisionStory
from tests.faults.sweep import Point, Succession

ROWS = rows(STORIES)


@pytest.fixture(scope="module", autouse=True)
def prices(plane: ControlPlane) -> None:
    """A price table, there before the operators look."""
    put_prices(plane)


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_an_undisturbed_life_writes_what_the_table_says(succession: Succession, story: ProvisionStory) -> None:
    lives_as_told(succession, story).forget()


@pytest.mark.parametrize(("story", "point"), ROWS)
def test_a_death_before_and_after_a_write_changes_nothing(
    succession: Succession, story: ProvisionStory, point: Point
) -> None:
    ends_the_same(succession, story, point).forget()


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_a_life_whose_answers_are_lost_ends_and_is_told_as_any_other(succession: Succession, story: ProvisionStory) -> None:
    ends_the_same_unanswered(succession, story).forget()
