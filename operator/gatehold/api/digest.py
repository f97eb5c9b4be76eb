"""Digests: SHA-256 over RFC 8785 canonical JSON, each with the name of its scheme, so that no two kinds can collide."""

import hashlib
from collections.abc import Mapping
from typing import Any

import rfc8785

from gatehold.api.common import ParseError

REQUEST_SCHEME = "gatehold.dev/request/v1"
POLICY_SCHEME = "gatehold.dev/policy/v1"
JOB_SCHEME = "gatehold.dev/job/v1"


def digest(value: Mapping[str, Any]) -> str:
    """`sha256:` and 64 hex digits. Raises ParseError for what JSON cannot carry exactly, such as integers beyond 2^53."""
    try:
        return "sha256:" + hashlib.sha256(rfc8785.dumps(dict(value))).hexdigest()
    except (rfc8785.CanonicalizationError, RecursionError):
        raise ParseError("it has no exact canonical JSON (integers beyond 2^53, for instance), so no digest") from None


def request_digest(uid: str, spec: Mapping[str, Any], resolved: Mapping[str, Any], policy_digest: str) -> str:
    """What a verdict is for: the request as it stands, what the operator read, and the policy that decides."""
    return digest({"scheme": REQUEST_SCHEME, "uid": uid, "spec": spec, "resolved": resolved, "policyDigest": policy_digest})


def policy_digest(spec: Mapping[str, Any]) -> str:
    """The content of an ApprovalPolicy."""
    return digest({"scheme": POLICY_SCHEME, "spec": spec})


def job_digest(uid: str, spec: Mapping[str, Any]) -> str:
    """The content of one held Job: its uid and its spec as the API server stores it, without `suspend`."""
    return digest({"scheme": JOB_SCHEME, "uid": uid, "spec": {k: v for k, v in spec.items() if k != "suspend"}})
