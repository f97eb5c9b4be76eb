"""AdmissionReviews of pods and Jobs that are created, from the wire and back. Pure. What cannot be read is denied."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from gatehold.admission.reviews import API_VERSION, ReviewError, account, part, text
from gatehold.domain.stamping import APPROVAL, PODS_LABEL, Creation, Place, Stamp

Json = dict[str, Any]
EXEMPT_ANNOTATION: Final = "gatehold.dev/pods-exempt"
_WHAT: Final = {("", "pods", "", "Pod"): "Pod", ("batch", "jobs", "batch", "Job"): "Job"}
_ESCAPED: Final = PODS_LABEL.replace("~", "~0").replace("/", "~1")


@dataclass(frozen=True, slots=True)
class CreationReview:
    """One question of the API server, and the object that it is about."""

    uid: str
    creation: Creation
    object: Mapping[str, Any]


def parse(body: object) -> CreationReview:
    """The question. Raises ReviewError."""
    if not isinstance(body, dict) or (body.get("apiVersion"), body.get("kind")) != (API_VERSION, "AdmissionReview"):
        raise ReviewError(f"not an AdmissionReview of {API_VERSION}")
    request = part(body, "request")
    resource, kind = part(request, "resource"), part(request, "kind")
    named = (resource.get("group", ""), resource.get("resource"), kind.get("group", ""), kind.get("kind"))
    found = next((kind for what, kind in _WHAT.items() if what == named), None)
    if found is None or request.get("operation") != "CREATE" or request.get("subResource"):
        raise ReviewError("request: not the creation of a pod or a Job")
    made = part(request, "object")
    return CreationReview(text(request, "uid"), _creation(found, request, made), made)


def _creation(kind: str, request: Json, made: Json) -> Creation:
    meta, spec = part(made, "metadata"), part(made, "spec")
    labels = part(meta, "labels", optional=True)
    inert = spec.get("suspend") is True
    if kind == "Pod":
        inert = any(gate.get("name") == APPROVAL for gate in _objects(spec, "schedulingGates"))
    return Creation(
        kind=kind,
        namespace=text(request, "namespace"),
        by=account(part(request, "userInfo")),
        inert=inert,
        labelled=PODS_LABEL in labels,
        placed=kind == "Pod" and bool(spec.get("nodeName")),
        of_daemon_set=kind == "Pod" and any(map(_is_daemon_set, _objects(meta, "ownerReferences"))),
    )


def _is_daemon_set(owner: Json) -> bool:
    version = owner.get("apiVersion")
    return (
        owner.get("kind") == "DaemonSet"
        and isinstance(version, str)
        and version.startswith("apps/")
        and owner.get("controller") is True
    )


def _objects(of: Json, name: str) -> list[Json]:
    found = of.get(name)
    if found is None:
        return []
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise ReviewError(f"{name}: no list of objects")
    return found


def place(namespace: Mapping[str, Any]) -> Place | None:
    """A Namespace as the core sees it; None where no Gate holds what is created there."""
    meta = namespace["metadata"]
    gate = (meta.get("labels") or {}).get(PODS_LABEL)
    exempt = str((meta.get("annotations") or {}).get(EXEMPT_ANNOTATION) or "")
    return Place(str(gate), tuple(name for part in exempt.split(",") if (name := part.strip()))) if gate else None


def patch(review: CreationReview, stamp: Stamp, gate: str) -> list[Json]:
    """The stamp as a JSON patch; doing it twice is never asked for, since what is there is no longer missing."""
    operations: list[Json] = []
    if stamp.hold and review.creation.kind == "Job":
        operations.append({"op": "add", "path": "/spec/suspend", "value": True})
    elif stamp.hold:
        there = bool(review.object["spec"].get("schedulingGates"))
        operations.append(_added("/spec/schedulingGates", "-", {"name": APPROVAL}, there=there))
    if stamp.label:
        there = bool(review.object["metadata"].get("labels"))
        operations.append(_added("/metadata/labels", _ESCAPED, gate, there=there))
    return operations


def _added(path: str, member: str, value: object, *, there: bool) -> Json:
    """Into the list or map of that path, made with it where there is none."""
    if there:
        return {"op": "add", "path": f"{path}/{member}", "value": value}
    return {"op": "add", "path": path, "value": [value] if member == "-" else {PODS_LABEL: value}}


def render_patch(uid: str, operations: list[Json]) -> bytes:
    """A yes for the wire, with what is to be changed."""
    response: Json = {"uid": uid, "allowed": True}
    if operations:
        encoded = base64.b64encode(json.dumps(operations).encode()).decode()
        response |= {"patchType": "JSONPatch", "patch": encoded}
    return json.dumps({"apiVersion": API_VERSION, "kind": "AdmissionReview", "response": response}).encode()
