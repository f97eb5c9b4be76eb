"""`gatehold certs init`: CA, leaf and the webhook's configuration, made where it is missing; then whether it answers."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from gatehold.admission.texts import eviction_webhook
from gatehold.cli.certs.pairs import prepare
from gatehold.cli.exits import Exit, Leave
from gatehold.cli.session import Session
from gatehold.cli.terminal import err, out
from gatehold.cli.text import plain
from gatehold.kube import errors
from gatehold.kube.resources import WEBHOOKS

Json = dict[str, Any]
NAMESPACE = "gatehold-system"
EXEMPT = "exempt-accounts"
_DOWN = "failed calling webhook"
_PROBE = ("default", "gatehold-probe")
_NOBODY = "00000000-0000-0000-0000-000000000000"
OPEN = "kubectl delete validatingwebhookconfiguration gatehold-evictions"
_LOOK_SECONDS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the command line says. `exempt` is None where the accounts that are there already stay."""

    service: str = "gatehold"
    url: str = ""
    exempt: tuple[str, ...] | None = None
    timeout: int = 60


async def init(session: Session, wish: Wish) -> None:
    """Do what is missing, say what was done, and see that the webhook answers."""
    await session.cluster.server_version()  # whose clock the certificates are made by
    now = session.time.now()
    if now is None:
        raise Leave(Exit.API_ERROR, "the API server does not say what time it is: nothing was made", "kubectl version")
    made = await prepare(session, NAMESPACE, hosts(wish), now)
    for line in made.told:
        out().print(line, soft_wrap=True)
    out().print(await _install(session, wish, made.ca), soft_wrap=True)
    await _until_it_answers(session, wish)


def hosts(wish: Wish) -> tuple[str, ...]:
    """The names that the API server calls the webhook by."""
    if wish.url:
        host = urlsplit(wish.url).hostname or ""
        if not wish.url.startswith("https://") or not host:
            raise Leave(Exit.USAGE, f"--url {plain(wish.url)}: an https URL, such as https://10.0.0.7:9443/evict")
        return (host,)
    stem = f"{wish.service}.{NAMESPACE}"
    return (f"{stem}.svc", f"{stem}.svc.cluster.local")


async def _install(session: Session, wish: Wish, ca: bytes) -> str:
    """The configuration as shipped, with what is this cluster's own."""
    name = str(eviction_webhook()["metadata"]["name"])
    try:
        live = await session.cluster.get(WEBHOOKS, None, name)
    except errors.Absent:
        live = None
    there = exempt_in(live) if live is not None else ()
    exempt = there if wish.exempt is None else tuple(dict.fromkeys(wish.exempt))
    wanted = configured(wish, ca, exempt)
    held = f"never held: {plain(', '.join(exempt))}" if exempt else "every account is held"
    if live is None:
        await session.cluster.create(WEBHOOKS, None, wanted)
        return f"ValidatingWebhookConfiguration {name}: installed; {held}"
    if _same(live, wanted):
        return f"ValidatingWebhookConfiguration {name}: as it should be; {held}"
    wanted["metadata"]["resourceVersion"] = live["metadata"]["resourceVersion"]
    await session.cluster.replace(WEBHOOKS, None, wanted)
    return f"ValidatingWebhookConfiguration {name}: put right; {held}"


def configured(wish: Wish, ca: bytes, exempt: tuple[str, ...]) -> Json:
    """The shipped text with address, CA and the accounts that are never held. Pure."""
    body = json.loads(json.dumps(eviction_webhook()))
    bundle = base64.b64encode(ca).decode()
    for hook in body["webhooks"]:
        service = {**hook["clientConfig"].get("service", {}), "name": wish.service, "namespace": NAMESPACE}
        where: Json = {"url": wish.url} if wish.url else {"service": service}
        hook["clientConfig"] = {**where, "caBundle": bundle}
        conditions = [c for c in hook.get("matchConditions") or [] if c["name"] != EXEMPT]
        if exempt:
            conditions.append({"name": EXEMPT, "expression": _expression(exempt)})
        hook["matchConditions"] = conditions
    return dict(body)


def _expression(accounts: tuple[str, ...]) -> str:
    """Account names as strings of CEL, which are those of JSON."""
    return f"!(request.userInfo.username in {json.dumps(list(accounts))})"


def exempt_in(body: Json) -> tuple[str, ...]:
    """The accounts that a configuration never holds, as this command writes them; Leave where it cannot be read."""
    found: list[str] = []
    for hook in body.get("webhooks") or []:
        for condition in hook.get("matchConditions") or []:
            if condition.get("name") == EXEMPT:
                found += _accounts(str(condition.get("expression") or ""))
    return tuple(dict.fromkeys(found))


def _accounts(expression: str) -> list[str]:
    start, end = "!(request.userInfo.username in ", ")"
    inner = expression[len(start) : -len(end)] if expression.startswith(start) and expression.endswith(end) else ""
    try:
        return [str(name) for name in json.loads(inner)]
    except ValueError as error:
        text = f"matchCondition {EXEMPT} is not as this command writes it: say with --exempt whom it is to leave alone"
        raise Leave(Exit.USAGE, text, "kubectl get validatingwebhookconfiguration gatehold-evictions -o yaml") from error


def _same(live: Json, wanted: Json) -> bool:
    """Whether everything that is wanted is so; the API server adds defaults of its own."""

    def holds(ours: object, theirs: object) -> bool:
        if isinstance(ours, dict) and isinstance(theirs, dict):
            return all(key in theirs and holds(value, theirs[key]) for key, value in ours.items())
        if isinstance(ours, list) and isinstance(theirs, list):
            return len(ours) == len(theirs) and all(map(holds, ours, theirs))
        return ours == theirs

    extra = any(set(hook.get("clientConfig") or {}) - set(want["clientConfig"]) for hook, want in _pairs(live, wanted))
    return holds(wanted.get("webhooks"), live.get("webhooks")) and not extra


def _pairs(live: Json, wanted: Json) -> list[tuple[Json, Json]]:
    return list(zip(live.get("webhooks") or [], wanted.get("webhooks") or [], strict=False))


async def _until_it_answers(session: Session, wish: Wish) -> None:
    """Try an eviction of a pod that is reserved for this and does not exist, as a dry run."""
    until = time.monotonic() + wish.timeout
    while not await _answers(session):
        if time.monotonic() >= until:
            text = (
                "installed, but the webhook does not answer: until it does, evictions are refused in the whole cluster, "
                "kube-system and gatehold-system aside. Is an operator running that has GATEHOLD_WEBHOOK_PORT set?"
            )
            raise Leave(Exit.TIMEOUT, text, f"kubectl -n {NAMESPACE} get pods; to open it by hand: {OPEN}")
        await asyncio.sleep(_LOOK_SECONDS)
    err().print("[green]the webhook answers[/green]; a gate with drains.mode Hold is Ready once the operator has proven it")


async def _answers(session: Session) -> bool:
    try:
        await session.cluster.evict(*_PROBE, uid=_NOBODY, dry_run=True)
    except errors.ApiError as error:
        if _DOWN in error.message:
            return False
        if isinstance(error, errors.Unavailable):
            raise
    return True
