"""Pods and Jobs of gated namespaces from the wire, as the gate of pods looks at them."""

from collections.abc import Mapping
from typing import Any, Final

from gatehold.api import pod_digest, pod_shape
from gatehold.api.common import Body, ParseError, Wire, read, time
from gatehold.api.job import HOLD_LABEL, RELEASED_BY
from gatehold.domain.provision.model import JobSeen, OwnerRef, PodSeen
from gatehold.domain.stamping import APPROVAL, PODS_LABEL

_OVER: Final = ("Succeeded", "Failed")
_FINISHED: Final = ("Complete", "Failed")
_MOST_IMAGES: Final = 32


class _Reference(Wire):
    api_version: str
    kind: str
    name: str
    uid: str
    controller: bool = False


class _Metadata(Wire):
    name: str
    namespace: str
    uid: str
    resource_version: str
    creation_timestamp: str
    deletion_timestamp: str | None = None
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    owner_references: list[_Reference] = []


class _Named(Wire):
    name: str = ""


class _Container(Wire):
    image: str | None = None


class _PodSpec(Wire):
    scheduling_gates: list[_Named] | None = None
    init_containers: list[_Container] | None = None
    containers: list[_Container] | None = None


class _Condition(Wire):
    type: str = ""
    status: str = ""


class _JobStatus(Wire):
    conditions: list[_Condition] | None = None


class _JobSpec(Wire):
    suspend: bool | None = None
    parallelism: int | None = None
    completions: int | None = None
    active_deadline_seconds: int | None = None


def pod(body: Body) -> PodSeen:
    """A pod as it is now. Raises ParseError."""
    meta, spec = _meta(body), _part(body, "spec")
    owner = _owner(meta)
    given = read(_PodSpec, spec, "spec")
    return PodSeen(
        namespace=meta.namespace,
        name=meta.name,
        uid=meta.uid,
        resource_version=meta.resource_version,
        gate=meta.labels.get(PODS_LABEL, ""),
        digest=pod_digest.digest(spec, owner.kind if owner is not None else ""),
        shape=pod_shape.shape(spec),
        gated=any(gate.name == APPROVAL for gate in given.scheduling_gates or ()),
        live=_part(body, "status").get("phase") not in _OVER,
        created=time(meta.creation_timestamp),
        owner=owner,
        deleting=meta.deletion_timestamp is not None,
        released_by=meta.annotations.get(RELEASED_BY, ""),
        images=_images(given),
        has_node=bool(spec.get("nodeName")),
    )


def job(body: Body) -> JobSeen:
    """A Job as it is now. Raises ParseError."""
    meta, spec, status = _meta(body), _part(body, "spec"), _part(body, "status")
    given = read(_JobSpec, spec, "spec")
    template = _part(_part(spec, "template"), "spec")
    stated = read(_JobStatus, status, "status").conditions or ()
    over = {condition.type for condition in stated if condition.status == "True"}
    return JobSeen(
        namespace=meta.namespace,
        name=meta.name,
        uid=meta.uid,
        resource_version=meta.resource_version,
        gate=meta.labels.get(PODS_LABEL, ""),
        digest=pod_digest.digest(template, "Job"),
        shape=pod_shape.shape(template),
        suspended=bool(given.suspend),
        created=time(meta.creation_timestamp),
        size=job_size(given.parallelism, given.completions),
        owner=_owner(meta),
        hold=meta.labels.get(HOLD_LABEL, ""),
        released_by=meta.annotations.get(RELEASED_BY, ""),
        active_deadline_seconds=given.active_deadline_seconds,
        finished=bool(over & set(_FINISHED)),
        deleting=meta.deletion_timestamp is not None,
        started=bool(status.get("startTime")),
        images=images(template),
    )


def job_size(parallelism: int | None, completions: int | None) -> int:
    """How many pods of such a Job live at the same time."""
    at_once = 1 if parallelism is None else parallelism
    return at_once if completions is None else min(at_once, completions)


def images(spec: Mapping[str, Any]) -> tuple[str, ...]:
    """The images of all containers, each once, as they stand there. Raises ParseError."""
    return _images(read(_PodSpec, spec, "spec"))


def _images(spec: _PodSpec) -> tuple[str, ...]:
    containers = (*(spec.init_containers or ()), *(spec.containers or ()))
    return tuple(dict.fromkeys(one.image or "" for one in containers))[:_MOST_IMAGES]


def _meta(body: Body) -> _Metadata:
    return read(_Metadata, body.get("metadata"), "metadata")


def _part(body: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = body.get(name)
    if found is not None and not isinstance(found, Mapping):
        raise ParseError(f"{name}: not an object")
    return found or {}


def _owner(meta: _Metadata) -> OwnerRef | None:
    found = next((ref for ref in meta.owner_references if ref.controller), None)
    return OwnerRef(found.api_version, found.kind, found.name, found.uid) if found is not None else None
