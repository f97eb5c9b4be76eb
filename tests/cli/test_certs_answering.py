"""When `certs init` says that a webhook answers: once it was asked, not while the API server speaks for itself."""

import asyncio
from typing import Any

import pytest

from gatehold.cli.certs import answering
from gatehold.cli.certs.answering import Question, until_it_answers
from gatehold.cli.exits import Exit, Leave
from gatehold.cli.session import Session
from gatehold.cli.times import ServerTime
from gatehold.domain.stamping import APPROVAL
from gatehold.kube import errors
from tests.cli.bodies import Cluster, request

Json = dict[str, Any]
GONE = 'pods "gatehold-probe" not found'
NOBODY_ASKED = errors.Absent(GONE, status=404)
ITS_OWN = errors.Absent(f'admission webhook "evictions.gatehold.dev" denied the request: {GONE}', status=404)
HELD = errors.TooManyRequests('admission webhook "evictions.gatehold.dev" denied the request: held', status=429)
DOWN = errors.Unavailable('Internal error occurred: failed calling webhook "evictions.gatehold.dev": refused', status=500)
BARE: Json = {"spec": {}}
MARKED: Json = {"spec": {"schedulingGates": [{"name": APPROVAL}]}}
WALL = "pods is forbidden: ValidatingAdmissionPolicy 'gatehold-pods' with binding 'gatehold-pods' denied request: not marked"
UNMARKED = errors.Forbidden(WALL, status=403)
QUOTA = errors.Forbidden('pods "gatehold-probe" is forbidden: exceeded quota: small', status=403)


class Slow(Cluster):
    """Answers one after the other; the last one for ever. Namespace shop is behind a gate, which leaves erin alone."""

    def __init__(self, *answers: errors.ApiError | Json, me: str = "alice") -> None:
        notes = {"gatehold.dev/pods-exempt": "erin"}
        space = {"metadata": {"name": "shop", "labels": {"gatehold.dev/pods": "paid"}, "annotations": notes}}
        super().__init__(request(), me=me, namespaces=[space])
        self.answers = list(answers)
        self.asked = 0

    def _next(self) -> Json:
        self.asked += 1
        found = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(found, errors.ApiError):
            raise found
        return found

    async def evict(self, namespace: str, name: str, *, uid: str, dry_run: bool) -> Json:
        return self._next()

    async def create(self, resource: Any, namespace: str | None, body: Json, *, dry_run: bool = False) -> Json:
        return self._next()


def asks(cluster: Slow, *, pods: bool = False, timeout: int = 60, exempt: tuple[str, ...] = ()) -> int:
    """How often it has tried when it ends."""
    session = Session(cluster, "shop", ServerTime())  # type: ignore[arg-type]
    asyncio.run(until_it_answers(session, Question(pods, exempt, timeout)))
    return cluster.asked


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answering, "_LOOK_SECONDS", 0.001)


@pytest.mark.parametrize("answer", [ITS_OWN, HELD], ids=["not there, it says", "held"])
def test_only_the_webhook_itself_can_answer(answer: errors.ApiError) -> None:
    assert asks(Slow(NOBODY_ASKED, NOBODY_ASKED, DOWN, answer)) == 4


@pytest.mark.parametrize("answer", [MARKED, QUOTA], ids=["marked", "refused by somebody later"])
def test_a_pod_that_is_not_marked_was_seen_by_nobody(answer: errors.ApiError | Json) -> None:
    assert asks(Slow(BARE, UNMARKED, DOWN, answer), pods=True) == 4


@pytest.mark.parametrize(("answer", "pods"), [(NOBODY_ASKED, False), (BARE, True)], ids=["evictions", "pods"])
def test_one_that_is_never_asked_is_silent(answer: errors.ApiError | Json, pods: bool) -> None:
    with pytest.raises(Leave) as left_by:
        asks(Slow(answer), pods=pods, timeout=0)
    assert left_by.value.code is Exit.TIMEOUT


@pytest.mark.parametrize("pods", [False, True], ids=["evictions", "pods"])
def test_who_is_never_held_is_told_that_it_cannot_be_seen(pods: bool, capsys: pytest.CaptureFixture[str]) -> None:
    assert asks(Slow(BARE, me="erin"), pods=pods, exempt=("erin",)) == 0
    assert "gatehold doctor" in capsys.readouterr().err


def test_an_api_server_that_is_away_says_nothing_of_it() -> None:
    with pytest.raises(errors.Unavailable):
        asks(Slow(errors.Unavailable("no answer in time")))
