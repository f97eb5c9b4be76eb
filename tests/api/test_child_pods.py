"""What the pods of a child say: image ids, restarts, what is wrong, how many are held."""

from typing import Any

import pytest

from gatehold.api.child_pods import with_pods
from gatehold.api.common import ParseError
from gatehold.domain.rollout.model import Child
from tests.api.rollouts import TEMPLATE

CHILD = Child("web-canary", "u", "1", 1, trouble="FailedCreate: quota")
NONE: dict[str, Any] = {"images": (), "restarts": 0, "trouble": "FailedCreate: quota", "held": 0}
READY = {"type": "Ready", "status": "True"}


def container(
    name: str = "web", image: str = "web@sha256:1", waiting: str | None = None, restarts: int = 0
) -> dict[str, Any]:
    state = {"running": {}} if waiting is None else {"waiting": {"reason": waiting, "message": "secret"}}
    return {"name": name, "imageID": image, "restartCount": restarts, "state": state}


def pod(*containers: dict[str, Any], ready: bool = True, **status: Any) -> dict[str, Any]:
    conditions = [*([READY] if ready else []), *status.pop("conditions", [])]
    wire = {"phase": "Running", "conditions": conditions, "containerStatuses": list(containers or [container()])}
    return {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "web"}]}, "status": wire | status}


def unschedulable(message: str) -> dict[str, Any]:
    return {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}


CRASHING = pod(container(waiting="CrashLoopBackOff", restarts=3), ready=False)
HELD = {"name": "gatehold.dev/approval"}
ROWS: dict[str, tuple[list[dict[str, Any]], dict[str, Any]]] = {
    "none": ([], {}),
    "ready ones": ([pod(), pod()], {"images": ("web=web@sha256:1",)}),
    "two images": ([pod(container(image="b")), pod(container(image="a"))], {"images": ("web=a", "web=b")}),
    "an injected container": ([pod(container(), container("mesh", "mesh@sha256:2"))], {"images": ("web=web@sha256:1",)}),
    "an init container": (
        [pod(container(), initContainerStatuses=[container("init", "init@sha256:3", restarts=1)])],
        {"images": ("init=init@sha256:3", "web=web@sha256:1"), "restarts": 1},
    ),
    "one that is not ready": ([pod(ready=False)], {}),
    "one whose image is not known yet": ([pod(container(image=""))], {}),
    "one on its way out": ([pod(container(restarts=9)) | {"metadata": {"name": "p", "deletionTimestamp": "now"}}], {}),
    "one that nobody has looked at": ([pod() | {"status": {}}], {}),
    "a crash loop": ([CRASHING], {"restarts": 3, "trouble": "web: CrashLoopBackOff"}),
    "two crash loops and a missing image": (
        [pod(container(waiting="ImagePullBackOff"), ready=False), CRASHING, CRASHING],
        {"restarts": 6, "trouble": "web: CrashLoopBackOff (2 pods); web: ImagePullBackOff"},
    ),
    "one that is being made": ([pod(container(waiting="ContainerCreating"), ready=False)], {}),
    "no room": (
        [pod(ready=False, phase="Pending", conditions=[unschedulable("0/3 nodes")], containerStatuses=None)],
        {"trouble": "Unschedulable: 0/3 nodes"},
    ),
    "one with a place that is not ready yet": (
        [pod(ready=False, conditions=[{"type": "PodScheduled", "status": "True"}])],
        {},
    ),
    "one that failed": ([pod(ready=False, phase="Failed", reason="Evicted")], {"trouble": "pod failed: Evicted"}),
    "one that failed without a word": ([pod(ready=False, phase="Failed")], {"trouble": "pod failed: no reason given"}),
    "held by us": (
        [pod(ready=False) | {"spec": {"schedulingGates": [HELD]}}, pod() | {"spec": {"schedulingGates": [{"name": "x"}]}}],
        {"images": ("web=web@sha256:1",), "held": 1},
    ),
}
OWN = {"spec": TEMPLATE["spec"] | {"initContainers": [{"name": "init", "image": "init:1"}]}}


@pytest.mark.parametrize(("pods", "changes"), ROWS.values(), ids=ROWS)
def test_pods(pods: list[dict[str, Any]], changes: dict[str, Any]) -> None:
    found = with_pods(CHILD, pods, OWN)

    assert {name: getattr(found, name) for name in NONE} == NONE | changes


def test_image_ids_are_bounded_and_none_changes_unseen() -> None:
    pods = [pod(container(image=f"{n:03}")) for n in range(300)]
    found, other = (with_pods(CHILD, some, OWN).images for some in (pods, [*pods[:-1], pod(container(image="999"))]))

    assert found is not None
    assert other is not None
    assert len(found) == 256
    assert found[:255] == other[:255] == tuple(f"web={n:03}" for n in range(255))
    assert found[255] != other[255]
    assert found[255].startswith("others=sha256:")


def test_a_long_image_id_stands_there_as_its_digest() -> None:
    (found,) = with_pods(CHILD, [pod(container(image="x" * 1100))], OWN).images or ()

    assert found.startswith("web=sha256:")


def test_troubles_are_bounded() -> None:
    pods = [pod(ready=False, conditions=[unschedulable(f"{n} " + "no " * 200)]) for n in range(5)]

    assert len(with_pods(CHILD, pods, OWN).trouble) == 512


@pytest.mark.parametrize(
    "wire", [{}, pod() | {"spec": None}, pod(container(image=5))], ids=["nothing", "no spec", "a number"]
)  # type: ignore[arg-type]
def test_what_is_no_pod(wire: dict[str, Any]) -> None:
    with pytest.raises(ParseError, match="pod"):
        with_pods(CHILD, [wire], OWN)


def test_what_is_no_template() -> None:
    with pytest.raises(ParseError, match=r"template\.spec: missing"):
        with_pods(CHILD, [], {})
