"""A batch/v1 Job from the wire: what a release looks at, and what is shown of it."""

import shlex
from collections.abc import Iterable

from gatehold.api.common import Body, Wire, read, shortened
from gatehold.api.digest import job_digest
from gatehold.domain.plan import JobFacts, PodFacts
from gatehold.domain.status import ResolvedJob

HOLD_LABEL = "gatehold.dev/hold"
RELEASED_BY = "gatehold.dev/released-by"
CLOSED_BY = "gatehold.dev/closed-by"
OVERRIDE = "gatehold.dev/override"
OVERRIDE_RECORDED = "gatehold.dev/override-recorded"
OUTCOME_FINALIZER = "gatehold.dev/outcome"
_MAX_SHOWN = 32
_MAX_TEXT = 1024


class _Condition(Wire):
    type: str
    status: str
    reason: str = ""


class _Status(Wire):
    active: int = 0
    succeeded: int = 0
    failed: int = 0
    conditions: list[_Condition] | None = None


class _Metadata(Wire):
    name: str
    uid: str
    resource_version: str
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None
    finalizers: list[str] | None = None
    deletion_timestamp: str | None = None


class _PodMetadata(Wire):
    name: str
    deletion_grace_period_seconds: int | None = None


class _Assigned(Wire):
    node_name: str = ""
    termination_grace_period_seconds: int | None = None


class _Ending(Wire):
    phase: str = ""


class _Container(Wire):
    image: str = ""
    command: list[str] | None = None
    args: list[str] | None = None


class _PodSpec(Wire):
    containers: list[_Container]
    init_containers: list[_Container] | None = None
    service_account_name: str = ""


class _Template(Wire):
    spec: _PodSpec


class _JobSpec(Wire):
    template: _Template
    suspend: bool | None = None


def facts(body: Body) -> JobFacts:
    """What the core looks at. Raises ParseError."""
    meta = read(_Metadata, body.get("metadata"), "metadata")
    spec = read(_JobSpec, body.get("spec"), "spec")
    status = read(_Status, body.get("status") or {}, "status")
    labels, notes = meta.labels or {}, meta.annotations or {}
    true = {c.type: c.reason for c in status.conditions or [] if c.status == "True"}
    return JobFacts(
        name=meta.name,
        uid=meta.uid,
        resource_version=meta.resource_version,
        digest=job_digest(meta.uid, body["spec"]),
        hold=labels.get(HOLD_LABEL, ""),
        suspended=spec.suspend is True,
        released_by=notes.get(RELEASED_BY, ""),
        closed_by=notes.get(CLOSED_BY, ""),
        overridden=notes.get(OVERRIDE, ""),
        has_finalizer=OUTCOME_FINALIZER in (meta.finalizers or []),
        deleting=meta.deletion_timestamp is not None,
        complete="Complete" in true,
        failed="Failed" in true,
        failure=true.get("Failed", ""),
        active=status.active,
        succeeded=status.succeeded,
        failures=status.failed,
    )


def resolved(body: Body) -> ResolvedJob:
    """What a reviewer is shown of the Job: images, commands and account, besides the digest of everything."""
    found = facts(body)
    pod = read(_JobSpec, body.get("spec"), "spec").template.spec
    containers = [*(pod.init_containers or []), *pod.containers]
    return ResolvedJob(
        name=found.name,
        uid=found.uid,
        digest=found.digest,
        images=_shown([c.image for c in containers]),
        commands=_shown([_command(c) for c in containers]),
        service_account=pod.service_account_name or "default",
    )


def pods_left(bodies: Iterable[Body]) -> tuple[PodFacts, ...]:
    """The pods that have not ended, by name. Raises ParseError."""
    return tuple(sorted((_pod(body) for body in bodies if not _is_over(body)), key=lambda pod: pod.name))


def _is_over(body: Body) -> bool:
    return read(_Ending, body.get("status") or {}, "status").phase in ("Succeeded", "Failed")


def _pod(body: Body) -> PodFacts:
    meta = read(_PodMetadata, body.get("metadata"), "metadata")
    spec = read(_Assigned, body.get("spec"), "spec")
    told, own = meta.deletion_grace_period_seconds, spec.termination_grace_period_seconds
    return PodFacts(meta.name, spec.node_name, told if told is not None else own if own is not None else 30)


def _command(container: _Container) -> str:
    """One container's command and arguments as one line; the image's own where none is given."""
    words = [*(container.command or []), *(container.args or [])]
    return shlex.join(words) or "(the image's own)"


def _shown(texts: list[str]) -> tuple[str, ...]:
    """As much as a status carries; what is cut says so, since the digest is about all of it."""
    short = [shortened(text, _MAX_TEXT) for text in texts[:_MAX_SHOWN]]
    left = len(texts) - len(short)
    return (*short, f"({left} more containers)") if left else tuple(short)
