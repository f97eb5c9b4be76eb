"""Logs as JSON lines or for a console, each with the request it is about; the composition root calls `configure` once.

Whoever works on an object says so once with `about(...)`; every record written below it, kopf's and aiohttp's too, then
carries namespace, name, uid and trace id. Bearer tokens and URLs with a query or credentials are blotted out, whoever
logs them.
"""

from __future__ import annotations

import contextlib
import json
import logging
import re
import sys
import time
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from types import MappingProxyType
from typing import TextIO

_ABOUT: ContextVar[Mapping[str, str]] = ContextVar("gatehold_about", default=MappingProxyType({}))
_SECRETS = (
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{8,}"), r"\1 [hidden]"),
    (re.compile(r"\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*"), "[hidden]"),
    (re.compile(r"(https?://)[^\s/@]+@"), r"\1[hidden]@"),
    (re.compile(r"(https?://[^\s?\"']+)\?[^\s\"']+"), r"\1?[hidden]"),
)


@contextlib.contextmanager
def about(**fields: str) -> Iterator[None]:
    """Put fields (namespace, name, uid, kind, trace_id) on every record inside; empty ones are left out."""
    token = _ABOUT.set({**_ABOUT.get(), **{key: value for key, value in fields.items() if value}})
    try:
        yield
    finally:
        _ABOUT.reset(token)


def add(**fields: str) -> None:
    """Add fields to the innermost `about`, as soon as they are known (the trace id stands in the body)."""
    _ABOUT.set({**_ABOUT.get(), **{key: value for key, value in fields.items() if value}})


def configure(style: str, level: str, stream: TextIO | None = None) -> None:
    """Set up the root logger, `json` or `console`; calling it again replaces the first set-up."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines() if style == "json" else Console())
    handler.addFilter(_matters)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # One INFO line for each handler call and each request would drown what matters.
    for name in ("kopf.objects", "kopf.activities", "aiohttp.access", "asyncio"):
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.captureWarnings(capture=True)


def _matters(record: logging.LogRecord) -> bool:
    """Leave out what kopf's watch complains about each time it is closed: it is no error, and stops nothing."""
    return not (record.name == "asyncio" and "infinite_watch" in record.getMessage())


def redact(text: str) -> str:
    """Blot out what looks like a credential."""
    for pattern, instead in _SECRETS:
        text = pattern.sub(instead, text)
    return text


class JsonLines(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Render one record."""
        line = {
            "time": _time(record),
            "level": record.levelname,
            "logger": record.name,
            "message": redact(record.getMessage()),
            **fields_of(record),
        }
        if record.exc_info:
            line["exception"] = redact(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=False, default=str)


class Console(logging.Formatter):
    """For eyes: time, level, what it is about, message."""

    def format(self, record: logging.LogRecord) -> str:
        """Render one record."""
        fields = fields_of(record)
        where = "/".join(part for part in (fields.get("namespace"), fields.get("name")) if part)
        text = redact(record.getMessage()).translate(_CONTROL)
        line = f"{_time(record)} {record.levelname:<7} {f'[{where}] ' if where else ''}{text}"
        return f"{line}\n{redact(self.formatException(record.exc_info))}" if record.exc_info else line


def fields_of(record: logging.LogRecord) -> dict[str, str]:
    """Return what a record is about: ours from the context, else the object kopf names."""
    fields = dict(_ABOUT.get())
    reference = getattr(record, "k8s_ref", None)
    if isinstance(reference, Mapping):
        for key in ("kind", "namespace", "name", "uid"):
            if reference.get(key):
                fields.setdefault(key, str(reference[key]))
    extra = getattr(record, "fields", None)
    if isinstance(extra, Mapping):
        fields.update({str(key): str(value) for key, value in extra.items()})
    return fields


# Text of resources ends up in messages; on a terminal it must not move the cursor.
_CONTROL = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160)) if code not in {9, 10}}


def _time(record: logging.LogRecord) -> str:
    """Log lines carry this machine's time, as every log does; nothing is decided by it."""
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03d}Z"
