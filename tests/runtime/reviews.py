"""Reviews as the API server sends them, certificates, and a client: what the tests of the webhook share."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest

from gatehold.admission import webhook
from gatehold.admission.certificates import Pair, issue, make_authority

ADDRESS = "127.0.0.1"
AUTHORITY = make_authority(datetime.now(UTC))


def new_pair() -> Pair:
    """A certificate for this machine."""
    return issue(AUTHORITY, [ADDRESS], datetime.now(UTC))


def review(uid: str = "u-1", **changes: Any) -> dict[str, Any]:
    """An eviction of web-1 by alice; `changes` replace members of the request, None takes one away."""
    request: dict[str, Any] = {
        "uid": uid,
        "kind": {"group": "policy", "version": "v1", "kind": "Eviction"},
        "resource": {"group": "", "version": "v1", "resource": "pods"},
        "subResource": "eviction",
        "requestKind": {"group": "policy", "version": "v1", "kind": "Eviction"},
        "name": "web-1",
        "namespace": "shop",
        "operation": "CREATE",
        "userInfo": {"username": "alice", "groups": ["sre", "system:authenticated"]},
        "object": {
            "kind": "Eviction",
            "apiVersion": "policy/v1",
            "metadata": {"name": "web-1", "namespace": "shop"},
            "deleteOptions": {},
        },
        "oldObject": None,
        "dryRun": False,
        "options": {"kind": "CreateOptions", "apiVersion": "meta.k8s.io/v1"},
    }
    request |= changes
    return {
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {key: value for key, value in request.items() if value is not None},
    }


def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no question be answered for its lateness: client and server share this machine, which may be busy.

    Nobody is left when the server of a test ends, so it need not wait for who is late.
    """
    monkeypatch.setattr(webhook, "BODY_SECONDS", 60.0)
    monkeypatch.setattr(webhook, "ANSWER_SECONDS", 60.0)
    monkeypatch.setattr(webhook, "_PARTING_SECONDS", 0.05)


def trust() -> ssl.SSLContext:
    """What the API server trusts by the caBundle."""
    return ssl.create_default_context(cadata=AUTHORITY.certificate.decode())


def session(**more: Any) -> aiohttp.ClientSession:
    """A client that trusts our CA; `force_close` makes a handshake of each call."""
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=trust(), **more))
