"""The webhook for evictions: whether it is as shipped, whom it never holds, how long its certificate lasts. Pure."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

from gatehold.admission.certificates import CertificateError, facts, of_secret, renew_due, signed_by
from gatehold.admission.eviction_proof import CONFIGURATION, difference
from gatehold.admission.texts import eviction_webhook
from gatehold.cli.certs.init import EXEMPT
from gatehold.cli.doctor.findings import Finding, Level, unreadable
from gatehold.domain.installation import NAMESPACE

Json = dict[str, Any]
PART = "Evictions"
_INIT = "gatehold certs init"
_LOOK = f"kubectl get validatingwebhookconfiguration {CONFIGURATION} -o yaml"
_LATE = 0.1
"""The share of its life that a certificate may have left before it is a problem: it should have been renewed long ago."""


class Which(NamedTuple):
    """One of our webhooks, as it is spoken of."""

    part: str = PART
    init: str = _INIT
    refused: str = "every eviction is refused"


class Webhook(NamedTuple):
    """What was read. `unread` says why the Secret is not known, where it is not."""

    configuration: Json | None = None
    secret: Json | None = None
    unread: str = ""


def installed(webhook: Webhook, wanted: list[str], now: datetime | None) -> Iterator[Finding]:
    """All that there is to say; `wanted` are the Gates of mode Hold."""
    body = webhook.configuration
    if body is None:
        if wanted:
            text = f"the webhook is not installed, so mode Hold of gate {', '.join(wanted)} means Deny"
            yield Finding(PART, Level.PROBLEM, text, _INIT)
        else:
            yield Finding(
                PART, Level.NOTICE, "the webhook is not installed: mode Deny refuses cordons, not evictions", _INIT
            )
        return
    wrong = difference(body)
    text = f"ValidatingWebhookConfiguration {CONFIGURATION}: {wrong or 'as this version ships it'}"
    yield Finding(PART, Level.PROBLEM if wrong else Level.OK, text, _INIT if wrong else "")
    yield from _exempt(body)
    yield from certificate(body, webhook, now, Which())


def _exempt(body: Json) -> Iterator[Finding]:
    """Whoever is never held, by conditions that are not of the shipped text."""
    shipped = {
        c["name"]: " ".join(c["expression"].split()) for c in _hook(dict(eviction_webhook())).get("matchConditions") or ()
    }
    live = {str(c.get("name")): " ".join(str(c.get("expression")).split()) for c in _hook(body).get("matchConditions") or ()}
    for name, expression in live.items():
        if shipped.get(name) == expression:
            continue
        level = Level.NOTICE if name == EXEMPT else Level.PROBLEM
        yield Finding(PART, level, f"evictions are held only where {expression} (matchCondition {name})", _LOOK)
    for name in shipped.keys() - live.keys():
        text = f"matchCondition {name} is gone: the operator's own drains are held by its own webhook"
        yield Finding(PART, Level.PROBLEM, text, _INIT)


def _hook(body: Json) -> Json:
    hook: Json = (body.get("webhooks") or [{}])[0]
    return hook


def certificate(body: Json, webhook: Webhook, now: datetime | None, which: Which) -> Iterator[Finding]:
    """What it serves with (as its Secret says) against what the API server trusts."""
    client = _hook(body).get("clientConfig") or {}
    try:
        ca = base64.b64decode(str(client.get("caBundle") or ""), validate=True)
    except binascii.Error:
        ca = b""
    if not ca:
        yield Finding(which.part, Level.PROBLEM, f"the webhook has no caBundle: {which.refused}", which.init)
        return
    if webhook.unread:
        yield unreadable(which.part, "the webhook's certificate", webhook.unread)
        return
    if webhook.secret is None:
        yield Finding(
            which.part, Level.NOTICE, "the webhook's certificate is in no Secret: it comes from files, and is not looked at"
        )
        return
    try:
        found = of_secret(webhook.secret.get("data")).certificate
        yield _judged(found, (ca, client), now, which)
    except CertificateError as error:
        yield Finding(which.part, Level.PROBLEM, f"the webhook's certificate cannot be read: {error}", which.init)


def _judged(certificate: bytes, trusted: tuple[bytes, Json], now: datetime | None, which: Which) -> Finding:
    ca, client = trusted
    found = facts(certificate)
    until = f"until {found.not_after:%Y-%m-%dT%H:%M:%SZ}"
    service = client.get("service") or {}
    host = f"{service.get('name')}.{service.get('namespace')}.svc" if service else ""
    if now is None:
        return unreadable(which.part, "the webhook's certificate", "the API server does not say what time it is")
    if not found.not_before <= now < found.not_after:
        return Finding(
            which.part, Level.PROBLEM, f"the webhook's certificate is not valid now ({until}): {which.refused}", which.init
        )
    if not signed_by(certificate, ca):
        return Finding(
            which.part, Level.PROBLEM, "the webhook's certificate is not of the CA that the API server trusts", which.init
        )
    if host and host not in found.hosts:
        return Finding(which.part, Level.PROBLEM, f"the webhook's certificate is not for {host}", which.init)
    if found.not_after - now < (found.not_after - found.not_before) * _LATE:
        text = f"the webhook's certificate ends soon, and nobody has renewed it: {until}"
        return Finding(which.part, Level.PROBLEM, text, f"kubectl -n {NAMESPACE} get pods; {which.init}")
    if renew_due(certificate, now):
        return Finding(which.part, Level.NOTICE, f"the webhook's certificate is due to be renewed: {until}")
    return Finding(which.part, Level.OK, f"the webhook's certificate is good {until}")
