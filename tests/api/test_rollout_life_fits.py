"""Whatever becomes of a Rollout, each of its records fits the CRD and reads back as it was written."""

import json
import re

from hypothesis import HealthCheck, settings
from hypothesis.stateful import invariant

from gatehold.api.rollout_status import parse_status, render_status
from tests.api.schema import misfits, schema
from tests.domain.rollout.test_machine import RolloutMachine

STATUS = schema("rollouts", "status")
DIGESTS = re.compile(r"(igest|former) (does not match|has [0-9]+ characters)")


class Recorded(RolloutMachine):
    """The random life of the core's own tests, with another eye on what is recorded. Its digests are plain words."""

    @invariant()
    def the_record_fits_and_reads_back(self) -> None:
        """A status that is refused or pruned would hang its Rollout for good."""
        wire = render_status(self.world.record, "app=web")

        assert [found for found in misfits(wire, STATUS) if not DIGESTS.search(found)] == []
        assert parse_status({"status": json.loads(json.dumps(wire))}) == self.world.record


TestRecorded = Recorded.TestCase
TestRecorded.settings = settings(
    settings.default, max_examples=40, stateful_step_count=25, suppress_health_check=list(HealthCheck)
)
