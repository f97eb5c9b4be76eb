"""AdmissionReviews of evictions, from the wire and back. Pure. What cannot be read is denied."""

import json
from dataclasses import dataclass
from typing import Any, Final

from gatehold.domain.eviction_sight import Answer, Eviction
from gatehold.domain.model import Requester

Json = dict[str, Any]
API_VERSION: Final = "admission.k8s.io/v1"
REASONS: Final = {403: "Forbidden", 404: "NotFound", 429: "TooManyRequests"}
"""The words that clients branch on: kubectl tries again after a TooManyRequests, and takes a NotFound for evicted."""


class ReviewError(ValueError):
    """No review of an eviction. The text names what is wrong, never a value."""


@dataclass(frozen=True, slots=True)
class Review:
    """One question of the API server; its answer must carry the same uid."""

    uid: str
    eviction: Eviction


def uid_of(body: object) -> str:
    """The uid of a review, whatever else it is, so that the API server takes the no; empty where there is none."""
    request = body.get("request") if isinstance(body, dict) else None
    uid = request.get("uid") if isinstance(request, dict) else None
    return uid if isinstance(uid, str) else ""


def parse(body: object) -> Review:
    """The question. Raises ReviewError; takes nothing for granted, since its answer may open a gate."""
    if not isinstance(body, dict) or (body.get("apiVersion"), body.get("kind")) != (API_VERSION, "AdmissionReview"):
        raise ReviewError(f"not an AdmissionReview of {API_VERSION}")
    request = _part(body, "request")
    kind, resource = _part(request, "kind"), _part(request, "resource")
    what = (request.get("operation"), resource.get("group", ""), resource.get("resource"), request.get("subResource"))
    if what != ("CREATE", "", "pods", "eviction") or (kind.get("group"), kind.get("kind")) != ("policy", "Eviction"):
        raise ReviewError("request: no eviction")
    options = _part(_part(request, "object"), "deleteOptions", optional=True)
    pod_uid = _part(options, "preconditions", optional=True).get("uid")
    if pod_uid is not None and not isinstance(pod_uid, str):
        raise ReviewError("uid: no text")
    dry_run = _dry_run(request, options)
    namespace, pod = _text(request, "namespace"), _text(request, "name")
    by = _account(_part(request, "userInfo"))
    return Review(_text(request, "uid"), Eviction(namespace, pod, by, pod_uid or "", dry_run))


def render(uid: str, answer: Answer) -> bytes:
    """The answer for the wire. Without retryAfterSeconds: with it clients would try again by themselves, unseen."""
    response: Json = {"uid": uid, "allowed": answer.allowed}
    if not answer.allowed:
        status = {"status": "Failure", "code": answer.code, "message": answer.message}
        response["status"] = status | {"reason": REASONS.get(answer.code, "BadRequest")}
    return json.dumps({"apiVersion": API_VERSION, "kind": "AdmissionReview", "response": response}).encode()


def _account(info: Json) -> Requester:
    uid, groups = info.get("uid"), info.get("groups")
    if uid is not None and not isinstance(uid, str):
        raise ReviewError("userInfo.uid: no text")
    return Requester(_text(info, "username"), uid or "", _texts(groups, "userInfo.groups"))


def _dry_run(request: Json, options: Json) -> bool:
    """Kubectl says it in the object only."""
    said = request.get("dryRun")
    if said not in (None, False, True):
        raise ReviewError("dryRun: neither true nor false")
    return bool(said) or bool(_texts(options.get("dryRun"), "deleteOptions.dryRun"))


def _part(of: Json, name: str, *, optional: bool = False) -> Json:
    found = of.get(name)
    if found is None and optional:
        return {}
    if not isinstance(found, dict):
        raise ReviewError(f"{name}: no object")
    return found


def _text(of: Json, name: str) -> str:
    found = of.get(name)
    if not isinstance(found, str) or not found:
        raise ReviewError(f"{name}: missing")
    return found


def _texts(found: object, name: str) -> tuple[str, ...]:
    if found is None:
        return ()
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise ReviewError(f"{name}: no list of texts")
    return tuple(found)
