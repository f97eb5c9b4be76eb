"""Metrics, Events, logs and settings: names are constants, nothing raises into the caller, secrets stay inside."""

from __future__ import annotations

import asyncio
import io
import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from gatehold.domain.model import EffectType
from gatehold.domain.phases import Phase
from gatehold.kube.client import Cluster
from gatehold.kube.clock import ServerClock
from gatehold.kube.errors import Unavailable
from gatehold.kube.resources import EVENTS, POLICIES, REQUESTS
from gatehold.settings import GATE_TYPES, SettingError, Settings
from gatehold.telemetry import events, logs
from gatehold.telemetry.events import Event, Recorder, Regarding, shorten
from gatehold.telemetry.metrics import TABLE, Metrics, Type
from tests.runtime.support import request_body

# ---- metrics


def test_every_row_of_the_table_is_served_with_its_help() -> None:
    metrics = Metrics()
    metrics.count("gatehold_decisions_total", outcome="Approved", by="People")
    metrics.observe("gatehold_reconcile_seconds", 0.01, kind="ApprovalRequest")
    metrics.on_write("approvalrequests")
    families = {family.name: family for family in text_string_to_metric_families(metrics.render().decode())}
    for row in TABLE:
        family = families[row.name.removesuffix("_total") if row.type is Type.COUNTER else row.name]
        assert (family.type, family.documentation) == (row.type.value, row.help)


def test_a_replaced_gauge_forgets_labels_that_are_gone() -> None:
    metrics = Metrics()
    metrics.replace("gatehold_pending", {"a": 1, "b": 2})
    metrics.replace("gatehold_pending", {"b": 3})
    assert metrics.registry.get_sample_value("gatehold_pending", {"policy": "b"}) == 3
    assert metrics.registry.get_sample_value("gatehold_pending", {"policy": "a"}) is None


def test_two_processes_in_one_interpreter_do_not_share_metrics() -> None:
    first, second = Metrics(), Metrics()
    first.count("gatehold_overrides_total")
    assert second.registry.get_sample_value("gatehold_overrides_total") == 0


def test_what_alerts_look_at_is_told_before_the_first_of_it() -> None:
    """An increase is only seen of a series that was there before; the age tells whose first count cannot have been."""
    metrics = Metrics()
    for effect in EffectType:
        labels = {"type": str(effect), "result": str(Phase.FAILED)}
        expected = None if effect is EffectType.NONE else 0
        assert metrics.registry.get_sample_value("gatehold_effects_total", labels) == expected
    young = metrics.registry.get_sample_value("gatehold_uptime_seconds") or 0
    assert 0 < young < (metrics.registry.get_sample_value("gatehold_uptime_seconds") or 0)


def test_a_gauge_that_follows_is_as_true_as_the_moment_it_is_read() -> None:
    metrics, proven = Metrics(), [True]
    metrics.follow("gatehold_wall_enforced", lambda: proven[0])
    assert metrics.registry.get_sample_value("gatehold_wall_enforced") == 1
    proven[0] = False
    assert metrics.registry.get_sample_value("gatehold_wall_enforced") == 0
    assert b"gatehold_wall_enforced 0.0" in metrics.render()


# ---- events


async def test_an_event_is_written_once_however_often_it_is_recorded(
    cluster: Cluster, clock: ServerClock, namespace: str
) -> None:
    body = await cluster.create(REQUESTS, namespace, request_body("r", namespace))
    metrics = Metrics()
    recorder = Recorder(cluster, clock, metrics, "gatehold_1")
    writing = asyncio.create_task(recorder.run())
    event = Event(Regarding.of(body), "Approved", "Decide", "ä" * 2000)
    for one in (event, event, Event(Regarding.of(body), "Approved", "Decide", "another", "Warning", discriminator="2")):
        recorder.record(one)
    await recorder.flush(60)
    writing.cancel()
    stored = await cluster.list_all(EVENTS, namespace)
    assert len(stored) == 2
    first = next(item for item in stored if item["metadata"]["name"] == event.name)
    assert first["regarding"]["uid"] == body["metadata"]["uid"]
    assert first["reportingController"] == "gatehold.dev/operator"
    assert len(first["note"].encode()) <= 1024
    assert metrics.registry.get_sample_value("gatehold_events_total", {"result": "known"}) == 1
    assert metrics.registry.get_sample_value("gatehold_events_total", {"result": "written"}) == 2


