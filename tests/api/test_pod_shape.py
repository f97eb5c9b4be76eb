"""The part of a pod spec that its price depends on: read whole, or a flaw that says why not; never an error."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehold.api.pod_shape import shape
from gatehold.domain.pricing.pod import ContainerShape, PodShape
from tests.pod_cases import container, pod, sidecar

GPU, GKE = "nvidia.com/gpu.product", "cloud.google.com/gke-accelerator"
Json = dict[str, Any]


def claim(amount: object) -> Json:
    return {"ephemeral": {"volumeClaimTemplate": {"spec": {"resources": {"requests": {"storage": amount}}}}}}


def affinity(*terms: list[Json]) -> Json:
    required = {"nodeSelectorTerms": [{"matchExpressions": rules} for rules in terms]}
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}}


def rule(key: str, *values: str, operator: str = "In") -> Json:
    return {"key": key, "operator": operator, "values": list(values)}


def test_a_whole_pod() -> None:
    found = shape(
        pod(
            container({"cpu": "500m"}, {"cpu": "1", "memory": "1Ki"}),
            init=(sidecar({"cpu": 1}), container()),
            overhead={"cpu": 0.25},
            resources={"requests": {"cpu": "2"}, "limits": {"cpu": "3"}},
            nodeSelector={GPU: "A100", "zone": "a"},
            volumes=[{"name": "scratch", **claim("1Ki")}, {"name": "more", **claim("1Ki")}, {"name": "e", "emptyDir": {}}],
            resourceClaims=[{"name": "gpu", "resourceClaimName": "g"}],
        )
    )
    assert found == PodShape(
        containers=(ContainerShape("c0", {"cpu": Decimal("0.5"), "memory": Decimal(1024)}),),
        init=(ContainerShape("i0", {"cpu": Decimal(1)}, sidecar=True), ContainerShape("i1", {})),
        overhead={"cpu": Decimal("0.25")},
        requests={"cpu": Decimal(2)},
        limits={"cpu": Decimal(3)},
        products=("A100",),
        volumes=Decimal(2048),
        claims=("gpu",),
    )


def test_a_pod_that_says_nothing() -> None:
    assert shape(pod({})) == PodShape((ContainerShape("c0", {}),))


def test_a_container_that_restarts_is_a_sidecar_only_among_the_init_containers() -> None:
    found = shape(pod(sidecar(), init=({**container(), "restartPolicy": "Never"},)))
    assert not found.containers[0].sidecar
    assert not found.init[0].sidecar


@pytest.mark.parametrize(
    ("selection", "products"),
    [
        ({}, ()),
        ({"nodeSelector": {"zone": "a"}}, ()),
        ({"nodeSelector": {GPU: "A100"}}, ("A100",)),
        ({"nodeSelector": {GKE: "nvidia-l4"}}, ("nvidia-l4",)),
        ({"nodeSelector": {GPU: "A100", GKE: "a100"}}, ("A100", "a100")),
        ({"affinity": affinity([rule(GPU, "T4", "A100")])}, ("A100", "T4")),
        ({"affinity": affinity([rule(GPU, "T4"), rule("zone", "a")])}, ("T4",)),
        ({"affinity": affinity([rule(GPU, "T4")], [rule(GPU, "A100")])}, ("A100", "T4")),
        ({"affinity": affinity([rule(GPU, "T4")], [rule("zone", "a")])}, ()),  # the second way gives any product
        ({"affinity": affinity([rule(GPU, "T4")], [])}, ()),
        ({"affinity": affinity([rule(GPU, "A100", operator="NotIn")])}, ()),
        ({"affinity": affinity([rule(GPU, operator="Exists")])}, ()),
        ({"nodeSelector": {GPU: "A100"}, "affinity": affinity([rule("zone", "a")])}, ("A100",)),
        ({"nodeSelector": {GPU: "A100"}, "affinity": affinity([rule(GPU, "T4")])}, ("A100", "T4")),
        ({"affinity": {}}, ()),
        ({"affinity": {"podAffinity": {}}}, ()),
        ({"affinity": {"nodeAffinity": {}}}, ()),
        ({"affinity": {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": []}}}, ()),
        ({"affinity": affinity()}, ()),
        ({"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {
            "nodeSelectorTerms": [{"matchFields": []}]}}}}, ()),
        ({"affinity": affinity([{"key": GPU, "operator": "In"}])}, ()),
    ],
)  # fmt: skip
def test_the_accelerators_that_it_may_get(selection: Json, products: tuple[str, ...]) -> None:
    assert shape(pod({}, **selection)).products == products


@pytest.mark.parametrize(
    ("spec", "flaw"),
    [
        ({}, "no containers"),
        ({"containers": []}, "no containers"),
        ({"containers": {}}, "spec.containers: list_type"),
        ({"containers": ["x"]}, "spec.containers.0: model_type"),
        ({"containers": [{"resources": []}]}, "spec.containers.0.resources: model_type"),
        ({"containers": [{"resources": {"requests": [1]}}]}, "spec.containers.0.resources.requests: dict_type"),
        ([], "spec: model_type"),
        (pod(container({"cpu": "much"})), "container c0: cpu 'much' is no quantity"),
        (pod(container({"cpu": "-1"})), "container c0: cpu '-1' is negative"),
        (pod(container({"memory": "1e18"})), "container c0: memory '1e18' is more than any cluster has"),
        (pod(container(None, {"cpu": "x"})), "container c0: cpu 'x' is no quantity"),
        (pod({}, init=(container({"cpu": "x"}),)), "container i0: cpu 'x' is no quantity"),
        (pod({}, overhead={"cpu": "x"}), "overhead: cpu 'x' is no quantity"),
        (pod({}, resources={"requests": {"cpu": "x"}}), "resources: cpu 'x' is no quantity"),
        (pod({}, resources={"limits": {"cpu": "x"}}), "resources: cpu 'x' is no quantity"),
        (pod({}, volumes=[{"name": "v", **claim("x")}]), "volume v: storage 'x' is no quantity"),
        (pod({}, nodeSelector=["x"]), "spec.nodeSelector: dict_type"),
        (pod({}, affinity="x"), "spec.affinity: model_type"),
    ],
)
def test_what_cannot_be_counted_is_a_flaw(spec: Json, flaw: str) -> None:
    assert shape(spec).flaws == (flaw,)


def test_volumes_that_ask_for_nothing_here() -> None:
    claims = [{"persistentVolumeClaim": {"claimName": "x"}}, {"ephemeral": {}}, {"ephemeral": {"volumeClaimTemplate": {}}}]
    found = shape(pod({}, volumes=[*claims, {"ephemeral": {"volumeClaimTemplate": {"spec": {}}}}]))
    assert (found.volumes, found.flaws) == (Decimal(0), ())


def test_there_are_no_more_flaws_than_a_status_carries() -> None:
    found = shape(pod(*[container({"cpu": "x" * 999})] * 20))
    assert len(found.flaws) == 8
    assert max(len(flaw) for flaw in found.flaws) <= 200


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.sampled_from(["containers", "initContainers", "overhead", "resources", "nodeSelector", "affinity", "volumes"])


@given(st.dictionaries(FIELDS, JUNK))
def test_nothing_makes_it_raise(spec: Json) -> None:
    assert isinstance(shape(spec), PodShape)
