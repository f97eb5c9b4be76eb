"""ApprovalRequest from the wire: its metadata, its spec and its verdict annotations. The status is in request_status."""

import re
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

from pydantic import Field

from gatehold.api.common import Body, ParseError, Wire, amount, read, time, word
from gatehold.domain.model import (
    Declared,
    DrainSpec,
    Effect,
    EffectType,
    NodeRef,
    Option,
    Request,
    Requester,
    Subject,
    UndoRef,
    Verdict,
    Word,
)

VERDICT_PREFIX = "verdict.gatehold.dev/"
NOTE_ANNOTATION = "gatehold.dev/prepared-by"
DONE_LABEL = "gatehold.dev/done"
NOT_DONE = f"{DONE_LABEL}!=true"
"""Selects the requests that somebody still looks at."""
GATE_LABEL = "gatehold.dev/gate"
_MOST = (71, 63, 1024, 63, 1024)  # digest, role, user name, option, comment: as in the CRD
_NODE = ("v1", "Node")
_NUMBER = re.compile(r"0|[1-9][0-9]{0,3}")


class _PolicyRef(Wire):
    name: str


class _Subject(Wire):
    api_version: str = ""
    kind: str
    namespace: str = ""
    name: str
    uid: str = ""
    digest: str = ""


class _Requester(Wire):
    username: str
    uid: str = ""
    groups: list[str] = []


class _Cost(Wire):
    amount: str | None = None
    high: str | None = None


class _Risk(Wire):
    score: int | None = None


class _Option(Wire):
    name: str
    summary: str = ""
    cost: _Cost | None = None


class _Undo(Wire):
    name: str
    uid: str = ""


class _Release(Wire):
    undo: _Undo | None = None
    timeout_seconds: int | None = None


class _Node(Wire):
    name: str
    uid: str = ""


class _Selector(Wire):
    match_labels: dict[str, str]


class _Drain(Wire):
    nodes: list[_Node] = []
    selector: _Selector | None = None
    parallel_nodes: int | None = None
    parallel_pods: int | None = None
    grace_period_seconds: int | None = None
    timeout_seconds: int | None = None
    delete_empty_dir_data: bool = False
    evict_unmanaged_pods: bool = False


class _Effect(Wire):
    type: str
    release: _Release | None = None
    drain: _Drain | None = None


class _Spec(Wire):
    policy_ref: _PolicyRef
    subject: _Subject | None = None
    requester: _Requester
    effect: _Effect | None = None
    options: list[_Option] = []
    risk: _Risk | None = None
    cost: _Cost | None = None
    timeout_seconds: int | None = None
    on_behalf_of: list[str] = []
    authors: list[str] = []
    summary: str = ""
    trace_id: str = Field(default="", alias="traceID")


class _Metadata(Wire):
    name: str
    namespace: str
    uid: str
    generation: int = 0
    creation_timestamp: str
    deletion_timestamp: str | None = None
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None


def parse(body: Body) -> Request:
    """The request as a value. Raises ParseError; a request that cannot be read is held for good."""
    meta = read(_Metadata, body.get("metadata"), "metadata")
    spec = read(_Spec, body.get("spec"), "spec")
    labels, notes = meta.labels or {}, meta.annotations or {}
    return Request(
        namespace=meta.namespace,
        name=meta.name,
        uid=meta.uid,
        generation=meta.generation,
        created=time(meta.creation_timestamp),
        policy=spec.policy_ref.name,
        subject=_subject(spec.subject, meta.namespace),
        effect=_effect(spec.effect),
        requester=Requester(spec.requester.username, spec.requester.uid, tuple(spec.requester.groups)),
        options=tuple(_option(option, f"spec.options.{number}") for number, option in enumerate(spec.options)),
        declared=Declared(spec.risk.score if spec.risk else None, _highest(spec.cost, "spec.cost")),
        timeout_seconds=spec.timeout_seconds,
        on_behalf_of=tuple(spec.on_behalf_of),
        authors=tuple(spec.authors),
        summary=spec.summary,
        trace_id=spec.trace_id,
        gate=labels.get(GATE_LABEL, ""),
        noted=NOTE_ANNOTATION in notes,
        done=labels.get(DONE_LABEL) == "true",
        deleting=meta.deletion_timestamp is not None,
    )


