"""What becomes of the pods of one owner: which go, what is asked, why the rest waits."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from gatehold.domain.phases import Phase
from gatehold.domain.pricing.price import Threshold
from gatehold.domain.provision.decide import ODD_TOGETHER, TOGETHER, decide, request_name, said
from gatehold.domain.provision.model import LetGo, OptionSeen, Sight
from gatehold.domain.provision.plan import GroupPlan
from gatehold.domain.reasons import Reason
from tests.builders import NOW, UID, after
from tests.provisions import GATE, NEW, ODD, asked, job, owner, pod, pods, sight

RICH = replace(GATE, threshold=Threshold(hourly=Decimal(100)))


def gone(plan: GroupPlan) -> list[tuple[str, list[str]]]:
    """Who lets what go."""
    return [(wave.released_by, [seen.name for seen in (*wave.pods, *wave.jobs)]) for wave in plan.let_go]


def why(seen: Sight) -> str:
    """Why the rest is held."""
    plan = decide(seen, NOW)
    return str(plan.held.reason) if plan.held is not None else ""


# ---- nothing, cheap, dear


def test_nothing_waits_nothing_is_done() -> None:
    assert decide(sight(*pods(running=3)), NOW) == GroupPlan()


def test_what_is_cheap_goes_by_the_gate() -> None:
    assert gone(decide(sight(*pods(3), gate=RICH), NOW)) == [("gate/gpu", ["p1", "p2", "p3"])]


def test_the_price_is_of_all_that_the_owner_wants_and_not_of_what_waits() -> None:
    """One pod is under the threshold; the Deployment of four is not."""
    one = sight(pod(), owner=owner(replicas=1, surge=0))

    assert gone(decide(one, NOW)) == [("gate/gpu", ["p1"])]
    assert not decide(sight(pod()), NOW).let_go


def test_both_thresholds_hold_where_both_are_given() -> None:
    one = sight(pod(), owner=owner(replicas=1, surge=0))
    tight = replace(GATE, threshold=Threshold(Decimal("0.3"), Decimal(100)))

    assert not decide(replace(one, gate=tight), NOW).let_go
    assert decide(replace(one, gate=replace(tight, threshold=Threshold(None, Decimal(200)))), NOW).let_go


def test_without_a_threshold_everything_is_asked() -> None:
    one = sight(pod(), owner=owner(replicas=1, surge=0), gate=replace(GATE, threshold=Threshold()))

    assert [question.size for question in decide(one, NOW).ask] == [1]


def test_what_has_no_price_is_asked_whatever_the_threshold() -> None:
    strange = pod(shape=replace(ODD, claims=("gpu",)))

    assert len(decide(sight(strange, gate=RICH), NOW).ask) == 1


def test_the_dear_is_asked_once_with_its_size() -> None:
    (question,) = decide(sight(*pods(3)), NOW).ask

    assert (question.name, question.size, question.covered, question.odd) == (
        request_name(owner(), pod().digest, 0),
        4,
        0,
        False,
    )
    assert question.name.startswith("web-")
    assert said(question.estimate, "USD") == "0.80 to 0.80 USD an hour"


def test_a_job_is_asked_before_it_has_pods() -> None:
    train = owner(kind="Job", api_version="batch/v1", name="train", uid="job-uid", replicas=2, surge=0)
    plan = decide(sight(owner=train, jobs=(job(),)), NOW)

    assert [question.size for question in plan.ask] == [2]


def test_a_job_of_another_request_waits_for_that_one() -> None:
    assert decide(sight(jobs=(job(hold="prod"),)), NOW) == GroupPlan()


# ---- together


@pytest.mark.parametrize(("digest", "wait"), [(pod().digest, TOGETHER), (NEW, ODD_TOGETHER)], ids=["template", "odd"])
def test_pods_that_come_together_are_one_question(digest: str, wait: timedelta) -> None:
    fresh = sight(pod(created=NOW, digest=digest, shape=ODD))
    plan = decide(fresh, NOW)

    assert (plan.ask, plan.let_go, plan.recheck_at) == ((), (), NOW + wait)
    assert decide(fresh, NOW + wait).ask


# ---- a yes


def test_a_yes_lets_as_many_go_as_it_covers_the_oldest_first() -> None:
    plan = decide(sight(*pods(5), asked=(asked(size=4),)), NOW)

    assert gone(plan) == [(UID, ["p1", "p2", "p3", "p4"])]
    assert [question.size for question in plan.ask] == [5]  # the difference is asked


def test_what_runs_counts() -> None:
    assert gone(decide(sight(*pods(2, running=3), asked=(asked(size=4),)), NOW)) == [(UID, ["p4"])]


def test_what_has_ended_does_not_count() -> None:
    over = [replace(one, live=False) for one in pods(running=4)]

    assert gone(decide(sight(*over, pod(9), asked=(asked(size=4),)), NOW)) == [(UID, ["p9"])]


def test_what_is_on_its_way_out_counts_and_is_not_let_go() -> None:
    leaving = [replace(one, deleting=True) for one in pods(running=4)]
    plan = decide(sight(*leaving, pod(9), pod(10, deleting=True), asked=(asked(size=4),)), NOW)

    assert (gone(plan), plan.ask, plan.held.reason if plan.held else "") == ([], (), Reason.AWAITING_APPROVAL)
    ended = replace(sight(pod(9), asked=(asked(size=4),)))
    assert gone(decide(ended, NOW)) == [(UID, ["p9"])]


@pytest.mark.parametrize("digest", [pod().digest, NEW], ids=["as it was", "with another image by now"])
def test_what_was_taken_out_of_its_owner_counts_on(digest: str) -> None:
    """Whoever may label pods could else run as many as he likes by one yes."""
    strays = tuple(replace(one, owner=None, digest=digest) for one in pods(running=3))
    plan = decide(sight(pod(8), pod(9), strays=strays, asked=(asked(size=4),)), NOW)

    assert gone(plan) == [(UID, ["p8"])]


def test_what_runs_with_another_image_by_now_counts_on() -> None:
    changed = [replace(one, digest=NEW) for one in pods(running=3)]

    assert gone(decide(sight(*changed, pod(8), pod(9), asked=(asked(size=4),)), NOW)) == [(UID, ["p8"])]


def test_a_covered_job_is_resumed_and_its_pods_go_by_the_same_yes() -> None:
    assert gone(decide(sight(pod(), jobs=(job(),), asked=(asked(size=4),)), NOW)) == [(UID, ["p1", "train"])]


def test_runs_of_a_cron_job_go_as_far_as_the_yes_reaches_and_the_rest_waits_without_a_question() -> None:
    """What is resumed early waits for room with its deadline running."""
    runs = tuple(job(name=f"run-{n}", uid=f"run-{n}", created=after(-60 + n)) for n in range(5))
    night = owner(kind="CronJob", api_version="batch/v1", name="night", replicas=2, surge=0)
    fresh = sight(owner=night, jobs=runs, asked=(asked(size=4),))
    plan = decide(fresh, NOW)

    assert (gone(plan), plan.ask) == ([(UID, ["run-0", "run-1"])], ())
    resumed = tuple(replace(one, suspended=n > 1) for n, one in enumerate(runs))
    assert (gone(decide(replace(fresh, jobs=resumed), NOW)), decide(replace(fresh, jobs=resumed), NOW).ask) == ([], ())
    ended = tuple(replace(one, finished=n == 0) for n, one in enumerate(resumed))
    assert gone(decide(replace(fresh, jobs=ended), NOW)) == [(UID, ["run-2"])]


def test_a_job_of_which_a_part_is_approved_goes() -> None:
    assert gone(decide(sight(jobs=(job(size=50),), asked=(asked(size=50, covered=10),)), NOW)) == [(UID, ["train"])]


def test_what_goes_by_a_yes_does_not_go_by_the_gate_as_well() -> None:
    seen = sight(*pods(3), jobs=(job(),), gate=RICH, asked=(asked(size=4, covered=2),))

    assert gone(decide(seen, NOW)) == [(UID, ["p1", "p2", "train"]), ("gate/gpu", ["p3"])]


def test_a_yes_to_another_template_covers_nothing() -> None:
    assert not decide(sight(*pods(3), asked=(asked(digest=NEW),)), NOW).let_go


@pytest.mark.parametrize("phase", [phase for phase in Phase if phase is not Phase.RELEASED])
def test_nothing_but_released_lets_later_pods_go(phase: Phase) -> None:
    assert not decide(sight(*pods(3), asked=(asked(phase, covered=4),)), NOW).let_go


def test_the_cheap_option_covers_its_own_size_and_the_rest_is_not_asked_again() -> None:
    plan = decide(sight(*pods(4), asked=(asked(size=4, covered=2),)), NOW)

    assert gone(plan) == [(UID, ["p1", "p2"])]
    assert (plan.ask, plan.held.reason if plan.held else "") == ((), Reason.NOT_APPROVED)


def test_of_two_yes_the_greater_counts() -> None:
    both = (asked(size=4), asked(size=6, name="web-r", uid="other"))

    assert gone(decide(sight(*pods(6), asked=both), NOW)) == [("other", ["p1", "p2", "p3", "p4", "p5", "p6"])]


# ---- a no, and what follows


@pytest.mark.parametrize("phase", [Phase.DENIED, Phase.EXPIRED, Phase.WITHDRAWN, Phase.LAPSED, Phase.FAILED])
def test_a_no_is_not_asked_again(phase: Phase) -> None:
    plan = decide(sight(*pods(3), asked=(asked(phase),)), NOW)

    assert (plan.ask, plan.let_go) == ((), ())
    assert plan.held is not None
    assert plan.held.reason is Reason.NOT_APPROVED
    assert "gatehold.dev/retry" in plan.held.message


@pytest.mark.parametrize("phase", [Phase.FAILED, Phase.EXPIRED])
def test_what_never_came_to_people_is_not_asked_again_and_again(phase: Phase) -> None:
    """Its policy does not list Release, say: to ask would fail as before."""
    seen = sight(*pods(3), asked=(asked(phase, size=0),))
    plan = decide(seen, NOW)

    assert (plan.ask, plan.let_go, why(seen)) == ((), (), "NotApproved")
    assert decide(replace(seen, owner=owner(retry="2")), NOW).ask


def test_what_was_superseded_refused_nothing() -> None:
    assert len(decide(sight(*pods(3), asked=(asked(Phase.SUPERSEDED),)), NOW).ask) == 1


def test_more_than_was_refused_is_asked() -> None:
    assert [q.size for q in decide(sight(*pods(3), owner=owner(replicas=9), asked=(asked(Phase.DENIED),)), NOW).ask] == [10]


def test_another_retry_asks_again_under_another_name() -> None:
    again = owner(retry="2")
    (question,) = decide(sight(*pods(3), owner=again, asked=(asked(Phase.DENIED),)), NOW).ask

    assert question.name.rpartition("-")[0] != request_name(owner(), pod().digest, 0).rpartition("-")[0]


def test_another_retry_takes_no_yes_away() -> None:
    assert gone(decide(sight(*pods(3), owner=owner(retry="2"), asked=(asked(),)), NOW)) == [(UID, ["p1", "p2", "p3"])]


@pytest.mark.parametrize("phase", [Phase.UNSET, Phase.PENDING, Phase.APPROVED])
def test_while_one_is_open_nothing_else_is_asked(phase: Phase) -> None:
    assert why(sight(*pods(3), asked=(asked(phase, 1),))) == "AwaitingApproval"
    assert not decide(sight(*pods(3), asked=(asked(phase, 1),)), NOW).ask


# ---- held


def test_without_a_gate_nothing_is_asked_and_nothing_goes() -> None:
    seen = sight(*pods(3), gate=None, why="there is no Gate gpu")

    assert (decide(seen, NOW).let_go, decide(seen, NOW).ask, why(seen)) == ((), (), "GateNotFound")


def test_without_a_table_nothing_is_asked_and_what_is_approved_goes_on() -> None:
    """A slip in the table must not keep pods away that people have accepted."""
    broken = sight(*pods(5), table=None, table_flaw="CPU is missing", asked=(asked(size=4),))

    assert gone(decide(broken, NOW)) == [(UID, ["p1", "p2", "p3", "p4"])]
    assert (decide(broken, NOW).ask, why(broken)) == ((), "PriceTableBroken")
    assert why(replace(broken, table_flaw="")) == "PriceTableBroken"


@pytest.mark.parametrize("change", [{"gone": True, "known": False}, {"deleting": True}], ids=["gone", "going"])
def test_pods_of_an_owner_that_goes_stay_held(change: dict[str, bool]) -> None:
    """A question about them would be superseded at once, and asked again."""
    seen = sight(*pods(3), owner=owner(**change), gate=RICH, asked=(asked(),))

    assert (decide(seen, NOW).let_go, decide(seen, NOW).ask, why(seen)) == ((), (), "SubjectDeleted")


def test_an_owner_that_cannot_be_read_is_not_asked_about() -> None:
    assert why(sight(*pods(3), owner=owner(why="its options are no list"))) == "SubjectNotFound"


# ---- odd pods


def test_pods_that_are_not_as_the_template_are_a_question_of_their_own() -> None:
    dear = pod(7, digest=NEW, shape=ODD)
    plan = decide(sight(*pods(2), dear, asked=(asked(),)), NOW)

    assert gone(plan) == [(UID, ["p1", "p2"])]
    assert [(question.size, question.odd, question.covered) for question in plan.ask] == [(1, True, 4)]


def test_pods_of_an_owner_that_nobody_knows_are_counted() -> None:
    unknown = owner(known=False, kind="Trainer", digest="")

    assert [(q.size, q.odd) for q in decide(sight(*pods(3), owner=unknown), NOW).ask] == [(3, True)]


def test_what_a_controller_keeps_of_an_earlier_template_is_not_asked_about() -> None:
    left = sight(*pods(1), owner=owner(digest=NEW), asked=(asked(Phase.SUPERSEDED),))

    assert (decide(left, NOW).ask, decide(left, NOW).let_go, why(left)) == ((), (), "SubjectChanged")
    dear = replace(left, pods=(pod(shape=ODD),), asked=(asked(Phase.SUPERSEDED, odd=True),))
    assert [question.odd for question in decide(dear, NOW).ask] == [True]
    never_asked = replace(dear, asked=(asked(Phase.SUPERSEDED, size=0),))
    assert [question.odd for question in decide(never_asked, NOW).ask] == [True]


# ---- options


def test_options_are_priced_and_those_beyond_the_size_are_left_out() -> None:
    offered = owner(options=(OptionSeen("fast", 4), OptionSeen("cheap", 2, "half of it"), OptionSeen("huge", 40)))
    (question,) = decide(sight(*pods(3), owner=offered), NOW).ask

    assert [(option.name, estimate.hourly[1]) for option, estimate in question.options] == [
        ("fast", Decimal("0.8")),
        ("cheap", Decimal("0.4")),
    ]


def test_odd_pods_have_no_options() -> None:
    offered = owner(options=(OptionSeen("cheap", 1),))
    (question,) = decide(sight(pod(digest=NEW, shape=ODD), owner=offered), NOW).ask

    assert question.options == ()


def test_what_is_decided_once_is_decided_again_the_same() -> None:
    seen = sight(*pods(5), asked=(asked(size=4),))

    assert decide(seen, NOW) == decide(seen, NOW)
    done = replace(seen, pods=tuple(replace(p, gated=p.name == "p5") for p in seen.pods))
    assert not [wave for wave in decide(done, after(1)).let_go if isinstance(wave, LetGo)]


def test_a_price_that_is_not_known_says_so() -> None:
    (question,) = decide(sight(pod(shape=replace(ODD, claims=("gpu",)))), NOW).ask

    assert said(question.estimate, "USD").startswith("price unknown (device claim gpu), at least ")
