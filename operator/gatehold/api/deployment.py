"""A Rollout's children: a Deployment as it is, for the core, and as a whole as it should be, for the API server."""

from collections.abc import Mapping
from typing import Any, Final

from gatehold.api.common import API_VERSION, Body, Wire, read, shortened
from gatehold.api.masking import plain
from gatehold.api.refusal import shown
from gatehold.api.rollout import ROLLOUT_LABEL, TRACK_LABEL, pod_labels
from gatehold.domain.rollout.model import Answer, Child
from gatehold.domain.rollout.record import Track, Wanted

TEMPLATE_DIGEST: Final = "gatehold.dev/template-digest"
RESTARTED_AT: Final = "gatehold.dev/restarted-at"
OVERRIDE: Final = "gatehold.dev/override"
OVERRIDE_BY: Final = "gatehold.dev/override-by"
_OURS: Final = "gatehold.dev/"
_NO_DEADLINE: Final = 2147483647  # progress is judged by the Rollout; this has to exceed minReadySeconds
_MOST_TEXT: Final = 512
_ORDINARY_DEADLINE: Final = 600

Json = dict[str, Any]


class _Owner(Wire):
    api_version: str
    kind: str
    name: str
    uid: str
    controller: bool = False
    block_owner_deletion: bool | None = None


class _Metadata(Wire):
    name: str
    uid: str
    resource_version: str
    generation: int = 0
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None
    owner_references: list[_Owner] | None = None
    finalizers: list[str] | None = None
    deletion_timestamp: str | None = None


class _Condition(Wire):
    type: str
    status: str
    reason: str = ""
    message: str = ""


class _Spec(Wire):
    replicas: int = 1
    min_ready_seconds: int = 0


class _Status(Wire):
    observed_generation: int = 0
    replicas: int = 0
    updated_replicas: int = 0
    ready_replicas: int = 0
    available_replicas: int = 0
    conditions: list[_Condition] | None = None


class _Marks(Wire):
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None


class _Template(Wire):
    metadata: _Marks | None = None


class _Parent(Wire):
    name: str
    namespace: str
    uid: str


def child_name(rollout: str, track: Track) -> str:
    """The name of the Deployment of a track."""
    return f"{rollout}-{track}"


def facts(body: Body, answer: Answer | None = None) -> Child:
    """What the core looks at, pods aside. Raises ParseError."""
    meta = read(_Metadata, body.get("metadata"), "metadata")
    spec = read(_Spec, body.get("spec"), "spec")
    status = read(_Status, body.get("status") or {}, "status")
    notes, labels = meta.annotations or {}, meta.labels or {}
    return Child(
        name=meta.name,
        uid=meta.uid,
        resource_version=meta.resource_version,
        generation=meta.generation,
        owner=next((owner.uid for owner in meta.owner_references or [] if owner.controller), ""),
        template=notes.get(TEMPLATE_DIGEST, ""),
        replicas=spec.replicas,
        observed_generation=status.observed_generation,
        total=status.replicas,
        updated=status.updated_replicas,
        ready=status.ready_replicas,
        available=status.available_replicas,
        overridden=_overridden(notes),
        ours_on_it=any(_OURS in key for key in (*labels, *notes)),
        deleting=meta.deletion_timestamp is not None,
        answer=answer,
        trouble=_failure(status),
    )


def _overridden(notes: Mapping[str, str]) -> str:
    """Why the glass was broken, and by whom where the API server stamped that."""
    reason, who = plain(notes.get(OVERRIDE, "")), plain(notes.get(OVERRIDE_BY, ""))
    said = shortened(reason, _MOST_TEXT - 128)
    return f"{said} ({shortened(who, 120)})" if said and who else said


def _failure(status: _Status) -> str:
    """Why pods of it cannot even be made: a quota, an admission policy."""
    found = [c for c in status.conditions or [] if c.type == "ReplicaFailure" and c.status == "True"]
    return shown(f"{found[0].reason}: {found[0].message}") if found else ""


def whole(
    rollout: Body, track: Track, wanted: Wanted, template: Body, before: Body | None = None, *, owned: bool = True
) -> Json:
    """The child as it should be, all of it; foreign labels, annotations and finalizers of the one before stay.

    `template` is the pod template whose digest `wanted` names. Without `owned` it is not the Rollout's any more: that goes,
    the child stays. Raises ParseError.
    """
    parent = read(_Parent, rollout.get("metadata"), "metadata")
    labels = pod_labels(rollout) | {TRACK_LABEL: str(track)}
    meta = _kept(before) if before is not None else {}
    meta |= {"name": child_name(parent.name, track), "namespace": parent.namespace}
    meta["labels"] = meta.get("labels", {}) | {ROLLOUT_LABEL: parent.name, TRACK_LABEL: str(track)}
    meta["annotations"] = meta.get("annotations", {}) | {TEMPLATE_DIGEST: wanted.template}
    meta["ownerReferences"] = [*([_owned_by(parent)] if owned else []), *_others(before, parent.uid)]
    spec = {
        "replicas": wanted.replicas,
        "selector": {"matchLabels": labels},
        "template": _template(template, labels, wanted.restarted_at),
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": "25%"}},
        "minReadySeconds": wanted.min_ready_seconds,
        "revisionHistoryLimit": wanted.history,
        "progressDeadlineSeconds": _NO_DEADLINE,
    }
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": spec}


def freed(body: Body, owner: str) -> Json:
    """The child as an ordinary Deployment: nothing of ours on it, not owned by the Rollout of uid `owner`.

    The labels of its pods stay: a selector never changes. Raises ParseError.
    """
    meta, found = _kept(body), read(_Spec, body.get("spec"), "spec")
    meta["ownerReferences"] = _others(body, owner)
    deadline = max(_ORDINARY_DEADLINE, found.min_ready_seconds + 1)
    spec = dict(body["spec"]) | {"progressDeadlineSeconds": deadline}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": spec}


def _kept(body: Body) -> Json:
    """What a write of the whole object leaves as it was: its identity, and what is not ours."""
    meta = read(_Metadata, body.get("metadata"), "metadata")
    kept: Json = {"name": meta.name, "uid": meta.uid, "resourceVersion": meta.resource_version}
    if "namespace" in body["metadata"]:
        kept["namespace"] = body["metadata"]["namespace"]
    kept["labels"] = _foreign(meta.labels or {})
    kept["annotations"] = _foreign(meta.annotations or {})
    kept["finalizers"] = list(meta.finalizers or [])
    return kept


def _foreign(marks: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, value in marks.items() if _OURS not in key}


def _owned_by(parent: _Parent) -> Json:
    owner = {"apiVersion": API_VERSION, "kind": "Rollout", "name": parent.name, "uid": parent.uid}
    return owner | {"controller": True, "blockOwnerDeletion": True}


def _others(before: Body | None, uid: str) -> list[Json]:
    """The owners that are not this Rollout; none of them is the controller."""
    if before is None:
        return []
    owners = read(_Metadata, before.get("metadata"), "metadata").owner_references or []
    return [
        owner.model_dump(by_alias=True, exclude_none=True) for owner in owners if owner.uid != uid and not owner.controller
    ]


def _template(template: Body, labels: Mapping[str, str], restarted_at: str) -> Json:
    found = read(_Template, template, "template").metadata or _Marks()
    meta: Json = dict(template.get("metadata") or {}) | {"labels": (found.labels or {}) | dict(labels)}
    if restarted_at:
        meta["annotations"] = (found.annotations or {}) | {RESTARTED_AT: restarted_at}
    return dict(template) | {"metadata": meta}
