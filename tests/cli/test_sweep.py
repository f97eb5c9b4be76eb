"""`gatehold approve --all` on a real API server: what is shown, what is written, and what is never touched."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from gatehold.cli.exits import Exit
from tests.cli.provisions import DIGEST, FAST, OFFERED, asks, priced
from tests.cli.stage import Ended, Stage
from tests.cli.test_decide import verdicts


@pytest.fixture
def swept(both: Stage, name: str) -> tuple[Stage, str]:
    """A policy of the test's own, and a requester whose first question passed."""
    policy = f"p-{abs(hash(name)) % 10**8}"
    both.sweeps(policy)
    asks(both, f"{policy}-old", policy=policy)
    priced(both, f"{policy}-old", "1")
    for person in ("alice", "carol"):
        assert both.cli(person, "approve", f"{policy}-old", "-m", "go", "--yes").code == Exit.OK
    both.end(f"{policy}-old", "Approved")
    return both, policy


def sweep(stage: Stage, policy: str, *more: str, person: str = "alice", most: str = "2", **how: object) -> Ended:
    words = ("approve", "--all", "--policy", policy, "--max-cost", most, "--reason", "nightly sweep", *more)
    return stage.cli(person, *words, **how)  # type: ignore[arg-type]


def waits(stage: Stage, policy: str, part: str, hourly: str | None = "1", by: str = "ci", **spec: object) -> str:
    asks(stage, f"{policy}-{part}", by, policy, **spec)
    return priced(stage, f"{policy}-{part}", hourly)


def said(stage: Stage, policy: str, part: str) -> list[str]:
    return verdicts(stage, f"{policy}-{part}")


def test_each_gets_one_verdict_with_its_digest_and_what_stands_out_is_never_touched(swept: tuple[Stage, str]) -> None:
    stage, policy = swept
    digests = {part: waits(stage, policy, part) for part in ("a", "b", "c")}
    waits(stage, policy, "dear", "2.5")
    waits(stage, policy, "unknown", None)
    waits(stage, policy, "new", by="newcomer")
    before = {part: stage.get("apr", f"{policy}-{part}") for part in ("dear", "unknown", "new")}
    ended = sweep(stage, policy, "--yes")
    assert ended.code == Exit.OK, ended.err
    for part, digest in digests.items():
        assert said(stage, policy, part) == [f"approve|{digest}|sre|alice||nightly sweep"]
        assert f"approved shop/{policy}-{part} as sre" in ended.out
    for text in ("costs more than 2 USD an hour", "price unknown", "no released request before from newcomer",
                 "3 requests (together 3.00 USD an hour, up to 2190.00 USD a month of 730 h), 3 left out",
                 "3 of 3 approved"):  # fmt: skip
        assert text in ended.out
    assert {part: stage.get("apr", f"{policy}-{part}") for part in before} == before


def test_far_from_the_median_is_left_out(swept: tuple[Stage, str]) -> None:
    stage, policy = swept
    for part in ("a", "b", "c"):
        waits(stage, policy, part, "0.1")
    waits(stage, policy, "far", "0.31")
    ended = sweep(stage, policy, "-y")
    assert "costs more than 3 times the median of the batch (0.10)" in ended.out
    assert (len(said(stage, policy, "a")), said(stage, policy, "far")) == (1, [])


def test_a_terminal_shows_the_table_and_asks(swept: tuple[Stage, str]) -> None:
    stage, policy = swept
    waits(stage, policy, "a")
    no = sweep(stage, policy, tty=120, stdin="n\n")
    assert (no.code, said(stage, policy, "a")) == (Exit.NOT_CONFIRMED, [])
    assert "Approve it as alice?" in no.out
    assert "1.00 USD" in no.out
    yes = sweep(stage, policy, tty=120, stdin="y\n")
    assert (yes.code, len(said(stage, policy, "a"))) == (Exit.OK, 1)


