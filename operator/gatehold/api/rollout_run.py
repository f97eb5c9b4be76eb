"""What a Rollout's status says of its runs, both ways. Parsers raise what rollout_status turns into a ParseError."""

from typing import Any

from gatehold.api.common import optional_time, sparse, stamp, time
from gatehold.domain.rollout.record import (
    Clock,
    Ending,
    LastRun,
    Outcome,
    Question,
    Rejected,
    RequestRef,
    Run,
    Stage,
    Target,
)

Json = dict[str, Any]


def parse_target(wire: Json) -> Target:
    """A target: two digests."""
    return Target(wire["templateDigest"], wire["strategyDigest"])


def render_target(target: Target | None) -> Json:
    """The same for the wire; none is an empty object."""
    return {} if target is None else {"templateDigest": target.template, "strategyDigest": target.strategy}


def parse_run(wire: Json | None) -> Run | None:
    """A run that is under way."""
    if wire is None:
        return None
    return Run(
        target=parse_target(wire["target"]),
        stage=Stage(wire["stage"]),
        first=wire.get("first", False),
        started_at=optional_time(wire.get("startedAt")),
        step=wire.get("step", 0),
        step_at=optional_time(wire.get("stepAt")),
        weight=wire.get("weight", 0),
        first_attempt=wire.get("firstAttempt", 1),
        questions=tuple(_question(q) for q in wire.get("questions", ())),
        former=wire.get("former", ""),
        images=tuple(wire.get("imageIDs", ())),
        written=wire.get("written", False),
        ending=_ending(wire.get("ending")),
    )


def render_run(run: Run | None) -> Json:
    """The same for the wire."""
    if run is None:
        return {}
    return sparse(
        target=render_target(run.target),
        stage=str(run.stage),
        first=run.first or None,
        startedAt=stamp(run.started_at),
        step=run.step,
        stepAt=stamp(run.step_at),
        weight=run.weight,
        firstAttempt=run.first_attempt,
        questions=[_render_question(q) for q in run.questions],
        former=run.former,
        imageIDs=list(run.images),
        written=run.written or None,
        ending=_render_ending(run.ending),
    )


def _question(wire: Json) -> Question:
    return Question(
        policy=wire["policy"],
        name=wire["name"],
        digest=wire["digest"],
        attempt=wire.get("attempt", 0),
        gate=wire.get("gate", ""),
        images=tuple(wire.get("imageIDs", ())),
        uid=wire.get("uid", ""),
        passed=wire.get("passed", False),
        passed_at=optional_time(wire.get("passedAt")),
    )


def _render_question(question: Question) -> Json:
    wire = sparse(uid=question.uid, gate=question.gate, imageIDs=list(question.images), passedAt=stamp(question.passed_at))
    wire |= {"policy": question.policy, "name": question.name, "digest": question.digest}
    return wire | {"attempt": question.attempt, "passed": question.passed}


def _ending(wire: Json | None) -> Ending | None:
    if wire is None:
        return None
    return Ending(Outcome(wire["outcome"]), wire["reason"], wire.get("message", ""), wire.get("reject", True))


def _render_ending(ending: Ending | None) -> Json:
    if ending is None:
        return {}
    wire = {"outcome": str(ending.outcome), "reason": str(ending.reason), "reject": ending.reject}
    return wire | sparse(message=ending.message)


def parse_last(wire: Json | None) -> LastRun | None:
    """How the last run ended."""
    if wire is None:
        return None
    return LastRun(
        target=parse_target(wire["target"]),
        outcome=Outcome(wire["outcome"]),
        reason=wire["reason"],
        message=wire.get("message", ""),
        at=time(wire["at"]),
        requests=tuple(RequestRef(r["name"], r.get("uid", "")) for r in wire.get("requests", ())),
        rolled_back=wire.get("rolledBack"),
        rolled_back_reason=wire.get("rolledBackReason", ""),
        rolled_back_message=wire.get("rolledBackMessage", ""),
        started_at=optional_time(wire.get("startedAt")),
    )


def render_last(last: LastRun | None) -> Json:
    """The same for the wire."""
    if last is None:
        return {}
    wire = {"target": render_target(last.target), "outcome": str(last.outcome), "reason": str(last.reason)}
    return wire | sparse(
        message=last.message,
        startedAt=stamp(last.started_at),
        at=stamp(last.at),
        requests=[sparse(name=r.name, uid=r.uid) for r in last.requests],
        rolledBack=last.rolled_back,
        rolledBackReason=str(last.rolled_back_reason),
        rolledBackMessage=last.rolled_back_message,
    )


def parse_rejected(wire: Json | None) -> Rejected | None:
    """A target that is not tried again."""
    if wire is None:
        return None
    return Rejected(parse_target(wire["target"]), wire["reason"], wire.get("message", ""), time(wire["at"]))


def render_rejected(rejected: Rejected | None) -> Json:
    """The same for the wire."""
    if rejected is None:
        return {}
    wire = {"target": render_target(rejected.target), "reason": str(rejected.reason)}
    return wire | sparse(message=rejected.message, at=stamp(rejected.at))


def parse_clock(wire: Json | None) -> Clock | None:
    """Since when pods are waited for."""
    return None if wire is None else Clock(time(wire["since"]), optional_time(wire.get("stoppedAt")))


def render_clock(clock: Clock | None) -> Json:
    """The same for the wire."""
    return {} if clock is None else sparse(since=stamp(clock.since), stoppedAt=stamp(clock.stopped_at))
