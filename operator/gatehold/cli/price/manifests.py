"""What stands in a file of manifests: workloads with their price, and what is not priced, with the reason. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from gatehold.api import workloads
from gatehold.api.common import ParseError
from gatehold.domain.pricing.price import Duration, Estimate, Threshold, is_under, price, shown
from gatehold.domain.pricing.table import PriceTable
from gatehold.domain.provision.model import Owner

Json = Mapping[str, Any]
_UNREADABLE: Final = (ParseError, ValueError, TypeError, KeyError, AttributeError, ArithmeticError)
_BUILT_IN: Final = ("", "apps", "autoscaling", "batch", "policy", "extensions", "gatehold.dev")


@dataclass(frozen=True, slots=True)
class Limits:
    """What it is held against: a Gate's threshold for each workload, and limits for all of them together."""

    gate: str = ""
    threshold: Threshold = field(default_factory=Threshold)
    floor: Decimal | None = None
    together: Threshold = field(default_factory=Threshold)


@dataclass(frozen=True, slots=True)
class Thing:
    """Which object it is."""

    kind: str
    name: str
    namespace: str = ""

    def __str__(self) -> str:
        place = f"{self.namespace}/" if self.namespace else ""
        return f"{self.kind} {place}{self.name}"


@dataclass(frozen=True, slots=True)
class Priced:
    """A workload, so many pods of it, and what they cost. `under`: its Gate lets it go at once; None: no Gate was named."""

    thing: Thing
    size: str
    estimate: Estimate
    notes: tuple[str, ...] = ()
    under: bool | None = None


@dataclass(frozen=True, slots=True)
class Left:
    """What has no price here, and why."""

    thing: Thing
    why: str


@dataclass(frozen=True, slots=True)
class Bill:
    """Everything of a file."""

    workloads: tuple[Priced, ...]
    left: tuple[Left, ...]

    @property
    def known(self) -> bool:
        """Whether every workload has a whole price."""
        return all(priced.estimate.known for priced in self.workloads)

    @property
    def hourly(self) -> tuple[Decimal, Decimal]:
        """Low and high of an hour of all of them, to the last digit."""
        counted = [(p.estimate.pod, p.estimate.pods) for p in self.workloads]
        return (
            sum((pod.low * pods for pod, pods in counted), Decimal(0)),
            sum((pod.high * pods for pod, pods in counted), Decimal(0)),
        )

    @property
    def monthly(self) -> Decimal:
        """The high figure of a month, of what ends before then for as long as it may run."""
        return sum((priced.estimate.counted for priced in self.workloads), Decimal(0))

    def exceeded(self, limits: Limits) -> tuple[str, ...]:
        """Which limits are exceeded, in words."""
        gated = [p for p in self.workloads if p.under is False and p.estimate.known]
        found = [f"{p.thing} is above the threshold of gate {limits.gate}: people are asked" for p in gated]
        for limit, figure, per in (
            (limits.together.hourly, self.hourly[1], "an hour"),
            (limits.together.monthly, self.monthly, "a month"),
        ):
            if limit is not None and figure > limit:
                found.append(f"all together cost up to {shown(figure)} {per}, the limit is {shown(limit)}")
        return tuple(found)


def bill(bodies: Iterable[Json], table: PriceTable, limits: Limits) -> Bill:
    """Price every object. Raises ParseError, which names the one that cannot be read."""
    found = [_of(body, table, limits) for body in bodies]
    return Bill(
        tuple(one for one in found if isinstance(one, Priced)),
        tuple(one for one in found if isinstance(one, Left)),
    )


