"""A Rollout from the wire: its metadata and its spec. The status is in rollout_status."""

from collections.abc import Mapping
from typing import Any, Final

from gatehold.api.common import Body, ParseError, Wire, read
from gatehold.api.digest import digest, strategy_digest, template_digest
from gatehold.api.masking import plain
from gatehold.domain.rollout.model import Approval, Link, Pause, Rollout, SetWeight, Step
from gatehold.domain.tiers import EVERYBODY

ROLLOUT_LABEL: Final = "gatehold.dev/rollout"
TRACK_LABEL: Final = "gatehold.dev/track"
GATED_LABEL: Final = "gatehold.dev/rollouts"
RETRY: Final = "gatehold.dev/retry"
AUTHORS: Final = "gatehold.dev/authors"
FINALIZER: Final = "gatehold.dev/rollout"
ORPHAN: Final = "orphan"  # what --cascade=orphan puts on
MOST_RETRY: Final = 253  # as in the CRD
_MOST_NAME: Final = 1024  # as in the CRD of ApprovalRequest, and so are these
MOST_AUTHORS: Final = 16


class _PolicyRef(Wire):
    name: str


class _Link(Wire):
    title: str = ""
    url: str


class _Approval(Wire):
    policy_ref: _PolicyRef
    timeout_seconds: int | None = None
    links: list[_Link] = []


class _Pause(Wire):
    duration_seconds: int


class _Step(Wire):
    set_weight: int | None = None
    pause: _Pause | None = None
    approval: _Approval | None = None


class _Canary(Wire):
    steps: list[_Step] = []


class _Strategy(Wire):
    canary: _Canary = _Canary()


class _Selector(Wire):
    match_labels: dict[str, str]


class _Spec(Wire):
    replicas: int = 1
    selector: _Selector
    template: dict[str, Any]
    strategy: _Strategy = _Strategy()
    min_ready_seconds: int = 0
    progress_deadline_seconds: int | None = None
    revision_history_limit: int | None = None
    restarted_at: str = ""


class _Metadata(Wire):
    name: str
    namespace: str
    uid: str
    generation: int = 0
    deletion_timestamp: str | None = None
    finalizers: list[str] | None = None
    annotations: dict[str, str] | None = None


def parse(body: Body) -> Rollout:
    """The Rollout as a value, with the digests of its template and its strategy. Raises ParseError."""
    meta = read(_Metadata, body.get("metadata"), "metadata")
    spec = read(_Spec, body.get("spec"), "spec")
    notes, finalizers = meta.annotations or {}, meta.finalizers or []
    return Rollout(
        namespace=meta.namespace,
        name=meta.name,
        uid=meta.uid,
        generation=meta.generation,
        template=template_digest(spec.template),
        strategy=strategy_digest(body["spec"].get("strategy")),
        replicas=spec.replicas,
        steps=tuple(_step(s, f"spec.strategy.canary.steps.{n}") for n, s in enumerate(spec.strategy.canary.steps)),
        min_ready_seconds=spec.min_ready_seconds,
        progress_deadline_seconds=spec.progress_deadline_seconds,
        revision_history_limit=spec.revision_history_limit,
        restarted_at=spec.restarted_at,
        retry=_bounded(notes.get(RETRY, "")),
        authors=parse_authors(notes.get(AUTHORS, "")),
        has_finalizer=FINALIZER in finalizers,
        deleting=meta.deletion_timestamp is not None,
        orphaning=ORPHAN in finalizers,
    )


def template(body: Body) -> dict[str, Any]:
    """The pod template as it stands in the Rollout. Raises ParseError."""
    return read(_Spec, body.get("spec"), "spec").template


def pod_labels(body: Body) -> dict[str, str]:
    """The labels by which the Rollout's pods are selected, of either track. Raises ParseError."""
    meta, spec = read(_Metadata, body.get("metadata"), "metadata"), read(_Spec, body.get("spec"), "spec")
    return spec.selector.match_labels | {ROLLOUT_LABEL: meta.name}


def selector(labels: Mapping[str, str]) -> str:
    """Labels as a label selector in one text, as the scale subresource wants it."""
    return ",".join(f"{key}={value}" for key, value in sorted(labels.items()))


def _step(wire: _Step, where: str) -> Step:
    given = [member for member in (wire.set_weight, wire.pause, wire.approval) if member is not None]
    if len(given) != 1:
        raise ParseError(f"{where}: a step has one member")
    if wire.pause is not None:
        return Pause(wire.pause.duration_seconds)
    if wire.approval is not None:
        links = tuple(Link(link.title, link.url) for link in wire.approval.links)
        return Approval(wire.approval.policy_ref.name, wire.approval.timeout_seconds, links)
    return SetWeight(wire.set_weight or 0)


def _bounded(retry: str) -> str:
    """The value of gatehold.dev/retry as it is remembered: a long one by its digest."""
    return retry if len(retry) <= MOST_RETRY else digest({"retry": retry})


def parse_authors(text: str) -> tuple[str, ...]:
    """Who changed template or strategy since the last promotion, as the API server stamped it; nobody known: empty.

    Names stand between commas, escaped; a part `*` means others, too. What a request could not carry is one of those.
    """
    names = dict.fromkeys(_author(part) for part in text.split(",") if part)
    known = [name for name in names if name != EVERYBODY]
    others = len(known) < len(names) or len(known) > MOST_AUTHORS
    return (*known[:MOST_AUTHORS], *((EVERYBODY,) if others else ()))


def _author(part: str) -> str:
    name = part.replace("%2A", "*").replace("%2C", ",").replace("%25", "%")
    return name if name == plain(name) and len(name) <= _MOST_NAME else EVERYBODY
