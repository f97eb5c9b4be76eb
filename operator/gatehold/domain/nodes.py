"""Nodes, their pods, budgets and Leases as they are now, and what can be written to them. Read by gatehold.controllers."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from gatehold.domain.model import DrainGate


class Block(Enum):
    """Why the API server did not let a pod be evicted just now."""

    BUDGET = "budget"  # 429: a PodDisruptionBudget has no room
    TWO_BUDGETS = "two budgets"  # 500: more than one covers it, and the API server evicts such pods never
    NAMESPACE = "namespace"  # 403 NamespaceTerminating: it goes by itself


@dataclass(frozen=True, slots=True)
class Blocked:
    """The last answer to the eviction of a pod: `by` what, in words fit for a status; not to be tried before `again_at`."""

    kind: Block
    by: str
    since: datetime
    again_at: datetime


@dataclass(frozen=True, slots=True)
class PodToEvict:
    """A pod of a node. `owner` as "Deployment shop/web" (empty: no controller); `budgets` that cover it as "shop/web"."""

    namespace: str
    name: str
    uid: str
    node: str
    owner: str = ""
    mirror: bool = False
    daemon_set: bool = False  # a DaemonSet controls it
    ended: bool = False  # Succeeded or Failed
    terminating: bool = False
    empty_dir: bool = False
    budgets: tuple[str, ...] = ()
    blocked: Blocked | None = None


@dataclass(frozen=True, slots=True)
class BudgetFacts:
    """A PodDisruptionBudget: disruptions allowed now, healthy pods needed and there, pods that it covers."""

    namespace: str
    name: str
    allowed: int = 0
    needed: int = 0
    healthy: int = 0
    pods: int = 0


@dataclass(frozen=True, slots=True)
class LeaseFacts:
    """The Lease of a node under maintenance. `holder` is the uid of a request, `request` its namespace/name."""

    node: str
    node_uid: str
    holder: str
    request: str = ""


@dataclass(frozen=True, slots=True)
class GateOfNode:
    """The Gate that a node's label names. `drains` is None where it is of no use, and `why` says so."""

    name: str
    drains: DrainGate | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class NodeFacts:
    """A node as it is now. `taints` as key=value:Effect; `pods` are all of the node's, None where they were not read.

    `cordoned_by`, `released_by` and `request` are its annotations.
    """

    name: str
    uid: str
    resource_version: str
    unschedulable: bool = False
    taints: tuple[str, ...] = ()
    gate: GateOfNode | None = None
    cordoned_by: str = ""
    released_by: str = ""
    request: str = ""
    deleting: bool = False
    pods: tuple[PodToEvict, ...] | None = None


@dataclass(frozen=True, slots=True)
class DrainFacts:
    """The nodes of a drain that are there, and their Leases: both whole, since what is missing is taken for gone.

    `policy` and `namespace` are the operator's own settings: those of nodes without a Gate, and the namespace also of a Gate
    that names none. `too_many`: the selector finds more nodes than one request may name. `budgets` are read only before
    anybody is asked.
    """

    nodes: tuple[NodeFacts, ...] = ()
    leases: tuple[LeaseFacts, ...] = ()
    policy: str = ""
    namespace: str = ""
    too_many: bool = False
    budgets: tuple[BudgetFacts, ...] = ()


@dataclass(frozen=True, slots=True)
class TakeLease:
    """Create the node's Lease, held by this request: nobody else's maintenance runs on it meanwhile."""

    node: NodeFacts


@dataclass(frozen=True, slots=True)
class CordonNode:
    """Cordon a node, also one that is: one write, guarded by uid and resourceVersion, with released-by and request."""

    node: NodeFacts


@dataclass(frozen=True, slots=True)
class EvictPods:
    """Evict these pods, each guarded by its uid, at most `parallel` of one node at the same time.

    A pod that is gone is no error; one that is blocked is told by the next facts.
    """

    pods: tuple[PodToEvict, ...]
    parallel: int
    grace_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class CloseNode:
    """Mark a node that was not touched (annotation request alone), so that a cordon under way fails instead of landing."""

    node: NodeFacts


@dataclass(frozen=True, slots=True)
class UncordonNode:
    """Take released-by and request off a node, in one write guarded by uid and resourceVersion.

    `uncordon`: make it schedulable too, with cordoned-by gone; `drop_taint`: and its taint node.kubernetes.io/unschedulable.
    """

    node: NodeFacts
    uncordon: bool = True
    drop_taint: bool = False


@dataclass(frozen=True, slots=True)
class DropLease:
    """Delete the Lease of a node, if this request holds it."""

    lease: LeaseFacts
