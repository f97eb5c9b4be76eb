"""What the cache must know about each request without unpacking it. Called by the runtime's Store for every event."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from gatehold.api.approval_request import GATE_LABEL, VERDICT_PREFIX
from gatehold.domain.installation import PROBE
from gatehold.domain.model import EffectType
from gatehold.domain.reasons import Reason
from gatehold.kube.resources import NODES
from gatehold.runtime.record import Subject, Summary

_LIVE = ("", "Pending", "Approved")


def summarise(body: Mapping[str, Any]) -> Summary:
    """Read the few fields that indexes need. Never raises: what is odd is looked at by the controller."""
    meta, spec, status = body["metadata"], body.get("spec") or {}, body.get("status") or {}
    phase = str(status.get("phase") or "")
    kind = (spec.get("effect") or {}).get("type") or EffectType.NONE
    return Summary(
        created=str(meta.get("creationTimestamp") or ""),
        phase=phase,
        policy=str((spec.get("policyRef") or {}).get("name") or ""),
        author=str((spec.get("requester") or {}).get("username") or ""),
        subjects=subjects_of(body),
        effect=kind != EffectType.NONE and phase in _LIVE,
        drains=kind == EffectType.DRAIN,
        prepared=bool(status.get("requestDigest")),
        waiting=phase in ("", "Pending") and meta["name"] != PROBE,
        urgent=_urgent(meta, status, phase),
        due_at=_due_at(status, phase),
        pods_of=_pods_of(meta, spec, kind),
    )


def subjects_of(body: Mapping[str, Any]) -> tuple[Subject, ...]:
    """Everything the request acts on: its subject and the undo Job beside it, or the nodes of a drain."""
    spec, namespace = body.get("spec") or {}, str(body["metadata"].get("namespace") or "")
    effect, subject = spec.get("effect") or {}, spec.get("subject") or {}
    if effect.get("type") == EffectType.DRAIN:
        return nodes_of(_drained(body, effect))
    release = effect.get("release") or {}
    if not subject.get("name"):
        return ()
    if subject.get("kind") == NODES.kind:
        return nodes_of((str(subject["name"]),))
    place = str(subject.get("namespace") or namespace)
    found = [(str(subject.get("apiVersion") or ""), str(subject.get("kind") or ""), place, str(subject["name"]))]
    if (release.get("undo") or {}).get("name"):
        found.append(("batch/v1", "Job", place, str(release["undo"]["name"])))
    return tuple(found)


def nodes_of(names: Iterable[str]) -> tuple[Subject, ...]:
    """Nodes as subjects; they are in no namespace."""
    return tuple((NODES.api_version, NODES.kind, "", name) for name in names)


def _pods_of(meta: Mapping[str, Any], spec: Mapping[str, Any], kind: object) -> str:
    """The uid of the owner whose pods it is about: the Gate of a namespace asked, and not a node's."""
    subject = spec.get("subject") or {}
    gated = (meta.get("labels") or {}).get(GATE_LABEL) and kind == EffectType.RELEASE and subject.get("name")
    return str(subject.get("uid") or "") if gated and subject.get("kind") != NODES.kind else ""


def _drained(body: Mapping[str, Any], effect: Mapping[str, Any]) -> tuple[str, ...]:
    """The nodes that were resolved, and before that those that are named: labels say nothing before somebody has looked."""
    resolved = ((body.get("status") or {}).get("resolved") or {}).get("nodes") or ()
    named = resolved or (effect.get("drain") or {}).get("nodes") or ()
    return tuple(str(node.get("name") or "") for node in named)


def _urgent(meta: Mapping[str, Any], status: Mapping[str, Any], phase: str) -> bool:
    """Whether somebody has spoken, or something is under way: such requests go first after a restart."""
    if phase not in ("", "Pending"):
        return True
    said = sum(key.startswith(VERDICT_PREFIX) for key in meta.get("annotations") or {})
    held = (c for c in status.get("conditions") or () if c.get("type") == "Held")
    return said > len(status.get("verdicts") or ()) or any(c.get("reason") == Reason.WALL_NOT_PROVEN for c in held)


def _due_at(status: Mapping[str, Any], phase: str) -> float | None:
    text = status.get("validUntil") if phase == "Approved" else status.get("deadline")
    try:
        return datetime.fromisoformat(str(text)).timestamp() if text else None
    except ValueError:
        return None
