"""Hypothesis runs here as in tests/domain, also where only these tests are run."""

import tests.domain.conftest  # noqa: F401
