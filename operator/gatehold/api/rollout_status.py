"""The status of a Rollout, both ways. `parse_status(render_status(r))` is r for every record of the core."""

import contextlib
from typing import Any

from gatehold.api.common import Body, ParseError, optional_time, sparse, stamp
from gatehold.api.conditions import parse_condition, render_condition
from gatehold.api.rollout_run import (
    parse_clock,
    parse_last,
    parse_rejected,
    parse_run,
    parse_target,
    render_clock,
    render_last,
    render_rejected,
    render_run,
    render_target,
)
from gatehold.domain.rollout.record import Override, Record, RolloutPhase, TrackRecord, Wanted, Weight
from gatehold.domain.status import Condition

Json = dict[str, Any]


def parse_status(body: Body) -> Record:
    """The operator's own record. Raises ParseError where it is not one that the operator could have written."""
    wire = body.get("status") or {}
    try:
        return _record(wire)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ParseError(f"status: {type(error).__name__}") from None


def render_status(record: Record, selector: str = "") -> Json:
    """The whole status for the wire, absent members left out. `selector` is that of the pods of both tracks."""
    tracks = [track for track in (record.stable, record.canary) if track is not None]
    ready, wanted = sum(t.ready for t in tracks), sum(t.wanted.replicas for t in tracks)
    return sparse(
        observedGeneration=record.observed_generation,
        phase=str(record.phase),
        step=record.step,
        share=f"{record.weight.asked}%" if record.weight.asked else "",
        waitingFor=record.waiting_for,
        until=stamp(record.until),
        ready=f"{ready}/{wanted}" if tracks else "",
        replicas=sum(t.pods for t in tracks) if tracks else None,
        selector=selector,
        weight=_render_weight(record.weight),
        stable=_render_track(record.stable),
        canary=_render_track(record.canary),
        run=render_run(record.run),
        lastRun=render_last(record.last_run),
        promoted=render_target(record.promoted),
        promotedImageIDs=list(record.promoted_images),
        rejected=render_rejected(record.rejected),
        retried=record.retried,
        attempts=record.attempts or None,
        clock=render_clock(record.clock),
        figuresAt=stamp(record.figures_at),
        conditions=[render_condition(c) for c in record.conditions],
    )


def parse_conditions(body: Body) -> tuple[Condition, ...]:
    """Those of its conditions that can be read, whatever the rest of its status is."""
    found: list[Condition] = []
    for wire in (body.get("status") or {}).get("conditions") or ():
        with contextlib.suppress(KeyError, TypeError, ValueError, AttributeError):
            found.append(parse_condition(wire))
    return tuple(found)


def with_conditions(body: Body, conditions: tuple[Condition, ...], generation: int) -> Json:
    """The status as it stands, read or not, with these conditions in place of those of their types."""
    wire = body.get("status") or {}
    mine = {str(condition.type): render_condition(condition) for condition in conditions}
    others = [known for known in wire.get("conditions") or () if known.get("type") not in mine]
    phase = wire.get("phase") or str(RolloutPhase.PENDING)
    return {**wire, "phase": phase, "observedGeneration": generation, "conditions": [*mine.values(), *others]}


def _record(wire: Json) -> Record:
    return Record(
        observed_generation=wire.get("observedGeneration", -1),
        phase=RolloutPhase(wire.get("phase", "")),
        stable=_track(wire.get("stable")),
        canary=_track(wire.get("canary")),
        run=parse_run(wire.get("run")),
        last_run=parse_last(wire.get("lastRun")),
        promoted=parse_target(wire["promoted"]) if "promoted" in wire else None,
        promoted_images=tuple(wire.get("promotedImageIDs", ())),
        rejected=parse_rejected(wire.get("rejected")),
        retried=wire.get("retried", ""),
        attempts=wire.get("attempts", 0),
        clock=parse_clock(wire.get("clock")),
        weight=_weight(wire.get("weight", {})),
        step=wire.get("step", ""),
        waiting_for=wire.get("waitingFor", ""),
        until=optional_time(wire.get("until")),
        figures_at=optional_time(wire.get("figuresAt")),
        conditions=tuple(parse_condition(c) for c in wire.get("conditions", ())),
    )


def _weight(wire: Json) -> Weight:
    return Weight(wire.get("asked", 0), wire.get("real", 0))


def _render_weight(weight: Weight) -> Json:
    return {} if weight == Weight() else {"asked": weight.asked, "real": weight.real}


def _track(wire: Json | None) -> TrackRecord | None:
    if wire is None:
        return None
    wanted = Wanted(
        template=wire["templateDigest"],
        replicas=wire["replicas"],
        min_ready_seconds=wire.get("minReadySeconds", 0),
        history=wire.get("revisionHistoryLimit", 10),
        restarted_at=wire.get("restartedAt", ""),
    )
    return TrackRecord(
        wanted=wanted,
        write=wire.get("write", 1),
        generation=wire.get("generation"),
        uid=wire.get("uid", ""),
        put_back=wire.get("putBack", 0),
        override=_override(wire.get("override")),
        images=tuple(wire.get("imageIDs", ())),
        pods=wire.get("pods", 0),
        ready=wire.get("ready", 0),
    )


def _render_track(track: TrackRecord | None) -> Json:
    if track is None:
        return {}
    wanted = track.wanted
    return sparse(
        uid=track.uid,
        templateDigest=wanted.template,
        imageIDs=list(track.images),
        replicas=wanted.replicas,
        minReadySeconds=wanted.min_ready_seconds,
        revisionHistoryLimit=wanted.history,
        restartedAt=wanted.restarted_at,
        write=track.write,
        generation=track.generation,
        putBack=track.put_back or None,
        override=_render_override(track.override),
        pods=track.pods,
        ready=track.ready,
    )


def _override(wire: Json | None) -> Override | None:
    return None if wire is None else Override(parse_target(wire["target"]), wire.get("retry", ""), wire.get("message", ""))


def _render_override(override: Override | None) -> Json:
    if override is None:
        return {}
    return sparse(target=render_target(override.target), retry=override.retry, message=override.message)
