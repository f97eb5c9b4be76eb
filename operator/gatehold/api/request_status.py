"""The status of an ApprovalRequest, both ways. `parse_status(render_status(s)) == s` for every status of the core."""

from typing import Any

from gatehold.api.argo_status import parse_argo, render_argo
from gatehold.api.common import Body, ParseError, optional_time, sparse, stamp, time
from gatehold.api.conditions import parse_condition, render_condition
from gatehold.api.drain_status import parse_resolved, render_resolved_drain, render_resolved_nodes
from gatehold.api.effect_status import parse_effect, render_effect
from gatehold.api.provision_status import parse_price, parse_provision, render_price, render_provision
from gatehold.domain.model import QuorumEntry, RecordedVerdict, Verdict, Word
from gatehold.domain.phases import Phase
from gatehold.domain.status import (
    By,
    Decision,
    EscalationStep,
    PolicySnapshot,
    Resolved,
    ResolvedJob,
    Status,
)

Json = dict[str, Any]


def parse_status(body: Body) -> Status:
    """The operator's own record. Raises ParseError where it is not one that the operator could have written."""
    wire = body.get("status") or {}
    try:
        return _status(wire)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ParseError(f"status: {type(error).__name__}") from None


def render_status(status: Status) -> Json:
    """The whole status for the wire, absent members left out."""
    return sparse(
        observedGeneration=status.observed_generation,
        phase=str(status.phase),
        requestDigest=status.request_digest,
        policy=_render_policy(status.policy),
        quorum=[_render_quorum(q) for q in status.quorum],
        resolved=render_resolved(status.resolved),
        approvals=status.approvals,
        preparedAt=stamp(status.prepared_at),
        deadline=stamp(status.deadline),
        validUntil=stamp(status.valid_until),
        verdicts=[_render_verdict(v) for v in status.verdicts],
        decision=_render_decision(status.decision),
        effect=render_effect(status.effect),
        escalations=[_render_step(e) for e in status.escalations],
        conditions=[render_condition(c) for c in status.conditions],
    )


def _status(wire: Json) -> Status:
    return Status(
        observed_generation=wire.get("observedGeneration", -1),
        phase=Phase(wire.get("phase", "")),
        request_digest=wire.get("requestDigest", ""),
        policy=_policy(wire.get("policy")),
        quorum=tuple(_quorum(q) for q in wire.get("quorum", ())),
        resolved=_resolved(wire.get("resolved")),
        approvals=wire.get("approvals", ""),
        prepared_at=optional_time(wire.get("preparedAt")),
        deadline=optional_time(wire.get("deadline")),
        valid_until=optional_time(wire.get("validUntil")),
        verdicts=tuple(_verdict(v) for v in wire.get("verdicts", ())),
        decision=_decision(wire.get("decision")),
        effect=parse_effect(wire.get("effect")),
        escalations=tuple(_step(e) for e in wire.get("escalations", ())),
        conditions=tuple(parse_condition(c) for c in wire.get("conditions", ())),
    )


def _policy(wire: Json | None) -> PolicySnapshot | None:
    if wire is None:
        return None
    return PolicySnapshot(
        wire["name"],
        wire.get("uid", ""),
        wire.get("generation", 0),
        wire.get("digest", ""),
        wire["validitySeconds"],
        wire["retentionSeconds"],
    )


def _render_policy(policy: PolicySnapshot | None) -> Json:
    if policy is None:
        return {}
    return {
        "name": policy.name,
        "uid": policy.uid,
        "generation": policy.generation,
        "digest": policy.digest,
        "validitySeconds": policy.validity_seconds,
        "retentionSeconds": policy.retention_seconds,
    }


def _quorum(wire: Json) -> QuorumEntry:
    return QuorumEntry(wire["role"], wire["count"], tuple(wire.get("backups", ())), tuple(wire["acceptedRoles"]))


def _render_quorum(entry: QuorumEntry) -> Json:
    return sparse(role=entry.role, count=entry.count, backups=list(entry.backups), acceptedRoles=list(entry.accepted))


def _resolved(wire: Json | None) -> Resolved | None:
    if wire is None:
        return None
    nodes, drain = parse_resolved(wire)
    return Resolved(
        job=_resolved_job(wire.get("job")),
        undo=_resolved_job(wire.get("undo")),
        price=parse_price(wire.get("price")),
        image_ids=tuple(wire.get("imageIDs", ())),
        nodes=nodes,
        drain=drain,
        provision=parse_provision(wire.get("provision")),
        argo=parse_argo(wire.get("argo")),
    )


def _resolved_job(wire: Json | None) -> ResolvedJob | None:
    if wire is None:
        return None
    return ResolvedJob(
        wire["name"],
        wire["uid"],
        wire["digest"],
        tuple(wire.get("images", ())),
        tuple(wire.get("commands", ())),
        wire.get("serviceAccountName", ""),
    )


def render_resolved(resolved: Resolved | None) -> Json:
    """What the operator read, as it stands in the status and in the digest; nothing read is an empty object."""
    if resolved is None:
        return {}
    return sparse(
        job=_render_job(resolved.job),
        undo=_render_job(resolved.undo),
        price=render_price(resolved.price),
        imageIDs=list(resolved.image_ids),
        nodes=render_resolved_nodes(resolved.nodes),
        drain=render_resolved_drain(resolved.drain),
        provision=render_provision(resolved.provision),
        argo=render_argo(resolved.argo),
    )


def _render_job(job: ResolvedJob | None) -> Json:
    if job is None:
        return {}
    return sparse(
        name=job.name,
        uid=job.uid,
        digest=job.digest,
        images=list(job.images),
        commands=list(job.commands),
        serviceAccountName=job.service_account,
    )


def _verdict(wire: Json) -> RecordedVerdict:
    verdict = Verdict(
        wire["id"],
        Word(wire["verdict"]),
        wire.get("digest", ""),
        wire.get("role", ""),
        wire["username"],
        wire.get("option", ""),
        wire.get("comment", ""),
    )
    return RecordedVerdict(verdict, time(wire["observedAt"]), wire.get("counted", True), wire.get("reason", ""))


def _render_verdict(entry: RecordedVerdict) -> Json:
    verdict = entry.verdict
    wire = sparse(role=verdict.role, option=verdict.option, comment=verdict.comment, reason=entry.reason)
    wire |= {"id": verdict.id, "verdict": str(verdict.word), "digest": verdict.digest, "username": verdict.username}
    return wire | {"observedAt": stamp(entry.observed_at), "counted": entry.counted}


def _decision(wire: Json | None) -> Decision | None:
    if wire is None:
        return None
    return Decision(
        Phase(wire["outcome"]),
        By(wire["by"]),
        time(wire["at"]),
        wire.get("option", ""),
        wire.get("tier", ""),
        wire.get("reason", ""),
        wire.get("message", ""),
    )


def _render_decision(decision: Decision | None) -> Json:
    if decision is None:
        return {}
    return sparse(
        outcome=str(decision.outcome),
        by=str(decision.by),
        at=stamp(decision.at),
        option=decision.option,
        tier=decision.tier,
        reason=str(decision.reason),
        message=decision.message,
    )


def _step(wire: Json) -> EscalationStep:
    return EscalationStep(wire["afterSeconds"], time(wire["at"]), tuple(wire["roles"]), optional_time(wire.get("openedAt")))


def _render_step(step: EscalationStep) -> Json:
    return sparse(afterSeconds=step.after_seconds, at=stamp(step.at), roles=list(step.roles), openedAt=stamp(step.opened_at))
