"""The wall, attacked on a real API server: one table of attempts, races, gaps, wording."""

import pytest

pytest.register_assert_rewrite("tests.wall.attempt", "tests.wall.scene", "tests.wall.api")
