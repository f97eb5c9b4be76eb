"""Pods that must be gone before an undo goes on: how often to look, when it is called stuck, what to say then.

Called by undo_job only. Both Jobs are waited for alike: nothing runs unobserved once the end is said.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from gatehold.domain.plan import Finding, PodFacts, Pods
from gatehold.domain.reasons import Reason

PATIENCE = timedelta(minutes=5)
"""How long pods may take beyond their own grace period before somebody is told. Kubernetes itself waits five minutes (its
default toleration) for a node that does not answer: what is still there then will hardly go without a person.
"""
SOONEST, LATEST = timedelta(seconds=1), timedelta(seconds=30)
_NAMED = 3


@dataclass(frozen=True, slots=True)
class Waiting:
    """What to say while pods are there, whether it is stuck, and when to look again."""

    finding: Finding
    stalled: bool
    recheck_at: datetime


def wait_for(pods: Pods, job: str, namespace: str, since: datetime, now: datetime) -> Waiting | None:
    """The wait for the pods of a Job that was seen stopped at `since`, or None where all are gone."""
    if pods == ():
        return None
    stuck_at = since + PATIENCE + timedelta(seconds=max((pod.grace_seconds for pod in pods or ()), default=0))
    again = now + min(max((now - since) / 4, SOONEST), LATEST)  # nobody waits a quarter longer than the pods took
    if not pods or now < stuck_at:
        return Waiting(Finding(Reason.UNDOING, f"waiting until the pods of Job {job} are gone"), False, min(again, stuck_at))
    return Waiting(Finding(Reason.PODS_REMAIN, _sentence(pods, job, namespace, since)), True, again)


def _sentence(pods: tuple[PodFacts, ...], job: str, namespace: str, since: datetime) -> str:
    """The same as long as the same pods are first: each change of it is a write."""
    names = ", ".join(f"{pod.name} on {f'node {pod.node}' if pod.node else 'no node'}" for pod in pods[:_NAMED])
    more = " and others" if len(pods) > _NAMED else ""
    look = f"kubectl get pods -n {namespace} -l batch.kubernetes.io/job-name={job} -o wide"
    force = f"kubectl delete pod -n {namespace} {pods[0].name} --force"
    waits = f"the undo waits for them since {since:%Y-%m-%dT%H:%M:%SZ} and goes on by itself once they are gone"
    there = f"pods of Job {job} are still there: {names[:420]}{more}"
    return f"{there}; {waits}; look: {look}; where the node is surely off: {force}"
