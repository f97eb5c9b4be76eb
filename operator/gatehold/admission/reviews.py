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
    request = part(body, "request")
    kind, resource = part(request, "kind"), part(request, "resource")
    what = (request.get("operation"), resource.get("group", ""), resource.get("resource"), request.get("subResource"))
    if what != ("CREATE", "", "pods", "eviction") or (kind.get("group"), kind.get("kind")) != ("policy", "Eviction"):
        raise ReviewError("request: no eviction")
    options = part(part(request, "object"), "deleteOptions", optional=True)
    pod_uid = part(options, "preconditions", optional=True).get("uid")
    if pod_uid is not None and not isinstance(pod_uid, str):
        raise ReviewError("uid: no text")
    dry_run = _dry_run(request, options)
    namespace, pod = text(request, "namespace"), text(request, "name")
    by = account(part(request, "userInfo"))
    return Review(text(request, "uid"), Eviction(namespace, pod, by, pod_uid or "", dry_run))


def render(uid: str, answer: Answer) -> bytes:
    """The answer for the wire. Without retryAfterSeconds: with it clients would try again by themselves, unseen."""
    if not answer.allowed:
        return refusal(uid, answer.code, answer.message)
    return _written({"uid": uid, "allowed": True})


def refusal(uid: str, code: int, message: str) -> bytes:
    """A no for the wire."""
    status = {"status": "Failure", "code": code, "message": message, "reason": REASONS.get(code, "BadRequest")}
    return _written({"uid": uid, "allowed": False, "status": status})


def _written(response: Json) -> bytes:
    return json.dumps({"apiVersion": API_VERSION, "kind": "AdmissionReview", "response": response}).encode()


def account(info: Json) -> Requester:
    """Who asks, as the API server authenticated it. Raises ReviewError."""
    uid, groups = info.get("uid"), info.get("groups")
    if uid is not None and not isinstance(uid, str):
        raise ReviewError("userInfo.uid: no text")
    return Requester(text(info, "username"), uid or "", _texts(groups, "userInfo.groups"))


def _dry_run(request: Json, options: Json) -> bool:
    """Kubectl says it in the object only."""
    said = request.get("dryRun")
    if said not in (None, False, True):
        raise ReviewError("dryRun: neither true nor false")
    return bool(said) or bool(_texts(options.get("dryRun"), "deleteOptions.dryRun"))


def part(of: Json, name: str, *, optional: bool = False) -> Json:
    """A member that is an object. Raises ReviewError."""
    found = of.get(name)
    if found is None and optional:
        return {}
    if not isinstance(found, dict):
        raise ReviewError(f"{name}: no object")
    return found


def text(of: Json, name: str) -> str:
    """A member that is a text with something in it. Raises ReviewError."""
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
