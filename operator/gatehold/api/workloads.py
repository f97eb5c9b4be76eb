"""The top-most controllers from the wire: how many pods they want, of which template, for how long."""

import json
import math
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

from gatehold.api.common import API_VERSION, Body, ParseError, Wire, read, shortened
from gatehold.api.gated import images, job_size
from gatehold.api.masking import plain
from gatehold.api.pod_digest import digest
from gatehold.api.pod_shape import shape
from gatehold.api.rollout import AUTHORS, RETRY, parse_authors
from gatehold.domain.pricing.price import Duration
from gatehold.domain.provision.model import OptionSeen, Owner

OPTIONS: Final = "gatehold.dev/options"
EXPECTED: Final = "gatehold.dev/expected-duration"
_MOST_OPTIONS: Final = 8  # as in the CRD, and so are these
_MOST_SUMMARY: Final = 256
_MOST_RETRY: Final = 253
_NAME: Final = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_TIME: Final = re.compile(r"([0-9]{1,5})(m|h|d)")
_HOURS: Final = {"m": Decimal(1) / 60, "h": Decimal(1), "d": Decimal(24)}
_HOUR: Final = Decimal(3600)
_PLACES: Final = Decimal("0.000001")

Json = Mapping[str, Any]


class _Metadata(Wire):
    name: str
    namespace: str
    uid: str
    resource_version: str = ""
    deletion_timestamp: str | None = None
    annotations: dict[str, str] | None = None


class _Spec(Wire):
    replicas: int | None = None
    parallelism: int | None = None
    completions: int | None = None
    suspend: bool | None = None
    active_deadline_seconds: int | None = None


def owner(body: Body) -> Owner:
    """An owner of a kind that is read here. Raises ParseError, also for another kind."""
    try:
        return _owner(body)
    except ParseError:
        raise
    except (TypeError, ValueError, AttributeError, KeyError, ArithmeticError):  # a Rollout's steps and template are loose
        raise ParseError("spec: not as this kind has it") from None


def _owner(body: Body) -> Owner:
    kind, api_version = str(body.get("kind") or ""), str(body.get("apiVersion") or "")
    reader = READERS.get(_known_as(api_version, kind))
    if reader is None:
        raise ParseError(f"kind {kind} is not read here")
    meta = read(_Metadata, body.get("metadata"), "metadata")
    notes = meta.annotations or {}
    found = reader(body)
    template = found.pop("template")
    options, why = _options(notes.get(OPTIONS))
    return Owner(
        api_version=api_version,
        kind=kind,
        namespace=meta.namespace,
        name=meta.name,
        uid=meta.uid,
        resource_version=meta.resource_version,
        deleting=meta.deletion_timestamp is not None,
        digest=digest(template, "Job" if kind == "CronJob" else kind),
        shape=shape(template),
        images=images(template),
        options=options,
        stated=stated(notes.get(EXPECTED)),
        retry=notes.get(RETRY, "")[:_MOST_RETRY],
        authors=parse_authors(notes.get(AUTHORS, "")) if kind == "Rollout" else (),
        why=why,
        **found,
    )


def _known_as(api_version: str, kind: str) -> tuple[str, str]:
    """Group and kind: the version does not matter."""
    return api_version.rpartition("/")[0], kind


def knows(api_version: str, kind: str) -> bool:
    """Whether such an owner is read here."""
    return _known_as(api_version, kind) in READERS


def stated(text: str | None) -> str:
    """How long the owner says that it runs, in words; nothing where it says nothing that can be read."""
    return text if text is not None and _TIME.fullmatch(text) else ""


def stated_hours(text: str) -> Decimal | None:
    """The same in hours."""
    found = _TIME.fullmatch(text)
    return (Decimal(found[1]) * _HOURS[found[2]]).quantize(_PLACES).normalize() if found else None


def _template(spec: Json) -> Json:
    template = spec.get("template")
    pod = template.get("spec") if isinstance(template, Mapping) else None
    if not isinstance(pod, Mapping):
        raise ParseError("spec.template.spec: not an object")
    return pod


def _spec(body: Body) -> tuple[Json, _Spec]:
    spec = body.get("spec")
    if not isinstance(spec, Mapping):
        raise ParseError("spec: not an object")
    return spec, read(_Spec, spec, "spec")


def _replicated(body: Body) -> dict[str, Any]:
    spec, given = _spec(body)
    return {"template": _template(spec), "replicas": 1 if given.replicas is None else given.replicas}


def _stateful_set(body: Body) -> dict[str, Any]:
    """Its pods have a volume for each of its claims, which its template has not; of the first pod, as an example."""
    found, name = _replicated(body), str(body["metadata"]["name"])
    names = [str(claim["metadata"]["name"]) for claim in body["spec"].get("volumeClaimTemplates") or ()]
    own = [v for v in found["template"].get("volumes") or () if v["name"] not in names]
    made = [{"name": claim, "persistentVolumeClaim": {"claimName": f"{claim}-{name}-0"}} for claim in names]
    return found | {"template": {**found["template"], "volumes": [*made, *own]}}


