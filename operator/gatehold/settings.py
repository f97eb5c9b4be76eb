"""All configuration of the operator, read once from GATEHOLD_* variables; only the composition root calls `from_environ`.

No resource can change any of this: addresses, accounts and defaults come from whoever installs the operator.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Final, Self
from urllib.parse import urlsplit

from gatehold.domain.installation import NAMESPACE
from gatehold.domain.model import GateType

GATE_TYPES: Final = tuple(gate.value for gate in GateType)
"""Every type of Gate that this version knows; what an installation leaves out is not in its `gates`."""
_NO_GATE: Final = "None"


class SettingError(ValueError):
    """A variable has a value that is not allowed; the text names both."""

    def __init__(self, variable: str, allowed: str) -> None:
        """Say which variable and what it may be; the value itself may be a secret and is not repeated."""
        super().__init__(f"{variable} must be {allowed}")
        self.variable = variable


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the operator was told; every field is GATEHOLD_<FIELD NAME> in the environment."""

    namespace: str = NAMESPACE
    """Namespace of the operator: its Lease, its probe's request and account."""

    kubeconfig: str | None = None
    """Path of a kubeconfig; absent in a pod, the pod's service account is used, elsewhere the usual kubeconfig."""

    context: str | None = None
    """Context in that kubeconfig; absent means its current one."""

    identity: str = ""
    """Who holds the Lease, shown to people: POD_NAME, else the host's name; a part that is new in each process is added."""

    lease_name: str = "gatehold-operator"
    """Name of the Lease."""

    lease_seconds: float = 10.0
    """A standby waits this long without any change of the Lease before it takes over."""

    lease_renew_seconds: float = 7.0
    """The leader stops acting this long after its last successful renewal began."""

    lease_retry_seconds: float = 1.5
    """Seconds between renewals; a standby looks three times as often."""

    workers: int = 32
    """How many objects are worked on at once."""

    request_timeout_seconds: float = 5.0
    """How long one call to the API server may take."""

    resync_seconds: float = 420.0
    """Seconds between full paged lists that find what the watch missed."""

    watchdog_seconds: float = 30.0
    """Without our own heartbeat in the watch for this long, the process ends."""

    heartbeat_seconds: float = 5.0
    """Seconds between heartbeats on the probe's request."""

    drain_seconds: float = 3.0
    """How long work under way may take to finish once the process was told to end."""

    http_address: str = "0.0.0.0"  # noqa: S104 - the kubelet and Prometheus come from outside the pod
    """Address of /healthz, /readyz and /metrics."""

    http_port: int = 8080
    """Port of /healthz, /readyz and /metrics; 0 takes any free one, -1 none."""

    log_format: str = "json"
    """`json`, one object a line, or `console`."""

    log_level: str = "INFO"
    """DEBUG, INFO, WARNING or ERROR."""

    notice_url: str | None = None
    """The one https URL that is told about requests; absent, nobody is told. It often holds a secret: never logged."""

    notice_insecure_loopback: bool = False
    """Allow http://127.0.0.1 as notice URL, for tests."""

    robot_users: tuple[str, ...] = ()
    """User names that are no people though they do not start with `system:`; comma-separated."""

    default_timeout_seconds: int = 86_400
    """How long a request waits whose policy says nothing, or is missing."""

    default_validity_seconds: int = 3_600
    """How long an approval may wait for its effect where the policy says nothing."""

    undo_timeout_seconds: int = 86_400
    """How long an undo Job may run; then it is stopped, and the request says that nothing was restored."""

    default_retention_seconds: int = 2_592_000
    """How long a done request is kept where the policy says nothing."""

    retention_sweep_seconds: float = 600.0
    """Seconds between looks for done requests whose time is over."""

    max_pending_per_policy: int = 1_000
    """Cap of pending requests of one policy that says nothing itself."""

    max_pending_per_author: int = 100
    """Cap of pending requests of one author in one namespace."""

    drain_namespace: str | None = None
    """Namespace in which requests about node drains are created; absent, the operator's own."""

    drain_policy: str | None = None
    """Policy of node drains that no Gate names; absent, only nodes behind a Gate are drained."""

    gates: tuple[str, ...] = GATE_TYPES
    """Types of Gates that this installation has, comma-separated, or `None`; what is left out is never acted on."""

    webhook_port: int = -1
    """Port of the webhook for evictions; -1 none: Gates of mode Hold are not ready then."""

    webhook_address: str = "0.0.0.0"  # noqa: S104 - the API server comes from outside the pod
    """Address of the webhook for evictions."""

    webhook_cert_dir: str | None = None
    """Folder with tls.crt and tls.key of the webhook, read again when they change; absent, a Secret is read."""

    webhook_secret: str = "gatehold-webhook-tls"  # noqa: S105 - a name
    """Secret of the webhook's certificate, in the operator's namespace, read where no folder is given."""

    webhook_ca_secret: str = "gatehold-webhook-ca"  # noqa: S105 - a name
    """Secret of the CA by which the leader renews that certificate; where there is none, somebody else renews it."""

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Self:
        """Read GATEHOLD_* (and POD_NAME, HOSTNAME for the identity); raises `SettingError`."""
        values: dict[str, Any] = {}
        for field in fields(cls):
            variable = f"GATEHOLD_{field.name.upper()}"
            raw = environ.get(variable, "").strip()
            if raw:
                values[field.name] = _parse(variable, str(field.type), raw)
        values.setdefault("identity", environ.get("POD_NAME") or environ.get("HOSTNAME") or "gatehold")
        settings = cls(**values)
        _check(settings)
        return settings

    def process_identity(self) -> str:
        """Return a holder name that no other process, and no earlier life of this one, ever had."""
        return f"{self.identity or 'gatehold'}_{secrets.token_hex(4)}"


