"""Digests: SHA-256 over RFC 8785 canonical JSON, each with the name of its scheme, so that no two kinds can collide."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

import rfc8785

from gatehold.api.common import ParseError

REQUEST_SCHEME = "gatehold.dev/request/v1"
POLICY_SCHEME = "gatehold.dev/policy/v1"
JOB_SCHEME = "gatehold.dev/job/v1"
TEMPLATE_SCHEME = "gatehold.dev/template/v1"
STRATEGY_SCHEME = "gatehold.dev/strategy/v1"
ROLLOUT_SCHEME = "gatehold.dev/rollout/v1"


def digest(value: Mapping[str, Any], *, nulls: bool = True) -> str:
    """`sha256:` and 64 hex digits, without `nulls` as if members that are null were absent.

    Raises ParseError for what JSON cannot carry exactly, such as integers beyond 2^53.
    """
    try:
        return "sha256:" + hashlib.sha256(rfc8785.dumps(dict(value) if nulls else _without_nulls(value))).hexdigest()
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


def template_digest(template: Mapping[str, Any]) -> str:
    """The content of a pod template, as the API server stores it. A null means that nothing is given."""
    return digest({"scheme": TEMPLATE_SCHEME, "template": template}, nulls=False)


def strategy_digest(strategy: object) -> str:
    """The content of a Rollout's strategy. Absent and empty mean the same, so they have the same digest."""
    return digest({"scheme": STRATEGY_SCHEME, "strategy": _filled(strategy)})


def rollout_digest(uid: str, template: str, strategy: str, images: Iterable[str]) -> str:
    """What a promotion is asked about: one Rollout, the digests of its template and strategy, and the image ids that run."""
    return digest(
        {"scheme": ROLLOUT_SCHEME, "uid": uid, "template": template, "strategy": strategy, "imageIDs": sorted(images)}
    )


def _without_nulls(value: Any) -> Any:  # noqa: ANN401 (whatever JSON carries)
    if isinstance(value, Mapping):
        return {name: _without_nulls(member) for name, member in value.items() if member is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list) else value


def _filled(value: object, depth: int = 2) -> object:
    """The value without empty members, down to the members of a strategy's ways."""
    if not isinstance(value, Mapping) or not depth:
        return None if value in ([], {}) else value
    members = {name: _filled(member, depth - 1) for name, member in value.items()}
    return {name: member for name, member in members.items() if member is not None} or None
