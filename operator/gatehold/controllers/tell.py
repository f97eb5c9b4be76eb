"""Telling: Events, notices, metrics and the log, from what the core says happened. Never in the way of a decision."""

from collections import OrderedDict
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Literal

from gatehold.domain.model import Request
from gatehold.domain.phases import Phase, is_refused
from gatehold.domain.plan import Refusal
from gatehold.domain.refusals import opening, sentence
from gatehold.domain.status import Status
from gatehold.domain.story import OVERRIDDEN, WRITE_REFUSED, Entry, story
from gatehold.runtime.parts import Runtime
from gatehold.telemetry.events import Event, Regarding

_OBJECTS = 4_000  # of which it is remembered what was told: those that are not done, the latest ones
_EACH = 100


class Tell:
    """Tells for one operator. Events have deterministic names, so what is told twice stands once."""

    def __init__(self, runtime: Runtime) -> None:
        """Use the runtime's recorder, notices and metrics."""
        self._runtime = runtime
        self._told: OrderedDict[str, tuple[int, ...]] = OrderedDict()  # uid -> hashes of what was told
        self._known_overrides: set[str] = set()  # uids of Jobs whose request has told it

    def what_happened(self, request: Request, body: Mapping[str, Any], before: Status, after: Status) -> None:
        """Tell what lies between two statuses: called once the later one is written."""
        if self._first(request.uid, "whole story"):
            self.whole_story(body, before)
        for entry in story(before, after):
            self._event(body, entry)
            if entry.reason == OVERRIDDEN:
                self._runtime.metrics.count("gatehold_overrides_total")
                self._known_overrides.add(after.resolved.job.uid if after.resolved and after.resolved.job else "")
            if entry.tell:
                self._notice(request, after, entry)
        self._count(request, before, after)

    def broken_glass(self, body: Mapping[str, Any], reason: str, *, news: bool = True) -> None:
        """Tell that a Job or pod no request is about was let go by hand, unless its request has told that already.

        What is no news is only told by its Event, which stands once.
        """
        meta, kind = body["metadata"], str(body["kind"])
        if meta["uid"] in self._known_overrides:
            return
        text = f"let go by hand: {reason}"
        self._event(body, Entry(OVERRIDDEN, text, warning=True))
        if news:
            self._runtime.metrics.count("gatehold_overrides_total")
            fields = {"event": OVERRIDDEN, "namespace": meta["namespace"], kind.lower(): meta["name"], "uid": meta["uid"]}
            self._runtime.notices.send(f"{kind} {meta['namespace']}/{meta['name']}: {OVERRIDDEN}: {text}", fields)

    def wall_turned(self, probe: Mapping[str, Any], since: str, *, stands: bool) -> None:
        """Tell that the wall fell, or stands again; `since` (when it was otherwise) has it told once."""
        if stands:
            entry = Entry("WallProven", "the admission policies are proven in force again", key=since)
        else:
            text = "the admission policies are not proven in force: nothing is prepared or released; run: gatehold doctor"
            entry = Entry("WallNotProven", text, key=since, warning=True)
        self._event(probe, entry)

    def refused(self, body: Mapping[str, Any], refusal: Refusal) -> None:
        """Tell that a write on the subject of this request was refused: once for each write, however often it is tried."""
        self._event(body, Entry(WRITE_REFUSED, sentence(refusal), key=opening(refusal.write), warning=True))

    def whole_story(self, body: Mapping[str, Any], status: Status, *, late: bool = False) -> None:
        """Tell everything up to now: a process that died between a write and its Event left a hole.

        Each process does so when it first has to do with a request, and at the end. `late`: after what is news.
        """
        for number, entry in enumerate(story(Status(), status)):
            at = entry.at + timedelta(microseconds=number) if entry.at is not None else None  # a status counts in seconds
            self._event(body, entry, at, late=late)

    def recall(self, body: Mapping[str, Any], status: Status) -> None:
        """Tell the whole story of a request that is over and stays in sight, if this process has not told of it yet."""
        if self._first(str(body["metadata"]["uid"]), "whole story"):
            self.whole_story(body, status, late=True)

    def forget(self, uid: str) -> None:
        """It is done, so nothing more will be told."""
        self._told.pop(uid, None)

    def _event(self, body: Mapping[str, Any], entry: Entry, at: datetime | None = None, *, late: bool = False) -> None:
        kind: Literal["Normal", "Warning"] = "Warning" if entry.warning else "Normal"
        event = Event(Regarding.of(body), entry.reason, entry.reason, entry.message, kind, entry.key, at)
        if self._first(event.regarding.uid, event.reason, event.discriminator):
            self._runtime.events.record(event, late=late)

    def _first(self, uid: str, *what: str) -> bool:
        """Whether this process tells that of this object for the first time, as far as it remembers."""
        told, mark = self._told.pop(uid, ()), hash(what)
        known = mark in told
        self._told[uid] = told if known else (*told[1 - _EACH :], mark)
        if len(self._told) > _OBJECTS:
            self._told.popitem(last=False)
        return not known

    def _notice(self, request: Request, status: Status, entry: Entry) -> None:
        where = request.address
        text = f"{where}: {entry.reason}: {entry.message}"
        fields = {
            "event": entry.reason,
            "namespace": request.namespace,
            "name": request.name,
            "uid": request.uid,
            "policy": request.policy,
            "summary": request.summary,
            "phase": str(status.phase),
            "approvals": status.approvals,
            "requestDigest": status.request_digest,
            "traceID": request.trace_id,
        }
        self._runtime.notices.send(text, fields)

    def _count(self, request: Request, before: Status, after: Status) -> None:
        metrics = self._runtime.metrics
        known = {entry.verdict.id for entry in before.verdicts}
        for entry in after.verdicts:
            if entry.verdict.id not in known:
                counted = str(entry.counted).lower()
                metrics.count("gatehold_verdicts_total", verdict=str(entry.verdict.word), counted=counted)
        decision = after.decision
        if decision is not None and decision != before.decision:
            metrics.count("gatehold_decisions_total", outcome=str(decision.outcome), by=str(decision.by))
            if after.prepared_at is not None and before.phase is Phase.PENDING:
                metrics.observe("gatehold_decision_seconds", (decision.at - after.prepared_at).total_seconds())
        begun = after.effect is not None and after.effect.started_at is not None
        if begun and before.phase is not after.phase and (is_refused(after.phase) or after.phase is Phase.RELEASED):
            metrics.count("gatehold_effects_total", type=str(request.effect.type), result=str(after.phase))
