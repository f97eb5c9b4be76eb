"""Gated namespaces: whether what is created there is marked to wait, and by whom. Pure but for `look`.

Unmarked, nothing runs there unasked either, since the wall refuses it: this is about pods that cannot be created at all.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

from gatehold.admission.eviction_proof import difference
from gatehold.admission.texts import STAMPING, compare, pod_webhook, shipped
from gatehold.cli.certs.pairs import LEAF
from gatehold.cli.doctor import mending
from gatehold.cli.doctor.findings import Finding, Level
from gatehold.cli.doctor.gates import Gates
from gatehold.cli.doctor.webhook import Webhook, Which, certificate
from gatehold.cli.refusals import sentence
from gatehold.cli.session import Session
from gatehold.domain.installation import NAMESPACE
from gatehold.kube import errors
from gatehold.kube.resources import MAP, MAP_BINDINGS, SECRETS, STAMPING_WEBHOOKS, Resource

Json = dict[str, Any]
PART = "Stamping"
NAMES = ("gatehold-stamp-pods", "gatehold-stamp-gated-jobs")
_INIT = "gatehold certs init --pods"
_FILE = "23-stamp-pods.yaml"
_WHICH = Which(PART, _INIT, "no pod and no Job can be created in gated namespaces")
_CONFIGURATION = "gatehold-pods"
_MEMBERS = ("reinvocationPolicy", "matchConditions")


class Seen(NamedTuple):
    """What was read: the stamping policies and bindings (None where the API server has no such kind), and the webhook."""

    policies: tuple[Json, ...] | None
    webhook: Webhook
    mend: str = ""
    """What to type where the policies are amiss."""


async def look(session: Session, gates: Gates) -> list[Finding]:
    """Read and judge; nothing where no namespace is gated and no webhook is there. Raises ApiError."""
    webhook = await _webhook(session)
    if not gates.pods and webhook.configuration is None:
        return []
    seen = Seen(await _policies(session), webhook, mending.command(await mending.policies(session), _FILE))
    return list(findings(seen, [space for space, _ in gates.pods], session.time.now()))


async def _policies(session: Session) -> tuple[Json, ...] | None:
    found = [await _named(session, kind, name) for kind in (MAP, MAP_BINDINGS) for name in NAMES]
    if not any(found) and not await _served(session):
        return None
    return tuple(body for body in found if body is not None)


async def _served(session: Session) -> bool:
    try:
        await session.cluster.list_all(MAP)
    except errors.Absent:
        return False
    return True


async def _named(session: Session, resource: Resource, name: str) -> Json | None:
    try:
        return await session.cluster.get(resource, None, name)
    except errors.Absent:
        return None


async def _webhook(session: Session) -> Webhook:
    configuration = await _named(session, STAMPING_WEBHOOKS, _CONFIGURATION)
    if configuration is None:
        return Webhook()
    try:
        return Webhook(configuration, await session.cluster.get(SECRETS, NAMESPACE, LEAF))
    except errors.Absent:
        return Webhook(configuration)
    except errors.Forbidden as error:
        return Webhook(configuration, None, sentence(error))


def findings(seen: Seen, spaces: list[str], now: datetime | None) -> Iterator[Finding]:
    """What stamps, what is wrong with it, and each gated namespace."""
    flaw = _flaw(seen.policies)
    said = [*_hook(seen.webhook, now)]
    yield from said
    hook = seen.webhook.configuration is not None and not any(one.level is Level.PROBLEM for one in said)
    for space in spaces:
        if not flaw:
            yield Finding(PART, Level.OK, f"namespace {space}: the API server marks pods and Jobs ({_FILE})")
        elif hook:
            yield Finding(PART, Level.OK, f"namespace {space}: the webhook of the operator marks pods and Jobs")
        else:
            text = f"namespace {space}: nothing marks pods and Jobs, so those whose templates do not are refused: {flaw}"
            yield Finding(PART, Level.PROBLEM, text, _INIT if seen.policies is None else seen.mend)


def _flaw(policies: tuple[Json, ...] | None) -> str:
    """Why the API server does not stamp; empty where it does."""
    if policies is None:
        return "this API server has no stamping (1.36 and later have), and the webhook is not in order"
    ours = [body for body in shipped() if body["kind"] in STAMPING and body["metadata"]["name"] in NAMES]
    there = {(body.get("kind"), body["metadata"]["name"]) for body in policies}
    missing = [body for body in ours if (body["kind"], body["metadata"]["name"]) not in there]
    if missing:
        return f"{missing[0]['kind']} {missing[0]['metadata']['name']} is missing"
    return "; ".join(str(one) for one in compare(ours, policies))


def _hook(webhook: Webhook, now: datetime | None) -> Iterator[Finding]:
    """The webhook, where it is installed: one that is not in order refuses everything, whoever else would stamp."""
    if webhook.configuration is None:
        return
    wrong = difference(webhook.configuration, pod_webhook(), _MEMBERS)
    text = f"MutatingWebhookConfiguration {_CONFIGURATION}: {wrong or 'as this version ships it'}"
    yield Finding(PART, Level.PROBLEM if wrong else Level.OK, text, _INIT if wrong else "")
    yield from certificate(webhook.configuration, webhook, now, _WHICH)
