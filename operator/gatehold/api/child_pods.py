"""The pods of a child, for the core and for reviewers: which images run, what is wrong with them, how many are held."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

from pydantic import Field

from gatehold.api.common import Body, Wire, read, shortened
from gatehold.api.digest import digest
from gatehold.api.refusal import shown
from gatehold.domain.rollout.model import Child
from gatehold.domain.stamping import APPROVAL

MOST_IMAGES: Final = 256  # as in the CRDs, and so is this
MOST_TEXT: Final = 1100
_MOST_TROUBLE: Final = 512
_ON_ITS_WAY: Final = frozenset({"", "ContainerCreating", "PodInitializing"})


class _Metadata(Wire):
    name: str
    deletion_timestamp: str | None = None


class _Named(Wire):
    name: str


class _PodSpec(Wire):
    scheduling_gates: list[_Named] | None = None
    containers: list[_Named] | None = None
    init_containers: list[_Named] | None = None


class _Template(Wire):
    spec: _PodSpec


class _Why(Wire):
    reason: str = ""


class _State(Wire):
    waiting: _Why | None = None


class _Container(Wire):
    name: str
    image_id: str = Field(default="", alias="imageID")
    restart_count: int = 0
    state: _State = _State()


class _Condition(Wire):
    type: str
    status: str
    reason: str = ""
    message: str = ""


class _Status(Wire):
    phase: str = ""
    reason: str = ""
    conditions: list[_Condition] | None = None
    container_statuses: list[_Container] | None = None
    init_container_statuses: list[_Container] | None = None


class _Pod(Wire):
    metadata: _Metadata
    spec: _PodSpec
    status: _Status = _Status()


def with_pods(child: Child, bodies: Iterable[Body], template: Body) -> Child:
    """The child with what its pods say. `template` is the one that it runs: images of injected containers do not count.

    Pods on their way out are left aside. Raises ParseError.
    """
    own = _own(template)
    pods = [pod for pod in (read(_Pod, body, "pod") for body in bodies) if pod.metadata.deletion_timestamp is None]
    images = {image for pod in pods if _is_ready(pod) for image in _images(pod, own)}
    return replace(
        child,
        images=_bounded(sorted(images)),
        restarts=sum(container.restart_count for pod in pods for container in _containers(pod)),
        trouble=_trouble(pods) or child.trouble,
        held=sum(1 for pod in pods if any(gate.name == APPROVAL for gate in pod.spec.scheduling_gates or [])),
    )


def _own(template: Body) -> frozenset[str]:
    spec = read(_Template, template, "template").spec
    return frozenset(container.name for container in (*(spec.containers or []), *(spec.init_containers or [])))


def _containers(pod: _Pod) -> Iterator[_Container]:
    yield from pod.status.init_container_statuses or []
    yield from pod.status.container_statuses or []


def _is_ready(pod: _Pod) -> bool:
    return any(c.type == "Ready" and c.status == "True" for c in pod.status.conditions or [])


def _images(pod: _Pod, own: frozenset[str]) -> Iterator[str]:
    for container in _containers(pod):
        if container.name in own and container.image_id:
            text = f"{container.name}={container.image_id}"
            yield text if len(text) <= MOST_TEXT else f"{container.name}={digest({'imageID': container.image_id})}"


def _bounded(images: list[str]) -> tuple[str, ...]:
    """As many as a status carries; the last one then stands for all the others, so that none of them changes unseen."""
    if len(images) <= MOST_IMAGES:
        return tuple(images)
    kept = images[: MOST_IMAGES - 1]
    return (*kept, f"others={digest({'images': images[len(kept) :]})}")


def _trouble(pods: list[_Pod]) -> str:
    """What keeps pods from being ready, each kind once with how many pods it concerns, most frequent first."""
    counted: dict[str, int] = {}
    for pod in pods:
        if not _is_ready(pod):
            for text in dict.fromkeys(_troubles(pod)):
                counted[text] = counted.get(text, 0) + 1
    texts = [
        text if count == 1 else f"{text} ({count} pods)" for text, count in sorted(counted.items(), key=lambda c: -c[1])
    ]
    return shortened("; ".join(texts), _MOST_TROUBLE)


def _troubles(pod: _Pod) -> Iterator[str]:
    if pod.status.phase == "Failed":
        yield shown(f"pod failed: {pod.status.reason or 'no reason given'}")
    for condition in pod.status.conditions or []:
        if condition.type == "PodScheduled" and condition.reason == "Unschedulable":
            yield shown(f"Unschedulable: {condition.message}")
    for container in _containers(pod):
        why = container.state.waiting
        if why is not None and why.reason not in _ON_ITS_WAY:
            yield shown(f"{container.name}: {why.reason}")
