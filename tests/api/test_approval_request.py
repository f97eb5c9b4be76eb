"""An ApprovalRequest as the API server gives it, and the verdicts among its annotations."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gatehold.api.approval_request import escape, parse, parse_verdicts, unescape
from gatehold.api.common import ParseError
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

D = "sha256:" + "d" * 64
META: dict[str, Any] = {
    "name": "web-3",
    "namespace": "shop",
    "uid": "r-1",
    "resourceVersion": "7",
    "creationTimestamp": "2026-03-01T12:00:00Z",
}
LEAST = {"policyRef": {"name": "prod"}, "requester": {"username": "ci"}, "subject": {"kind": "Thing", "name": "x"}}
LEAST_REQUEST = Request(
    "shop",
    "web-3",
    "r-1",
    0,
    datetime(2026, 3, 1, 12, tzinfo=UTC),
    "prod",
    Subject("", "Thing", "shop", "x"),
    Effect(),
    Requester("ci"),
)


def body(metadata: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    """A request with the least that it may have, and what is given."""
    return {"metadata": META | (metadata or {}), "spec": LEAST | spec}


def test_the_least_that_a_request_may_say() -> None:
    assert parse(body()) == LEAST_REQUEST


def test_all_that_a_request_may_say() -> None:
    wire = body(
        metadata={
            "generation": 1,
            "labels": {"gatehold.dev/gate": "prod-pods", "gatehold.dev/done": "true", "team": "x"},
            "annotations": {"gatehold.dev/prepared-by": "0.1.0"},
            "deletionTimestamp": "2026-03-01T13:00:00Z",
            "managedFields": [{"manager": "kubectl"}],
        },
        subject={
            "apiVersion": "batch/v1",
            "kind": "Job",
            "namespace": "shop",
            "name": "migrate",
            "uid": "j-1",
            "digest": D,
        },
        requester={"username": "ci|x", "uid": "u-1", "groups": ["a", "b"]},
        effect={"type": "Release", "release": {"undo": {"name": "undo", "uid": "j-2"}, "timeoutSeconds": 600}},
        options=[
            {"name": "slow", "summary": "by night", "cost": {"amount": "1.50", "high": "9.99", "low": "1"}},
            {"name": "fast"},
        ],
        risk={"score": 70, "confidence": 3, "reversible": True},
        cost={"amount": "12.00", "currency": "EUR", "period": "month"},
        timeoutSeconds=60,
        onBehalfOf=["zoe"],
        authors=["yan"],
        summary="größer 🚀",
        traceID="t-1",
        description="long",
        links=[{"url": "https://example.org"}],
        evidence=[{"name": "p99", "value": "3 ms"}],
        newer={"field": 1},
    )

    assert parse(wire) == Request(
        namespace="shop",
        name="web-3",
        uid="r-1",
        generation=1,
        created=datetime(2026, 3, 1, 12, tzinfo=UTC),
        policy="prod",
        subject=Subject("batch/v1", "Job", "shop", "migrate", "j-1", D),
        effect=Effect(EffectType.RELEASE, UndoRef("undo", "j-2"), 600),
        requester=Requester("ci|x", "u-1", ("a", "b")),
        options=(Option("slow", "by night", Decimal("9.99")), Option("fast")),
        declared=Declared(70, Decimal(12)),
        timeout_seconds=60,
        on_behalf_of=("zoe",),
        authors=("yan",),
        summary="größer 🚀",
        trace_id="t-1",
        gate="prod-pods",
        noted=True,
        done=True,
        deleting=True,
    )


def drain(**members: Any) -> dict[str, Any]:
    """A request to drain."""
    return body(effect={"type": "Drain", "drain": members}, subject=None)


ROWS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "effect None": (body(effect={"type": "None"}), {"effect": Effect()}),
    "a release without its member": (body(effect={"type": "Release"}), {"effect": Effect(EffectType.RELEASE)}),
    "a release that names nothing": (
        body(effect={"type": "Release", "release": {}}),
        {"effect": Effect(EffectType.RELEASE)},
    ),
    "an undo without uid": (
        body(effect={"type": "Release", "release": {"undo": {"name": "undo"}}}),
        {"effect": Effect(EffectType.RELEASE, UndoRef("undo"))},
    ),
    "a node": (
        body(subject={"apiVersion": "v1", "kind": "Node", "name": "n1", "uid": "u"}),
        {"subject": Subject("v1", "Node", "", "n1", "u")},
    ),
    "a node that is said to be in a namespace": (
        body(subject={"apiVersion": "v1", "kind": "Node", "name": "n1", "namespace": "shop"}),
        {"subject": Subject("v1", "Node", "shop", "n1")},
    ),
    "a Node of somebody else's": (
        body(subject={"apiVersion": "example.org/v1", "kind": "Node", "name": "n1"}),
        {"subject": Subject("example.org/v1", "Node", "shop", "n1")},
    ),
    "a drain": (
        drain(nodes=[{"name": "n"}]),
        {"effect": Effect(EffectType.DRAIN, drain=DrainSpec((NodeRef("n"),))), "subject": None},
    ),
    "a drain of what labels say": (
        drain(selector={"matchLabels": {"pool": "gpu", "app": ""}}, nodes=[]),
        {"effect": Effect(EffectType.DRAIN, drain=DrainSpec((), (("app", ""), ("pool", "gpu")))), "subject": None},
    ),
    "a drain with everything": (
        drain(
            nodes=[{"name": "b", "uid": "u"}, {"name": "a"}],
            parallelNodes=2,
            parallelPods=3,
            gracePeriodSeconds=0,
            timeoutSeconds=600,
            deleteEmptyDirData=True,
            evictUnmanagedPods=True,
        ),
        {
            "effect": Effect(
                EffectType.DRAIN,
                timeout_seconds=600,
                drain=DrainSpec((NodeRef("b", "u"), NodeRef("a")), (), 2, 3, 0, True, True),
            ),
            "subject": None,
        },
    ),
    "the label done with another value": (body({"labels": {"gatehold.dev/done": "yes"}}), {}),
    "metadata that an apply has emptied": (body({"labels": None, "annotations": None}), {}),
    "a risk without a score": (body(risk={"reversible": False}), {}),
    "a cost without an amount": (body(cost={"currency": "EUR"}), {}),
    "a cost with an upper end only": (body(cost={"high": "3"}), {"declared": Declared(None, Decimal(3))}),
    "a cost whose upper end is below": (
        body(cost={"amount": "5", "high": "3"}),
        {"declared": Declared(None, Decimal(5))},
    ),
}


@pytest.mark.parametrize(("wire", "changes"), ROWS.values(), ids=ROWS)
def test_a_request_with(wire: dict[str, Any], changes: dict[str, Any]) -> None:
    found = parse(wire)

    assert all(getattr(found, n) == changes.get(n, getattr(LEAST_REQUEST, n)) for n in Request.__slots__)


BROKEN: dict[str, tuple[dict[str, Any], str]] = {
    "nothing": ({}, "metadata: model_type"),
    "no spec": ({"metadata": META}, "spec: model_type"),
    "no policy": (body(policyRef=None), "spec.policyRef: model_type"),
    "a policy without a name": (body(policyRef={}), "spec.policyRef.name: missing"),
    "no requester": (body(requester=None), "spec.requester: model_type"),
    "a requester without a name": (body(requester={"uid": "u"}), "spec.requester.username: missing"),
    "a number for a name": (body(requester={"username": 5}), "spec.requester.username: string_type"),
    "an unknown effect": (body(effect={"type": "Explode"}), "spec.effect.type: unknown"),
    "an effect without a type": (body(effect={}), "spec.effect.type: missing"),
    "seconds in words": (body(timeoutSeconds="60"), "spec.timeoutSeconds: int_type"),
    "seconds with a fraction": (body(timeoutSeconds=1.5), "spec.timeoutSeconds: int_type"),
    "one name where a list is meant": (body(onBehalfOf="zoe"), "spec.onBehalfOf: list_type"),
    "an amount that is a number": (body(cost={"amount": 5}), "spec.cost.amount: string_type"),
    "an amount that is no amount": (body(cost={"amount": "lots"}), "^spec.cost.amount: not a decimal amount"),
    "an option without a name": (body(options=[{"summary": "x"}]), "spec.options.0.name: missing"),
    "no uid": (body({"uid": None}), "metadata.uid: string_type"),
    "a drain without its member": (body(effect={"type": "Drain"}), "name the nodes or select them"),
    "a drain of nothing": (drain(), "spec.effect.drain: name the nodes or select them"),
    "a drain of no nodes": (drain(nodes=[]), "name the nodes or select them"),
    "a drain of whatever carries no label": (drain(selector={"matchLabels": {}}), "name the nodes or select them"),
    "a drain that names and selects": (
        drain(nodes=[{"name": "n"}], selector={"matchLabels": {"a": "b"}}),
        "name the nodes or select them",
    ),
    "a drain by other means": (drain(selector={"matchExpressions": []}), "selector.matchLabels: missing"),
    "a node without a name": (drain(nodes=[{"uid": "u"}]), "spec.effect.drain.nodes.0.name: missing"),
    "half an opt-in": (drain(nodes=[{"name": "n"}], deleteEmptyDirData="yes"), "deleteEmptyDirData: bool_type"),
    "no time": (body({"creationTimestamp": "soon"}), "not an RFC 3339 time"),
}


@pytest.mark.parametrize(("wire", "text"), BROKEN.values(), ids=BROKEN)
def test_it_is_no_request_with(wire: dict[str, Any], text: str) -> None:
    with pytest.raises(ParseError, match=text):
        parse(wire)


def test_values_never_stand_in_an_error() -> None:
    with pytest.raises(ParseError) as caught:
        parse(body(requester={"username": ["s3cret"]}, timeoutSeconds="s3cret"))

    assert "s3cret" not in str(caught.value)


GOOD = f"approve|{D}|sre|alice||go"
VERDICT = Verdict(0, Word.APPROVE, D, "sre", "alice", "", "go")


def key(number: object) -> str:
    return f"verdict.gatehold.dev/{number}"


STORED: dict[str, tuple[dict[str, str] | None, tuple[Verdict, ...]]] = {
    "no annotations": (None, ()),
    "annotations of others": ({"gatehold.dev/approve": "go", "example.org/verdict": GOOD}, ()),
    "an approval": ({key(0): GOOD}, (VERDICT,)),
    "by number and not by key": (
        {key(10): f"deny|{D}|sre|bob||no", key(9): f"deny|{D}|sre|alice||no"},
        (
            Verdict(9, Word.DENY, D, "sre", "alice", "", "no"),
            Verdict(10, Word.DENY, D, "sre", "bob", "", "no"),
        ),
    ),
    "a comment with bars in it": (
        {key(0): f"approve|{D}|sre|alice|fast|a|b||"},
        (Verdict(0, Word.APPROVE, D, "sre", "alice", "fast", "a|b||"),),
    ),
    "an escaped user name": (
        {key(0): f"override|{D}||auth0%7C123%25||INC-1"},
        (Verdict(0, Word.OVERRIDE, D, "", "auth0|123%", "", "INC-1"),),
    ),
    "a withdrawal before there was a digest": (
        {key(0): "withdraw|||ci||wrong branch"},
        (Verdict(0, Word.WITHDRAW, "", "", "ci", "", "wrong branch"),),
    ),
    "the highest number": ({key(9999): GOOD}, (Verdict(9999, Word.APPROVE, D, "sre", "alice", "", "go"),)),
    "texts as long as the status can hold": (
        {key(0): f"approve|{D}|{'r' * 63}|{'%7C' * 1024}|{'o' * 63}|{'🚀' * 1024}"},
        (Verdict(0, Word.APPROVE, D, "r" * 63, "|" * 1024, "o" * 63, "🚀" * 1024),),
    ),
}


@pytest.mark.parametrize(("annotations", "found"), STORED.values(), ids=STORED)
def test_verdicts_are_read_from(annotations: dict[str, str] | None, found: tuple[Verdict, ...]) -> None:
    assert parse_verdicts(annotations) == found


JUNK: dict[str, dict[str, str]] = {
    "a number with a zero before it": {key("01"): GOOD},
    "a number beyond the last": {key(10_000): GOOD},
    "a number with a sign": {key("+1"): GOOD},
    "a number in other digits": {key("\u0661"): GOOD},
    "a line feed after the number": {key("1\n"): GOOD},
    "no number": {key(""): GOOD, key("x"): GOOD},
    "another spelling of the key": {"VERDICT.gatehold.dev/0": GOOD, "verdict.gatehold.dev.evil/0": GOOD},
    "five fields": {key(0): f"approve|{D}|sre|alice|go"},
    "nothing": {key(0): ""},
    "an unknown word": {key(0): f"allow|{D}|sre|alice||go"},
    "a word in capitals": {key(0): f"Approve|{D}|sre|alice||go"},
    "nobody": {key(0): f"approve|{D}|sre|||go"},
    "a user name that is not escaped": {key(0): f"approve|{D}|sre|a%lice||go"},
    "a user name escaped in small letters": {key(0): f"approve|{D}|sre|a%7clice||go"},
    "a comment that the status cannot hold": {key(0): f"approve|{D}|sre|alice||{'x' * 1025}"},
    "a digest that the status cannot hold": {key(0): f"approve|{D}x|sre|alice||go"},
}


@pytest.mark.parametrize("annotations", JUNK.values(), ids=JUNK)
def test_it_is_no_verdict_and_blocks_nothing_that_has(annotations: dict[str, str]) -> None:
    assert parse_verdicts(annotations | {key(7): GOOD}) == (Verdict(7, Word.APPROVE, D, "sre", "alice", "", "go"),)


@given(st.text())
@example("%7C")
@example("%257C|%25")
@example("a|b%")
def test_any_user_name_comes_back_and_six_fields_stay_six(username: str) -> None:
    stored = escape(username)

    assert unescape(stored) == username
    assert "|" not in stored
    if 0 < len(username) <= 1024:
        (found,) = parse_verdicts({key(0): f"approve|{D}|sre|{stored}||go"})
        assert found.username == username


@given(st.dictionaries(st.text(max_size=30) | st.integers(0, 20_000).map(key), st.text(max_size=200), max_size=5))
def test_whatever_is_written_there_nothing_breaks(annotations: dict[str, str]) -> None:
    found = parse_verdicts(annotations)

    assert [v.id for v in found] == sorted({v.id for v in found})


@given(st.text(max_size=1100) | st.text(alphabet="|%\n\x00\u202e🚀", min_size=1000, max_size=1050))
@example("|" * 1024)
@example("x" * 65_536)
@example("\ud800")
def test_any_comment_that_the_status_can_hold_comes_back_as_it_was_given(comment: str) -> None:
    found = parse_verdicts({key(0): f"deny|{D}|sre|alice||{comment}"})

    assert [v.comment for v in found] == ([comment] if len(comment) <= 1024 else [])
