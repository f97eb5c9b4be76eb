"""A Node from the wire, as far as drains look at it; what the cache keeps of one is enough."""

from typing import Final

from gatehold.api.common import Body, ParseError, Wire, read
from gatehold.domain.model import DrainMode
from gatehold.domain.nodes import GateOfNode, NodeFacts, PodToEvict

GATED_LABEL: Final = "gatehold.dev/drain"
MODE_LABEL: Final = "gatehold.dev/drain-mode"
CORDONED_BY: Final = "gatehold.dev/cordoned-by"
RELEASED_BY: Final = "gatehold.dev/released-by"
REQUEST: Final = "gatehold.dev/request"
UNSCHEDULABLE: Final = "node.kubernetes.io/unschedulable"  # the taint that the node controller adds to a cordoned node


class _Metadata(Wire):
    name: str
    uid: str
    resource_version: str
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None
    deletion_timestamp: str | None = None


class _Labelled(Wire):
    labels: dict[str, str] | None = None


class _Taint(Wire):
    key: str
    value: str = ""
    effect: str


class _Spec(Wire):
    unschedulable: bool | None = None
    taints: list[_Taint] | None = None


def facts(body: Body, gate: GateOfNode | None = None, pods: tuple[PodToEvict, ...] | None = None) -> NodeFacts:
    """What the core looks at. `gate` is what is known of the Gate that `gate_of` gives, `pods` those of the node.

    Raises ParseError, also where the node names a Gate of which nothing was given.
    """
    meta = read(_Metadata, body.get("metadata"), "metadata")
    spec = read(_Spec, body.get("spec") or {}, "spec")
    notes = meta.annotations or {}
    if (meta.labels or {}).get(GATED_LABEL) != (gate.name if gate is not None else None):
        raise ParseError("metadata.labels: another gate than the one that was looked at")
    return NodeFacts(
        name=meta.name,
        uid=meta.uid,
        resource_version=meta.resource_version,
        unschedulable=spec.unschedulable is True,
        taints=tuple(f"{taint.key}={taint.value}:{taint.effect}" for taint in spec.taints or []),
        gate=gate,
        cordoned_by=notes.get(CORDONED_BY, ""),
        released_by=notes.get(RELEASED_BY, ""),
        request=notes.get(REQUEST, ""),
        deleting=meta.deletion_timestamp is not None,
        pods=pods,
    )


def gate_of(body: Body) -> str | None:
    """The Gate that its label names for drains, None where there is no label. Raises ParseError."""
    return _labels(body).get(GATED_LABEL)


def mode_of(body: Body) -> DrainMode:
    """What the wall and the webhook take it for: Hold only where its label says so. Raises ParseError."""
    return DrainMode.HOLD if _labels(body).get(MODE_LABEL) == DrainMode.HOLD else DrainMode.DENY


def _labels(body: Body) -> dict[str, str]:
    return read(_Labelled, body.get("metadata"), "metadata").labels or {}
