"""Failures of the API server, as one small tree of our own; everybody who calls `kube` may catch them.

    ApiError
    ├── Absent            404: the object (or its kind) is not there
    ├── Conflict          409: somebody wrote first; look again, do not back off
    ├── AlreadyExists     409 on create: the name is taken
    ├── Gone              410: a list's continue token is too old; list again
    ├── Forbidden         403: RBAC or an admission policy said no; retrying alone will not help
    ├── Invalid           400, 413, 415, 422: the API server will never take this body
    ├── TooManyRequests   429: wait `retry_after`
    └── Unavailable       5xx, a timeout or a broken connection: not known, so hold and try again
        └── Unauthenticated   401: our credentials were refused; they are read again

Absent, Forbidden and Unavailable must stay three answers: a gate that takes "could not look" for "is not there" is open.
"""

# ruff: noqa: N818 - the names are what the API server says, and are read at `except`

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple


class Cause(NamedTuple):
    """One of the causes that an answer lists beside its sentence, such as the budget that an eviction would violate."""

    reason: str
    message: str


class ApiError(Exception):
    """The API server did not do what was asked; `status` is 0 where no answer came at all."""

    def __init__(
        self,
        message: str,
        *,
        status: int = 0,
        reason: str = "",
        retry_after: float | None = None,
        causes: tuple[Cause, ...] = (),
    ) -> None:
        """Keep what a caller may branch on; `message` is the API server's own sentence."""
        super().__init__(message)
        self.message = message
        self.status = status
        self.reason = reason
        self.retry_after = retry_after
        self.causes = causes

    def __str__(self) -> str:
        """Render as `409 Conflict: ...`."""
        return f"{self.status or 'no answer'} {self.reason or type(self).__name__}: {self.message}"


class Absent(ApiError):
    """404: the object, its namespace or its kind is not there."""


class Conflict(ApiError):
    """409: the resourceVersion or uid that was demanded is not the current one."""


class AlreadyExists(ApiError):
    """409 on create: an object of this name is there already."""


class Gone(ApiError):
    """410: the version that was asked for is compacted away; start the list again."""


class Forbidden(ApiError):
    """403: refused by RBAC or by admission; the message says by which."""


class Invalid(ApiError):
    """400 or 422: refused by schema, by CEL, by an immutable field or by a failed JSON-patch test."""


class TooManyRequests(ApiError):
    """429: flow control, or an eviction that a disruption budget does not allow now."""


class Unavailable(ApiError):
    """5xx, timeout or no connection: whether a write landed is not known."""


class Unauthenticated(Unavailable):
    """401: the credentials were refused; transient while tokens rotate, so it is retried."""


_BY_STATUS: Mapping[int, type[ApiError]] = {
    400: Invalid,
    401: Unauthenticated,
    403: Forbidden,
    404: Absent,
    409: Conflict,
    410: Gone,
    413: Invalid,
    415: Invalid,
    422: Invalid,
    429: TooManyRequests,
}


def is_refusal(error: ApiError) -> bool:
    """Whether it is a no that stays until somebody changes something: RBAC, admission, or a webhook that nobody answers for.

    A webhook may give its no any code that it likes, and one that cannot be asked is a 500.
    """
    said = "denied the request" in error.message or (error.status == 500 and "failed calling webhook" in error.message)
    return said or isinstance(error, Forbidden | Invalid)


def from_answer(status: int, headers: Mapping[str, str], raw: bytes) -> ApiError:
    """Turn an HTTP answer that is not 2xx into the error that callers branch on."""
    answer = _parse_status(raw)
    reason = str(answer.get("reason") or "")
    kind = _BY_STATUS.get(status, Unavailable if status >= 500 else ApiError)
    if status == 409 and reason == "AlreadyExists":
        kind = AlreadyExists
    message = str(answer.get("message") or raw[:500].decode("utf-8", "replace") or "no message")
    retry_after = _retry_after(headers, answer)
    return kind(message, status=status, reason=reason, retry_after=retry_after, causes=_causes(answer))


def _parse_status(raw: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(raw)
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}


def _causes(answer: Mapping[str, Any]) -> tuple[Cause, ...]:
    details = answer.get("details")
    found = details.get("causes") if isinstance(details, dict) else None
    listed = found if isinstance(found, list) else []
    return tuple(Cause(str(c.get("reason") or ""), str(c.get("message") or "")) for c in listed if isinstance(c, dict))


def _retry_after(headers: Mapping[str, str], answer: Mapping[str, Any]) -> float | None:
    """Read Retry-After (header first, then the Status body); only seconds are used by Kubernetes."""
    details = answer.get("details")
    raw = headers.get("Retry-After") or (details.get("retryAfterSeconds") if isinstance(details, dict) else None)
    try:
        return float(raw) if raw is not None else None
    except (TypeError, ValueError):
        return None
