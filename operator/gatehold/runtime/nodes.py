"""What the cache keeps of a node: a tenth of it. Pure; for `caches` and `waking` only.

A node's status says every few minutes that it lives, and holds the names of a hundred images; nobody decides by that.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gatehold.api.node import GATED_LABEL
from gatehold.runtime.objects import Item
from gatehold.runtime.parts import NODE, Key

Body = Mapping[str, Any]

_META = ("name", "uid", "resourceVersion", "creationTimestamp", "deletionTimestamp", "labels", "annotations")
_LABELS = (GATED_LABEL, "gatehold.dev/drain-mode")
_ANNOTATIONS = ("gatehold.dev/released-by", "gatehold.dev/request", "gatehold.dev/cordoned-by")


def trimmed(body: Body) -> Body:
    """Labels, annotations, `unschedulable` and taints."""
    meta, spec = body["metadata"], body.get("spec") or {}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {key: meta[key] for key in _META if key in meta},
        "spec": {key: spec[key] for key in ("unschedulable", "taints") if key in spec},
    }


def note_of(body: Body) -> str:
    """What wakes somebody once it changes, the Gate first; empty for a node that nobody has anything to do with."""
    meta = body["metadata"]
    labels, notes = meta.get("labels") or {}, meta.get("annotations") or {}
    closed = "cordoned" if (body.get("spec") or {}).get("unschedulable") else ""
    words = [*(labels.get(name, "") for name in _LABELS), closed, *(notes.get(name, "") for name in _ANNOTATIONS)]
    return " ".join(words).rstrip()


def gate_of(item: Item) -> str:
    """The Gate that its label names, empty where it has none."""
    return item.note.partition(" ")[0]


def node_key(item: Item) -> Key:
    """The key of a node."""
    return Key(NODE, "", item.name, item.uid)
