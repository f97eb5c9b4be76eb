"""The ApprovalRequest that the operator opens about the pods of an owner: what they are, what they cost, what changes."""

from collections.abc import Sequence
from typing import Any, Final

from gatehold.api.approval_request import GATE_LABEL
from gatehold.api.common import API_VERSION, Body, shortened, sparse
from gatehold.api.masking import plain
from gatehold.api.workloads import stated_hours
from gatehold.domain.model import EffectType
from gatehold.domain.pricing.price import Estimate, shown
from gatehold.domain.provision.decide import said
from gatehold.domain.provision.model import OnDenied, OptionSeen, Owner, Question, Sight
from gatehold.domain.provision.shown import differences, line

MOST_EVIDENCE: Final = 32  # as in the CRD, and so are these
MOST_VALUE: Final = 256
MOST_SUMMARY: Final = 256
_CLASS: Final = "priorityClassName"
_MOST_LINES: Final = 6  # images, parts and differences each

Json = dict[str, Any]
_OTHERWISE: Final = {
    OnDenied.KEEP: "they stay inert.",
    OnDenied.SCALE_BACK: "the owner goes back to the size that was approved last.",
    OnDenied.SUSPEND: "the Job or CronJob is suspended.",
    OnDenied.DELETE: "the owner is deleted, if nothing of it ever ran.",
}


def request(question: Question, sight: Sight, requester: str, bodies: Sequence[Body] = ()) -> Json:
    """The whole request; `requester` is the operator's own account, `bodies` are the pods or Jobs that wait."""
    owner = question.owner
    currency = sight.table.currency if sight.table is not None else ""
    spec = sparse(
        policyRef={"name": question.gate.policy},
        summary=_summary(question, currency),
        description=(
            f"Approved: up to {question.size} pods of this template run at the same time; later pods within that go without"
            f" a question, beyond it the difference is asked.\nOtherwise: {_OTHERWISE[question.gate.on_denied]}"
        ),
        evidence=_evidence(question, sight, currency, bodies)[:MOST_EVIDENCE],
        subject={
            "apiVersion": owner.api_version,
            "kind": owner.kind,
            "namespace": sight.namespace,
            "name": owner.name,
            "uid": owner.uid,
            "digest": question.digest,
        },
        options=[_option(option, estimate, currency) for option, estimate in question.options],
        effect={"type": str(EffectType.RELEASE)},
        requester={"username": requester},
        authors=list(owner.authors),
    )
    metadata = {"name": question.name, "namespace": sight.namespace, "labels": {GATE_LABEL: question.gate.name}}
    return {"apiVersion": API_VERSION, "kind": "ApprovalRequest", "metadata": metadata, "spec": spec}


def _summary(question: Question, currency: str) -> str:
    """In one line; what it costs comes last, and a long name does not push it out."""
    owner, tail = question.owner, f": {shortened(said(question.estimate, currency), MOST_SUMMARY // 2)}"
    head = plain(f"run {_pods(question)} of {owner.kind} {owner.name}")
    return shortened(head, MOST_SUMMARY - len(tail)) + tail


def _pods(question: Question) -> str:
    return f"{question.size} pod{'' if question.size == 1 else 's'}"


def _option(option: OptionSeen, estimate: Estimate, currency: str) -> Json:
    """A variant with the operator's own price an hour."""
    cost = sparse(amount=f"{estimate.hourly[1]:f}", currency=currency, period="hour", source="price table of the operator")
    return sparse(name=option.name, summary=option.summary or f"{option.pods} pods", cost=cost)


def _evidence(question: Question, sight: Sight, currency: str, bodies: Sequence[Body]) -> list[Json]:
    """Figures first, then what they are made of, then what is odd."""
    owner, estimate = question.owner, question.estimate
    rows = [
        sparse(name="pods", value=str(question.size), baseline=str(question.covered), source=_size(question, sight)),
        _row("an hour", said(estimate, currency)) | {"baseline": _approved(question, currency)},
        _whole(estimate, currency),
        _row("waiting now", f"{len(bodies)} pods or Jobs"),
        *_stated(owner, estimate, currency),
        *(_row("image", image) for image in question.images[:_MOST_LINES]),
        *_class(bodies),
        *(_row("of one pod", line(part, currency)) for part in estimate.pod.parts[:_MOST_LINES]),
        *(_row("has no price", text) for text in estimate.pod.unknown[:_MOST_LINES]),
        *(_row("not as the template", text) for text in differences(sight, question.digest)[:_MOST_LINES]),
    ]
    table = sight.table
    return rows + ([_row("price table", f"{table.source}, {table.date}")] if table is not None else [])


def _row(name: str, value: str) -> Json:
    return {"name": name, "value": shortened(plain(value), MOST_VALUE)}


def _class(bodies: Sequence[Body]) -> list[Json]:
    """Whom these pods push away where there is no room: as they were created, or as the template of their Job says."""
    specs: list[Json] = [body.get("spec") or {} for body in bodies[:1]]
    runs: list[Json] = [(spec.get("template") or {"spec": spec})["spec"] for spec in specs]
    return [_row("priority class", str(spec[_CLASS])) for spec in runs if spec.get(_CLASS)]


def _size(question: Question, sight: Sight) -> str:
    owner = sight.owner
    if question.odd:
        return "as many as there are"
    return f"{owner.replicas} wanted" + (f", {owner.surge} more while it is updated" if owner.surge else "")


def _approved(question: Question, currency: str) -> str:
    """What of it is approved already, at today's price."""
    if not question.covered:
        return "nothing is approved yet"
    return shortened(said(Estimate(question.covered, question.estimate.pod), currency), MOST_VALUE)


def _whole(estimate: Estimate, currency: str) -> Json:
    low, high = estimate.total
    hours = f"{estimate.duration.hours.normalize():f} h"
    least = "" if estimate.known else "at least "
    return {
        "name": "in all",
        "value": f"{least}{shown(low)} to {shown(high)} {currency}",
        "source": f"{hours}: {estimate.duration.source}",
    }


def _stated(owner: Owner, estimate: Estimate, currency: str) -> list[Json]:
    """What it costs if it ends when its owner says so."""
    hours = stated_hours(owner.stated)
    if hours is None:
        return []
    _, high = estimate.hourly
    return [_row("stated duration", f"{owner.stated}: {shown(high * hours)} {currency} then; nobody ends it")]
