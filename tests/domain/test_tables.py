"""The small tables: phases and moves, counting, flaws of a policy, instants, words and their meaning."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest

from gatehold.domain.model import EffectType, QuorumEntry, RecordedVerdict, Subject, Tier
from gatehold.domain.phases import MOVES, Phase, is_over, is_refused, may_move
from gatehold.domain.plan import Finding, Rules
from gatehold.domain.quorum import counted_approvals, tally
from gatehold.domain.reasons import Reason
from gatehold.domain.schedule import earliest, next_instant, timeout, whole
from gatehold.domain.status import EscalationStep
from gatehold.domain.tiers import flaw_of, is_allowed, needs_auto_approve, policy_flaw
from tests.builders import NOW, after, approve, deny, entry, job, override, pending, policy, recorded, request

REFUSED = {Phase.DENIED, Phase.EXPIRED, Phase.LAPSED, Phase.SUPERSEDED, Phase.WITHDRAWN, Phase.FAILED}


@pytest.mark.parametrize("before", Phase)
@pytest.mark.parametrize("to", Phase)
@pytest.mark.parametrize("has_effect", [True, False], ids=["with an effect", "without"])
def test_a_phase_moves_as_the_table_says_and_not_out_of_an_end(before: Phase, to: Phase, *, has_effect: bool) -> None:
    allowed = before is to or to in MOVES[before]
    if before is Phase.APPROVED and not has_effect:
        allowed = to is Phase.APPROVED

    assert may_move(before, to, has_effect=has_effect) == allowed


@pytest.mark.parametrize("phase", Phase)
def test_what_is_over_and_what_is_refused(phase: Phase) -> None:
    assert is_refused(phase) == (phase in REFUSED)
    assert is_over(phase, has_effect=True) == (phase in REFUSED | {Phase.RELEASED})
    assert is_over(phase, has_effect=False) == (phase in REFUSED | {Phase.RELEASED, Phase.APPROVED})


TWO = (entry("sre", 2, accepted=("sre", "duty")), entry("finance"))
COUNTS: dict[str, tuple[tuple[RecordedVerdict, ...], tuple[int, ...], str]] = {
    "nothing": ((), (0, 0), "0/3"),
    "one": ((recorded(approve()),), (1, 0), "1/3"),
    "a backup counts for its entry": ((recorded(approve(role="duty")),), (1, 0), "1/3"),
    "the same person twice": ((recorded(approve(0)), recorded(approve(1))), (1, 0), "1/3"),
    "one person in two roles serves the first": (
        (recorded(approve(1, role="finance")), recorded(approve(0))),
        (1, 0),
        "1/3",
    ),
    "what is beyond the need helps no other entry": (
        tuple(recorded(approve(n, f"p{n}")) for n in range(4)),
        (4, 0),
        "2/3",
    ),
    "what does not count": ((recorded(approve(), reason="Late"),), (0, 0), "0/3"),
    "an override and a deny are no approvals": ((recorded(override()), recorded(deny(1))), (0, 0), "0/3"),
    "a role that nobody asked for": ((recorded(approve(role="boss")),), (0, 0), "0/3"),
}


@pytest.mark.parametrize(("ledger", "given", "text"), COUNTS.values(), ids=COUNTS)
def test_counting(ledger: tuple[RecordedVerdict, ...], given: tuple[int, ...], text: str) -> None:
    count = tally(ledger, TWO)

    assert (count.given, count.needed, count.text, count.complete) == (given, (2, 1), text, False)


def test_an_empty_quorum_is_never_complete() -> None:
    assert not tally((recorded(approve()),), ()).complete


def test_the_counted_approvals_are_in_the_order_of_their_numbers() -> None:
    ledger = (recorded(approve(3, "bob")), recorded(approve(1, "alice")), recorded(approve(2, "carol"), reason="Late"))

    assert [v.username for v in counted_approvals(ledger)] == ["alice", "bob"]


FLAWS: dict[str, tuple[tuple[QuorumEntry, ...], str]] = {
    "none": ((QuorumEntry("sre", 2, ("duty",)), QuorumEntry("finance")), ""),
    "empty": ((), "empty"),
    "a role twice": ((QuorumEntry("sre"), QuorumEntry("sre")), "sre stands in two places"),
    "a role that is another's backup": ((QuorumEntry("sre"), QuorumEntry("finance", 1, ("sre",))), "sre stands in two"),
    "a role that is its own backup": ((QuorumEntry("sre", 1, ("sre",)),), "sre stands in two places"),
    "twelve roles": (tuple(QuorumEntry(f"r{n}") for n in range(12)), ""),
    "thirteen roles": (tuple(QuorumEntry(f"r{n}") for n in range(13)), "13 roles"),
    "nobody": ((QuorumEntry("sre", 0),), "8 people"),
    "eight people": ((QuorumEntry("sre", 8), QuorumEntry("finance", 8)), ""),
    "nine people": ((QuorumEntry("sre", 9),), "8 people"),
    "seventeen approvals": ((QuorumEntry("a", 8), QuorumEntry("b", 8), QuorumEntry("c")), "16 approvals"),
}


@pytest.mark.parametrize(("quorum", "text"), FLAWS.values(), ids=FLAWS)
def test_flaws_of_a_quorum(quorum: tuple[QuorumEntry, ...], text: str) -> None:
    assert text in flaw_of(quorum)
    assert bool(flaw_of(quorum)) == bool(text)


def test_flaws_of_a_policy() -> None:
    auto = Tier("auto", auto_approve=True)
    bad = Tier("bad", quorum=(QuorumEntry("duty"),))

    assert policy_flaw(policy(tiers=(auto, Tier("fine", quorum=(QuorumEntry("sre", 7),))))) == ""
    assert policy_flaw(policy(quorum=())) == "spec.quorum: its quorum is empty"
    assert policy_flaw(policy(tiers=(auto, bad))).startswith(
        "spec.tiers[1].quorum, added to spec.quorum by tier bad: role duty stands in two places"
    )
    assert needs_auto_approve(policy(tiers=(bad, auto)))
    assert not needs_auto_approve(policy(tiers=(bad,)))


@pytest.mark.parametrize(
    ("listed", "effect", "allowed"),
    [
        ((), EffectType.NONE, True),
        ((), EffectType.RELEASE, False),
        ((EffectType.RELEASE,), EffectType.RELEASE, True),
        ((EffectType.RELEASE,), EffectType.NONE, False),
    ],
)
def test_a_policy_that_lists_no_effect_allows_none(
    listed: tuple[EffectType, ...], effect: EffectType, *, allowed: bool
) -> None:
    assert is_allowed(policy(effects=listed), effect) == allowed


def test_a_policys_default_beyond_its_own_most_is_refused_and_not_cut() -> None:
    found = timeout(policy(timeout_default=9000, timeout_max=60), request(), Rules())

    assert isinstance(found, Finding)
    assert found.reason is Reason.TIMEOUT_OUT_OF_BOUNDS


def test_instants() -> None:
    steps = (EscalationStep(5, after(5), ("duty",), opened_at=NOW), EscalationStep(9, after(9), ("duty",)))

    assert earliest((None, after(3), NOW)) == NOW
    assert earliest(()) is None
    assert next_instant(pending(escalations=steps)) == after(9)
    assert next_instant(pending(escalations=steps, deadline=after(7))) == after(7)


def test_instants_that_a_person_reads_are_whole_seconds_and_never_earlier() -> None:
    soon = NOW + timedelta(microseconds=1)

    assert (whole(NOW), whole(soon), whole(after(0.999999))) == (NOW, after(1), after(1))


@pytest.mark.parametrize("reason", Reason)
def test_a_reason_is_one_word_with_a_meaning(reason: Reason) -> None:
    assert re.fullmatch(r"[A-Z][A-Za-z]{1,127}", reason)
    assert reason.meaning.endswith(".")
    assert str(reason) == reason.value == f"{reason}"


def test_a_subject_is_addressed_by_what_it_is_and_not_by_its_uid() -> None:
    first = Subject("batch/v1", "Job", "shop", "migrate", "uid-1", "digest-1")

    assert first.key == Subject("batch/v1", "Job", "shop", "migrate").key == ("batch/v1", "Job", "shop", "migrate")


@pytest.mark.parametrize(("changes", "finished"), [({}, False), ({"complete": True}, True), ({"failed": True}, True)])
def test_a_job_is_finished_once_its_controller_says_so(changes: dict[str, bool], *, finished: bool) -> None:
    assert job(**changes).finished == finished


def test_amounts_are_decimal_and_never_rounded() -> None:
    tier = Tier("cheap", max_price=Decimal("0.1"))

    assert tier.max_price == Decimal("0.10")
