"""What the caches keep of pods and Jobs behind a Gate of type Pods, and what is known of them unopened.

Nearly every event about a pod tells of its status, by which nobody here decides: the note leaves that out, and only what
changes the note wakes anybody.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from gatehold.domain.stamping import APPROVAL, PODS_LABEL
from gatehold.runtime.objects import Item, Objects
from gatehold.runtime.parts import PODS_OWNER, Key

Body = Mapping[str, Any]

_META = (
    "name",
    "namespace",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "labels",
    "annotations",
    "ownerReferences",
)
RELEASED_BY = "gatehold.dev/released-by"
HELD = "held"
_ENDED = ("Succeeded", "Failed")
_STATUS = ("phase", "startTime", "active")
_OVER = ("Complete", "Failed")
_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


class Direct(NamedTuple):
    """What controls a pod or Job directly, or the object itself where nothing does."""

    api_version: str
    kind: str
    name: str
    uid: str


def trimmed(body: Body) -> Body:
    """The spec, and of the rest what says whose it is and whether it lives."""
    meta, status = body["metadata"], body.get("status") or {}
    kept = {key: meta[key] for key in _META if key in meta}
    if _APPLIED in (kept.get("annotations") or {}):
        kept["annotations"] = {**kept["annotations"], _APPLIED: "-"}  # that there are annotations must be seen
    shown = {key: status[key] for key in _STATUS if key in status}
    over = [c for c in status.get("conditions") or () if c.get("type") in _OVER]
    return {
        "apiVersion": body["apiVersion"],
        "kind": body["kind"],
        "metadata": kept,
        "spec": body.get("spec") or {},
        "status": shown | ({"conditions": over} if over else {}),
    }


def pod_note(body: Body) -> str:
    """Gate, direct owner, and what changes in the life of a pod as far as anybody here cares."""
    spec = body.get("spec") or {}
    gated = any(gate.get("name") == APPROVAL for gate in spec.get("schedulingGates") or ())
    ended = (body.get("status") or {}).get("phase") in _ENDED
    images = hash(tuple(str(container.get("image")) for container in spec.get("containers") or ()))
    return _note(body, HELD if gated else "over" if ended else "free", str(images))


def job_note(body: Body) -> str:
    """The same of a Job."""
    spec, status = body.get("spec") or {}, body.get("status") or {}
    over = any(c.get("type") in _OVER and c.get("status") == "True" for c in status.get("conditions") or ())
    return _note(body, HELD if spec.get("suspend") else "over" if over else "free", str(body["metadata"].get("generation")))


def gate_of(item: Item) -> str:
    """The Gate that a pod or Job was created behind."""
    return item.note.partition(" ")[0]


def is_held(item: Item) -> bool:
    """Whether it waits."""
    return item.note.split(" ", 6)[5] == HELD


def direct(item: Item) -> Direct:
    """What controls it directly."""
    _, uid, api_version, kind, name, _ = item.note.split(" ", 5)
    return Direct(api_version, kind, name, uid)


def released_by(item: Item) -> str:
    """Who let it go: the uid of a request, gate/NAME, or nobody."""
    released = item.note.split(" ", 8)[7]
    return released if released != "-" else ""


def group_of(item: Item) -> str:
    """Items of one direct owner are found together, by namespace and its uid."""
    return group(item.namespace, item.note.split(" ", 2)[1])


def group(namespace: str, uid: str) -> str:
    """The group of what that direct owner controls."""
    return f"{namespace}/{uid}"


def controller(body: Body) -> Direct | None:
    """What controls an object, by its owner references."""
    for ref in body["metadata"].get("ownerReferences") or ():
        if ref.get("controller"):
            return Direct(str(ref["apiVersion"]), str(ref["kind"]), str(ref["name"]), str(ref["uid"]))
    return None


def one_each(caches: Iterable[Objects], prefix: str = "") -> Iterator[tuple[str, Item]]:
    """Each group of these caches whose name begins so, with one item of it: whose it is says any of them."""
    for cache in caches:
        for name in cache.groups(prefix):
            yield name, cache.grouped(name)[0]


def owner_key(item: Item) -> Key:
    """The key of what controls a pod or Job directly."""
    owner = direct(item)
    return Key(PODS_OWNER, item.namespace, owner.name, owner.uid)


def _note(body: Body, state: str, more: str) -> str:
    meta = body["metadata"]
    gate = str((meta.get("labels") or {}).get(PODS_LABEL) or "-")
    released = str((meta.get("annotations") or {}).get(RELEASED_BY) or "-")
    life = "ends" if meta.get("deletionTimestamp") else "lives"
    return " ".join([gate, *_direct(body), state, life, released, more])


def _direct(body: Body) -> tuple[str, str, str, str]:
    """Uid, apiVersion, kind and name of the controller; of the object itself where there is none."""
    found, meta = controller(body), body["metadata"]
    if found is not None:
        return found.uid, found.api_version, found.kind, found.name
    return str(meta["uid"]), str(body["apiVersion"]), str(body["kind"]), str(meta["name"])
