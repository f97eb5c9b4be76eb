"""Builders for the gate of pods: Deployment shop/web of two cores a pod, its pods p1, p2, ..., the Gate gpu, a price table.

As in `builders`: a good value by default, and the one thing that the test is about by name. An hour of one pod is 0.2 USD.
"""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from gatehold.domain.model import Effect, EffectType, Request, Requester, Subject
from gatehold.domain.phases import Phase
from gatehold.domain.plan import Facts, Observed
from gatehold.domain.pricing.pod import ContainerShape, PodShape
from gatehold.domain.pricing.price import Threshold
from gatehold.domain.pricing.table import PriceTable
from gatehold.domain.provision.model import Asked, JobSeen, Owner, OwnerRef, PodGate, PodSeen, Sight
from gatehold.domain.provision.shown import resolved
from gatehold.domain.status import EffectState, EffectStatus, ObjectRef, Status
from tests.builders import DIGEST, UID, after, observed, pending, policy, request

GIB = Decimal(2**30)
NEW = "sha256:" + "e" * 64
TABLE = PriceTable("USD", "a test", "2026-01", Decimal("0.08"), Decimal("0.01"), fingerprint="t1")
TWO_CORES = PodShape((ContainerShape("c", {"cpu": Decimal(2), "memory": 4 * GIB}),))
ODD = PodShape((ContainerShape("c", {"cpu": Decimal(64), "memory": 4 * GIB}),))
GATE = PodGate("gpu", "spend", Threshold(hourly=Decimal("0.3")), Decimal("0.01"))
POLICY = policy(name="spend", effects=(EffectType.RELEASE,))
REPLICA_SET = OwnerRef("apps/v1", "ReplicaSet", "web-1", "rs-uid")


def pod(number: int = 1, *, gated: bool = True, **changes: Any) -> PodSeen:
    """A pod of the Deployment that waits, made a minute ago."""
    base = PodSeen(
        namespace="shop",
        name=f"p{number}",
        uid=f"p{number}-uid",
        resource_version="1",
        gate="gpu",
        digest=DIGEST,
        shape=TWO_CORES,
        gated=gated,
        live=True,
        created=after(-60 + number / 1000),
        owner=REPLICA_SET,
        released_by="" if gated else UID,
        images=("web:1",),
    )
    return replace(base, **changes)


def pods(waiting: int = 0, running: int = 0) -> tuple[PodSeen, ...]:
    """So many that were let go, then so many that wait."""
    return tuple(pod(n, gated=n > running) for n in range(1, running + waiting + 1))


def job(**changes: Any) -> JobSeen:
    """A Job that waits, of two pods at a time."""
    base = JobSeen("shop", "train", "job-uid", "1", "gpu", DIGEST, TWO_CORES, suspended=True, created=after(-60), size=2)
    return replace(base, **changes)


def owner(**changes: Any) -> Owner:
    """Deployment shop/web of three replicas, which a rolling update makes four."""
    base = Owner(
        "apps/v1",
        "Deployment",
        "shop",
        "web",
        "web-uid",
        "5",
        replicas=3,
        surge=1,
        digest=DIGEST,
        shape=TWO_CORES,
        images=("web:1",),
    )
    return replace(base, **changes)


def asked(phase: Phase = Phase.RELEASED, size: int = 4, **changes: Any) -> Asked:
    """This request about the Deployment, with a yes that covers what it asks."""
    covered = size if phase in (Phase.RELEASED, Phase.APPROVED) else 0
    return replace(Asked("web-q", UID, DIGEST, phase, size, covered), **changes)


def sight(*seen: PodSeen, **changes: Any) -> Sight:
    """The Deployment with these pods, behind the Gate."""
    return replace(Sight("shop", owner(), GATE, pods=seen, table=TABLE), **changes)


def pods_request(**changes: Any) -> Request:
    """What the operator asks about those pods."""
    subject = Subject("apps/v1", "Deployment", "shop", "web", "web-uid", DIGEST)
    base = {
        "subject": subject,
        "effect": Effect(EffectType.RELEASE),
        "policy": "spend",
        "gate": "gpu",
        "requester": Requester("operator"),
    }
    return request(**base | changes)


def pods_observed(status: Status | None = None, seen: Sight | None = None, **changes: Any) -> Observed:
    """That request, with three pods that wait unless told otherwise."""
    seen = sight(*pods(3), asked=(asked(Phase.PENDING),)) if seen is None else seen
    facts = Facts(provision=seen)
    found = {"request": pods_request(), "policy": POLICY, "facts": facts, "resolved": resolved(seen, DIGEST)}
    return observed(status, **found | changes)


def pods_pending(seen: Sight | None = None, **changes: Any) -> Status:
    """It is asked, and people can answer."""
    seen = sight(*pods(3), asked=(asked(Phase.PENDING),)) if seen is None else seen
    return pending(**{"resolved": resolved(seen, DIGEST)} | changes)


def pods_effect(state: EffectState = EffectState.WAITING, *, started: datetime | None = None) -> EffectStatus:
    """The record of it."""
    ref = ObjectRef("apps/v1", "Deployment", "web", "web-uid", "5")
    return EffectStatus(EffectType.RELEASE, state, object=ref, started_at=started)
