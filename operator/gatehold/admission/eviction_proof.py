"""The proof that evictions are looked at: the webhook is installed as shipped, and it is we who answer.

The probe's account tries to evict a reserved pod that does not exist, as a dry run; only our webhook says no to that, in one
word. A clear no ends the proof at once; an API server or a webhook that does not answer ends it when the last good one is
old: evictions are refused meanwhile in any case (failurePolicy Fail). That is why a silence has to last before a node leaves
its mode for it: whoever drains there, and waits, would be refused.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

from gatehold.admission.proof import Answer
from gatehold.admission.texts import eviction_webhook
from gatehold.domain.evictions import PROBE_POD
from gatehold.domain.gate import WebhookState

log = logging.getLogger(__name__)
Body = Mapping[str, Any]

CONFIGURATION: Final = "gatehold-evictions"
PROOF_SECONDS: Final = 30.0
LIFE_SECONDS: Final = 75.0
ATTEMPT_SECONDS: Final = 10.0
MOST_SILENCES: Final = 12
"""So many tries in a row that the webhook does not answer are a no; there is one every five seconds. No clock counts them:
while this process stood still, or the API server, nobody was asked.
"""
_COMPARED: Final = ("rules", "namespaceSelector", "failurePolicy", "sideEffects", "matchPolicy")
_DEFAULTS: Final[Mapping[str, Any]] = {"objectSelector": {}}
_LONGEST: Final = 10


class EvictionAccess(Protocol):
    """What the proof needs of an API server; each may raise anything, which proves nothing."""

    async def configuration(self) -> Body | None:
        """The ValidatingWebhookConfiguration, live; None where there is none."""

    async def version(self) -> str:
        """Its resourceVersion, empty where there is none."""

    async def try_eviction(self) -> Answer:
        """Evict the reserved pod, as the probe's account, as a dry run."""


class EvictionProof:
    """Proves the webhook, and remembers since when that holds."""

    def __init__(
        self, access: EvictionAccess | None, serves: Callable[[], bool], monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        """Without access this process has no webhook. `serves` tells whether its own answers now."""
        self._access = access
        self._serves = serves
        self._monotonic = monotonic
        self._good = float("-inf")
        self._tried = float("-inf")
        self._version = ""
        self._served = False
        self._silences = 0
        self._refuted = access is None
        self._state = WebhookState.NOT_INSTALLED if access is None else WebhookState.NOT_PROVEN
        self._message = "the operator runs without it (GATEHOLD_WEBHOOK_PORT)" if access is None else "it was not tried yet"
        self.on_turn: Callable[[], None] = lambda: None

    def proven(self) -> bool:
        """Whether the webhook counts as proven now."""
        return self._state is WebhookState.PROVEN and self._monotonic() - self._good <= LIFE_SECONDS

    def stands(self) -> bool | None:
        """The same; None while it is neither proven nor refuted: not tried yet, or nobody was there to say so."""
        return True if self.proven() else False if self._refuted else None

    def state(self) -> tuple[WebhookState, str]:
        """The first with the reason, and in words."""
        if self._state is WebhookState.PROVEN and not self.proven():
            return WebhookState.NOT_PROVEN, "the last proof is too old"
        return self._state, self._message

    async def keep(self) -> None:
        """One turn: prove where the last try grows old, the configuration has changed, or our own server has come up."""
        access, before = self._access, (self.state(), self.stands())
        if access is None:
            return
        served = self._serves()
        fresh = served == self._served and self._monotonic() - self._tried < PROOF_SECONDS
        if not fresh or not self.proven() or await self._changed(access):
            self._served = served
            await self.prove()
        if (self.state(), self.stands()) != before:
            state, message = self.state()
            log.log(logging.INFO if state is WebhookState.PROVEN else logging.WARNING, "webhook for evictions: %s", message)
            self.on_turn()

    async def prove(self) -> None:
        """Try once."""
        if self._access is None:
            return
        began = self._tried = self._monotonic()
        try:
            async with asyncio.timeout(ATTEMPT_SECONDS):
                body = await self._access.configuration()
                self._version = _version_of(body)
                state, message = judge(body, await self._access.try_eviction())
            self._judged(state)
        except Exception as error:  # noqa: BLE001 (whatever went wrong, nothing is proven; the message says what)
            state, message = None, f"{type(error).__name__}: {error}"[:512]
        if state is WebhookState.PROVEN:
            self._good = began
        if state is not None or not self.proven():
            self._state, self._message = state or WebhookState.NOT_PROVEN, message

    def _judged(self, state: WebhookState | None) -> None:
        """The API server has answered: for the webhook, or that it cannot tell."""
        self._silences = self._silences + 1 if state is None else 0
        if state is not None or self._silences >= MOST_SILENCES:
            self._refuted = state is not WebhookState.PROVEN

    async def _changed(self, access: EvictionAccess) -> bool:
        try:
            async with asyncio.timeout(ATTEMPT_SECONDS):
                return await access.version() != self._version
        except Exception as error:  # noqa: BLE001 (not known: the next proof tells)
            log.info("the webhook's configuration could not be read: %s", error)
            return False


def judge(body: Body | None, tried: Answer) -> tuple[WebhookState | None, str]:
    """What both prove. Without a clear answer of the webhook: None, as it cannot be told."""
    if body is None:
        return WebhookState.NOT_INSTALLED, f"there is no ValidatingWebhookConfiguration {CONFIGURATION}"
    wrong = difference(body)
    if wrong:
        return WebhookState.NOT_PROVEN, f"ValidatingWebhookConfiguration {CONFIGURATION}: {wrong}"
    name = eviction_webhook()["webhooks"][0]["name"]
    if (tried.status, tried.message) == (403, f'admission webhook "{name}" denied the request: {PROBE_POD}'):
        return WebhookState.PROVEN, "it is installed as shipped, and answers"
    said = f"an eviction that only it refuses was answered: {tried.status or 'no answer'} {tried.message}"[:512]
    unanswered = tried.status == 0 or tried.status == 429 or tried.status >= 500
    return (None if unanswered else WebhookState.NOT_PROVEN), said


def difference(live: Body, shipped: Body | None = None, more: tuple[str, ...] = ()) -> str:
    """The first place where what matters is not as shipped; certificate, address and conditions are the installer's.

    That of evictions, or another configuration of ours with `more` members that have to be as shipped.
    """
    wanted = (shipped or eviction_webhook())["webhooks"][0]
    found = next((hook for hook in live.get("webhooks") or [] if hook.get("name") == wanted["name"]), None)
    if found is None:
        return f"it has no webhook {wanted['name']}"
    for member in (*_COMPARED, *more):
        if _normal(found.get(member)) != _normal(wanted.get(member)):
            return f"{member} differs from the shipped text"
    for member, default in _DEFAULTS.items():
        if (found.get(member) or default) != default:
            return f"{member} differs from the shipped text"
    return "" if int(found.get("timeoutSeconds") or 0) <= _LONGEST else f"timeoutSeconds is more than {_LONGEST}"


def _normal(value: object) -> object:
    """As the API server stores it: rules have a scope, objects no order."""
    if isinstance(value, list) and value and isinstance(value[0], Mapping) and "resources" in value[0]:
        return [{"scope": "*", **rule} for rule in value]
    return value


def _version_of(body: Body | None) -> str:
    return str(body["metadata"].get("resourceVersion") or "") if body is not None else ""
