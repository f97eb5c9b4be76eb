"""The sizes of both children, as the design's formula says."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehold.domain.rollout.model import Approval, GateFacts, Pause, SetWeight, Step
from gatehold.domain.rollout.needs import Need, next_need
from gatehold.domain.rollout.record import Question, Run, Target
from gatehold.domain.rollout.shares import Shares, percent, shares
from tests.builders import NOW


@pytest.mark.parametrize(
    ("replicas", "weight", "canary", "stable"),
    [
        (5, 0, 0, 5),
        (5, 1, 1, 5),
        (5, 20, 1, 5),
        (8, 20, 2, 8),
        (100, 33, 49, 100),
        (10, 50, 10, 10),
        (10, 51, 10, 10),
        (10, 60, 10, 7),
        (10, 80, 10, 3),
        (10, 99, 10, 1),
        (10, 100, 10, 0),
        (1, 10, 1, 1),
        (1, 99, 1, 1),
        (0, 50, 0, 0),
    ],
)
def test_sizes(replicas: int, weight: int, canary: int, stable: int) -> None:
    assert shares(replicas, weight) == Shares(canary, stable)


@given(st.integers(0, 10_000), st.integers(0, 100))
def test_capacity_stays_whole_and_the_share_never_exceeds_the_weight_but_by_one_pod(replicas: int, weight: int) -> None:
    share = shares(replicas, weight)

    assert share.canary + share.stable >= replicas
    assert share.canary <= 1 or share.canary * 100 <= weight * (share.canary + share.stable)
    assert share.canary <= replicas
    assert share.stable <= replicas
    assert share.canary <= 1 or percent(share.canary, share.stable) <= weight


STEPS = (SetWeight(10), Pause(30), Approval("legal"), SetWeight(60))
GATE = GateFacts("g", "prod", 20)
PROD = Question("prod", "web-1", "d", 1, "g", passed=True)
LEGAL = Question("legal", "web-2", "d", 1, "g", passed=True)
AFTER = NOW + timedelta(seconds=30)


@pytest.mark.parametrize(
    ("steps", "index", "gate", "passed", "need"),
    [
        # what the author wrote
        (STEPS, 0, None, (), Need(10)),
        (STEPS, 1, None, (), Need(10, until=AFTER)),
        (STEPS, 2, None, (), Need(10, "legal")),
        (STEPS, 2, None, (LEGAL,), Need(10)),
        (STEPS, 3, None, (LEGAL,), Need(60)),
        (STEPS, 4, None, (LEGAL,), Need(60, last=True)),
        ((), 0, None, (), Need(0, last=True)),
        # what the Gate adds: a cap, and its question before the promotion
        (STEPS, 2, GATE, (), Need(10, "legal")),
        (STEPS, 3, GATE, (LEGAL,), Need(20, "prod")),
        (STEPS, 3, GATE, (LEGAL, PROD), Need(60)),
        (STEPS, 4, GATE, (LEGAL, PROD), Need(60, last=True)),
        (STEPS, 4, GATE, (LEGAL,), Need(20, "prod")),
        ((SetWeight(10),), 1, GATE, (), Need(10, "prod")),
        ((SetWeight(100),), 0, GATE, (), Need(20, "prod")),
        ((SetWeight(100),), 0, GATE, (PROD,), Need(100)),
        # steps that leave the question out, or leave no canary to ask about
        ((), 0, GATE, (), Need(20, "prod")),
        ((), 0, GateFacts("g", "prod", 60), (), Need(20, "prod")),
        ((), 0, GateFacts("g", "prod", 0), (), Need(0, "prod")),
        ((SetWeight(1),), 0, GateFacts("g", "prod", 0), (), Need(0, "prod")),
        ((SetWeight(0),), 1, GATE, (), Need(20, "prod")),
        # an answer that went with what it was about is asked for again, though its step was walked
        (STEPS, 3, None, (), Need(60, "legal")),
        # the same policy by a step and by the Gate: asked once
        ((Approval("prod"),), 0, GATE, (), Need(0, "prod")),
        ((Approval("prod"),), 1, GATE, (PROD,), Need(0, last=True)),
        ((Approval("prod"), Approval("prod")), 1, GATE, (PROD,), Need(0)),
    ],
)
def test_what_a_run_needs_next(
    steps: tuple[Step, ...], index: int, gate: GateFacts | None, passed: tuple[Question, ...], need: Need
) -> None:
    run = Run(Target("t", "s"), step=index, step_at=NOW, questions=passed)

    assert next_need(run, steps, gate, NOW) == need


def test_a_first_deployment_needs_the_gate_alone() -> None:
    assert next_need(Run(Target("t", "s"), first=True), (), GATE, NOW) == Need(0, "prod")
    assert next_need(Run(Target("t", "s"), first=True), (), None, NOW) == Need(0, last=True)


def test_a_pause_whose_time_has_come_is_over() -> None:
    run = Run(Target("t", "s"), step=1, step_at=NOW)

    assert next_need(run, STEPS, None, AFTER) == Need(10)
    assert next_need(Run(Target("t", "s"), step=1), STEPS, None, NOW) == Need(10, until=AFTER)
