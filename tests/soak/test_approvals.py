"""An approval that is none is caught, in whatever way it is none."""

from collections.abc import Callable

import pytest

from tests.soak.samples import APR, Sample
from tests.soak.worlds import asked, automatic, broken


def one_approval() -> Sample:
    return asked("alice").approved().done()


def one_person_twice() -> Sample:
    return asked("alice", "alice").approved().done()


def the_requester() -> Sample:
    return asked("alice", "ci").approved().done()


def somebody_without_the_role() -> Sample:
    return asked("alice", "mallory").approved().done()


def a_beneficiary() -> Sample:
    sample = Sample(effect="None")
    sample.request["spec"]["onBehalfOf"] = ["bob"]
    sample.versions[APR].clear()
    sample.wrote(APR, sample.request)
    sample.prepared()
    sample.said("alice", "approve")
    sample.said("bob", "approve")
    return sample.approved().done()


def too_late() -> Sample:
    sample = asked("alice", "bob")
    sample.now += 61
    return sample.approved().done()


def another_digest() -> Sample:
    sample = asked("alice")
    sample.request["metadata"]["annotations"]["verdict.gatehold.dev/1"] = "approve|sha256:0|sre|bob||other"
    sample.wrote(APR, sample.request)
    return sample.approved().done()


def two_options() -> Sample:
    sample = asked("alice")
    digest = sample.request["status"]["requestDigest"]
    sample.request["metadata"]["annotations"]["verdict.gatehold.dev/1"] = f"approve|{digest}|sre|bob|slow|other"
    sample.wrote(APR, sample.request)
    return sample.approved().done()


def a_backup_before_its_time() -> Sample:
    sample = asked("alice")
    sample.said("dana", "approve", "duty")
    return sample.approved().done()


def overridden_by_nobody() -> Sample:
    sample = asked()
    sample.said("mallory", "override", "")
    return sample.approved("Override").done()


def decided_by_policy_without_a_tier() -> Sample:
    return asked().approved("Policy").done()


def automatic_without_a_grant() -> Sample:
    sample = automatic()
    for number in range(len(sample.versions[APR])):
        sample.spoil(APR, number, lambda body: body["metadata"].update(namespace="soak-b"))
    return sample


def with_a_deny() -> Sample:
    sample = asked("alice", "bob")
    sample.said("erin", "deny")
    return sample.approved().done()


@pytest.mark.parametrize(
    "bad",
    [
        one_approval,
        one_person_twice,
        the_requester,
        somebody_without_the_role,
        a_beneficiary,
        too_late,
        another_digest,
        two_options,
        a_backup_before_its_time,
        overridden_by_nobody,
        decided_by_policy_without_a_tier,
        automatic_without_a_grant,
        with_a_deny,
    ],
    ids=lambda bad: bad.__name__,
)
def test_an_approval_that_is_none_is_caught(bad: Callable[[], Sample]) -> None:
    assert "approved_means_that_somebody_may_and_did" in broken(bad())


def test_a_robot_needs_one_more() -> None:
    sample = Sample(effect="None")
    sample.request["spec"]["requester"]["username"] = "robot-ci"
    sample.versions[APR].clear()
    sample.wrote(APR, sample.request)
    sample.prepared()
    sample.said("alice", "approve")
    sample.said("bob", "approve")

    assert {"the_quorum_is_the_policys", "approved_means_that_somebody_may_and_did"} <= broken(sample.approved().done())
