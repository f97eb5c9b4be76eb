"""The webhook's certificate: every replica reads it again and again, the leader renews it. A key is never logged.

From a folder of files, or from a Secret: made by `gatehold certs init` and renewed here as long as its CA is there too, or
made by cert-manager, and then only read.
"""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from gatehold.admission.certificates import (
    CertificateError,
    Pair,
    facts,
    fits,
    issue,
    of_secret,
    renew_due,
    secret_data,
    signed_by,
)
from gatehold.kube.clock import ClockUnknown
from gatehold.kube.errors import Absent, Conflict
from gatehold.kube.resources import SECRETS
from gatehold.runtime.parts import Runtime

log = logging.getLogger(__name__)
Body = dict[str, Any]
EVERY_SECONDS = 5.0
RENEW_SECONDS = 60.0
CERT_MANAGER = "cert-manager.io/certificate-name"
_EXPIRY = "gatehold_webhook_certificate_expiry_seconds"


class Certificates:
    """Hands the pair to `use` whenever it is another one."""

    def __init__(self, runtime: Runtime, use: Callable[[Pair], None]) -> None:
        """Nothing is read yet."""
        self._runtime = runtime
        self._use = use
        self._known: Pair | None = None
        self._said = ""
        runtime.metrics.follow(_EXPIRY, self._left)

    async def read(self) -> None:
        """Look once. What cannot be used changes nothing: the server keeps what it has."""
        try:
            pair = await self._pair()
            if pair is not None and pair != self._known:
                self._take(pair)
            self._say("" if self._known is not None else "there is no certificate yet: run `gatehold certs init`")
        except (CertificateError, OSError) as error:
            self._say(f"not usable: {error}")

    async def renew(self) -> None:
        """Issue a new leaf where two thirds of the life of the old one are over. Only the leader, only what is ours."""
        settings = self._runtime.settings
        if settings.webhook_cert_dir is not None or not self._runtime.is_leader():
            return
        body, ca = await self._secret(settings.webhook_secret), await self._secret(settings.webhook_ca_secret)
        if body is None or ca is None or CERT_MANAGER in (body["metadata"].get("annotations") or {}):
            return
        try:
            fresh = _renewed(of_secret(body.get("data")), of_secret(ca.get("data")), self._runtime.clock.now())
        except CertificateError as error:
            self._say(f"cannot be renewed: {error}")
            return
        if fresh is not None and self._runtime.is_leader():
            body["data"] = {**(body.get("data") or {}), **secret_data(fresh, of_secret(ca.get("data")).certificate)}
            try:
                await self._runtime.cluster.replace(SECRETS, settings.namespace, body)
            except Conflict:
                return
            log.info("renewed the webhook's certificate, valid until %s", facts(fresh.certificate).not_after.isoformat())

    async def _pair(self) -> Pair | None:
        folder = self._runtime.settings.webhook_cert_dir
        if folder is not None:
            return await asyncio.to_thread(_of_files, Path(folder))
        body = await self._secret(self._runtime.settings.webhook_secret)
        return of_secret(body.get("data")) if body is not None else None

    async def _secret(self, name: str) -> Body | None:
        try:
            return await self._runtime.cluster.get(SECRETS, self._runtime.settings.namespace, name)
        except Absent:
            return None

    def _take(self, pair: Pair) -> None:
        if not fits(pair):
            raise CertificateError("the key is not that of the certificate")
        found = facts(pair.certificate)
        self._use(pair)
        self._known = pair
        log.info("the webhook's certificate is for %s, until %s", ", ".join(found.hosts), found.not_after.isoformat())

    def _left(self) -> float:
        """Seconds until what is served expires, as of this moment: also while nothing can be read."""
        try:
            now = self._runtime.clock.now()
        except ClockUnknown:
            return 0.0
        left = (facts(self._known.certificate).not_after - now).total_seconds() if self._known is not None else 0.0
        return max(0.0, left)

    def _say(self, what: str) -> None:
        """Once for each state."""
        if what and what != self._said:
            log.warning("the webhook's certificate: %s", what)
        self._said = what


def _renewed(leaf: Pair, authority: Pair, now: datetime) -> Pair | None:
    """A new leaf for the same names, None where the old one is good for longer, or is not of this CA."""
    if not signed_by(leaf.certificate, authority.certificate) or not renew_due(leaf.certificate, now):
        return None
    return issue(authority, facts(leaf.certificate).hosts, now)


def _of_files(folder: Path) -> Pair | None:
    try:
        return Pair((folder / "tls.crt").read_bytes(), (folder / "tls.key").read_bytes())
    except FileNotFoundError:
        return None
