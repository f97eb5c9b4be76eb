"""What is compared at the end of a life, and how what differs between two lives is masked: times, uids, digests, names."""

import re
from dataclasses import dataclass
from typing import Any, Final

Body = dict[str, Any]

_PATTERNS: Final = (
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)"), "TIME"),
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "UID"),
    (re.compile(r"\b[0-9a-f]{8,64}\b"), "DIGEST"),
)
_OURS: Final = "gatehold.dev"
_COUNTED: Final = ("Released", "Failed")
"""Ends for which the figures of the Job were read last of all; else they are those of some moment on the way."""


@dataclass(frozen=True, slots=True)
class Mask:
    """Replaces whatever is a life's own."""

    names: dict[str, str]

    def of(self, value: Any) -> Any:
        """The same value, masked."""
        if isinstance(value, dict):
            pairs = ((self._text(key), key, inner) for key, inner in value.items())
            return {shown: "VERSION" if key == "resourceVersion" else self.of(inner) for shown, key, inner in pairs}
        if isinstance(value, list):
            return [self.of(inner) for inner in value]
        return self._text(value) if isinstance(value, str) else value

    def _text(self, text: str) -> str:
        for pattern, word in _PATTERNS:
            text = pattern.sub(word, text)
        for name, word in self.names.items():
            text = text.replace(name, word)
        return text


def request_told(request: Body) -> Body:
    """A request as people see it in the end."""
    meta, status = request["metadata"], request["status"]
    if status["phase"] not in _COUNTED and "effect" in status:
        status = {**status, "effect": {**status["effect"], "progress": "SAMPLE"}}
    return {"labels": meta.get("labels", {}), "annotations": ours(meta.get("annotations")), "status": status}


def job_told(job: Body) -> Body:
    """A Job in the end: our marks, whether it may run, and the Job controller's own words without its times."""
    meta, status = job["metadata"], job.get("status", {})
    said = sorted((c["type"], c["status"], c.get("reason", "")) for c in status.get("conditions", []))
    return {
        "annotations": ours(meta.get("annotations")),
        "finalizers": meta.get("finalizers", []),
        "suspend": job["spec"]["suspend"],
        "counts": {name: status.get(name, 0) for name in ("active", "ready", "succeeded", "failed", "terminating")},
        "conditions": said,
    }


def ours(notes: Body | None) -> Body:
    return {key: value for key, value in (notes or {}).items() if _OURS in key}
