"""CA and leaf in their Secrets: kept where they can be used, made where there are none, never overwritten in doubt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gatehold.admission.certificates import (
    CertificateError,
    Pair,
    facts,
    fits,
    issue,
    make_authority,
    of_secret,
    renew_due,
    secret_data,
    signed_by,
)
from gatehold.cli.exits import Exit, Leave
from gatehold.cli.session import Session
from gatehold.cli.text import plain
from gatehold.cli.times import clock
from gatehold.kube import errors
from gatehold.kube.resources import SECRETS

Json = dict[str, Any]
AUTHORITY, LEAF = "gatehold-webhook-ca", "gatehold-webhook-tls"
_LABELS = {"app.kubernetes.io/part-of": "gatehold", "app.kubernetes.io/component": "webhook"}
_MANAGED = "cert-manager.io/certificate-name"


@dataclass(frozen=True, slots=True)
class Made:
    """What the API server is to trust, and what was done, in sentences that are safe for a terminal."""

    ca: bytes
    told: tuple[str, ...]


async def prepare(session: Session, namespace: str, hosts: Sequence[str], now: datetime) -> Made:
    """Both Secrets, made or kept. Where cert-manager keeps the leaf, its CA is taken and nothing is written."""
    leaf = await _find(session, namespace, LEAF)
    authority = await _find(session, namespace, AUTHORITY)
    if authority is None and leaf is not None:
        return _foreign(namespace, leaf, hosts, now)
    if authority is None:
        authority, told = await _make_authority(session, namespace, now)
    else:
        told = f"Secret {plain(namespace)}/{AUTHORITY}: kept"
    ca = _usable(authority, namespace, AUTHORITY)
    if facts(ca.certificate).not_after <= now:
        text = f"the CA in Secret {plain(namespace)}/{AUTHORITY} has expired, and is not replaced without your word"
        raise Leave(
            Exit.NO, text, f"kubectl -n {plain(namespace)} delete secret {AUTHORITY} {LEAF}; then this command again"
        )
    more = await _leaf(session, namespace, (leaf, ca, hosts), now)
    return Made(ca.certificate, (f"{told}, valid until {clock(facts(ca.certificate).not_after)}", more))


def _foreign(namespace: str, leaf: Json, hosts: Sequence[str], now: datetime) -> Made:
    """A leaf without a CA of ours: somebody else keeps it, cert-manager for one. It is checked, and never written."""
    import base64
    import binascii

    name = f"Secret {plain(namespace)}/{LEAF}"
    try:
        ca = base64.b64decode(str((leaf.get("data") or {}).get("ca.crt") or ""), validate=True)
        pair = of_secret(leaf.get("data"))
        good = bool(ca) and fits(pair) and hosts[0] in facts(pair.certificate).hosts
        due = facts(pair.certificate).not_after <= now
    except (binascii.Error, CertificateError) as error:
        raise Leave(Exit.NO, f"{name} is there without a CA of ours, and cannot be used: {plain(error)}") from error
    if not good or due:
        why = "it has expired" if due else f"it needs ca.crt, a key that fits, and the name {hosts[0]}"
        raise Leave(Exit.NO, f"{name} is kept by somebody else and cannot be used: {plain(why)}")
    who = "cert-manager" if _MANAGED in (leaf["metadata"].get("annotations") or {}) else "somebody else"
    return Made(ca, (f"{name}: kept by {who}, who renews it, valid until {clock(facts(pair.certificate).not_after)}",))


async def _find(session: Session, namespace: str, name: str) -> Json | None:
    try:
        return await session.cluster.get(SECRETS, namespace, name)
    except errors.Absent:
        return None


async def _make_authority(session: Session, namespace: str, now: datetime) -> tuple[Json, str]:
    """Make the CA; where somebody else was faster, theirs is the one."""
    pair = make_authority(now)
    try:
        body = await session.cluster.create(SECRETS, namespace, _secret(AUTHORITY, namespace, secret_data(pair)))
    except errors.AlreadyExists:
        return await session.cluster.get(SECRETS, namespace, AUTHORITY), f"Secret {plain(namespace)}/{AUTHORITY}: kept"
    return body, f"Secret {plain(namespace)}/{AUTHORITY}: made"


def _usable(body: Json, namespace: str, name: str) -> Pair:
    """The pair of a Secret, or the end: what cannot be read is not replaced."""
    try:
        pair = of_secret(body.get("data"))
        if fits(pair):
            return pair
        why = "its key does not belong to its certificate"
    except CertificateError as error:
        why = str(error)
    text = f"Secret {plain(namespace)}/{name} cannot be used: {plain(why)}; it is not replaced without your word"
    raise Leave(Exit.NO, text, f"kubectl -n {plain(namespace)} delete secret {name}; then this command again")


async def _leaf(session: Session, namespace: str, parts: tuple[Json | None, Pair, Sequence[str]], now: datetime) -> str:
    """The leaf, if what is there does not do: of another CA, for other names, or with a third of its life left."""
    there, ca, hosts = parts
    name = f"Secret {plain(namespace)}/{LEAF}"
    if there is not None and _does(there, ca, hosts, now):
        return f"{name}: kept, valid until {clock(facts(of_secret(there.get('data')).certificate).not_after)}"
    pair = issue(ca, hosts, now)
    body = _secret(LEAF, namespace, secret_data(pair, ca.certificate))
    until = f"valid until {clock(facts(pair.certificate).not_after)}, for {plain(', '.join(hosts))}"
    if there is None:
        await session.cluster.create(SECRETS, namespace, body)
        return f"{name}: made, {until}"
    body["metadata"]["resourceVersion"] = there["metadata"]["resourceVersion"]
    body["type"] = there.get("type") or body["type"]  # it never changes
    await session.cluster.replace(SECRETS, namespace, body)
    return f"{name}: made anew, {until}"


def _does(there: Json, ca: Pair, hosts: Sequence[str], now: datetime) -> bool:
    try:
        pair = of_secret(there.get("data"))
        mine = fits(pair) and signed_by(pair.certificate, ca.certificate)
        return mine and set(hosts) <= set(facts(pair.certificate).hosts) and not renew_due(pair.certificate, now)
    except CertificateError:
        return False


def _secret(name: str, namespace: str, data: dict[str, str]) -> Json:
    metadata = {"name": name, "namespace": namespace, "labels": dict(_LABELS)}
    return {"type": "kubernetes.io/tls", "metadata": metadata, "data": data}
