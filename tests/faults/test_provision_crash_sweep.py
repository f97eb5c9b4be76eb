"""The operator may die at any write of a provision, and of each word of the Gate about what was denied: the end is the same.

As `tests.faults.test_crash_sweep`; the table is `tests.faults.provision_stories`. Every pod goes exactly once, and at no
moment are more free than people accepted. Two cycles are at work, the owner's and its request's; either may let pods go.
"""

import pytest

from controlplane import ControlPlane
from tests.e2e.provisioning.depot import put_prices
from tests.faults.provision_stories import STORIES
from tests.faults.provision_story import ProvisionStory
from tests.faults.sweep import Point, Succession, points
from tests.faults.test_rollout_crash_sweep import by_object

ROWS = [pytest.param(story, point, id=f"{story.name}-{point}") for story in STORIES for point in points(story)]


@pytest.fixture(scope="module", autouse=True)
def prices(plane: ControlPlane) -> None:
    """A price table, there before the operators look."""
    put_prices(plane)


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_an_undisturbed_life_writes_what_the_table_says(succession: Succession, story: ProvisionStory) -> None:
    life, _ = succession.undisturbed(story)
    written = succession.writes(life)
    assert by_object(written) == by_object(story.writes)
    assert sorted(written) == sorted(story.expected())
    assert life.wrongs() == []
    life.forget()


@pytest.mark.parametrize(("story", "point"), ROWS)
def test_a_death_before_and_after_a_write_changes_nothing(
    succession: Succession, story: ProvisionStory, point: Point
) -> None:
    life = succession.new_life(story)
    assert succession.live_and_die(life, point) == succession.end_of(story)
    assert life.wrongs() == []
    life.forget()