def _of(body: Json, table: PriceTable, limits: Limits) -> Priced | Left:
    thing, api_version = _thing(body), str(body.get("apiVersion") or "")
    if not (thing.kind and api_version):
        raise ParseError(f"{thing}: it has no kind or no apiVersion")
    if not workloads.knows(api_version, thing.kind):
        return Left(thing, _why(api_version, thing.kind, body))
    try:
        owner = workloads.owner(_complete(body))
    except _UNREADABLE as error:
        raise ParseError(f"{thing}: {error}") from error
    if owner.size < 0:
        raise ParseError(f"{thing}: it asks for less than no pods")
    estimate = Estimate(owner.size, price(owner.shape, table, limits.floor), owner.duration)
    under = is_under(estimate, limits.threshold) if limits.gate else None
    return Priced(thing, _size(owner), estimate, tuple(_notes(body, owner, estimate)), under)


def _thing(body: Json) -> Thing:
    meta = body.get("metadata")
    meta = meta if isinstance(meta, Mapping) else {}
    name = str(meta.get("name") or meta.get("generateName") or "(no name)")
    return Thing(str(body.get("kind") or ""), name, str(meta.get("namespace") or ""))


def _complete(body: Json) -> Json:
    """As it would be stored: what only the API server knows is filled in, and has no bearing on the price."""
    given = body.get("metadata")
    meta = dict(given) if isinstance(given, Mapping) else {}
    meta |= {"name": str(meta.get("name") or meta.get("generateName") or "x")}
    meta |= {"namespace": str(meta.get("namespace") or "default"), "uid": "not-created-yet"}
    return {**body, "metadata": meta}


def _size(owner: Owner) -> str:
    """How many pods, and why."""
    if owner.kind == "Pod":
        return "1"
    if owner.kind == "CronJob":
        return f"{owner.replicas} a run"
    return f"{owner.replicas} + {owner.surge} surge" if owner.surge else str(owner.replicas)


def _notes(body: Json, owner: Owner, estimate: Estimate) -> Iterable[str]:
    """What somebody who reads the figure should know of it."""
    if owner.why:
        yield f"the gate would hold it: {owner.why}"
    for option in owner.options:
        high = Estimate(option.pods, estimate.pod, owner.duration).hourly[1]
        yield f"option {option.name}: {option.pods} pods, up to {shown(high)} an hour"
    hours = workloads.stated_hours(owner.stated) if owner.stated else None
    if hours is not None:
        high = Estimate(estimate.pods, estimate.pod, Duration(hours)).total[1]
        yield f"it says that it runs for {owner.stated}, which would cost up to {shown(high)}; nothing enforces that"
    if owner.kind == "CronJob":
        yield "one run at a time is counted, as if it never ended; runs that overlap cost more"
    spec = body.get("spec")
    if isinstance(spec, Mapping) and spec.get("volumeClaimTemplates"):
        yield "its volume claims are not part of it: no gate holds them"
    runtime = _pod_spec(body).get("runtimeClassName")
    if runtime and owner.shape.overhead is None:
        yield f"the overhead of runtime class {runtime} is not known here"


def _pod_spec(body: Json) -> Json:
    """The pod spec of a workload that was read."""
    spec: Any = body["spec"]
    if body["kind"] == "Pod":
        return dict(spec)
    if body["kind"] == "CronJob":
        spec = spec["jobTemplate"]["spec"]
    return dict(spec["template"]["spec"])


def _why(api_version: str, kind: str, body: Json) -> str:
    """Why a kind is not priced."""
    group = api_version.partition("/")[0] if "/" in api_version else ""
    spec = body.get("spec")
    if (group, kind) == ("apps", "DaemonSet"):
        return "a pod on every node that fits, so it costs what the nodes cost anyway; no gate holds it"
    if kind == "PersistentVolumeClaim":
        return "storage that outlives pods has no price here and no gate holds it: set a ResourceQuota"
    if kind == "Service" and isinstance(spec, Mapping) and spec.get("type") == "LoadBalancer":
        return "a load balancer has no price here and no gate holds it: set a ResourceQuota"
    if group not in _BUILT_IN and not group.endswith(".k8s.io"):
        return "a custom resource: what it makes is not known before it is there; its pods are then counted as they come"
    return "it runs no pods"
