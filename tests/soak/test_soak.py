"""Three quarters of a minute of the soak, in every run of the suite: a little of everything."""

import asyncio

import pytest

from controlplane import ControlPlane
from tests.soak import report
from tests.soak.world import Options, World

SECONDS = 45.0
SEED = 20
ENDS = frozenset({"Approved", "Released"})


@pytest.mark.timeout(1200)  # on a slow machine it goes on until enough has happened
def test_every_invariant_holds_after_a_short_soak() -> None:
    """It has a control plane of its own: its API server dies."""
    options = Options(minutes=SECONDS / 60, seed=SEED, longest=4.0, least=11, ends=ENDS)
    with ControlPlane.start(nodes=2) as plane:
        outcome = asyncio.run(World(plane, options).run(lambda _: None))

    assert [report.story_of(violation, outcome) for violation in outcome.violations] == []
    ends = {story.last.phase for story in outcome.facts.requests.values()}
    faults = [name for name in outcome.counts if name.startswith("fault: ")]
    assert ends >= ENDS, "too little happened to say anything"
    assert len(outcome.facts.requests) > 10, "too little happened to say anything"
    assert faults, "nothing was broken"
