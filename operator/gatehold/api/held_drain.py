"""The ApprovalRequest that the operator opens about somebody else's `kubectl drain`, which waits meanwhile."""

import re
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from gatehold.api.approval_request import GATE_LABEL
from gatehold.api.common import API_VERSION, shortened, sparse
from gatehold.api.masking import plain
from gatehold.domain.model import DrainGate, EffectType, Requester
from gatehold.domain.nodes import NodeFacts
from gatehold.domain.status import ResolvedDrain

MOST_EVIDENCE: Final = 32  # as in the CRD, and so are these
MOST_VALUE: Final = 256
MOST_SUMMARY: Final = 256
MOST_UID: Final = 256
MOST_GROUPS: Final = 256
MOST_NAME: Final = 1024
_MOST_LINES: Final = 10  # owners, budgets and losses each: with the two figures they fit
_MOST_NODE: Final = 30
_EDGE: Final = re.compile(r"[^a-z0-9]+$")

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Held:
    """A drain that is held: by which Gate, of which node, by whom, and what it takes away."""

    gate: DrainGate
    node: NodeFacts
    evictor: Requester
    evidence: ResolvedDrain


def name(node: str, node_uid: str, username: str, number: int) -> str:
    """The name of the `number`th question about that node and person: the same on every replica, so that twice is once."""
    shown = _EDGE.sub("", node[:_MOST_NODE])
    return f"{shown}-{sha256(f'{node_uid}|{username}'.encode(errors='replace')).hexdigest()[:8]}-d{number}"


def request(held: Held, namespace: str, number: int) -> Json:
    """The whole request, in the namespace where the Gate asks."""
    node, person = held.node, held.evictor
    spec = sparse(
        policyRef={"name": held.gate.policy},
        summary=_summary(held),
        description=(
            f"Approved: kubectl drain of {node.name}, which waits, goes on by itself for this person, on this very node.\n"
            "Otherwise: it is refused, and the node is uncordoned if this person had cordoned it."
        ),
        evidence=_evidence(held.evidence),
        subject={"apiVersion": "v1", "kind": "Node", "name": node.name, "uid": node.uid},
        effect={"type": str(EffectType.RELEASE)},
        requester=_requester(person),
    )
    metadata = {
        "name": name(node.name, node.uid, person.username, number),
        "namespace": namespace,
        "labels": {GATE_LABEL: held.gate.name},
    }
    return {"apiVersion": API_VERSION, "kind": "ApprovalRequest", "metadata": metadata, "spec": spec}


def _summary(held: Held) -> str:
    """In one line, whatever the length of the names: how many pods comes last, and is never cut."""
    pods = held.evidence.pods
    tail = f": {pods} pod{'' if pods == 1 else 's'}"
    return shortened(plain(f"drain of {held.node.name} by {held.evictor.username}"), MOST_SUMMARY - len(tail)) + tail


def _requester(person: Requester) -> Json:
    """As the API server knows that account; what a request cannot hold of it is left out, its name aside."""
    groups = list(person.groups)
    fit = len(groups) <= MOST_GROUPS and all(len(group) <= MOST_NAME for group in groups)
    uid = person.uid if len(person.uid) <= MOST_UID else ""
    return sparse(username=person.username, uid=uid, groups=groups if fit else [])


def _evidence(evidence: ResolvedDrain) -> list[Json]:
    """Figures first, then whose pods they are, what may hold it up, and what does not come back."""
    return [
        {"name": "pods to evict", "value": str(evidence.pods)},
        {"name": "pods that stay", "value": str(evidence.skipped), "source": "mirror pods and those of DaemonSets"},
        *_rows("pods of", evidence.owners),
        *_rows("budget", evidence.budgets),
        *_rows("does not come back", evidence.losses),
    ]


def _rows(title: str, lines: tuple[str, ...]) -> list[Json]:
    """As many lines as there is room for; the last one then says that there are more."""
    shown = lines if len(lines) <= _MOST_LINES else lines[: _MOST_LINES - 1]
    rows = [{"name": title, "value": shortened(plain(line), MOST_VALUE)} for line in shown]
    left = len(lines) - len(shown)
    return [*rows, {"name": title, "value": f"{left} more lines are not shown here"}] if left else rows
