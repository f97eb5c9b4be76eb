"""`wait` bears an API server that is away for a while, and credentials that end while it waits."""

import asyncio
from typing import Any

import pytest

from gatehold.cli import watching
from gatehold.cli.session import Session
from gatehold.cli.times import ServerTime
from gatehold.kube import errors
from tests.cli.bodies import Cluster, request

AWAY, REFUSED = errors.Unavailable("away"), errors.Unauthenticated("who?", status=401)


class Failing(Cluster):
    """Answers with failures first."""

    def __init__(self, *failures: errors.ApiError) -> None:
        super().__init__(request())
        self.failures = list(failures)

    async def get(self, resource: Any, namespace: str | None, name: str) -> dict[str, Any]:
        if self.failures:
            raise self.failures.pop(0)
        return await super().get(resource, namespace, name)


def first(cluster: Cluster, monkeypatch: pytest.MonkeyPatch, patience: float = 120.0) -> dict[str, Any] | None:
    monkeypatch.setattr(watching, "_PAUSE", 0.001)
    monkeypatch.setattr(watching, "_UNREACHABLE_SECONDS", patience)

    async def look() -> dict[str, Any] | None:
        return await anext(watching.lives(Session(cluster, "shop", ServerTime()), "web"))  # type: ignore[arg-type]

    return asyncio.run(look())


def test_a_restart_of_the_server_ends_no_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    assert first(Failing(*[AWAY] * 20, errors.TooManyRequests("later", status=429)), monkeypatch)


def test_a_token_that_ended_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    assert first(Failing(REFUSED, REFUSED), monkeypatch)


@pytest.mark.parametrize(
    ("failures", "patience"),
    [([REFUSED] * 9, 120.0), ([AWAY] * 9, 0.0), ([errors.Forbidden("no", status=403)], 120.0)],
    ids=["refused for good", "away for too long", "not allowed to read"],
)
def test_what_will_not_get_better_ends_it(
    failures: list[errors.ApiError], patience: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(errors.ApiError):
        first(Failing(*failures), monkeypatch, patience)


def test_what_is_not_there_is_said_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    assert first(Failing(errors.Absent("gone", status=404)), monkeypatch) is None
