"""Where a run stands on its steps: the weight in force, and the one thing that it needs next. Pure arithmetic on data."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from gatehold.domain.rollout.asking import has_passed
from gatehold.domain.rollout.model import Approval, GateFacts, Pause, SetWeight, Step
from gatehold.domain.rollout.record import Run

SHOWN = 20
"""The weight at which people are asked where the steps leave no canary: nobody is asked about nothing."""


@dataclass(frozen=True, slots=True)
class Need:
    """What comes next, once the canary is ready at `weight`: a policy's yes, an instant, or nothing (go on).

    `last`: all steps were walked, so going on is the promotion.
    """

    weight: int
    policy: str = ""
    until: datetime | None = None
    last: bool = False


def next_need(run: Run, steps: tuple[Step, ...], gate: GateFacts | None, now: datetime) -> Need:
    """The Gate's cap comes before every step; its question is asked where the next weight would exceed it."""
    step = steps[run.step] if run.step < len(steps) else None
    asked = asked_weight(steps, run.step)
    weight = asked
    if gate is not None and not has_passed(run, gate.policy):
        if step is None and not asked and not run.first:
            asked = min(gate.max_weight, SHOWN)
        weight = min(asked, gate.max_weight)
        if weight < asked or step is None:
            return Need(weight, gate.policy)
    missing = _missing(run, steps)
    if missing:
        return Need(weight, missing)
    if isinstance(step, Pause):
        ends_at = (run.step_at or now) + timedelta(seconds=step.seconds)
        return Need(weight, until=ends_at if now < ends_at else None)
    return Need(weight, last=step is None)


def _missing(run: Run, steps: tuple[Step, ...]) -> str:
    """A policy that a step up to here names, and that has not said yes.

    Steps that were walked count too, since an answer may have gone with what it was about.
    """
    policies = (step.policy for step in steps[: run.step + 1] if isinstance(step, Approval))
    return next((policy for policy in policies if not has_passed(run, policy)), "")


def asked_weight(steps: tuple[Step, ...], index: int) -> int:
    """The weight that the steps ask for at that step."""
    weights = [step.weight for step in steps[: index + 1] if isinstance(step, SetWeight)]
    return weights[-1] if weights else 0