def _boolean(raw: str) -> bool:
    return {"true": True, "false": False}[raw.lower()]


def _names(raw: str) -> tuple[str, ...]:
    return tuple(part for part in (piece.strip() for piece in raw.split(",")) if part)


_PARSERS: Mapping[str, tuple[Callable[[str], Any], str]] = {
    "str": (str, "a text"),
    "str | None": (str, "a text"),
    "int": (int, "a whole number"),
    "float": (float, "a number"),
    "bool": (_boolean, "true or false"),
    "tuple[str, ...]": (_names, "names separated by commas"),
}


def _parse(variable: str, kind: str, raw: str) -> object:
    parser, allowed = _PARSERS[kind]
    try:
        return parser(raw)
    except (ValueError, KeyError) as error:
        raise SettingError(variable, allowed) from error


def _check(settings: Settings) -> None:
    """Refuse what would open a gate or stop the operator later: better at the start, by name."""
    for name in ("lease_seconds", "lease_renew_seconds", "lease_retry_seconds", "request_timeout_seconds"):
        _demand(name, getattr(settings, name) > 0, "more than 0")
    for name in ("resync_seconds", "watchdog_seconds", "heartbeat_seconds", "retention_sweep_seconds"):
        _demand(name, getattr(settings, name) >= 1, "at least 1")
    for name in ("default_timeout_seconds", "default_validity_seconds", "default_retention_seconds", "undo_timeout_seconds"):
        _demand(name, getattr(settings, name) >= 1, "at least 1")
    for name in ("workers", "max_pending_per_policy", "max_pending_per_author"):
        _demand(name, getattr(settings, name) >= 1, "at least 1")
    retry, renew, lease = settings.lease_retry_seconds, settings.lease_renew_seconds, settings.lease_seconds
    _demand("lease_renew_seconds", retry < renew < lease, "between GATEHOLD_LEASE_RETRY_SECONDS and GATEHOLD_LEASE_SECONDS")
    _demand("log_format", settings.log_format in {"json", "console"}, "json or console")
    _demand("log_level", settings.log_level in {"DEBUG", "INFO", "WARNING", "ERROR"}, "DEBUG, INFO, WARNING or ERROR")
    for name in ("http_port", "webhook_port"):
        _demand(name, -1 <= getattr(settings, name) <= 65_535, "a port, 0 or -1")
    known = set(settings.gates) <= {*GATE_TYPES} or settings.gates == (_NO_GATE,)
    _demand("gates", known, f"types of Gates separated by commas ({', '.join(GATE_TYPES)}), or {_NO_GATE} alone")
    allowed = "an https URL" + (" or http://127.0.0.1" if settings.notice_insecure_loopback else "")
    _demand("notice_url", notice_url_allowed(settings.notice_url, settings.notice_insecure_loopback), allowed)


def notice_url_allowed(url: str | None, insecure_loopback: bool) -> bool:
    """Tell whether notices may go there: https always, plain http to this machine only where a test says so."""
    if url is None:
        return True
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return False
    return bool(host) and (parts.scheme == "https" or (insecure_loopback and (parts.scheme, host) == ("http", "127.0.0.1")))


def _demand(name: str, holds: bool, allowed: str) -> None:
    if not holds:
        raise SettingError(f"GATEHOLD_{name.upper()}", allowed)
