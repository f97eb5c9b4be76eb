"""The same instant: reviewers together, and a word against the operator's own write. Each round has one outcome."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from tests.wall.api import Answer, Call
from tests.wall.conftest import Stage
from tests.wall.scene import VERDICT, Ask, Scene, approval, notes, username

ROUNDS = 50
REVIEWERS = ("alice", "bob", "erin")


def together(sends: Sequence[Callable[[], Answer]]) -> list[Answer]:
    """Send all at the same moment; answers in the order of `sends`."""
    barrier = Barrier(len(sends))

    def go(send: Callable[[], Answer]) -> Answer:
        barrier.wait()
        return send()

    with ThreadPoolExecutor(len(sends)) as pool:
        return list(pool.map(go, sends))


def says(scene: Scene, who: str, word: str, role: str = "", number: int | None = None) -> Callable[[], Answer]:
    """The stored form, computed beforehand so that only the write itself races."""
    n = scene.next() if number is None else number
    value = f"{word}|{scene.digest()}|{role}|{username(who)}||in the same instant"
    call = Call(scene.target, notes({f"{VERDICT}{n}": value}))
    return lambda: scene.people[who].send(call)


def by_word(scene: Scene, who: str) -> Callable[[], Answer]:
    """One word, as kubectl annotate sends it."""
    call = Call(scene.target, notes({"gatehold.dev/approve": f"fine, says {who}"}))
    return lambda: scene.people[who].send(call)


def writes(scene: Scene, status: dict[str, object]) -> Callable[[], Answer]:
    return lambda: scene.write_status(status)


@pytest.mark.since(1, 36)
@pytest.mark.parametrize("people", [2, 3])
def test_reviewers_in_the_same_instant_are_all_recorded(stage: Stage, people: int) -> None:
    for _ in range(ROUNDS):
        scene = stage.scene().request(Ask(policy="prod"))
        words = [by_word(scene, who) for who in REVIEWERS[:people]]
        answers = together(words)

        assert all(answer.ok for answer in answers), [answer.message for answer in answers]
        assert sorted(value.split("|")[3] for value in scene.verdicts().values()) == sorted(REVIEWERS[:people])
        assert sorted(scene.verdicts()) == list(range(people))


def test_verdicts_by_hand_that_race_for_one_number(stage: Stage) -> None:
    for _ in range(ROUNDS):
        scene = stage.scene().request(Ask(policy="prod"))
        answers = together([says(scene, who, "approve", "sre", 0) for who in REVIEWERS])

        won = [who for who, answer in zip(REVIEWERS, answers, strict=True) if answer.ok]
        assert len(won) == 1, [answer.message for answer in answers]
        assert [value.split("|")[3] for value in scene.verdicts().values()] == won
        told = [answer.message for answer in answers if not answer.ok]
        # who reads the winner's annotation sees an edit of another's verdict, or a number that is taken
        assert all(
            "verdicts are write-once" in text or "next free number: verdict.gatehold.dev/1" in text for text in told
        ), told


def one_of_two(stage: Stage, ask: Ask, word: tuple[str, ...], status: Callable[[Scene], dict[str, object]]) -> list[bool]:
    """Race a word against a status write that excludes it, for all rounds; which of the two won each time."""
    won = []
    for _ in range(ROUNDS):
        scene = stage.scene().request(ask)
        written = status(scene)
        said, wrote = together([says(scene, *word), writes(scene, written)])

        assert said.ok is not wrote.ok, f"{said.message or 'the word passed'}; {wrote.message or 'the write passed'}"
        assert any(f"{word[1]}|" in value for value in scene.verdicts().values()) is said.ok
        assert (scene.read()["status"]["phase"] == written["phase"]) is wrote.ok
        won.append(said.ok)
    return won


def test_deny_against_approved_without_an_effect(stage: Stage) -> None:
    ask = Ask(said=(("alice", "approve", "sre"),))

    one_of_two(stage, ask, ("bob", "deny", "sre"), lambda scene: {"phase": "Approved", "decision": approval()})


def test_withdraw_against_approved_without_an_effect(stage: Stage) -> None:
    ask = Ask(said=(("alice", "approve", "sre"),))

    one_of_two(stage, ask, ("ci", "withdraw"), lambda scene: {"phase": "Approved", "decision": approval()})


def test_deny_against_released(stage: Stage) -> None:
    one_of_two(
        stage,
        Ask(state="running", release=True),
        ("bob", "deny", "sre"),
        lambda scene: {"phase": "Released", "effect": {"state": "Done"}},
    )


def test_approve_against_expired(stage: Stage) -> None:
    one_of_two(
        stage,
        Ask(),
        ("alice", "approve", "sre"),
        lambda scene: {"phase": "Expired", "decision": {"outcome": "Expired", "by": "Time"}},
    )


def test_deny_against_the_release_of_the_job(stage: Stage) -> None:
    """The Job is another object, so both may land; then the deny is on record and what follows is the undo."""
    for _ in range(ROUNDS):
        scene = stage.scene().request(Ask(state="Approved", release=True))
        signed = {"annotations": {"gatehold.dev/released-by": scene.name}, "finalizers": ["gatehold.dev/outcome"]}
        release = Call(scene.job_target, {"spec": {"suspend": False}, "metadata": signed})
        operator = scene.people["operator"]
        denied, released = together([says(scene, "bob", "deny", "sre"), lambda: operator.send(release)])  # noqa: B023 (used in this round)

        assert denied.ok and released.ok, (denied.message, released.message)
        done = scene.write_status({"phase": "Released", "effect": {"state": "Done"}, "verdicts": scene.ledger()})
        assert "somebody denied" in done.message
