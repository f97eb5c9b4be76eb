"""The Lease of a node under maintenance: whoever holds it is at work there, and nobody else's drain begins."""

import re
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from gatehold.api import common
from gatehold.api.common import Body, Wire
from gatehold.domain.model import Request
from gatehold.domain.nodes import LeaseFacts

LEASE_VERSION: Final = "coordination.k8s.io/v1"
PART_OF: Final = "app.kubernetes.io/part-of"
MAINTENANCE: Final = "gatehold.dev/maintenance"
REQUEST: Final = "gatehold.dev/request"
NODE: Final = "gatehold.dev/node"
NODE_UID: Final = "gatehold.dev/node-uid"
SELECTOR: Final = f"{PART_OF}=gatehold,{MAINTENANCE}=true"
"""What finds all of them in the operator's namespace, and no other Lease."""
_SHOWN: Final = 40
_EDGE: Final = re.compile(r"[^a-z0-9]+$")

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Maintenance:
    """Which node it is about, and who holds it. `uid` and `resource_version` are the Lease's own, to delete no other."""

    name: str
    uid: str
    resource_version: str
    facts: LeaseFacts


class _Metadata(Wire):
    name: str
    uid: str
    resource_version: str
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None


class _Spec(Wire):
    holder_identity: str | None = None


def name_of(node: str) -> str:
    """The Lease's name: what can be read of the node's, and a digest that tells long ones apart."""
    shown = _EDGE.sub("", node[:_SHOWN])
    return f"gatehold-node-{shown}-{sha256(node.encode()).hexdigest()[:8]}"


def lease(node: str, node_uid: str, request: Request, namespace: str) -> Json:
    """The Lease for the wire, in the operator's namespace. To make it is to take it: it is never written again."""
    notes = {REQUEST: request.address, NODE: node, NODE_UID: node_uid}
    labels = {PART_OF: "gatehold", MAINTENANCE: "true"}
    metadata = {"name": name_of(node), "namespace": namespace, "labels": labels, "annotations": notes}
    return {"apiVersion": LEASE_VERSION, "kind": "Lease", "metadata": metadata, "spec": {"holderIdentity": request.uid}}


def read(body: Body) -> Maintenance | None:
    """A Lease of a node, None where it is none of ours. Raises ParseError.

    It is none of ours either where it has not the name of that node's Lease: nobody finds it there.
    """
    meta = common.read(_Metadata, body.get("metadata"), "metadata")
    spec = common.read(_Spec, body.get("spec") or {}, "spec")
    labels, notes = meta.labels or {}, meta.annotations or {}
    node, node_uid, holder = notes.get(NODE, ""), notes.get(NODE_UID, ""), spec.holder_identity or ""
    if labels.get(MAINTENANCE) != "true" or not (node and node_uid and holder) or meta.name != name_of(node):
        return None
    facts = LeaseFacts(node, node_uid, holder, notes.get(REQUEST, ""))
    return Maintenance(meta.name, meta.uid, meta.resource_version, facts)
