"""Drains of nodes: which ways past the gates RBAC leaves open, and for whom; gated nodes. Pure but for `read`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any, NamedTuple

from gatehold.admission.eviction_proof import CONFIGURATION
from gatehold.api.common import ParseError
from gatehold.api.gate import parse_drains, type_of
from gatehold.api.node import GATED_LABEL, MODE_LABEL
from gatehold.cli.doctor.findings import Finding, Level
from gatehold.cli.doctor.gates import is_left_out
from gatehold.cli.doctor.powers import everything
from gatehold.cli.doctor.rbac import Grant, Rule
from gatehold.cli.doctor.reach import OPERATOR
from gatehold.cli.doctor.webhook import PART, Webhook, installed
from gatehold.cli.refusals import sentence
from gatehold.cli.session import Session
from gatehold.domain.installation import NAMESPACE, PROBE
from gatehold.domain.model import DrainGate, DrainMode, GateType
from gatehold.kube import errors
from gatehold.kube.resources import NODES, SECRETS, WEBHOOKS

Json = dict[str, Any]
_NAMED = 10
_OURS = (OPERATOR, f"sa:{NAMESPACE}/{PROBE}")
_LEAF = "gatehold-webhook-tls"
_ADMISSION, _HOOKS = "admissionregistration.k8s.io", "validatingwebhookconfigurations"
_CHANGES = ("update", "patch", "delete", "deletecollection")
_NEVER_HELD = (
    "held by nobody, whatever RBAC says: preemption by the scheduler, pressure on a node, taints of the node controllers, "
    "the loss of the machine (docs/explanation/drains.md)"
)


class Seen(NamedTuple):
    """What was read: gated nodes as (name, gate, mode label), and the webhook."""

    nodes: tuple[tuple[str, str, str], ...] = ()
    webhook: Webhook = Webhook()


class Way(NamedTuple):
    """One way past the gates that RBAC opens.

    `everywhere`: a grant in a namespace is none. `place`: only one in the operator's namespace, or everywhere, is one.
    `hold`: only nodes of mode Hold leave it open.
    """

    what: str
    held: Callable[[Rule], bool]
    everywhere: bool = False
    place: bool = False
    hold: bool = False

    def holds(self, grant: Grant) -> bool:
        """Whether that grant opens it."""
        if self.place and grant.namespace not in ("", NAMESPACE):
            return False
        return self.held(grant.rule) and not (self.everywhere and grant.namespace)


WAYS = (
    Way(
        "delete pods, which nothing holds (kubectl delete pod, kubectl drain --disable-eviction)",
        lambda rule: _any(rule, ("delete", "deletecollection"), "", "pods"),
    ),
    Way(
        "evict pods from nodes that are not cordoned, which mode Hold lets pass",
        lambda rule: rule.allows("create", "", "pods/eviction"),
        hold=True,
    ),
    Way(
        "drain gated nodes alone and ask for drains (verb drain on nodes: cordons and evictions of mode Deny, NoExecute "
        "taints, deleting the node)",
        lambda rule: rule.allows("drain", "", "nodes"),
        everywhere=True,
    ),
    Way(
        "put a certificate of their own into the webhook (verb renew on its Secret)",
        lambda rule: rule.allows("renew", "", "secrets", _LEAF),
        place=True,
    ),
    Way(
        "read the key of the webhook",
        lambda rule: _any(rule, ("get", "list", "watch"), "", "secrets", _LEAF),
        place=True,
    ),
)


def _any(rule: Rule, verbs: Iterable[str], group: str, resource: str, name: str | None = None) -> bool:
    return any(rule.allows(verb, group, resource, name) for verb in verbs)


async def read(session: Session) -> Seen:
    """Read gated nodes, the configuration and the Secret of the webhook."""
    bodies = await session.cluster.list_all(NODES, None, GATED_LABEL)
    labels = [(str(body["metadata"]["name"]), body["metadata"].get("labels") or {}) for body in bodies]
    nodes = tuple((name, str(of[GATED_LABEL]), str(of.get(MODE_LABEL) or "")) for name, of in labels if GATED_LABEL in of)
    return Seen(nodes, await _webhook(session))


async def _webhook(session: Session) -> Webhook:
    try:
        configuration = await session.cluster.get(WEBHOOKS, None, CONFIGURATION)
    except errors.Absent:
        return Webhook()
    try:
        return Webhook(configuration, await session.cluster.get(SECRETS, NAMESPACE, _LEAF))
    except errors.Absent:
        return Webhook(configuration)
    except errors.Forbidden as error:
        return Webhook(configuration, None, sentence(error))


def findings(
    seen: Seen, gates: Iterable[Json], grants: Iterable[Grant], trusted: frozenset[str], now: datetime | None
) -> list[Finding]:
    """Everything there is to say; nothing where neither a node is gated nor a gate is there for them."""
    known = {gate.name: gate for gate in _drain_gates(gates)}
    if not (known or seen.nodes or seen.webhook.configuration):
        return []
    holding = [name for name, gate in known.items() if gate.mode is DrainMode.HOLD]
    found = [*_nodes(seen, known), *installed(seen.webhook, holding, now)]
    others = [grant for grant in grants if not grant.is_built_in and not everything(grant.rule)]
    ways = (way for way in WAYS if holding or not way.hold)
    found += [finding for way in ways for finding in _way(way, others)]
    return [*found, *_patchers(others, trusted), Finding(PART, Level.OK, _NEVER_HELD)]


def _drain_gates(bodies: Iterable[Json]) -> Iterator[DrainGate]:
    for body in bodies:
        try:
            if type_of(body) == GateType.DRAINS and not is_left_out(body):
                yield parse_drains(body)
        except ParseError:
            continue  # said where the Gate itself is looked at


def _nodes(seen: Seen, known: dict[str, DrainGate]) -> Iterator[Finding]:
    """Gates without nodes, nodes without a Gate, nodes whose mode is not yet the Gate's."""
    behind: dict[str, list[tuple[str, str]]] = {}
    for name, gate, mode in seen.nodes:
        behind.setdefault(gate, []).append((name, mode))
    for gate in known.keys() - behind.keys():
        command = f"kubectl label node NAME {GATED_LABEL}={gate}"
        yield Finding(PART, Level.NOTICE, f"gate {gate}: no node is behind it", command)
    for gate, nodes in sorted(behind.items()):
        names = _some([name for name, _ in nodes])
        if gate not in known:
            text = (
                f"{names}: label {GATED_LABEL} names gate {gate}, which is none for drains: nobody can be asked about them"
            )
            yield Finding(PART, Level.PROBLEM, text, "kubectl get gates")
            continue
        hold = known[gate].mode is DrainMode.HOLD
        wrong = [name for name, mode in nodes if (mode == DrainMode.HOLD) != hold]
        yield Finding(PART, Level.OK, f"gate {gate} guards {names} (mode {known[gate].mode})")
        if wrong:
            now = "Deny: evictions there are refused, not held" if hold else "Hold, though the gate says Deny"
            text = f"{_some(wrong)}: still in mode {now}"
            yield Finding(PART, Level.NOTICE if hold else Level.PROBLEM, text, f"kubectl describe gate {gate}")


