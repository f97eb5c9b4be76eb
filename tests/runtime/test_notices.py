"""Notices against a real receiver: in order, retried, never in the way, never with the URL in a log."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web

from gatehold.telemetry.metrics import Metrics
from gatehold.telemetry.notices import Notices
from tests.runtime.support import eventually


@dataclass
class Receiver:
    """An HTTP server that answers with the codes it was given, then 200."""

    url: str = ""
    codes: list[int] = field(default_factory=list)
    got: list[dict[str, Any]] = field(default_factory=list)

    async def receive(self, request: web.Request) -> web.Response:
        self.got.append(await request.json())
        code = self.codes.pop(0) if self.codes else 200
        headers = {"Location": "http://127.0.0.1:1/elsewhere"} if code == 302 else {}
        return web.Response(status=code, headers=headers)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    app = web.Application()
    app.add_routes([web.post("/hook/s3cret", receiver.receive)])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook/s3cret?token=t0ken"
    yield receiver
    await runner.cleanup()


@pytest.fixture
async def notices(receiver: Receiver) -> AsyncIterator[tuple[Notices, Metrics]]:
    metrics = Metrics()
    notices = Notices(receiver.url, metrics, insecure_loopback=True, pauses=(0.01, 0.01, 0.01))
    running = asyncio.create_task(notices.run())
    yield notices, metrics
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


def results(metrics: Metrics) -> dict[str, float]:
    names = ("sent", "refused", "failed", "dropped")
    found = {name: metrics.registry.get_sample_value("gatehold_notices_total", {"result": name}) for name in names}
    return {name: value for name, value in found.items() if value}


async def test_notices_arrive_in_order_with_text_and_fields(receiver: Receiver, notices: tuple[Notices, Metrics]) -> None:
    sender, metrics = notices
    sender.send("web-3 waits for 2 of sre", {"event": "Waiting", "request": {"namespace": "n", "name": "web-3"}})
    sender.send("web-3 is approved", {"event": "Decided"})
    await sender.flush(60)
    assert receiver.got == [
        {"text": "web-3 waits for 2 of sre", "event": "Waiting", "request": {"namespace": "n", "name": "web-3"}},
        {"text": "web-3 is approved", "event": "Decided"},
    ]
    assert results(metrics) == {"sent": 2}


async def test_a_receiver_in_trouble_is_asked_again(receiver: Receiver, notices: tuple[Notices, Metrics]) -> None:
    receiver.codes[:] = [500, 429]
    notices[0].send("x", {})
    await notices[0].flush(60)
    assert len(receiver.got) == 3
    assert results(notices[1]) == {"sent": 1}


async def test_who_ends_tries_once_more_what_waits_for_its_next_try(receiver: Receiver) -> None:
    metrics = Metrics()
    sender = Notices(receiver.url, metrics, insecure_loopback=True, pauses=(3_600.0,))
    running = asyncio.create_task(sender.run())
    receiver.codes[:] = [503]
    for text in ("under way", "behind it"):
        sender.send(text, {})
    await eventually(lambda: receiver.got)
    await sender.flush(60)
    assert [notice["text"] for notice in receiver.got] == ["under way", "under way", "behind it"]
    assert results(metrics) == {"sent": 2}
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_refusal_and_a_redirect_are_final(
    receiver: Receiver, notices: tuple[Notices, Metrics], caplog: pytest.LogCaptureFixture
) -> None:
    receiver.codes[:] = [404, 302]
    with caplog.at_level(logging.DEBUG, "gatehold"):
        notices[0].send("x", {})
        notices[0].send("y", {})
        await notices[0].flush(60)
    assert len(receiver.got) == 2
    assert results(notices[1]) == {"refused": 2}
    assert "s3cret" not in caplog.text
    assert "t0ken" not in caplog.text


async def test_a_dead_receiver_costs_the_notice_and_nothing_else(caplog: pytest.LogCaptureFixture) -> None:
    metrics = Metrics()
    notices = Notices("http://127.0.0.1:1/hook/s3cret", metrics, insecure_loopback=True, pauses=(0.01,))
    running = asyncio.create_task(notices.run())
    with caplog.at_level(logging.DEBUG, "gatehold"):
        notices.send("x", {})
        await eventually(lambda: results(metrics) == {"failed": 1})
    running.cancel()
    assert "s3cret" not in caplog.text


async def test_a_full_queue_drops_and_counts() -> None:
    metrics = Metrics()
    notices = Notices("https://hooks.example/x", metrics)
    for _ in range(1_005):
        notices.send("x", {})
    assert results(metrics) == {"dropped": 5}


async def test_without_a_url_nothing_is_kept_and_other_schemes_are_refused() -> None:
    quiet = Notices(None, Metrics())
    quiet.send("x", {})
    await quiet.flush(1)
    for url in ("http://hooks.example/x", "file:///etc/passwd", "http://127.0.0.1/x"):
        with pytest.raises(ValueError, match="https"):
            Notices(url, Metrics())
