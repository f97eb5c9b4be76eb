"""`gatehold certs init`: CA, leaf and a webhook's configuration, made where it is missing; then whether it answers.

The webhook is that for evictions, or with --pods the one that marks pods; both are served with the same certificate.
"""

from __future__ import annotations

import asyncio
import base64
import json
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from gatehold.admission.creations import EXEMPT_ANNOTATION
from gatehold.admission.texts import eviction_webhook, pod_webhook
from gatehold.cli.certs.pairs import prepare
from gatehold.cli.exits import Exit, Leave
from gatehold.cli.session import Session
from gatehold.cli.terminal import err, out
from gatehold.cli.text import plain
from gatehold.domain.evictions import PROBE_NAMESPACE, PROBE_POD
from gatehold.domain.installation import NAMESPACE
from gatehold.domain.stamping import PODS_LABEL
from gatehold.kube import errors
from gatehold.kube.resources import NAMESPACES, PODS, STAMPING_WEBHOOKS, WEBHOOKS, Resource

Json = dict[str, Any]
EXEMPT = "exempt-accounts"
_DOWN = "failed calling webhook"
_PROBE = (PROBE_NAMESPACE, PROBE_POD)
_NOBODY = "00000000-0000-0000-0000-000000000000"
OPENS = {
    False: "kubectl delete validatingwebhookconfiguration gatehold-evictions",
    True: "kubectl delete mutatingwebhookconfiguration gatehold-pods",
}
_POD: Json = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": PROBE_POD},
    "spec": {"containers": [{"name": "main", "image": PROBE_POD}]},
}
_SILENT = {
    False: "installed, but the webhook does not answer: until it does, evictions are refused in the whole cluster, "
    "kube-system and gatehold-system aside. Is an operator running that has GATEHOLD_WEBHOOK_PORT set?",
    True: "installed, but the webhook does not answer: until it does, no pod and no Job can be created in gated namespaces. "
    "Is an operator running that has GATEHOLD_WEBHOOK_PORT set?",
}
_THEN = {
    False: "a gate with drains.mode Hold is Ready once the operator has proven it",
    True: "pods and Jobs of gated namespaces wait from now on, whatever their templates say",
}
_LOOK_SECONDS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the command line says. `exempt` is None where the accounts that are there already stay."""

    service: str = "gatehold"
    url: str = ""
    exempt: tuple[str, ...] | None = None
    timeout: int = 60
    pods: bool = False

    @property
    def resource(self) -> Resource:
        """The kind of the configuration."""
        return STAMPING_WEBHOOKS if self.pods else WEBHOOKS

    def shipped(self) -> Json:
        """The configuration as this version ships it."""
        return dict(pod_webhook() if self.pods else eviction_webhook())


async def init(session: Session, wish: Wish) -> None:
    """Do what is missing, say what was done, and see that the webhook answers."""
    if wish.pods and wish.exempt is not None:
        text = (
            "--exempt is for evictions; who creates pods without asking stands in gatehold.dev/pods-exempt of the namespace"
        )
        raise Leave(Exit.USAGE, text, f"kubectl annotate namespace NAME {EXEMPT_ANNOTATION}=ACCOUNT")
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
            raise Leave(
                Exit.USAGE,
                f"--url {plain(wish.url)}: an https URL, such as https://10.0.0.7:9443{'/pods' if wish.pods else '/evict'}",
            )
        return (host,)
    stem = f"{wish.service}.{NAMESPACE}"
    return (f"{stem}.svc", f"{stem}.svc.cluster.local")


async def _install(session: Session, wish: Wish, ca: bytes) -> str:
    """The configuration as shipped, with what is this cluster's own."""
    name, what = str(wish.shipped()["metadata"]["name"]), wish.resource.kind
    try:
        live = await session.cluster.get(wish.resource, None, name)
    except errors.Absent:
        live = None
    there = exempt_in(live) if live is not None else ()
    exempt = there if wish.exempt is None else tuple(dict.fromkeys(wish.exempt))
    wanted = configured(wish, ca, exempt)
    held = "who is exempt stands in the namespaces" if wish.pods else "every account is held"
    held = f"never held: {plain(', '.join(exempt))}" if exempt else held
    if live is None:
        await session.cluster.create(wish.resource, None, wanted)
        return f"{what} {name}: installed; {held}"
    if _same(live, wanted):
        return f"{what} {name}: as it should be; {held}"
    wanted["metadata"]["resourceVersion"] = live["metadata"]["resourceVersion"]
    await session.cluster.replace(wish.resource, None, wanted)
    return f"{what} {name}: put right; {held}"


def configured(wish: Wish, ca: bytes, exempt: tuple[str, ...]) -> Json:
    """The shipped text with address, CA and the accounts that are never held. Pure."""
    body = json.loads(json.dumps(wish.shipped()))
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
    """Try what the webhook is asked about, as a dry run, until it has answered."""
    until = time.monotonic() + wish.timeout
    space = await _gated(session) if wish.pods else ""
    if wish.pods and not space:
        err().print("no namespace is behind a gate for pods yet: whether the webhook answers shows there (gatehold doctor)")
        return
    while not await _answers(session, space):
        if time.monotonic() >= until:
            raise Leave(
                Exit.TIMEOUT, _SILENT[wish.pods], f"kubectl -n {NAMESPACE} get pods; to open it by hand: {OPENS[wish.pods]}"
            )
        await asyncio.sleep(_LOOK_SECONDS)
    err().print(f"[green]the webhook answers[/green]; {_THEN[wish.pods]}", soft_wrap=True)


async def _gated(session: Session) -> str:
    """A namespace where the webhook is asked; empty where there is none."""
    found = await session.cluster.list_all(NAMESPACES, None, PODS_LABEL)
    return next((str(body["metadata"]["name"]) for body in found), "")


async def _answers(session: Session, space: str) -> bool:
    """Evict a pod that is reserved for this and does not exist, or create it in a gated namespace; both dry."""
    try:
        if space:
            await session.cluster.create(PODS, space, _POD, dry_run=True)
        else:
            await session.cluster.evict(*_PROBE, uid=_NOBODY, dry_run=True)
    except errors.ApiError as error:
        if _DOWN in error.message:
            return False
        if isinstance(error, errors.Unavailable):
            raise
    return True