def _deployment(body: Body) -> dict[str, Any]:
    """A rolling update has so many more at the same time; Recreate has none."""
    found = _replicated(body)
    strategy = body["spec"].get("strategy") or {}
    given = (strategy.get("rollingUpdate") or {}).get("maxSurge", "25%")
    found["surge"] = 0 if strategy.get("type") == "Recreate" else _surge(given, found["replicas"])
    return found


def _surge(given: object, replicas: int) -> int:
    """A number of pods, or a share that is rounded up."""
    text = str(given)
    if re.fullmatch(r"[0-9]{1,9}", text):
        return int(text)
    if re.fullmatch(r"[0-9]{1,5}%", text):
        return math.ceil(replicas * int(text[:-1]) / 100)
    raise ParseError("spec.strategy.rollingUpdate.maxSurge: neither a number nor a percentage")


def _rollout(body: Body) -> dict[str, Any]:
    """Stable and canary together, at the biggest canary, and what the rolling update of stable adds."""
    found = _replicated(body)
    replicas = found["replicas"]
    steps = (((body["spec"].get("strategy") or {}).get("canary") or {}).get("steps")) or []
    weights = [int(step["setWeight"]) for step in steps if "setWeight" in step]
    found["surge"] = max((_canary(replicas, weight) for weight in weights), default=0) + math.ceil(replicas / 4)
    return found


def _canary(replicas: int, weight: int) -> int:
    """As design 2.4 has it: at most as many as stable."""
    if weight <= 0 or not replicas:
        return 0
    return replicas if weight >= 50 else min(replicas, max(1, replicas * weight // (100 - weight)))


def _job(body: Body) -> dict[str, Any]:
    spec, given = _spec(body)
    return _run(spec, given, "activeDeadlineSeconds of the Job") | {"suspended": bool(given.suspend)}


def _cron_job(body: Body) -> dict[str, Any]:
    """A run at a time; runs that overlap are asked about as more pods."""
    spec, given = _spec(body)
    job = (spec.get("jobTemplate") or {}).get("spec")
    if not isinstance(job, Mapping):
        raise ParseError("spec.jobTemplate.spec: not an object")
    found = _run(job, read(_Spec, job, "spec.jobTemplate.spec"), "")
    return found | {"suspended": bool(given.suspend)}


def _run(spec: Json, given: _Spec, source: str) -> dict[str, Any]:
    """What a Job wants; its deadline ends it, so it may be counted on. A CronJob comes again, so its own may not."""
    found: dict[str, Any] = {"template": _template(spec), "replicas": job_size(given.parallelism, given.completions)}
    if source and given.active_deadline_seconds:
        hours = (Decimal(given.active_deadline_seconds) / _HOUR).quantize(_PLACES).normalize()
        found["duration"] = Duration(hours, source, enforced=True)
    return found


def _pod(body: Body) -> dict[str, Any]:
    spec, _ = _spec(body)
    return {"template": spec, "replicas": 1}


READERS: Final[Mapping[tuple[str, str], Callable[[Body], dict[str, Any]]]] = {
    ("apps", "Deployment"): _deployment,
    ("apps", "ReplicaSet"): _replicated,
    ("apps", "StatefulSet"): _stateful_set,
    ("", "ReplicationController"): _replicated,
    ("batch", "Job"): _job,
    ("batch", "CronJob"): _cron_job,
    ("", "Pod"): _pod,
    (API_VERSION.partition("/")[0], "Rollout"): _rollout,
}


def _options(text: str | None) -> tuple[tuple[OptionSeen, ...], str]:
    """The variants that the owner offers, or why its annotation cannot be read; then nothing is asked about."""
    if text is None:
        return (), ""
    try:
        found = tuple(_option(item) for item in json.loads(text))
    except (ValueError, TypeError, KeyError, RecursionError):
        found = ()
    if not 1 <= len(found) <= _MOST_OPTIONS or len({option.name for option in found}) != len(found):
        return (), (
            f'annotation {OPTIONS} is not a list such as [{{"name":"cheap","pods":2}}] of at most {_MOST_OPTIONS} options,'
            " with names of their own and at least one pod each"
        )
    return found, ""


def _option(wire: object) -> OptionSeen:
    if not isinstance(wire, Mapping):
        raise TypeError
    name, pods, summary = wire["name"], wire["pods"], wire.get("summary", "")
    fits = isinstance(name, str) and _NAME.fullmatch(name) and isinstance(pods, int) and not isinstance(pods, bool)
    if not fits or pods < 1 or not isinstance(summary, str):
        raise ValueError
    return OptionSeen(name, pods, shortened(plain(summary), _MOST_SUMMARY))
