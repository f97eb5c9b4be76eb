"""Retention, a periodic: done requests leave after their policy's time; of those a GitOps tool tracks the newest 20 stay."""

import logging
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from gatehold.api.common import ParseError, time
from gatehold.controllers.hindsight import Hindsight
from gatehold.kube.errors import Absent, Conflict, Forbidden, Invalid
from gatehold.kube.resources import REQUESTS
from gatehold.runtime.parts import Runtime

log = logging.getLogger(__name__)

KEPT_PER_TRACKER = 20
ARGO_CD = "argocd.argoproj.io/tracking-id"
FLUX = "kustomize.toolkit.fluxcd.io/name"


class Done(NamedTuple):
    """What retention looks at."""

    ended: datetime
    expires: datetime
    tracker: str
    namespace: str
    name: str
    uid: str


class Retention:
    """Deletes what is over and old enough."""

    def __init__(self, runtime: Runtime, hindsight: Hindsight) -> None:
        """Use the runtime's account and time."""
        self._runtime = runtime
        self._hindsight = hindsight

    async def sweep(self) -> None:
        """Look through all done requests once, page by page."""
        now = self._runtime.clock.now()
        found: list[Done] = []
        async for page in self._runtime.cluster.list_pages(REQUESTS, None, "gatehold.dev/done=true"):
            found.extend(done for body in page.items if (done := self._read(body, now)) is not None)
        self._hindsight.tell()
        for done in removable(found, now):
            if not self._runtime.is_leader():
                return
            try:
                await self._runtime.cluster.delete(REQUESTS, done.namespace, done.name, uid=done.uid)
            except (Absent, Conflict):
                continue
            except (Forbidden, Invalid) as error:  # somebody else's admission: the others must not wait for this one
                log.warning("cannot remove %s/%s: %s", done.namespace, done.name, error)
                continue
            log.info("removed %s/%s, done since %s", done.namespace, done.name, done.ended.isoformat())

    def _read(self, body: dict[str, Any], now: datetime) -> Done | None:
        """What cannot be read is kept."""
        self._hindsight.see(body, now)
        meta, status = body["metadata"], body.get("status") or {}
        try:
            ended = time(str((status.get("decision") or {})["at"]))
        except (KeyError, ParseError):
            return None
        kept = (status.get("policy") or {}).get("retentionSeconds")  # zero is a value: the record is not kept at all
        seconds = self._runtime.settings.default_retention_seconds if kept is None else kept
        expires = ended + timedelta(seconds=seconds)
        return Done(ended, expires, tracker_of(meta), meta["namespace"], meta["name"], meta["uid"])


def tracker_of(meta: dict[str, Any]) -> str:
    """Which GitOps application a request belongs to, or nothing. The part of Argo CD's id before the colon names it."""
    argo = str((meta.get("annotations") or {}).get(ARGO_CD, "")).split(":", 1)[0]
    flux = str((meta.get("labels") or {}).get(FLUX, ""))
    return f"argocd/{argo}" if argo else f"flux/{meta['namespace']}/{flux}" if flux else ""


def removable(found: list[Done], now: datetime) -> Iterator[Done]:
    """Those whose time is over, but of each tracker never the newest ones: they would only be created again."""
    trackers: dict[str, list[Done]] = defaultdict(list)
    for done in found:
        trackers[done.tracker].append(done)
    for tracker, group in trackers.items():
        newest_first = sorted(group, reverse=True)
        old = newest_first[KEPT_PER_TRACKER:] if tracker else newest_first
        yield from (done for done in old if done.expires <= now)
