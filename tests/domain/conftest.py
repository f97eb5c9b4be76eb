"""How Hypothesis runs here: the same examples every time, so a red build is never luck. HYPOTHESIS=explore searches on."""

import os

from hypothesis import HealthCheck, settings

_COMMON = {"deadline": None, "database": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("repeatable", derandomize=True, max_examples=100, **_COMMON)
settings.register_profile("explore", max_examples=3000, print_blob=True, **_COMMON)
settings.load_profile(os.environ.get("HYPOTHESIS", "repeatable"))
