"""`gatehold certs init`: CA, leaf and a webhook's configuration, made where it is missing; then whether it answers.

The webhook is that for evictions, or with --pods the one that marks pods; both are served with the same certificate.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from gatehold.admission.creations import EXEMPT_ANNOTATION
from gatehold.admission.texts import eviction_webhook, pod_webhook
from gatehold.cli.certs.answering import Question, until_it_answers
from gatehold.cli.certs.pairs import prepare
from gatehold.cli.exits import Exit, Leave
from gatehold.cli.session import Session
from gatehold.cli.terminal import out
from gatehold.cli.text import plain
from gatehold.domain.installation import NAMESPACE
from gatehold.kube import errors
from gatehold.kube.resources import STAMPING_WEBHOOKS, WEBHOOKS, Resource

Json = dict[str, Any]
EXEMPT = "exempt-accounts"


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
    said, exempt = await _install(session, wish, made.ca)
    out().print(said, soft_wrap=True)
    await until_it_answers(session, Question(wish.pods, exempt, wish.timeout))


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


async def _install(session: Session, wish: Wish, ca: bytes) -> tuple[str, tuple[str, ...]]:
    """The configuration as shipped, with what is this cluster's own: what was done, and who is never held."""
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
        return f"{what} {name}: installed; {held}", exempt
    if _same(live, wanted):
        return f"{what} {name}: as it should be; {held}", exempt
    wanted["metadata"]["resourceVersion"] = live["metadata"]["resourceVersion"]
    await session.cluster.replace(wish.resource, None, wanted)
    return f"{what} {name}: put right; {held}", exempt


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
