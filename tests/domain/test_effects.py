"""Every effect answers every verb, and where it finds nothing it begins nothing."""

from dataclasses import replace

import pytest

from gatehold.domain.effects import EFFECTS, EffectRules, rules_for
from gatehold.domain.effects.drain import DrainRules
from gatehold.domain.effects.none import NoEffect
from gatehold.domain.effects.promote import PromoteRules
from gatehold.domain.effects.release_job import ReleaseJobRules
from gatehold.domain.effects.release_node import ReleaseNodeRules
from gatehold.domain.effects.unsupported import Unsupported
from gatehold.domain.model import EffectType, Request
from gatehold.domain.plan import Finding, Observed
from gatehold.domain.prepare import prepared
from gatehold.domain.reasons import Reason
from tests.builders import (
    NOW,
    approved,
    facts,
    job,
    observed,
    pending,
    policy,
    release_observed,
    release_request,
    request,
)
from tests.drains import drain_request, held_request
from tests.promotions import promote_request

EMPTY = release_observed(pending(), facts=facts())
ALL: dict[str, EffectRules] = {
    "none": NoEffect(),
    "promote": PromoteRules(),
    "drain": DrainRules(),
    "release": ReleaseJobRules(),
    "release of a node": ReleaseNodeRules(),
    "unsupported": Unsupported(),
}


@pytest.mark.parametrize("rules", ALL.values(), ids=ALL)
def test_nothing_is_recorded_as_begun_where_there_is_nothing(rules: EffectRules) -> None:
    assert rules.begin(EMPTY, pending()) is None
    assert rules.settle(EMPTY) == ()


@pytest.mark.parametrize("rules", ALL.values(), ids=ALL)
@pytest.mark.parametrize("seen", [EMPTY, release_observed(pending())], ids=["nothing there", "all there"])
def test_nothing_is_written_where_nothing_is_recorded(rules: EffectRules, seen: Observed) -> None:
    step, back = rules.plan(seen, pending(), NOW), rules.undo(seen, pending(), NOW)

    assert (step.effect, step.writes) == (None, ())
    assert (back.effect, back.writes, back.restored, back.finding.reason) == (None, (), True, Reason.NOTHING_TO_UNDO)


FITTING = (request(), promote_request(), drain_request(), release_request(), held_request())


@pytest.mark.parametrize("fitting", FITTING, ids=lambda found: f"{found.effect.type}-{found.subject and found.subject.kind}")
def test_only_rules_that_support_a_request_are_chosen(fitting: Request) -> None:
    kind, bare = fitting.effect.type, replace(fitting, subject=None)
    rules = rules_for(fitting)

    assert rules in EFFECTS[kind]
    assert rules is not None
    assert rules.supports(fitting)
    assert [found for found in ALL.values() if found.supports(fitting) and type(found) is not type(rules)] in (
        [],
        [found for found in ALL.values() if isinstance(found, NoEffect)],
    )
    assert kind in (EffectType.NONE, EffectType.DRAIN) or rules_for(bare) is None
    assert not Unsupported().supports(fitting)


@pytest.mark.parametrize("rules", ALL.values(), ids=ALL)
def test_where_there_is_nothing_nothing_was_begun_and_nothing_is_waited_for(rules: EffectRules) -> None:
    assert rules.begun(EMPTY) is False
    assert rules.keep_until(EMPTY, pending()) is None
    assert set(EFFECTS) == set(EffectType)


def test_a_release_without_a_subject_is_no_question() -> None:
    finding = ReleaseJobRules().check(release_observed(request=release_request(subject=None)))

    assert finding is not None
    assert finding.reason is Reason.INVALID_REQUEST


def test_the_prior_state_is_the_jobs_own() -> None:
    begun = ReleaseJobRules().begin(release_observed(facts=facts(job(resource_version="42"))), approved())

    assert begun is not None
    assert begun.object is not None
    assert (begun.object.uid, begun.object.resource_version, begun.prior_suspend) == ("job-uid", "42", True)


def test_a_time_that_is_not_allowed_is_never_prepared() -> None:
    """`why_failed` speaks first; this is the second lock on the same door."""
    found = prepared(observed(request=request(timeout_seconds=99_999)), policy(), NOW)

    assert isinstance(found, Finding)
    assert found.reason is Reason.TIMEOUT_OUT_OF_BOUNDS


def test_effect_none_looks_at_nothing() -> None:
    rules = NoEffect()

    assert rules.supports(replace(request(), subject=None))
    assert (rules.check(EMPTY), rules.verify(EMPTY, pending())) == (None, None)
