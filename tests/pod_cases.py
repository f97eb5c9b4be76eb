"""Pods and what the scheduler looks for on a node before it places them, by hand from the Kubernetes documentation.

https://kubernetes.io/docs/concepts/resource-management/effective-pod-requests-limits/ (init containers and sidecars),
.../docs/tasks/configure-pod-container/assign-pod-level-resources/, .../docs/concepts/scheduling-eviction/pod-overhead/,
.../docs/tasks/configure-pod-container/extended-resource/, .../docs/tasks/manage-hugepages/scheduling-hugepages/ and
.../docs/concepts/configuration/manage-resources-containers/ (a limit without a request). Our arithmetic is held against this
table, and so is the real scheduler (`tests/e2e/provisioning/test_arithmetic.py`).
"""

from dataclasses import dataclass
from typing import Any, Final

Json = dict[str, Any]
GPU: Final = "nvidia.com/gpu"
DONGLE: Final = "example.com/dongle"
PAGES: Final = "hugepages-2Mi"


@dataclass(frozen=True)
class PodCase:
    """A pod spec and what it takes, as quantities."""

    name: str
    spec: Json
    takes: dict[str, str]


def resources(requests: Json | None = None, limits: Json | None = None) -> Json:
    return {key: value for key, value in (("requests", requests), ("limits", limits)) if value is not None}


def container(requests: Json | None = None, limits: Json | None = None) -> Json:
    return {"image": "example.org/web:1", "resources": resources(requests, limits)}


def cpu(amount: str) -> Json:
    return container({"cpu": amount})


def both(cores: str, memory: str) -> Json:
    return container({"cpu": cores, "memory": memory})


def sidecar(requests: Json | None = None, limits: Json | None = None) -> Json:
    return {**container(requests, limits), "restartPolicy": "Always"}


def side(amount: str) -> Json:
    return sidecar({"cpu": amount})


def pod(*containers: Json, init: tuple[Json, ...] = (), **more: Any) -> Json:
    """A spec with these containers, which get names."""
    spec: Json = {"containers": [{"name": f"c{i}", **c} for i, c in enumerate(containers)], **more}
    if init:
        spec["initContainers"] = [{"name": f"i{i}", **c} for i, c in enumerate(init)]
    return spec


def _case(name: str, takes: dict[str, str], *containers: Json, init: tuple[Json, ...] = (), **more: Any) -> PodCase:
    return PodCase(name, pod(*containers, init=init, **more), takes)


def _extended(name: str, amount: str) -> Json:
    """What cannot be shared: its limit is its request."""
    return {"requests": {"cpu": "100m", name: amount}, "limits": {name: amount}}


def _whole(requests: Json | None = None, limits: Json | None = None) -> Json:
    return {"resources": resources(requests, limits)}