def test_without_a_terminal_or_yes_nothing_is_written(swept: tuple[Stage, str]) -> None:
    stage, policy = swept
    waits(stage, policy, "a")
    ended = sweep(stage, policy)
    assert (ended.code, said(stage, policy, "a")) == (Exit.NOT_CONFIRMED, [])
    assert f"{policy}-a" in ended.out
    assert "--yes" in ended.err


def test_an_empty_batch_says_so_by_its_code(swept: tuple[Stage, str]) -> None:
    stage, policy = swept
    ended = sweep(stage, policy, "--yes")
    assert (ended.code, "nothing waits under policy" in ended.err) == (Exit.ABSENT, True)
    waits(stage, policy, "new", by="newcomer")
    ended = sweep(stage, policy, "--yes")
    assert (ended.code, "all 1 that wait" in ended.err) == (Exit.ABSENT, True)
    assert "no released request before" in ended.out
    assert sweep(stage, "nobody-made-it", "--yes").code == Exit.ABSENT


def test_an_option_is_approved_only_where_it_is_named(swept: tuple[Stage, str]) -> None:
    stage, policy = swept
    asks(stage, f"{policy}-a", policy=policy, options=OFFERED, subject={"kind": "Change", "name": "a", "digest": DIGEST})
    priced(stage, f"{policy}-a", "4.6", options=FAST)
    assert sweep(stage, policy, "--yes").code == Exit.ABSENT
    ended = sweep(stage, policy, "--yes", "--option", "cheap")
    assert (ended.code, "option cheap" in ended.out) == (Exit.OK, True), ended.err
    assert [line.split("|")[4] for line in said(stage, policy, "a")] == ["cheap"]


def test_one_that_is_refused_is_said_and_the_others_go_on(swept: tuple[Stage, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody else's no comes in between the look and the write."""
    stage, policy = swept
    waits(stage, policy, "a")
    waits(stage, policy, "b")

    def answered(question: str) -> bool:
        assert stage.program("bob", "deny", f"{policy}-a", "-m", "not this one", "--yes").returncode == 0
        with ThreadPoolExecutor(1) as pool:  # the command has this thread's loop
            pool.submit(stage.end, f"{policy}-a", "Denied").result()
        return True

    monkeypatch.setattr("gatehold.cli.sweep.run.confirm", answered)
    ended = sweep(stage, policy, tty=120)
    assert ended.code == Exit.NO
    told = re.sub(r"\x1b\[[0-9;]*m", "", ended.err + ended.out)
    assert f"not approved: shop/{policy}-a: this request is Denied" in told
    assert f"approved shop/{policy}-b" in told
    assert [line.split("|")[0] for line in said(stage, policy, "a")] == ["deny"]


def test_in_all_namespaces_where_it_may_be_read(swept: tuple[Stage, str]) -> None:
    stage, policy = swept
    waits(stage, policy, "a")
    ended = sweep(stage, policy, "-A", "--yes")
    assert (ended.code, len(said(stage, policy, "a"))) == (Exit.OK, 1), ended.err


@pytest.mark.parametrize(
    "words",
    [
        ("approve",),
        ("approve", "--all"),
        ("approve", "--all", "--policy", "p"),
        ("approve", "--all", "--max-cost", "1"),
        ("approve", "x", "--all", "--policy", "p", "--max-cost", "1"),
        ("approve", "x", "--policy", "p"),
        ("approve", "x", "--max-cost", "1"),
        ("approve", "--all", "--policy", "p", "--max-cost", "-1"),
        ("approve", "--all", "--policy", "p", "--max-cost", "nan"),
        ("approve", "--all", "--policy", "p", "--max-cost", "1", "--digest", "0123456789"),
    ],
    ids=" ".join,
)
def test_a_command_line_that_says_half_of_it_is_refused(old_stage: Stage, words: tuple[str, ...]) -> None:
    assert old_stage.cli("alice", *words).code == Exit.USAGE


def test_a_service_account_sweeps_nothing(old_stage: Stage, name: str) -> None:
    ended = sweep(old_stage, "prod", "--yes", person="admin")
    assert ended.code in (Exit.NOT_A_PERSON, Exit.ABSENT)
