"""A running effect: its figures and its time; and what an operator of another version left behind."""

from dataclasses import replace
from typing import Any

import pytest

from gatehold.domain.decide import decide
from gatehold.domain.effects import rules_for
from gatehold.domain.model import Effect, EffectType
from gatehold.domain.plan import Facts, MarkDone, Observed, Rules
from gatehold.domain.reasons import ConditionType
from gatehold.domain.status import EffectState, EffectStatus, Progress, Status
from tests.builders import (
    NOW,
    RELEASE,
    after,
    approved,
    effect,
    end,
    facts,
    job,
    ours,
    release_observed,
    release_request,
    undo_job,
    why,
)

RUNS = facts(ours(job(), active=1), undo_job())
RUNNING = approved(EffectState.RUNNING, effect=effect(EffectState.RUNNING, progress=Progress(after(-3), active=1)))


def seen(status: Status, there: Facts, **changes: Any) -> Observed:
    return release_observed(status, facts=there, **changes)


OLD = Progress(after(-10), active=1)
FIGURES: dict[str, tuple[Progress | None, dict[str, int], Progress]] = {
    "the first": (None, {"active": 1}, Progress(NOW, active=1)),
    "the same": (OLD, {"active": 1}, OLD),
    "new ones after their time": (OLD, {"succeeded": 2, "failures": 1}, Progress(NOW, succeeded=2, failed=1)),
    "new ones too soon": (Progress(after(-9), active=1), {"succeeded": 1}, Progress(after(-9), active=1)),
}


@pytest.mark.parametrize(("old", "now", "shown"), FIGURES.values(), ids=FIGURES)
def test_figures_that_are_shown(old: Progress | None, now: dict[str, int], shown: Progress) -> None:
    status = approved(effect=effect(EffectState.RUNNING, progress=old))
    plan = decide(seen(status, facts(ours(job(), **now), undo_job())), NOW)

    assert plan.status.effect is not None
    assert plan.status.effect.progress == shown
    assert plan.recheck_at == after(10)


def test_the_end_of_its_time_is_looked_at_in_time() -> None:
    assert decide(seen(RUNNING, RUNS), after(565)).recheck_at == after(570)


def test_the_last_figures_are_shown_whenever_they_came() -> None:
    there = facts(ours(job(), complete=True, succeeded=1))
    found = decide(seen(RUNNING, there), NOW).status.effect

    assert found is not None
    assert found.progress == Progress(NOW, succeeded=1)


def test_an_effect_may_take_the_operators_own_time_where_the_request_says_nothing() -> None:
    asked = release_request(effect=replace(RELEASE, timeout_seconds=None))
    plan = decide(seen(RUNNING, RUNS, request=asked, rules=Rules(effect_timeout_seconds=35)), NOW)

    assert plan.recheck_at == after(5)


FOREIGN = release_request(effect=Effect(EffectType.DRAIN))
DRAINED = EffectStatus(EffectType.DRAIN, EffectState.RUNNING, started_at=after(-30))


@pytest.mark.parametrize(
    ("left", "rolled"),
    [
        (None, ("True", "NothingToUndo")),
        (replace(DRAINED, started_at=None), ("True", "NothingToUndo")),
        (DRAINED, ("False", "UndoUnavailable")),
    ],
    ids=["nothing", "a record of something that had not begun", "something that runs"],
)
def test_what_a_newer_operator_left_is_not_called_ready_nor_undone(
    left: EffectStatus | None, rolled: tuple[str, str]
) -> None:
    plan = decide(seen(approved(effect=left), facts(), request=FOREIGN), NOW)

    assert end(plan.status) == ("Failed", "Operator", "EffectNotSupported")
    assert why(plan.status, ConditionType.READY)[0] == "False"
    assert why(plan.status, ConditionType.ROLLED_BACK) == rolled
    assert plan.status.effect == left
    assert plan.writes == (MarkDone(),)
    assert rules_for(FOREIGN) is None