CASES: Final = (
    # one phase: containers run together
    _case("one container", {"cpu": "500m", "memory": "1Gi"}, both("500m", "1Gi")),
    _case("two containers add up", {"cpu": "750m", "memory": "192Mi"}, both("500m", "128Mi"), both("250m", "64Mi")),
    _case("one of two says nothing", {"cpu": "250m"}, container(), cpu("250m")),
    _case("decimal and binary units", {"cpu": "1", "memory": "129000000"}, both("1", "129M")),
    _case("what adds up to a whole", {"cpu": "1"}, cpu("334m"), cpu("333m"), cpu("333m")),
    _case("a limit without a request", {"cpu": "2", "memory": "2Gi"}, container(None, {"cpu": "2", "memory": "2Gi"})),
    _case("a limit above the request", {"cpu": "100m"}, container({"cpu": "100m"}, {"cpu": "4"})),
    _case("a limit of what is not requested", {"cpu": "1", "memory": "1Gi"}, container({"cpu": "1"}, {"memory": "1Gi"})),
    _case("a request of nothing below a limit", {"cpu": "0"}, container({"cpu": "0"}, {"cpu": "2"})),
    _case("disk", {"cpu": "100m", "ephemeral-storage": "3Gi"},
          container({"cpu": "100m", "ephemeral-storage": "2Gi"}), container({"ephemeral-storage": "1Gi"})),
    _case("nothing at all", {}, container()),
    # two phases: the larger one counts, each resource by itself
    _case("a small init container", {"cpu": "2"}, cpu("2"), init=(cpu("1"),)),
    _case("a large init container", {"cpu": "4"}, cpu("2"), init=(cpu("4"),)),
    _case("init containers do not add up", {"cpu": "3"}, cpu("1"), init=(cpu("3"), cpu("2"))),
    _case("the larger phase of each resource", {"cpu": "3", "memory": "2Gi"}, both("1", "2Gi"), init=(both("3", "1Gi"),)),
    _case("an init container alone asks for memory", {"cpu": "1", "memory": "1Gi"},
          cpu("1"), init=(container({"memory": "1Gi"}),)),
    _case("a limit of an init container", {"cpu": "5"}, cpu("1"), init=(container(None, {"cpu": "5"}),)),
    _case("both phases alike", {"cpu": "2"}, cpu("1"), cpu("1"), init=(cpu("2"),)),
    # sidecars: from where they stand on, in both phases (KEP-753)
    _case("a sidecar adds to the containers", {"cpu": "1500m"}, cpu("1"), init=(side("500m"),)),
    _case("two sidecars", {"cpu": "1750m"}, cpu("1"), init=(side("500m"), side("250m"))),
    _case("a sidecar before an init container", {"cpu": "5"}, cpu("2"), init=(side("1"), cpu("4"))),
    _case("a sidecar after an init container", {"cpu": "4"}, cpu("2"), init=(cpu("4"), side("1"))),
    _case("a sidecar after a small init container", {"cpu": "3"}, cpu("2"), init=(cpu("1"), side("1"))),
    _case("between two sidecars", {"cpu": "6"}, cpu("1"), init=(side("1"), cpu("5"), side("2"))),
    _case("sidecars above all", {"cpu": "6"}, cpu("3"), init=(side("1"), cpu("2"), side("2"))),
    _case("a sidecar of another resource", {"cpu": "1", "memory": "1Gi"}, cpu("1"), init=(sidecar({"memory": "1Gi"}),)),
    _case("a sidecar's limit", {"cpu": "3"}, cpu("1"), init=(sidecar(None, {"cpu": "2"}),)),
    _case("three init containers among two sidecars", {"cpu": "10"},
          cpu("1"), init=(cpu("7"), side("2"), cpu("8"), side("3"), cpu("4"))),
    _case("the last init container has all sidecars beside it", {"cpu": "9"},
          cpu("1"), init=(side("2"), side("3"), cpu("4"))),
    _case("each resource peaks elsewhere", {"cpu": "5", "memory": "5Gi"},
          both("1", "3Gi"), init=(sidecar({"cpu": "1", "memory": "2Gi"}), both("4", "1Gi"))),
    # overhead of the runtime class comes on top
    _case("overhead", {"cpu": "1250m", "memory": "1144Mi"}, both("1", "1Gi"),
          overhead={"cpu": "250m", "memory": "120Mi"}),
    _case("overhead on the larger phase", {"cpu": "4250m"}, cpu("1"), init=(cpu("4"),), overhead={"cpu": "250m"}),
    _case("overhead alone", {"cpu": "250m"}, container(), overhead={"cpu": "250m"}),
    _case("overhead and sidecars", {"cpu": "5250m"}, cpu("2"), init=(side("1"), cpu("4")), overhead={"cpu": "250m"}),
    # the pod as a whole (KEP-2837): its request goes before those of its containers
    _case("the pod asks for more than its containers", {"cpu": "1", "memory": "100Mi"},
          container({"cpu": "500m", "memory": "50Mi"}, {"cpu": "500m", "memory": "100Mi"}), container(),
          **_whole({"cpu": "1", "memory": "100Mi"}, {"cpu": "1", "memory": "200Mi"})),
    _case("the pod alone asks", {"cpu": "2", "memory": "3Gi"}, container(), **_whole({"cpu": "2", "memory": "3Gi"})),
    _case("the pod asks for CPU, containers for memory", {"cpu": "2", "memory": "1Gi"},
          container({"memory": "1Gi"}), **_whole({"cpu": "2"})),
    _case("the pod has a limit only", {"cpu": "3", "memory": "2Gi"}, container(),
          **_whole(None, {"cpu": "3", "memory": "2Gi"})),
    _case("the pod has a limit, containers ask", {"cpu": "1500m"}, cpu("1"), cpu("500m"), **_whole(None, {"cpu": "3"})),
    _case("the pod has a limit, an init container asks", {"cpu": "2"}, container(), init=(cpu("2"),),
          **_whole(None, {"cpu": "3"})),
    _case("the pod has a limit, a container asks for nothing", {"cpu": "0"}, cpu("0"), **_whole(None, {"cpu": "3"})),
    _case("the pod has a limit of what one of two asks", {"cpu": "1", "memory": "1Gi"},
          cpu("1"), **_whole(None, {"cpu": "2", "memory": "1Gi"})),
    _case("the pod and overhead", {"cpu": "2250m"}, cpu("1"), **_whole({"cpu": "2"}), overhead={"cpu": "250m"}),
    _case("the pod below its largest phase, in memory only", {"cpu": "4", "memory": "2Gi"},
          cpu("1"), init=(cpu("4"),), **_whole({"memory": "2Gi"})),
    # extended resources and huge pages count as the others do
    _case("a device", {"cpu": "100m", GPU: "1"}, container(**_extended(GPU, "1"))),
    _case("devices of two containers", {"cpu": "200m", GPU: "3"},
          container(**_extended(GPU, "1")), container(**_extended(GPU, "2"))),
    _case("a device by limit only", {GPU: "2"}, container(None, {GPU: "2"})),
    _case("an init container has more devices", {"cpu": "100m", DONGLE: "4"},
          container(**_extended(DONGLE, "1")), init=(container(None, {DONGLE: "4"}),)),
    _case("a sidecar has a device", {"cpu": "200m", DONGLE: "3"},
          container(**_extended(DONGLE, "2")), init=(sidecar(**_extended(DONGLE, "1")),)),
    _case("a device beside the pod as a whole", {"cpu": "2", GPU: "1"},
          container(**_extended(GPU, "1")), **_whole({"cpu": "2"})),
    _case("huge pages", {"cpu": "100m", "memory": "1Gi", PAGES: "100Mi"},
          container({"cpu": "100m", "memory": "1Gi", PAGES: "100Mi"}, {PAGES: "100Mi"})),
    _case("huge pages of an init container", {"cpu": "100m", PAGES: "200Mi"},
          container({"cpu": "100m", PAGES: "100Mi"}, {PAGES: "100Mi"}),
          init=(container({"cpu": "100m", PAGES: "200Mi"}, {PAGES: "200Mi"}),)),
    _case("everything at once", {"cpu": "4250m", "memory": "2560Mi", GPU: "1", "ephemeral-storage": "1Gi"},
          container({"cpu": "2", "memory": "1Gi", "ephemeral-storage": "1Gi", GPU: "1"}, {GPU: "1"}),
          init=(sidecar({"cpu": "1", "memory": "512Mi"}), both("3", "2Gi")),
          overhead={"cpu": "250m"}),
)  # fmt: skip
