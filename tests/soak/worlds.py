"""Worlds in which every invariant holds, one for each way in which a request may go; and the question which do not."""

from typing import Any

from tests.soak import invariants
from tests.soak.samples import APR, JOB, UNDO, Sample


def broken(sample: Sample, **more: Any) -> set[str]:
    """The names of the rules that do not hold."""
    return {violation.rule for violation in invariants.of_all(sample.facts(**more))}


def released() -> Sample:
    """Asked, approved by two, let go, complete, done."""
    sample = Sample().prepared()
    sample.said("alice", "approve")
    sample.said("bob", "approve")
    return sample.approved().let_go().ended().over("Released").done()


def undone() -> Sample:
    """Approved, let go, failed, undone, done."""
    sample = Sample().prepared()
    sample.said("alice", "approve")
    sample.said("bob", "approve")
    sample.approved().let_go().ended(kind="Failed").over("Failed", "Undoing", by="Operator").let_go(UNDO).ended(UNDO)
    sample.status(conditions=[{"type": "RolledBack", "status": "True", "reason": "UndoCompleted"}])
    return sample.done()


def asked(*approvers: str, effect: str = "None") -> Sample:
    """Prepared, with approvals."""
    sample = Sample(effect=effect).prepared()
    for who in approvers:
        sample.said(who, "approve")
    return sample


def denied() -> Sample:
    sample = asked("alice")
    sample.said("bob", "deny")
    return sample.over("Denied").done()


def overridden() -> Sample:
    sample = asked()
    sample.said("dana", "override", "")
    return sample.approved("Override").done()


def withdrawn() -> Sample:
    sample = asked("alice")
    sample.said("ci", "withdraw", "")
    return sample.over("Withdrawn", by="Requester").done()


def expired(late: float = 1) -> Sample:
    sample = asked("alice")
    sample.now += 60 + late
    return sample.over("Expired", by="Time").done()


def escalated() -> Sample:
    sample = asked("alice")
    sample.now += 35
    sample.said("dana", "approve", "duty")
    return sample.approved().done()


def automatic() -> Sample:
    policy = {"quorum": [{"role": "sre"}], "tiers": [{"name": "easy", "when": {"effects": ["None"]}, "autoApprove": True}]}
    sample = Sample(policy, effect="None")
    sample.request["spec"]["policyRef"]["name"] = "tiers"
    sample.versions[APR].clear()
    sample.wrote(APR, sample.request)
    sample.prepared()
    sample.spoil(APR, -1, lambda body: body["status"].pop("quorum"))
    sample.request["status"].pop("quorum")
    return sample.approved("Policy").done()


def by_hand() -> Sample:
    """dana breaks the glass on the Job; the request is superseded."""
    sample = asked("alice", effect="Release")
    job = sample.jobs[JOB]
    job["spec"]["suspend"] = False
    job["metadata"]["annotations"] = {"gatehold.dev/override": "INC-4711", "gatehold.dev/override-by": "dana"}
    sample.wrote(JOB, job)
    return sample.over("Superseded", by="Operator").done()