def _subject(wire: _Subject | None, namespace: str) -> Subject | None:
    """An absent namespace means the request's own, unless it is about a Node; what else is in none, effects know."""
    if wire is None:
        return None
    place = wire.namespace or ("" if (wire.api_version, wire.kind) == _NODE else namespace)
    return Subject(wire.api_version, wire.kind, place, wire.name, wire.uid, wire.digest)


def _effect(wire: _Effect | None) -> Effect:
    if wire is None:
        return Effect()
    kind = word(EffectType, wire.type, "spec.effect.type")
    if kind is EffectType.DRAIN:
        drain = wire.drain or _Drain()
        return Effect(kind, timeout_seconds=drain.timeout_seconds, drain=_drain(drain))
    release = wire.release or _Release()
    undo = UndoRef(release.undo.name, release.undo.uid) if release.undo else None
    return Effect(kind, undo, release.timeout_seconds)


def _drain(wire: _Drain) -> DrainSpec:
    """Exactly one of nodes and selector, and never none of either: an empty answer must not mean every node."""
    labels = wire.selector.match_labels if wire.selector is not None else {}
    if bool(wire.nodes) == bool(labels):
        raise ParseError("spec.effect.drain: name the nodes or select them")
    given = DrainSpec(
        nodes=tuple(NodeRef(node.name, node.uid) for node in wire.nodes),
        match_labels=tuple(sorted(labels.items())),
        grace_period_seconds=wire.grace_period_seconds,
        delete_empty_dir_data=wire.delete_empty_dir_data,
        evict_unmanaged_pods=wire.evict_unmanaged_pods,
    )
    return replace(
        given,
        parallel_nodes=given.parallel_nodes if wire.parallel_nodes is None else wire.parallel_nodes,
        parallel_pods=given.parallel_pods if wire.parallel_pods is None else wire.parallel_pods,
    )


def _option(wire: _Option, where: str) -> Option:
    return Option(wire.name, wire.summary, _highest(wire.cost, f"{where}.cost"))


def _highest(cost: _Cost | None, where: str) -> Decimal | None:
    if cost is None:
        return None
    found = (amount(cost.amount, f"{where}.amount"), amount(cost.high, f"{where}.high"))
    return max((value for value in found if value is not None), default=None)


def parse_verdicts(annotations: Mapping[str, str] | None) -> tuple[Verdict, ...]:
    """The stored verdicts among the annotations, by number. What is not of the stored form never passed admission."""
    found: list[Verdict] = []
    for key, value in (annotations or {}).items():
        if not key.startswith(VERDICT_PREFIX) or not _NUMBER.fullmatch(key.removeprefix(VERDICT_PREFIX)):
            continue
        verdict = _verdict(int(key.removeprefix(VERDICT_PREFIX)), value)
        if verdict is not None:
            found.append(verdict)
    return tuple(sorted(found, key=lambda v: v.id))


def _verdict(number: int, value: str) -> Verdict | None:
    """One stored verdict, or None for what the ledger could not hold: such junk never passed admission (see 11-status)."""
    fields = value.split("|", 5)
    if len(fields) != 6 or fields[0] not in set(Word):
        return None
    word, digest, role, name, option, comment = fields
    username = unescape(name)
    fits = all(len(text) <= most for text, most in zip((digest, role, username, option, comment), _MOST, strict=True))
    if not fits or not username or escape(username) != name:
        return None
    return Verdict(number, Word(word), digest, role, username, option, comment)


def escape(username: str) -> str:
    """A user name as it stands in a stored verdict: `%` and `|` are escaped, so that six fields stay six."""
    return username.replace("%", "%25").replace("|", "%7C")


def unescape(text: str) -> str:
    """The user name back from its stored form."""
    return text.replace("%7C", "|").replace("%25", "%")
