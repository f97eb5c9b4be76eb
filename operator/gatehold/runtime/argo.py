"""What the cache keeps of a Rollout of Argo, and where each stands, unopened. For `caches` and `waking` only.

Its controller writes its status with every pod that comes up; nobody here decides by that. Only what changes the note wakes
anybody: the revision, the step, the pause, an abort.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gatehold.api.argo_rollout import LABEL as LABEL
from gatehold.runtime.objects import Item
from gatehold.runtime.parts import ARGO_ROLLOUT, Key

Body = Mapping[str, Any]

PAUSED = "paused"
_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def trimmed(body: Body) -> Body:
    """Without what the cache need not keep: what somebody applied is there a second time, conditions are read by nobody."""
    meta, status = dict(body["metadata"]), dict(body.get("status") or {})
    meta["annotations"] = {key: value for key, value in (meta.get("annotations") or {}).items() if key != _APPLIED}
    status.pop("conditions", None)
    return {**body, "metadata": meta, "status": status}


def note_of(body: Body) -> str:
    """Whether it is paused, then whatever wakes somebody once it changes."""
    spec, status = body.get("spec") or {}, body.get("status") or {}
    pauses = status.get("pauseConditions") or ()
    words = [
        PAUSED if pauses else "on",
        status.get("currentPodHash"),
        status.get("stableRS"),
        status.get("currentStepIndex"),
        (status.get("blueGreen") or {}).get("activeSelector"),
        status.get("controllerPause"),
        status.get("abort"),
        status.get("abortedAt"),
        status.get("phase"),
        spec.get("paused"),
        body["metadata"].get("deletionTimestamp"),
        body["metadata"].get("generation"),
        status.get("observedGeneration"),
        *(f"{pause.get('reason')}={pause.get('startTime')}" for pause in pauses),
        _back(status),
    ]
    return " ".join(str(word) for word in words)


def is_paused(item: Item) -> bool:
    """Whether it waits for somebody or something."""
    return item.note.startswith(f"{PAUSED} ")


def argo_key(item: Item) -> Key:
    """The key of a Rollout of Argo."""
    return Key(ARGO_ROLLOUT, item.namespace, item.name, item.uid)


def _back(status: Body) -> str:
    """Of one that was aborted, how far stable is back: its undo waits for that."""
    if not status.get("abort"):
        return ""
    weight = (((status.get("canary") or {}).get("weights") or {}).get("canary") or {}).get("weight")
    return f"{status.get('updatedReplicas')}/{status.get('availableReplicas')}/{weight}"