async def test_events_about_policies_and_about_nothing_valid(cluster: Cluster, clock: ServerClock, namespace: str) -> None:
    metrics = Metrics()
    recorder = Recorder(cluster, clock, metrics, "gatehold_1")
    writing = asyncio.create_task(recorder.run())
    name = f"policy-{namespace}"
    recorder.record(Event(Regarding(POLICIES.api_version, POLICIES.kind, "", name, "u"), "Enforced", "Prove", "ok"))
    recorder.record(Event(Regarding("v1", "Pod", "no-such-namespace", "p", "u"), "Held", "Hold", "x"))
    await recorder.flush(60)
    writing.cancel()
    found = [item for item in await cluster.list_all(EVENTS, "default") if item["regarding"].get("name") == name]
    assert len(found) == 1
    assert metrics.registry.get_sample_value("gatehold_events_total", {"result": "failed"}) == 1


async def test_an_event_outlives_an_outage_that_its_operator_outlives(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is remembered as told when it is recorded: given up, it would never be told by this process."""

    class Away(Written):
        """No answer comes, ten times."""

        left = 10

        async def create(self, _: object, __: object, body: dict[str, Any]) -> None:
            if self.left:
                self.left -= 1
                raise Unavailable("no answer in time")
            await super().create(_, __, body)

    assert sum(events._PAUSES) > 50
    monkeypatch.setattr(events, "_PAUSES", tuple(0.0 for _ in events._PAUSES))
    written, metrics = Away(), Metrics()
    recorder = Recorder(written, Time(), metrics, "gatehold_1")  # type: ignore[arg-type]
    writing = asyncio.create_task(recorder.run())
    recorder.record(Event(Regarding("v1", "K", "n", "x", "u"), "Approved", "Decide", "ok"))
    await recorder.flush(60)
    writing.cancel()
    assert len(written.events) == 1
    assert metrics.registry.get_sample_value("gatehold_events_total", {"result": "failed"}) is None


class Written:
    """A cluster that notes the Events written to it."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []

    async def create(self, _: object, __: object, body: dict[str, Any]) -> None:
        self.events.append(body)


class Time:
    """A clock of the server that a test moves."""

    def __init__(self) -> None:
        self.at = datetime(2026, 3, 1, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at


async def test_an_event_waits_for_cycles_that_are_under_way_and_tells_when_it_happened(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(events, "_PATIENCE", 60.0)
    written, clock, idle = Written(), Time(), asyncio.Event()

    async def until_idle() -> None:
        await idle.wait()

    recorder = Recorder(written, clock, Metrics(), "gatehold_1", idle=until_idle)  # type: ignore[arg-type]
    writing = asyncio.create_task(recorder.run())
    recorder.record(Event(Regarding("v1", "K", "n", "x", "u"), "Approved", "Decide", "ok"))
    clock.at += timedelta(hours=1)
    for _ in range(5):
        await asyncio.sleep(0)
    assert not written.events
    idle.set()
    await recorder.flush(60)
    assert [event["eventTime"] for event in written.events] == ["2026-03-01T00:00:00.000000Z"]
    writing.cancel()


async def test_an_event_waits_no_longer_than_the_end_of_a_process_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    """At most half a second in all, however many there are: what is counted is what each may wait, not how fast it is."""
    written, waits, really = Written(), list[float](), Recorder._calm

    async def calm(self: Recorder, seconds: float) -> None:
        waits.append(max(0.0, seconds))
        await really(self, seconds)

    monkeypatch.setattr(Recorder, "_calm", calm)

    async def never() -> None:
        await asyncio.Event().wait()

    recorder = Recorder(written, Time(), Metrics(), "gatehold_1", idle=never)  # type: ignore[arg-type]
    writing = asyncio.create_task(recorder.run())
    for uid in "abc":
        recorder.record(Event(Regarding("v1", "K", "n", "x", uid), "Approved", "Decide", "ok"))
    await recorder.flush(60)
    assert len(written.events) == 3
    assert sum(waits) < 0.4
    writing.cancel()


def test_text_is_cut_between_characters() -> None:
    assert shorten("short", 10) == "short"
    cut = shorten("ä" * 600, 1024)
    assert len(cut.encode()) <= 1024
    assert cut.endswith("ä...")


# ---- logs


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    stream = io.StringIO()
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(capture=False)


def test_json_lines_carry_what_they_are_about(stream: io.StringIO) -> None:
    logs.configure("json", "INFO", stream)
    with logs.about(namespace="n", name="web-3", uid="u", trace_id=""):
        logs.add(trace_id="t1")
        logging.getLogger("kopf.x").info("seen %d", 3, extra={"fields": {"phase": "Pending"}})
    logging.getLogger("gatehold").info("outside")
    logging.getLogger("kopf.objects").info("noise")
    first, second = (json.loads(line) for line in stream.getvalue().splitlines())
    assert {key: first[key] for key in ("message", "namespace", "name", "uid", "trace_id", "phase", "level")} == {
        "message": "seen 3",
        "namespace": "n",
        "name": "web-3",
        "uid": "u",
        "trace_id": "t1",
        "phase": "Pending",
        "level": "INFO",
    }
    assert "name" not in second


def test_an_exception_stays_one_line_and_the_console_shows_no_escape_codes(stream: io.StringIO) -> None:
    logs.configure("json", "INFO", stream)
    logging.getLogger("gatehold").error("failed", exc_info=ValueError("boom"))
    line = json.loads(stream.getvalue())
    assert "ValueError: boom" in line["exception"]
    console = io.StringIO()
    logs.configure("console", "INFO", console)
    logging.getLogger("gatehold").info("evil \x1b[31mred\x1b[0m")
    assert "\x1b" not in console.getvalue()


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("Authorization: Bearer abc.def-ghi_123", "abc.def"),
        ("token eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln in use", "eyJhbGci"),
        ("POST https://hooks.example/x?key=s3cret failed", "s3cret"),
        ("GET https://user:pa55@host/", "pa55"),
    ],
)
def test_what_looks_like_a_credential_is_blotted_out(text: str, secret: str) -> None:
    assert secret not in logs.redact(text)
    assert "[hidden]" in logs.redact(text)


# ---- settings


def test_settings_come_from_the_environment_with_their_types() -> None:
    settings = Settings.from_environ(
        {
            "GATEHOLD_WORKERS": "4",
            "GATEHOLD_ROBOT_USERS": "argocd, flux ,",
            "GATEHOLD_LEASE_SECONDS": "20",
            "GATEHOLD_NOTICE_URL": "https://hooks.example/x",
            "POD_NAME": "gatehold-0",
            "UNRELATED": "x",
        }
    )
    assert (settings.workers, settings.robot_users, settings.lease_seconds) == (4, ("argocd", "flux"), 20.0)
    assert settings.identity == "gatehold-0"
    assert settings.process_identity() != settings.process_identity()
    assert Settings.from_environ({}).namespace == "gatehold-system"


@pytest.mark.parametrize(
    ("variable", "value", "allowed"),
    [
        ("GATEHOLD_WORKERS", "many", "a whole number"),
        ("GATEHOLD_WORKERS", "0", "at least 1"),
        ("GATEHOLD_GATES", "Pods,Drain", "types of Gates separated by commas"),
        ("GATEHOLD_GATES", "None,Pods", "or None alone"),
        ("GATEHOLD_LEASE_SECONDS", "1", "GATEHOLD_LEASE_RETRY_SECONDS"),
        ("GATEHOLD_LOG_FORMAT", "xml", "json or console"),
        ("GATEHOLD_LOG_LEVEL", "LOUD", "DEBUG"),
        ("GATEHOLD_HTTP_PORT", "99999", "a port"),
        ("GATEHOLD_NOTICE_URL", "http://127.0.0.1/x?secret", "an https URL"),
        ("GATEHOLD_NOTICE_URL", "https://", "an https URL"),
        ("GATEHOLD_NOTICE_INSECURE_LOOPBACK", "perhaps", "true or false"),
        ("GATEHOLD_DEFAULT_TIMEOUT_SECONDS", "0", "at least 1"),
    ],
)
def test_a_wrong_setting_is_named_with_what_is_allowed_and_not_repeated(variable: str, value: str, allowed: str) -> None:
    with pytest.raises(SettingError) as caught:
        Settings.from_environ({variable: value})
    assert allowed in str(caught.value)
    assert "secret" not in str(caught.value)


def test_plain_http_to_this_machine_needs_the_test_switch() -> None:
    environ = {"GATEHOLD_NOTICE_URL": "http://127.0.0.1:1/x", "GATEHOLD_NOTICE_INSECURE_LOOPBACK": "true"}
    assert Settings.from_environ(environ).notice_url == "http://127.0.0.1:1/x"
    with pytest.raises(SettingError):
        Settings.from_environ(environ | {"GATEHOLD_NOTICE_URL": "http://127.0.0.1.evil.example/"})


@pytest.mark.parametrize(
    ("told", "gates"),
    [("", GATE_TYPES), ("None", ("None",)), ("Pods, Rollouts", ("Pods", "Rollouts"))],
)
def test_an_installation_says_which_gates_it_has(told: str, gates: tuple[str, ...]) -> None:
    assert Settings.from_environ({"GATEHOLD_GATES": told}).gates == gates
