"""What is told once, and that the memory of it holds no more than what is not done. The Events: test_telemetry."""

from types import SimpleNamespace
from typing import Any

import pytest

from gatehold.api.request_status import parse_status
from gatehold.controllers import tell as telling
from gatehold.controllers.tell import Tell
from gatehold.domain.plan import Refusal, ReleaseJob
from gatehold.telemetry.events import Event


class Recorder:
    """Notes what it was given."""

    def __init__(self) -> None:
        self.reasons: list[str] = []

    def record(self, event: Event, *, late: bool = False) -> None:
        self.reasons.append(event.reason)


def body(uid: str = "u", phase: str = "Expired") -> dict[str, Any]:
    decision = {"outcome": phase, "by": "Time", "at": "2026-03-01T12:00:00Z", "reason": "DeadlinePassed", "message": ""}
    meta = {"name": f"name-{uid}", "namespace": "n", "uid": uid}
    return {
        "apiVersion": "gatehold.dev/v1alpha1",
        "kind": "K",
        "metadata": meta,
        "status": {"phase": phase, "decision": decision},
    }


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def tell(recorder: Recorder) -> Tell:
    return Tell(SimpleNamespace(events=recorder))  # type: ignore[arg-type]


def whole(tell: Tell, uid: str = "u") -> None:
    tell.whole_story(body(uid), parse_status(body(uid)))


def test_what_was_told_is_not_recorded_again(tell: Tell, recorder: Recorder) -> None:
    whole(tell)
    whole(tell)
    whole(tell, "another")
    assert recorder.reasons == ["Expired", "Expired"]


def test_nothing_is_kept_of_what_is_done(tell: Tell) -> None:
    for number in range(100):
        whole(tell, f"u{number}")
        tell.forget(f"u{number}")
    assert not tell._told


def test_of_those_that_are_not_done_the_latest_are_remembered(
    tell: Tell, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telling, "_OBJECTS", 3)
    for uid in ("a", "b", "c", "a", "d"):
        whole(tell, uid)
    assert list(tell._told) == ["c", "a", "d"]
    whole(tell, "b")
    assert recorder.reasons == ["Expired"] * 5, "told again, and its name says that it stands already"


def test_one_object_of_which_very_much_is_told_does_not_grow_for_ever(tell: Tell, recorder: Recorder) -> None:
    for number in range(1_000):
        tell.wall_turned(body(), str(number), stands=False)
    assert len(recorder.reasons) == 1_000
    assert len(tell._told["u"]) <= 100


def test_a_refusal_is_told_once_and_hides_no_story(tell: Tell, recorder: Recorder) -> None:
    refusal = Refusal(ReleaseJob(SimpleNamespace(name="j")), "no")  # type: ignore[arg-type]
    tell.refused(body(), refusal)
    tell.refused(body(), refusal)
    whole(tell)
    assert recorder.reasons == ["WriteRefused", "Expired"]
