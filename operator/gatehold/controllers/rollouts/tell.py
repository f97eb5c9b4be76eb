"""Telling: Events, notices and metrics of Rollouts, from what their records say. Never in the way of a decision."""

from collections.abc import Mapping
from typing import Any, Literal

from gatehold.controllers.hindsight import LATELY
from gatehold.controllers.rollouts.story import changed_at, ended, put_back, story
from gatehold.domain.rollout.model import Refusal
from gatehold.domain.rollout.record import Record
from gatehold.domain.status import Condition
from gatehold.domain.story import OVERRIDDEN, WRITE_REFUSED, Entry
from gatehold.runtime.parts import Runtime
from gatehold.telemetry.events import Event, Regarding

Body = Mapping[str, Any]


class TellRollout:
    """Tells for the Rollouts of one operator. Events have deterministic names, so what is told twice stands once."""

    def __init__(self, runtime: Runtime) -> None:
        """Use the runtime's recorder, notices and metrics."""
        self._runtime = runtime
        self._met: set[str] = set()

    def met(self, body: Body, record: Record) -> None:
        """Tell all that is known, once a process, of what changed lately: one that died there left a hole."""
        if changed_at(record) >= self._runtime.clock.now() - LATELY:
            self._whole_story(body, record)

    def what_happened(self, body: Body, before: Record, after: Record) -> None:
        """Tell what lies between two records: called once the later one is written. Before the first, all that is known."""
        self._whole_story(body, before)
        entries = story(before, after)
        for entry in entries:
            self._event(body, entry)
            if entry.tell:
                self._notice(body, after, entry)
        self._count(before, after, entries)

    def _whole_story(self, body: Body, record: Record) -> None:
        uid = str(body["metadata"]["uid"])
        if uid in self._met:
            return
        self._met = {known for known in self._met if known in self._runtime.rollouts} | {uid}
        for entry in story(Record(), record):
            self._event(body, entry)

    def refused(self, body: Body, refusal: Refusal) -> None:
        """Tell that a planned write was refused: once for each kind of write and answer, however often it is tried."""
        what = type(refusal.write).__name__
        self._event(body, Entry(WRITE_REFUSED, f"{what} was refused: {refusal.message}", f"{what}/{refusal.message}", True))

    def stated(self, body: Body, conditions: tuple[Condition, ...]) -> None:
        """Tell what conditions say by themselves, where nothing else can be read."""
        for entry in story(Record(), Record(conditions=conditions)):
            self._event(body, entry)

    def _event(self, body: Body, entry: Entry) -> None:
        kind: Literal["Normal", "Warning"] = "Warning" if entry.warning else "Normal"
        event = Event(Regarding.of(body), entry.reason, entry.reason, entry.message, kind, entry.key, entry.at)
        self._runtime.events.record(event)

    def _notice(self, body: Body, after: Record, entry: Entry) -> None:
        meta = body["metadata"]
        fields = {"event": entry.reason, "namespace": meta["namespace"], "rollout": meta["name"], "uid": meta["uid"]}
        text = f"Rollout {meta['namespace']}/{meta['name']}: {entry.reason}: {entry.message}"
        self._runtime.notices.send(text, {**fields, "phase": str(after.phase)})

    def _count(self, before: Record, after: Record, entries: tuple[Entry, ...]) -> None:
        metrics, outcome = self._runtime.metrics, ended(before, after)
        if outcome is not None:
            metrics.count("gatehold_rollout_runs_total", outcome=str(outcome))
        metrics.count("gatehold_rollout_put_back_total", max(0, put_back(before, after)))
        metrics.count("gatehold_overrides_total", sum(entry.reason == OVERRIDDEN for entry in entries))
