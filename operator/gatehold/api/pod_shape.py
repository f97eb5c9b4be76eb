"""The part of a pod spec that its price depends on, from a pod as created or from a template."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

from gatehold.api.common import Body, ParseError, Wire, read
from gatehold.domain.pricing.pod import ContainerShape, PodShape
from gatehold.domain.pricing.quantity import QuantityError, parse

PRODUCT_LABELS: Final = (
    "nvidia.com/gpu.product",
    "amd.com/gpu.product-name",
    "cloud.google.com/gke-accelerator",
    "karpenter.k8s.aws/instance-gpu-name",
    "k8s.amazonaws.com/accelerator",
)
"""Node labels that name an accelerator's product."""

_MOST_FLAWS: Final = 8
_MOST_FLAW: Final = 200
Amounts = dict[str, str | int | float]


class _Resources(Wire):
    requests: Amounts | None = None
    limits: Amounts | None = None


class _Container(Wire):
    name: str = ""
    restart_policy: str | None = None
    resources: _Resources | None = None


class _Claim(Wire):
    resources: _Resources | None = None


class _ClaimTemplate(Wire):
    spec: _Claim = _Claim()


class _Ephemeral(Wire):
    volume_claim_template: _ClaimTemplate | None = None


class _Volume(Wire):
    name: str = ""
    ephemeral: _Ephemeral | None = None


class _Rule(Wire):
    key: str
    operator: str = ""
    values: list[str] | None = None


class _Term(Wire):
    match_expressions: list[_Rule] | None = None


class _Selection(Wire):
    node_selector_terms: list[_Term] | None = None


class _NodeAffinity(Wire):
    required_during_scheduling_ignored_during_execution: _Selection | None = None


class _Affinity(Wire):
    node_affinity: _NodeAffinity | None = None


class _Device(Wire):
    name: str = ""


class _Spec(Wire):
    containers: list[_Container] | None = None
    init_containers: list[_Container] | None = None
    overhead: Amounts | None = None
    resources: _Resources | None = None
    node_selector: dict[str, str] | None = None
    affinity: _Affinity | None = None
    volumes: list[_Volume] | None = None
    resource_claims: list[_Device] | None = None


def shape(spec: Body) -> PodShape:
    """The shape of a pod spec. Never raises: what cannot be counted stands in `flaws`, and its price is unknown."""
    try:
        given = read(_Spec, spec, "spec")
    except ParseError as error:
        return PodShape(flaws=(str(error)[:_MOST_FLAW],))
    reader = _Reader()
    whole = given.resources or _Resources()
    containers = tuple(reader.container(c, init=False) for c in given.containers or ())
    init = tuple(reader.container(c, init=True) for c in given.init_containers or ())
    overhead = reader.amounts(given.overhead, "overhead")
    requests, limits = reader.amounts(whole.requests, "resources"), reader.amounts(whole.limits, "resources")
    volumes = _volumes(given, reader)
    if not containers:
        reader.flaws.append("no containers")
    return PodShape(
        containers=containers,
        init=init,
        overhead=overhead or None,
        requests=requests or None,
        limits=limits or None,
        products=_products(given),
        volumes=volumes,
        claims=tuple(claim.name for claim in given.resource_claims or ()),
        flaws=tuple(reader.flaws[:_MOST_FLAWS]),
    )


class _Reader:
    """Reads quantities, and remembers what could not be read."""

    def __init__(self) -> None:
        self.flaws: list[str] = []

    def amounts(self, wire: Mapping[str, Any] | None, where: str) -> dict[str, Decimal]:
        """Every amount by its name; what cannot be read is left out and remembered."""
        found: dict[str, Decimal] = {}
        for name, value in (wire or {}).items():
            try:
                found[name] = parse(str(value))
            except QuantityError as error:
                self.flaws.append(f"{where}: {name} {error}"[:_MOST_FLAW])
        return found

    def container(self, wire: _Container, *, init: bool) -> ContainerShape:
        """Requests, filled up from limits as the API server fills them for a pod."""
        given, where = wire.resources or _Resources(), f"container {wire.name}"
        limits, requests = self.amounts(given.limits, where), self.amounts(given.requests, where)
        return ContainerShape(wire.name, {**limits, **requests}, init and wire.restart_policy == "Always")


def _products(spec: _Spec) -> tuple[str, ...]:
    """The accelerators that it may get: any that its node selection names. None where a way through it leaves that open."""
    selected = [value for label, value in (spec.node_selector or {}).items() if label in PRODUCT_LABELS]
    by_term = [list(_named(term)) for term in _terms(spec)]
    if not selected and not all(by_term):
        return ()
    return tuple(sorted({*selected, *(value for term in by_term for value in term)}))


def _terms(spec: _Spec) -> list[_Term]:
    """The ways that a node may fit: one of them is enough."""
    affinity = spec.affinity.node_affinity if spec.affinity is not None else None
    required = affinity.required_during_scheduling_ignored_during_execution if affinity is not None else None
    return (required.node_selector_terms or []) if required is not None else []


def _named(term: _Term) -> Iterator[str]:
    for rule in term.match_expressions or ():
        if rule.key in PRODUCT_LABELS and rule.operator == "In":
            yield from rule.values or ()


def _volumes(spec: _Spec, reader: _Reader) -> Decimal:
    """The bytes of volumes that are made for the pod and go with it; claims that are there by themselves are not its own."""
    total = Decimal(0)
    for volume in spec.volumes or ():
        template = volume.ephemeral.volume_claim_template if volume.ephemeral is not None else None
        given = template.spec.resources if template is not None else None
        wanted = given.requests if given is not None else None
        total += reader.amounts(wanted, f"volume {volume.name}").get("storage", Decimal(0))
    return total
