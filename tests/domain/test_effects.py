"""Every effect answers every verb, and where it finds nothing it begins nothing."""

from dataclasses import replace

import pytest

from gatehold.domain.effects import EFFECTS, EffectRules, rules_for
from gatehold.domain.effects.none import NoEffect
from gatehold.domain.effects.promote import PromoteRules
from gatehold.domain.effects.release_job import ReleaseJobRules
from gatehold.domain.effects.unsupported import Unsupported
from gatehold.domain.model import Effect, EffectType
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
from tests.promotions import promote_request

EMPTY = release_observed(pending(), facts=facts())
ALL: dict[str, EffectRules] = {
    "none": NoEffect(),
    "promote": PromoteRules(),
    "release": ReleaseJobRules(),
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


@pytest.mark.parametrize("kind", EffectType)
def test_only_rules_that_support_a_request_are_chosen(kind: EffectType) -> None:
    fitting = promote_request() if kind is EffectType.PROMOTE else release_request(effect=Effect(kind))
    rules = rules_for(fitting)

    assert rules is EFFECTS.get(kind)
    assert rules is None or rules.supports(fitting)
    assert kind is EffectType.NONE or rules_for(replace(fitting, subject=None)) is None
    assert not Unsupported().supports(release_request(effect=Effect(kind)))


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
