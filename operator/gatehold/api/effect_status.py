"""How far an effect is, in the status of a request, both ways."""

from typing import Any

from gatehold.api.common import optional_time, sparse, stamp, time
from gatehold.api.drain_status import parse_node, render_node
from gatehold.domain.model import EffectType
from gatehold.domain.status import EffectState, EffectStatus, ObjectRef, Progress, UndoStatus

Json = dict[str, Any]


def _object(wire: Json | None) -> ObjectRef | None:
    if wire is None:
        return None
    return ObjectRef(wire["apiVersion"], wire["kind"], wire["name"], wire["uid"], wire.get("resourceVersion", ""))


def _render_object(ref: ObjectRef | None) -> Json:
    if ref is None:
        return {}
    return sparse(
        apiVersion=ref.api_version, kind=ref.kind, name=ref.name, uid=ref.uid, resourceVersion=ref.resource_version
    )


def parse_effect(wire: Json | None) -> EffectStatus | None:
    """What was recorded, None where nothing was. Raises KeyError, TypeError or ValueError where it is none of ours."""
    if wire is None:
        return None
    progress, undo = wire.get("progress"), wire.get("undo")
    return EffectStatus(
        type=EffectType(wire["type"]),
        state=EffectState(wire["state"]),
        object=_object(wire.get("object")),
        prior_suspend=(wire.get("prior") or {}).get("suspend"),
        started_at=optional_time(wire.get("startedAt")),
        stopped_at=optional_time(wire.get("stoppedAt")),
        finished_at=optional_time(wire.get("finishedAt")),
        progress=_progress(progress),
        message=wire.get("message", ""),
        undo=_undo(undo),
        nodes=tuple(parse_node(node) for node in wire.get("nodes", ())),
        cooldown_until=optional_time(wire.get("cooldownUntil")),
    )


def _progress(wire: Json | None) -> Progress | None:
    if wire is None:
        return None
    return Progress(time(wire["at"]), wire.get("active", 0), wire.get("succeeded", 0), wire.get("failed", 0))


def _undo(wire: Json | None) -> UndoStatus | None:
    ref = _object(wire.get("object")) if wire is not None else None
    if wire is None or ref is None:
        return None
    started, stopped, finished = (optional_time(wire.get(name)) for name in ("startedAt", "stoppedAt", "finishedAt"))
    return UndoStatus(EffectState(wire["state"]), ref, started, stopped, finished, wire.get("message", ""))


def render_effect(effect: EffectStatus | None) -> Json:
    """The same for the wire; nothing recorded is an empty object."""
    if effect is None:
        return {}
    progress = effect.progress
    return sparse(
        type=str(effect.type),
        state=str(effect.state),
        object=_render_object(effect.object),
        prior={"suspend": effect.prior_suspend} if effect.prior_suspend is not None else {},
        startedAt=stamp(effect.started_at),
        stoppedAt=stamp(effect.stopped_at),
        finishedAt=stamp(effect.finished_at),
        progress=_render_progress(progress) if progress is not None else {},
        message=effect.message,
        undo=_render_undo(effect.undo),
        nodes=[render_node(node) for node in effect.nodes],
        cooldownUntil=stamp(effect.cooldown_until),
    )


def _render_progress(progress: Progress) -> Json:
    return {
        "at": stamp(progress.at),
        "active": progress.active,
        "succeeded": progress.succeeded,
        "failed": progress.failed,
    }


def _render_undo(undo: UndoStatus | None) -> Json:
    if undo is None:
        return {}
    return sparse(
        state=str(undo.state),
        object=_render_object(undo.object),
        startedAt=stamp(undo.started_at),
        stoppedAt=stamp(undo.stopped_at),
        finishedAt=stamp(undo.finished_at),
        message=undo.message,
    )
