"""The status of an ApprovalRequest, both ways. `parse_status(render_status(s)) == s` for every status of the core."""

from typing import Any

from gatehold.api.common import Body, ParseError, amount, optional_time, sparse, stamp, time
from gatehold.api.conditions import parse_condition, render_condition
from gatehold.domain.model import EffectType, QuorumEntry, RecordedVerdict, Verdict, Word
from gatehold.domain.phases import Phase
from gatehold.domain.status import (
    By,
    Decision,
    EffectState,
    EffectStatus,
    EscalationStep,
    ObjectRef,
    PolicySnapshot,
    Price,
    Progress,
    Resolved,
    ResolvedJob,
    Status,
    UndoStatus,
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
        effect=_render_effect(status.effect),
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
        effect=_effect(wire.get("effect")),
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
    price = wire.get("price")
    images = tuple(wire.get("imageIDs", ()))
    return Resolved(_resolved_job(wire.get("job")), _resolved_job(wire.get("undo")), _price(price), images)


def _price(wire: Json | None) -> Price | None:
    value = amount(wire["amount"], "status.resolved.price.amount") if wire is not None else None
    return Price(value, wire.get("currency", ""), wire.get("period", "")) if wire and value is not None else None


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
    price = resolved.price
    shown = sparse(amount=str(price.amount), currency=price.currency, period=price.period) if price else {}
    images = list(resolved.image_ids)
    return sparse(job=_render_job(resolved.job), undo=_render_job(resolved.undo), price=shown, imageIDs=images)


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


def _object(wire: Json | None) -> ObjectRef | None:
    if wire is None:
        return None
    return ObjectRef(wire["apiVersion"], wire["kind"], wire["name"], wire["uid"], wire.get("resourceVersion", ""))


def _render_object(ref: ObjectRef | None) -> Json:
    if ref is None:
        return {}
    return sparse(
        apiVersion=ref.api_version, kind=ref.kind, name=ref.name, uid=ref.uid, resourceVersion=ref.resource_version
    )


def _effect(wire: Json | None) -> EffectStatus | None:
    if wire is None:
        return None
    progress, undo = wire.get("progress"), wire.get("undo")
    return EffectStatus(
        type=EffectType(wire["type"]),
        state=EffectState(wire["state"]),
        object=_object(wire.get("object")),
        prior_suspend=(wire.get("prior") or {}).get("suspend"),
        started_at=optional_time(wire.get("startedAt")),
        stopped_at=optional_time(wire.get("stoppedAt")),
        finished_at=optional_time(wire.get("finishedAt")),
        progress=_progress(progress),
        message=wire.get("message", ""),
        undo=_undo(undo),
    )


def _progress(wire: Json | None) -> Progress | None:
    if wire is None:
        return None
    return Progress(time(wire["at"]), wire.get("active", 0), wire.get("succeeded", 0), wire.get("failed", 0))


def _undo(wire: Json | None) -> UndoStatus | None:
    ref = _object(wire.get("object")) if wire is not None else None
    if wire is None or ref is None:
        return None
    started, stopped, finished = (optional_time(wire.get(name)) for name in ("startedAt", "stoppedAt", "finishedAt"))
    return UndoStatus(EffectState(wire["state"]), ref, started, stopped, finished, wire.get("message", ""))


def _render_effect(effect: EffectStatus | None) -> Json:
    if effect is None:
        return {}
    progress = effect.progress
    return sparse(
        type=str(effect.type),
        state=str(effect.state),
        object=_render_object(effect.object),
        prior={"suspend": effect.prior_suspend} if effect.prior_suspend is not None else {},
        startedAt=stamp(effect.started_at),
        stoppedAt=stamp(effect.stopped_at),
        finishedAt=stamp(effect.finished_at),
        progress=_render_progress(progress) if progress is not None else {},
        message=effect.message,
        undo=_render_undo(effect.undo),
    )


def _render_progress(progress: Progress) -> Json:
    return {
        "at": stamp(progress.at),
        "active": progress.active,
        "succeeded": progress.succeeded,
        "failed": progress.failed,
    }


def _render_undo(undo: UndoStatus | None) -> Json:
    if undo is None:
        return {}
    return sparse(
        state=str(undo.state),
        object=_render_object(undo.object),
        startedAt=stamp(undo.started_at),
        stoppedAt=stamp(undo.stopped_at),
        finishedAt=stamp(undo.finished_at),
        message=undo.message,
    )


def _step(wire: Json) -> EscalationStep:
    return EscalationStep(wire["afterSeconds"], time(wire["at"]), tuple(wire["roles"]), optional_time(wire.get("openedAt")))


def _render_step(step: EscalationStep) -> Json:
    return sparse(afterSeconds=step.after_seconds, at=stamp(step.at), roles=list(step.roles), openedAt=stamp(step.opened_at))
