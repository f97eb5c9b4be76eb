"""Operators that die, clocks and watches that are wrong, an API server that is away: the end is the same."""

import pytest

pytest.register_assert_rewrite("tests.faults.checks")