def _way(way: Way, grants: list[Grant]) -> Iterator[Finding]:
    places: dict[str, set[str]] = {}
    for grant in grants:
        if way.holds(grant) and str(grant.subject) not in _OURS:
            places.setdefault(str(grant.subject), set()).add(grant.namespace)
    if places:
        names = [who if way.place else f"{who} {_where(found)}" for who, found in sorted(places.items())]
        yield Finding(PART, Level.NOTICE, f"{_some(names)} may {way.what}")


def _where(namespaces: set[str]) -> str:
    return "everywhere" if "" in namespaces else f"in {_some(sorted(namespaces))}"


def _patchers(grants: list[Grant], trusted: frozenset[str]) -> Iterator[Finding]:
    """Who may change the webhook's configuration may open it. The wall asks for a second right besides (18-webhook.yaml)."""
    known = [grant for grant in grants if not grant.namespace]
    second = {grant.subject for grant in known if _renews(grant.rule) or _changes_the_wall(grant.rule)}
    held = [g for g in known if g.subject in second and _any(g.rule, _CHANGES, _ADMISSION, _HOOKS, CONFIGURATION)]
    for subject in sorted({grant.subject for grant in held}):
        binding = next(grant.binding for grant in held if grant.subject == subject)
        kind, _, name = binding.partition(" ")
        text = f"{subject} may change the webhook for evictions, and so open it: {binding}"
        if str(subject) in trusted:
            yield Finding(PART, Level.NOTICE, f"{text} (trusted)")
        else:
            yield Finding(
                PART, Level.PROBLEM, text, f"kubectl get {kind.lower()} {name} -o yaml, or accept it: --trust {subject}"
            )


def _renews(rule: Rule) -> bool:
    return rule.allows("renew", _ADMISSION, _HOOKS, CONFIGURATION)


def _changes_the_wall(rule: Rule) -> bool:
    return rule.allows("patch", _ADMISSION, "validatingadmissionpolicies", "gatehold-requests")


def _some(names: list[str]) -> str:
    return ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")
