"""What is told of a write that landed though its answer was lost: as much as of any other, and once.

That whole lives end and are told as any other: the crash sweeps, which lose every answer. Here stands what no Event shows:
notices, figures, the record in the log, and what is told of objects that have no record.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from gatehold.api import job as wire
from gatehold.api.request_status import render_status
from gatehold.controllers.apply import Apply
from gatehold.controllers.break_glass import BreakGlass
from gatehold.controllers.provision.tell import TellProvision
from gatehold.controllers.rollouts.tell import TellRollout
from gatehold.controllers.tell import Tell
from gatehold.controllers.unanswered import Unanswered
from gatehold.domain.model import Request, Word
from gatehold.domain.phases import Phase
from gatehold.domain.plan import MarkDone, Plan
from gatehold.domain.provision.model import LetGo
from gatehold.domain.rollout.record import Outcome, Record, Run
from gatehold.domain.status import Status
from gatehold.kube.errors import Conflict, Unavailable
from gatehold.kube.resources import Resource
from gatehold.runtime.objects import Objects
from gatehold.telemetry.events import Event
from gatehold.telemetry.metrics import Metrics
from tests.builders import NOW, UID, approve, ended, pending, recorded, request
from tests.promotions import TARGET, last_run
from tests.provisions import job, pod, pods, sight

Body = dict[str, Any]


class Server:
    """An API server that lets every guarded write of one object land, and an operator who is told by it, or is not."""

    def __init__(self, body: Body) -> None:
        self.body = body
        self.answers = True
        self.metrics = Metrics()
        self.told: list[str] = []
        self.reasons: list[str] = []
        self.notices: list[str] = []
        self.jobs = Objects()
        self.forgotten: list[str] = []

    def record(self, event: Event, *, late: bool = False) -> None:
        if event.name not in self.told:  # the API server knows it by that name
            self.told.append(event.name)
            self.reasons.append(event.reason)

    def send(self, text: str, fields: Mapping[str, Any]) -> None:
        self.notices.append(str(fields["event"]))

    async def patch_status(self, _: Resource, namespace: str | None, name: str, patch: Body) -> Body:
        return self._written(patch["metadata"], {"status": merged(self.body.get("status", {}), patch["status"])})

    async def merge_patch(self, _: Resource, namespace: str | None, name: str, patch: Body) -> Body:
        return self._written(patch["metadata"], {"metadata": merged(self.body["metadata"], patch["metadata"])})

    def _written(self, guard: Body, change: Body) -> Body:
        version = self.body["metadata"]["resourceVersion"]
        if guard["resourceVersion"] != version:
            raise Conflict("stale", status=409)
        body = {**self.body, **change}
        self.body = {**body, "metadata": {**body["metadata"], "resourceVersion": str(int(version) + 1)}}
        if not self.answers:
            raise Unavailable("no answer in time")
        return self.body

    def runtime(self) -> Any:
        return SimpleNamespace(
            cluster=self,
            metrics=self.metrics,
            events=self,
            notices=self,
            jobs=self.jobs,
            requests=SimpleNamespace(remove=self.forgotten.append, by_subject=lambda _: ()),
            is_leader=lambda: True,
            answered=lambda *_: None,
            clock=SimpleNamespace(now=lambda: NOW),
        )

    def counted(self, name: str, **labels: str) -> float:
        return self.metrics.registry.get_sample_value(name, labels) or 0.0


def merged(before: Any, patch: Any) -> Any:
    """RFC 7386, as the API server does it."""
    if not isinstance(patch, dict):
        return patch
    old = before if isinstance(before, dict) else {}
    kept = {key: value for key, value in old.items() if key not in patch}
    return kept | {key: merged(old.get(key), value) for key, value in patch.items() if value is not None}


def request_body(status: Status) -> Body:
    meta = {"namespace": "shop", "name": "web-3", "uid": UID, "resourceVersion": "1"}
    kind = {"apiVersion": "gatehold.dev/v1alpha1", "kind": "ApprovalRequest"}
    return {**kind, "metadata": meta, "spec": {"policyRef": {"name": "prod"}}, "status": render_status(status)}


class Desk:
    """One request, its writes, and what is told of them."""

    def __init__(self, status: Status) -> None:
        self.server = Server(request_body(status))
        self.request: Request = request()

        async def confirm(*_: object) -> bool:
            return True

        runtime, gather = self.server.runtime(), SimpleNamespace(confirm=confirm)
        self.apply = Apply(runtime, None, gather, None, Tell(runtime))  # type: ignore[arg-type]

    async def cycle(self, plan: Plan, seen: Body | None = None) -> None:
        """One, with what its cache shows; the last state unless told otherwise."""
        await self.apply.apply(self.request, seen or self.server.body, plan)

    async def unheard(self, plan: Plan) -> None:
        """One whose answer is lost."""
        self.server.answers = False
        with pytest.raises(Unavailable):
            await self.cycle(plan)
        self.server.answers = True


WAITS = pending()
SAID = replace(WAITS, verdicts=(recorded(approve()),), approvals="1/2")
DENIED = replace(WAITS, phase=Phase.DENIED, verdicts=ended().verdicts, decision=ended().decision)


async def test_a_status_that_landed_unheard_is_told_counted_and_noticed_once() -> None:
    desk = Desk(WAITS)
    before = desk.server.body
    await desk.unheard(Plan(SAID))
    with pytest.raises(Conflict):  # the watch has not told of it yet
        await desk.cycle(Plan(SAID), before)
    assert desk.server.counted("gatehold_verdicts_total", verdict="approve", counted="true") == 0
    for _ in range(3):
        await desk.cycle(Plan(SAID))
    assert desk.server.reasons.count("VerdictRecorded") == 1
    assert desk.server.counted("gatehold_verdicts_total", verdict=str(Word.APPROVE), counted="true") == 1


async def test_one_that_did_not_land_is_told_by_the_next_alone() -> None:
    desk = Desk(WAITS)
    before, desk.server.answers = desk.server.body, False
    with pytest.raises(Unavailable):
        await desk.cycle(Plan(DENIED))
    desk.server.body, desk.server.answers = before, True
    await desk.cycle(Plan(DENIED))
    await desk.cycle(Plan(DENIED))
    assert desk.server.notices == ["Denied"]
    assert desk.server.counted("gatehold_decisions_total", outcome="Denied", by="People") == 1


async def test_two_that_landed_unheard_one_after_the_other_are_both_told() -> None:
    desk = Desk(WAITS)
    await desk.unheard(Plan(SAID))
    await desk.unheard(Plan(DENIED))
    await desk.cycle(Plan(DENIED))
    assert desk.server.notices == ["Denied"]
    assert desk.server.reasons.count("Denied") == 1
    assert desk.server.counted("gatehold_verdicts_total", verdict="approve", counted="true") == 1


async def test_somebody_elses_write_on_the_same_version_is_nothing_to_tell() -> None:
    desk = Desk(WAITS)
    before = desk.server.body
    await desk.unheard(Plan(DENIED))
    desk.server.body = {**before, "metadata": {**before["metadata"], "resourceVersion": "9"}}
    await desk.cycle(Plan(WAITS))
    assert desk.server.notices == []
    assert desk.server.counted("gatehold_decisions_total", outcome="Denied", by="People") == 0


@pytest.mark.parametrize("tries", [1, 2])
async def test_the_record_of_what_is_done_is_logged_once_though_nobody_answered(
    caplog: pytest.LogCaptureFixture, tries: int
) -> None:
    desk = Desk(DENIED)
    before = desk.server.body
    caplog.set_level(logging.INFO, "gatehold")
    await desk.unheard(Plan(DENIED, (MarkDone(),)))
    for _ in range(tries - 1):
        with pytest.raises(Conflict):
            await desk.cycle(Plan(DENIED, (MarkDone(),)), before)
    assert desk.server.forgotten == []
    desk.apply.gone(UID)  # it has left the watch
    desk.apply.gone(UID)
    (record,) = [record for record in caplog.records if record.getMessage() == "done"]
    told = json.loads(record.fields["record"])  # type: ignore[attr-defined]
    assert told["metadata"]["labels"] == {"gatehold.dev/done": "true"}
    assert told["status"] == desk.server.body["status"]
    assert "Denied" in desk.server.reasons


async def test_what_goes_without_a_mark_of_ours_is_no_end(caplog: pytest.LogCaptureFixture) -> None:
    desk = Desk(DENIED)
    caplog.set_level(logging.INFO, "gatehold")
    await desk.unheard(Plan(replace(DENIED, approvals="0/2")))
    desk.apply.gone(UID)
    assert [record.getMessage() for record in caplog.records] == []


def test_what_stood_before_is_kept_until_another_version_stands() -> None:
    kept = Unanswered[str]()
    first, second = {"metadata": {"uid": "u", "resourceVersion": "1"}}, {"metadata": {"uid": "u", "resourceVersion": "2"}}
    with pytest.raises(Unavailable), kept.keeping(first, "before"):
        raise Unavailable("no answer in time")
    assert [kept.settled(body) for body in (first, first, second, second)] == [None, None, "before", None]
    with pytest.raises(Conflict), kept.keeping(first, "before"):
        raise Conflict("stale")
    assert kept.settled(second) is None


def test_the_end_of_a_run_is_counted_once_where_it_is_told_late() -> None:
    server = Server({"apiVersion": "a/v1", "kind": "Rollout", "metadata": {"namespace": "n", "name": "r", "uid": "u"}})
    runtime = server.runtime()
    runtime.rollouts = {"u": None}
    tell, before = TellRollout(runtime), Record(run=Run(TARGET, started_at=NOW))
    after = Record(last_run=last_run(Outcome.DENIED))
    tell.met(server.body, after)  # a cycle looks before it knows what became of its write
    tell.what_happened(server.body, before, after)
    assert server.counted("gatehold_rollout_runs_total", outcome="Denied") == 1
    assert server.reasons.count("RunEnded") == 1


# ---- objects without a record


async def test_broken_glass_that_was_marked_unheard_is_told_once() -> None:
    meta = {"namespace": "n", "name": "j", "uid": "u", "resourceVersion": "1", "annotations": {wire.OVERRIDE: "INC-1"}}
    server = Server({"apiVersion": "batch/v1", "kind": "Job", "metadata": meta})
    server.jobs.upsert(server.body)
    runtime = server.runtime()
    glass, server.answers = BreakGlass(runtime, Tell(runtime)), False
    with pytest.raises(Unavailable):
        await glass.sweep()
    server.answers = True
    await glass.sweep()  # the cache has not heard of it: the mark is refused
    assert server.notices == []
    server.jobs.upsert(server.body)
    for _ in range(2):
        await glass.sweep()
    assert server.notices == ["Overridden"]
    assert server.counted("gatehold_overrides_total") == 1
    another = BreakGlass(runtime, Tell(runtime))
    await another.sweep()  # the next process finds the mark of the last
    assert server.notices == ["Overridden"]


@pytest.mark.parametrize("landed", [0, 1, 2])
def test_pods_that_went_unheard_under_the_threshold_are_told_by_what_is_seen(landed: int) -> None:
    server = Server({})
    tell, waiting = TellProvision(server.runtime()), pods(2)
    notes = list[str]()
    server.record = lambda event, **_: notes.append(event.note)  # type: ignore[assignment,method-assign]
    wave = LetGo("gate/gpu", waiting)
    tell.unsure(sight(*waiting), wave)
    now = [pod(n, gated=n > landed, released_by="gate/gpu" if n <= landed else "") for n in (1, 2)]
    for _ in range(2):
        tell.look(sight(*now))
    text = "were let go without a question: their price is under the threshold of gate gpu"
    assert notes == [f"{landed} pods {text}"] * bool(landed)


def test_a_job_that_went_unheard_is_told_and_what_a_request_lets_go_is_that_ones_to_tell() -> None:
    server = Server({})
    tell = TellProvision(server.runtime())
    for by in ("gate/gpu", UID):
        tell.unsure(sight(jobs=(job(),)), LetGo(by, jobs=(job(),)))
        tell.look(sight(jobs=(job(suspended=False, released_by=by),)))
    assert server.reasons == ["PodsLetGo"]
