"""Verdicts on a real API server with the wall, stamped and in the stored form."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from gatehold.cli.exits import Exit
from tests.cli.bodies import entry
from tests.cli.stage import Stage

Json = dict[str, Any]


def verdicts(stage: Stage, name: str) -> list[str]:
    notes = stage.get("apr", name)["metadata"].get("annotations") or {}
    return [value for key, value in sorted(notes.items()) if key.startswith("verdict.gatehold.dev/")]


# ---- verdicts


def test_two_people_approve_what_was_shown(both: Stage, name: str) -> None:
    both.request(name)
    digest = both.prepare(name)["status"]["requestDigest"]
    first = both.cli("alice", "approve", name, "-m", "error rate is flat | go", "--yes")
    assert first.code == Exit.OK, first.err
    assert "alice approved" in first.out
    assert "still needed: 1 of finance" in first.out
    second = both.cli("carol", "approve", f"apr/{name}", "-m", "paid", "--yes", "--digest", digest[7:17])
    assert second.code == Exit.OK, second.err
    assert verdicts(both, name) == [
        f"approve|{digest}|sre|alice||error rate is flat | go",
        f"approve|{digest}|finance|carol||paid",
    ]


def test_a_terminal_shows_the_question_and_asks(both: Stage, name: str) -> None:
    both.request(name, {"summary": "Shall it go?"})
    both.prepare(name)
    no = both.cli("alice", "approve", name, "-m", "fine", tty=80, stdin="n\n")
    assert no.code == Exit.NOT_CONFIRMED
    assert verdicts(both, name) == []
    yes = both.cli("alice", "approve", name, "-m", "fine", tty=80, stdin="y\n")
    assert yes.code == Exit.OK, yes.err
    assert "Shall it go?" in yes.out
    assert len(verdicts(both, name)) == 1


def test_a_script_without_yes_is_told_so(stage: Stage, name: str) -> None:
    stage.request(name)
    stage.prepare(name)
    ended = stage.cli("alice", "approve", name, "-m", "fine")
    assert ended.code == Exit.NOT_CONFIRMED
    assert "--yes" in ended.err
    assert verdicts(stage, name) == []


@pytest.mark.parametrize(
    ("person", "words", "sentence"),
    [
        ("ci", ("approve", "-m", "mine"), "you opened this request"),
        ("dana", ("approve", "-m", "no role"), "none of the roles"),
        ("alice", ("override", "-m", "INC-4711: down"), "you may not override policy prod"),
        ("olga", ("override", "-m", "no"), "at least 8 letters or digits"),
        ("alice", ("withdraw", "-m", "not mine"), "only ci, who opened this request, may withdraw it"),
        ("alice", ("approve", "-m", "x", "--role", "finance"), "you do not hold role finance"),
    ],
    ids=["the requester", "no role", "no right to override", "no reason", "somebody else's", "another's role"],
)  # fmt: skip
def test_the_servers_own_sentence_says_why_not(
    both: Stage, name: str, person: str, words: tuple[str, ...], sentence: str
) -> None:
    both.request(name)
    both.prepare(name)
    yes = () if words[0] == "withdraw" else ("--yes",)
    ended = both.cli(person, words[0], name, *words[1:], *yes)
    assert ended.code == Exit.REFUSED
    assert sentence in ended.err
    assert "ValidatingAdmissionPolicy" in ended.err.splitlines()[1]
    assert verdicts(both, name) == []


def test_deny_override_and_withdraw_are_words_too(both: Stage, name: str) -> None:
    for part in ("deny", "override", "withdraw"):
        both.request(f"{name}-{part}")
        both.prepare(f"{name}-{part}")
    assert both.cli("bob", "deny", f"{name}-deny", "-m", "p99 doubled", "--yes").code == Exit.OK
    assert both.cli("olga", "override", f"{name}-override", "-m", "INC-4711: down", "--yes").code == Exit.OK
    assert both.cli("ci", "withdraw", f"{name}-withdraw", "-m", "wrong branch").code == Exit.OK
    said = [verdicts(both, f"{name}-{part}")[0].split("|") for part in ("deny", "override", "withdraw")]
    assert [(line[0], line[2], line[3]) for line in said] == [
        ("deny", "sre", "bob"),
        ("override", "", "olga"),
        ("withdraw", "", "ci"),
    ]


def test_an_option_has_to_be_picked(both: Stage, name: str) -> None:
    both.request(name, {"options": [{"name": "fast"}, {"name": "slow"}]})
    both.prepare(name)
    assert both.cli("alice", "approve", name, "-m", "x", "--yes").code == Exit.USAGE
    assert both.cli("alice", "approve", name, "-m", "x", "--yes", "--option", "slow").code == Exit.OK
    other = both.cli("carol", "approve", name, "-m", "x", "--yes", "--option", "fast")
    assert (other.code, "fixed option slow" in other.err) == (Exit.REFUSED, True)


def test_before_the_operator_looked_there_is_nothing_to_decide(stage: Stage, name: str) -> None:
    stage.request(name)
    ended = stage.cli("alice", "approve", name, "-m", "x", "--yes")
    assert (ended.code, "has not prepared" in ended.err) == (Exit.REFUSED, True)


def test_who_loses_the_race_for_a_number_takes_the_next(old_stage: Stage, name: str) -> None:
    """Processes, since one process has one standard output."""
    old_stage.request(name)
    quorum = [entry("sre", 2), entry("finance")]
    old_stage.prepare(name, quorum)
    with ThreadPoolExecutor(3) as pool:
        ended = list(
            pool.map(lambda who: old_stage.program(who, "approve", name, "-m", "x", "--yes"), ("alice", "bob", "carol"))
        )
    assert [done.returncode for done in ended] == [0, 0, 0], [done.stderr for done in ended]
    assert sorted(line.split("|")[3] for line in verdicts(old_stage, name)) == ["alice", "bob", "carol"]
