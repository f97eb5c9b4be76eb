"""Authors over time: what changed while nothing stamped stays unknown until a promotion."""

from collections.abc import Iterator

import pytest

from tests.wall.api import Call, path
from tests.wall.conftest import Stage
from tests.wall.people import GROUP, SHOP, Body
from tests.wall.rollouts import AUTHORS, pod_template, rollout
from tests.wall.scene import notes


@pytest.fixture
def unstamped(stage: Stage) -> Iterator[Stage]:
    """The stage without stamping, which a test may install; as before afterwards."""
    stamped = stage.stamped
    stage.stamp(False)
    yield stage
    stage.stamp(stamped)


@pytest.mark.since(1, 36)
def test_what_changed_before_stamping_stays_unknown_until_a_promotion(unstamped: Stage) -> None:
    stage, people = unstamped, unstamped.people
    here = path(GROUP, "rollouts", SHOP, "older")
    people["ada"].must(Call(path(GROUP, "rollouts", SHOP), rollout("older"), "post"))
    stage.stamp(True)

    def write(who: str, body: Body) -> str | None:
        found = people[who].must(Call(here, body))["metadata"].get("annotations", {})
        return found.get(AUTHORS)

    assert write("ada", notes({AUTHORS: ""})) is None
    assert write("ada", notes({AUTHORS: "ben"})) is None
    assert write("ben", {"spec": {"template": pod_template("web:2")}}) == "ben,*"
    assert write("ada", {"spec": {"template": pod_template("web:3")}}) == "ben,*,ada"
    assert write("operator", notes({AUTHORS: None})) == ""
    assert write("ada", {"spec": {"template": pod_template("web:4")}}) == "ada"
