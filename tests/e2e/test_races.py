"""Words in the same instant: each that was let in is recorded, and of two outcomes exactly one happens, in every record."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from typing import Any

import pytest

from controlplane import wait_until
from tests.e2e.stage import Body, Stage, condition

ROUNDS = 50
FEWER = 24
MOMENTS = random.Random(4)
ENDS = {"Released", "Denied", "Expired", "Withdrawn", "Failed", "Superseded", "Lapsed"}

Word = tuple[str, str, float]
"""Who says what, and how many seconds after the start of the race."""


def race(stage: Stage, name: str, words: Sequence[Word]) -> list[tuple[bool, str]]:
    """Say all words at once (each after its own delay); answers whether each was let in, and what the API server said."""
    start = threading.Barrier(len(words))

    def say(user: str, word: str, delay: float) -> tuple[bool, str]:
        start.wait()
        threading.Event().wait(delay)  # to hit another moment in each round, not to wait for anything
        return stage.word(user, name, word)

    with ThreadPoolExecutor(len(words)) as pool:
        return [future.result() for future in [pool.submit(say, *word) for word in words]]


def ask_many(stage: Stage, policy: str, count: int, *, jobs: bool, **spec: Any) -> list[str]:
    """That many requests, prepared; with a held Job of the same name each, where asked for."""
    names = [f"n{number}" for number in range(count)]
    for name in names:
        job = stage.job_body(name, policy) if jobs else None
        created = stage.post(job) if job is not None else None
        stage.post(stage.question(name, policy, job=created, **spec))
    until_all(stage, names, lambda body: "requestDigest" in body["status"], "prepared")
    return names


def until_all(stage: Stage, names: list[str], holds: Callable[[Body], bool], what: str) -> dict[str, Body]:
    """Wait until something holds for all requests; one list at a time instead of one call a request."""
    found: dict[str, Body] = {}

    def look() -> bool:
        found.update({body["metadata"]["name"]: body for body in stage.all("apr")})
        return all(holds(found[name]) for name in names)

    try:
        wait_until(look, f"{len(names)} requests: {what}", 120)
    except Exception as error:
        left = [(name, found[name]["status"]) for name in names if not holds(found[name])]
        raise AssertionError(f"{error}\n{left[:3]}\n{stage.operator.log(60)}") from error
    return found


def is_done(body: Body) -> bool:
    """Whether nothing is left to watch."""
    return "gatehold.dev/done" in body["metadata"].get("labels", {})


@pytest.mark.parametrize("people", [("alice", "bob"), ("alice", "bob", "erin")], ids=["two", "three"])
def test_reviewers_in_the_same_instant_are_all_recorded(stage: Stage, people: tuple[str, ...]) -> None:
    stage.cluster.user("erin", "sre")
    policy = stage.policy(quorum=[{"role": "sre", "count": len(people)}])
    names = ask_many(stage, policy, ROUNDS, jobs=False)
    for name in names:
        assert all(ok for ok, _ in race(stage, name, [(person, "approve", 0.0) for person in people]))
    for name, body in until_all(stage, names, is_done, "done").items():
        recorded = body["status"]["verdicts"]
        assert body["status"]["phase"] == "Approved", name
        assert {v["username"] for v in recorded} == set(people), name
        assert [v["id"] for v in recorded] == list(range(len(people))), name
        assert all(v.get("counted", True) for v in recorded), name


def agree(stage: Stage, body: Body, reasons: Counter[str]) -> None:
    """Status, Job and Events tell one story."""
    status, name = body["status"], body["metadata"]["name"]
    job = stage.get("job", name)
    pods = stage.pods_of(job)
    ran = status.get("effect", {}).get("startedAt") is not None
    assert len(pods) <= (1 if ran else 0), (name, status)  # a Job stopped at once leaves none
    signed = job["metadata"].get("annotations", {}).get("gatehold.dev/released-by", "")
    assert signed == (body["metadata"]["uid"] if ran else ""), (name, status)
    assert "gatehold.dev/outcome" not in job["metadata"].get("finalizers", []), name
    assert [reason for reason in reasons if reason in ENDS] == [status["phase"]], (name, reasons)
    assert ("Approved" in reasons) == ("effect" in status), (name, reasons)  # its prior state is recorded with Approved
    assert all(count == 1 or reason == "VerdictRecorded" for reason, count in reasons.items()), (name, reasons)
    if status["phase"] == "Released":
        assert (job["status"]["succeeded"], len(pods)) == (1, 1), name
        assert condition(body, "Ready") == ("True", "EffectComplete"), name
    else:
        assert job["spec"]["suspend"] is True or job["status"].get("succeeded") == 1, name
        assert condition(body, "RolledBack")[1] == ("NoUndoNamed" if ran else "NothingToUndo"), (name, status)


def events_of(stage: Stage) -> dict[str, Counter[str]]:
    """Reasons of Events by request."""
    found: dict[str, Counter[str]] = {}
    for event in stage.all("events"):
        if event["regarding"]["kind"] == "ApprovalRequest":
            found.setdefault(event["regarding"]["name"], Counter())[event["reason"]] += 1
    return found


def settled(stage: Stage, names: list[str]) -> dict[str, tuple[Body, Counter[str]]]:
    """Every request at its end, with its Events; all of them agree with their Jobs."""
    done = until_all(stage, names, is_done, "done")
    wait_until(lambda: all(set(events_of(stage).get(n, ())) & ENDS for n in names), "Events tell every end", 60)
    told = events_of(stage)
    for name in names:
        agree(stage, done[name], told[name])
    return {name: (done[name], told[name]) for name in names}


def words(body: Body, *, counted: bool | None = None) -> list[str]:
    """The words that the ledger holds."""
    recorded = body["status"].get("verdicts", [])
    return [v["verdict"] for v in recorded if counted is None or v.get("counted", True) is counted]


def test_approve_against_expire_has_one_outcome(stage: Stage) -> None:
    policy = stage.policy(quorum=[{"role": "sre"}])
    names = ask_many(stage, policy, FEWER, jobs=True, timeoutSeconds=6)
    deadlines = {body["metadata"]["name"]: _instant(body["status"]["deadline"]) for body in stage.all("apr")}
    said: dict[str, bool] = {}

    def approve(name: str, before: float) -> None:
        threading.Event().wait(deadlines[name] - before - time.time())
        said[name] = stage.word("alice", name, "approve")[0]

    with ThreadPoolExecutor(FEWER) as pool:
        for future in [pool.submit(partial(approve, name, MOMENTS.uniform(-0.15, 0.25))) for name in names]:
            future.result()
    outcomes: Counter[str] = Counter()
    for name, (body, _) in settled(stage, names).items():
        phase = body["status"]["phase"]
        outcomes[phase] += 1
        assert phase in ("Released", "Expired")
        assert phase == "Expired" or words(body) == ["approve"]
        assert not (phase == "Expired" and "approve" in words(body, counted=True))
        assert said[name] or phase == "Expired"
    assert sum(outcomes.values()) == FEWER


def test_deny_against_release_has_one_outcome_and_the_deny_is_never_lost(stage: Stage) -> None:
    policy = stage.policy(quorum=[{"role": "sre"}])
    names = ask_many(stage, policy, FEWER, jobs=True)
    let_in = {}
    for name in names:
        delay = MOMENTS.choice([0.0, 0.0, MOMENTS.uniform(0, 0.1), MOMENTS.uniform(0.5, 2.5)])
        (approved, _), (denied, _) = race(stage, name, [("alice", "approve", 0.0), ("bob", "deny", delay)])
        let_in[name] = approved, denied
    for name, (body, _) in settled(stage, names).items():
        approved, denied = let_in[name]
        assert approved or denied
        assert body["status"]["phase"] == ("Denied" if denied else "Released")
        assert ("deny" in words(body)) is denied


def test_withdraw_against_approve_has_one_outcome_and_the_withdrawal_is_never_lost(stage: Stage) -> None:
    policy = stage.policy(quorum=[{"role": "sre"}])
    names = ask_many(stage, policy, FEWER, jobs=True)
    let_in = {}
    for name in names:
        delay = MOMENTS.choice([0.0, 0.0, MOMENTS.uniform(0, 0.1), MOMENTS.uniform(0.5, 2.5)])
        (approved, _), (withdrawn, _) = race(stage, name, [("alice", "approve", 0.0), ("ci", "withdraw", delay)])
        let_in[name] = approved, withdrawn
    for name, (body, _) in settled(stage, names).items():
        approved, withdrawn = let_in[name]
        assert approved or withdrawn
        assert body["status"]["phase"] == ("Withdrawn" if withdrawn else "Released")
        assert ("withdraw" in words(body)) is withdrawn


def test_approve_deny_and_override_at_once_let_nothing_pass_a_deny(stage: Stage) -> None:
    policy = stage.policy(quorum=[{"role": "sre", "count": 2}])
    names = ask_many(stage, policy, FEWER, jobs=True)
    let_in = {}
    for name in names:
        delay = MOMENTS.uniform(0, 0.05)
        said = race(stage, name, [("alice", "approve", 0.0), ("dana", "override", 0.0), ("bob", "deny", delay)])
        let_in[name] = [ok for ok, _ in said]
    for name, (body, _) in settled(stage, names).items():
        denied = let_in[name][2]
        assert body["status"]["phase"] == ("Denied" if denied else "Released")


def _instant(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
