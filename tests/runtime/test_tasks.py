"""How the parts of a process are ended."""

import asyncio

import pytest

from gatehold.runtime.tasks import cancel


async def test_a_part_that_has_not_heard_that_it_shall_end_is_told_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("gatehold.runtime.tasks._AGAIN_SECONDS", 0.01)
    begun = asyncio.Event()

    async def overhears() -> None:
        """As a library does whose time-out and the cancellation come at once."""
        try:
            begun.set()
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await asyncio.Event().wait()

    deaf, other = asyncio.create_task(overhears(), name="deaf"), asyncio.create_task(asyncio.Event().wait(), name="other")
    await begun.wait()
    await cancel({deaf, other})  # type: ignore[arg-type]
    assert (deaf.cancelled(), other.cancelled()) == (True, True)
    assert "told again to end: deaf" in caplog.text


async def test_what_a_part_fails_with_at_its_end_ends_nothing_else() -> None:
    async def fails() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            raise OSError

    task = asyncio.create_task(fails())
    await asyncio.sleep(0)
    await cancel({task})
    assert isinstance(task.exception(), OSError)
    await cancel(set())
