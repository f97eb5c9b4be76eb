"""The ApprovalRequest that the operator opens about a Rollout, with the evidence that nobody had to ask for."""

from dataclasses import dataclass, field
from typing import Any, Final

from gatehold.api import masking
from gatehold.api.approval_request import GATE_LABEL
from gatehold.api.common import API_VERSION, Body, shortened, sparse
from gatehold.api.differences import Difference, differences
from gatehold.api.rollout import ROLLOUT_LABEL, parse, template
from gatehold.domain.model import EffectType
from gatehold.domain.rollout.model import Child, Rollout
from gatehold.domain.rollout.plan import Ask
from gatehold.domain.rollout.record import Question, Weight

MOST_EVIDENCE: Final = 32  # as in the CRD, and so are these
MOST_NAME: Final = 128
MOST_SUMMARY: Final = 256
_MOST_IMAGES: Final = 8  # image differences, and as many image ids; the other differences take what is left

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Seen:
    """What the operator sees when it asks.

    `former` is the template that stable runs, None at a first deployment; `images` are the image ids that stable runs.
    The children are None where they do not exist. `key` is what values are masked under: a secret of this process, so that
    who can read the request cannot test guesses.
    """

    former: Body | None = None
    images: tuple[str, ...] = ()
    stable: Child | None = None
    canary: Child | None = None
    weight: Weight = field(default_factory=Weight)
    key: str = ""


def request(body: Body, ask: Ask, seen: Seen, requester: str) -> Json:
    """The whole request about the Rollout of that body; `requester` is the operator's own account. Raises ParseError."""
    rollout, question, now = parse(body), ask.question, template(body)
    found = differences(seen.key, seen.former or {}, now)
    spec = sparse(
        policyRef={"name": question.policy},
        summary=shortened(_summary(rollout, seen, now), MOST_SUMMARY),
        description=_description(rollout.name, seen),
        links=[sparse(title=title, url=url) for title, url in ask.links],
        evidence=_evidence(rollout, question, seen, found),
        subject=_subject(rollout, question),
        effect={"type": str(EffectType.PROMOTE)},
        timeoutSeconds=ask.timeout_seconds,
        requester={"username": requester},
        authors=list(rollout.authors),
    )
    labels = {GATE_LABEL: question.gate, ROLLOUT_LABEL: rollout.name}
    metadata = {"name": question.name, "namespace": rollout.namespace, "labels": labels}
    return {"apiVersion": API_VERSION, "kind": "ApprovalRequest", "metadata": metadata, "spec": spec}


def _subject(rollout: Rollout, question: Question) -> Json:
    found = {"apiVersion": API_VERSION, "kind": "Rollout", "namespace": rollout.namespace}
    return found | {"name": rollout.name, "uid": rollout.uid, "digest": question.digest}


def _summary(rollout: Rollout, seen: Seen, template: Body) -> str:
    now = _runs(seen.key, template)
    if seen.former is None:
        return f"deploy {rollout.name} with {now}"
    was = _runs(seen.key, seen.former)
    if was == now:
        return f"promote {rollout.name}: other fields of the template change, not the images {now}"
    return f"promote {rollout.name} from {was} to {now}"


def _runs(key: str, of: Body) -> str:
    """What the containers of a template run, init containers aside."""
    found = differences(key, {}, of)
    return ", ".join(d.now for d in found if d.is_image and d.path.startswith("spec.containers[")) or "no image"


def _description(name: str, seen: Seen) -> str:
    if seen.former is None:
        return f"Approved: {name} is deployed for the first time.\nOtherwise: nothing of it runs."
    return (
        f"Approved: the canary goes on, and after its last step {name}-stable takes its template by a rolling update that"
        f" keeps capacity.\nOtherwise: the canary goes, and {name}-stable stays as it is."
    )


def _evidence(rollout: Rollout, question: Question, seen: Seen, found: tuple[Difference, ...]) -> list[Json]:
    """What a reviewer sees first comes first: images, what runs, figures, then field by field as far as there is room."""
    images = [difference for difference in found if difference.is_image][:_MOST_IMAGES]
    first = [
        *(_field(difference, seen) for difference in images),
        *_image_ids(question, seen)[:_MOST_IMAGES],
        {"name": "replicas", "value": str(rollout.replicas)},
        *_figures(seen),
    ]
    rest = [_field(difference, seen) for difference in found if difference not in images]
    room = MOST_EVIDENCE - len(first)
    if len(rest) <= room:
        return first + rest
    left = len(rest) - room + 1
    return [*first, *rest[: room - 1], {"name": "more differences", "value": f"{left} fields are not shown here"}]


def _field(difference: Difference, seen: Seen) -> Json:
    name = shortened(masking.plain(difference.path), MOST_NAME) or "template"
    row = {"name": name, "value": difference.now, "source": "spec.template"}
    return row if seen.former is None else row | {"baseline": difference.was}


def _image_ids(question: Question, seen: Seen) -> list[Json]:
    """Image ids as they run, container by container; a container whose pods run several has them one by one."""
    before: dict[str, list[str]] = {}
    for image in seen.images:
        name, _, ident = image.partition("=")
        before.setdefault(name, []).append(masking.image(seen.key, ident))
    rows = []
    for image in question.images:
        name, _, ident = image.partition("=")
        was = shortened(", ".join(before.get(name, [])), masking.LONGEST)
        row = {"name": shortened(f"image id of {name}", MOST_NAME), "value": masking.image(seen.key, ident)}
        rows.append(row | sparse(baseline=was, source="ready pods of the canary"))
    return rows


def _figures(seen: Seen) -> list[Json]:
    """How the canary does, beside stable."""
    canary, stable = seen.canary, seen.stable
    if canary is None or not canary.replicas:
        return []
    ready = {"name": "pods available", "value": f"{canary.available} of {canary.replicas}"}
    restarts = {"name": "restarts", "value": str(canary.restarts)}
    if stable is not None:
        ready["baseline"] = f"{stable.available} of {stable.replicas}"
        restarts |= {"baseline": str(stable.restarts)} if stable.images is not None else {}
    share = {"name": "share of the pods", "value": str(seen.weight.real), "unit": "%"}
    share["source"] = f"{seen.weight.asked} % are asked for"
    trouble = {"name": "trouble", "value": masking.masked(seen.key, canary.trouble)} if canary.trouble else {}
    return [row for row in (ready, restarts, share, trouble) if row]
