"""What we count is what the real scheduler counts: each pod of the table fits a node with just that, and none with less."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import pytest

from controlplane import Cluster, kubernetes, wait_until
from controlplane.components import FAKE_NODE
from gatehold.api.pod_shape import shape
from gatehold.domain.pricing.pod import needs
from tests.e2e.stage import PATIENCE
from tests.pod_cases import CASES, Json, PodCase

NAMESPACE: Final = "arithmetic"
MARK: Final = "example.org/arithmetic"
BASE: Final = {"cpu": "0", "memory": "0", "ephemeral-storage": "0", "pods": "2"}
STEP: Final = {"cpu": Decimal("0.001"), "hugepages-2Mi": Decimal(2 * 2**20)}
REAL: Final = [case for case in CASES if "resources" not in case.spec or kubernetes() >= (1, 34)]
"""The pod as a whole has no resources before 1.34."""


@dataclass(frozen=True)
class Trial:
    """A pod, and a node that only it may use: with just what we count, or with one step less of `short`."""

    name: str
    case: PodCase
    short: str = ""

    @property
    def node(self) -> Json:
        amounts = needs(shape(self.case.spec))
        if self.short:
            amounts[self.short] -= STEP.get(self.short, Decimal(1))
        has = {**BASE, **{name: f"{amount:f}" for name, amount in amounts.items()}}
        key, value = FAKE_NODE.split("=")
        meta = {"name": self.name, "labels": {MARK: self.name}, "annotations": {key: value}}
        return {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": meta,
            "status": {"capacity": has, "allocatable": has},
        }

    @property
    def pod(self) -> Json:
        spec = {**self.case.spec, "nodeSelector": {MARK: self.name}, "tolerations": [{"operator": "Exists"}]}
        if "overhead" in spec:
            spec["runtimeClassName"] = _runtime(self.case)
        return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": self.name, "namespace": NAMESPACE}, "spec": spec}


def _trials() -> list[Trial]:
    found = []
    for number, case in enumerate(REAL):
        found.append(Trial(f"a{number}-fits", case))
        counted = sorted(name for name, amount in needs(shape(case.spec)).items() if amount)
        found += [Trial(f"a{number}-short-{place}", case, name) for place, name in enumerate(counted)]
    return found


TRIALS: Final = _trials()


@pytest.fixture(scope="module")
def pods(gatehold: Cluster) -> Iterator[dict[str, Json]]:
    """Every pod of every trial, once the scheduler has said yes or no to it."""
    gatehold.kubectl("create", "namespace", NAMESPACE)
    account = ("-n", NAMESPACE, "get", "serviceaccount", "default")
    wait_until(lambda: gatehold.kubectl(*account, check=False).returncode == 0, "the namespace has its account", PATIENCE)
    _create(gatehold, [_runtime_class(case) for case in REAL if "overhead" in case.spec])
    _create(gatehold, [trial.node for trial in TRIALS])
    _create(gatehold, [trial.pod for trial in TRIALS])
    try:
        wait_until(lambda: all(map(_answer, _pods(gatehold).values())), "the scheduler has looked at every pod", 240)
        yield _pods(gatehold)
    finally:
        gatehold.kubectl("delete", "namespace", NAMESPACE, "--wait=false")
        gatehold.kubectl("delete", "nodes", "-l", MARK, "--wait=false", timeout=240)
        gatehold.kubectl("delete", "runtimeclasses", "-l", MARK)


@pytest.mark.parametrize("trial", TRIALS, ids=lambda trial: f"{trial.case.name}, {trial.short or 'just enough'}")
def test_the_scheduler_counts_as_we_do(pods: dict[str, Json], trial: Trial) -> None:
    status, message = _answer(pods[trial.name]) or ("", "")
    if trial.short:
        assert status == "False", f"it fits a node with less {trial.short} than we count"
        assert f"Insufficient {trial.short}" in message
        assert message.count("Insufficient") == 1  # of everything else there is just enough
    else:
        assert (status, message) == ("True", "")


def test_a_pod_as_stored_takes_what_its_manifest_takes(pods: dict[str, Json]) -> None:
    """So the API server fills requests up from limits as we do."""
    for trial in TRIALS:
        assert needs(shape(pods[trial.name]["spec"])) == needs(shape(trial.case.spec)), trial.case.name


def _runtime(case: PodCase) -> str:
    return f"arithmetic-{REAL.index(case)}"


def _runtime_class(case: PodCase) -> Json:
    return {
        "apiVersion": "node.k8s.io/v1",
        "kind": "RuntimeClass",
        "metadata": {"name": _runtime(case), "labels": {MARK: ""}},
        "handler": "arithmetic",
        "overhead": {"podFixed": case.spec["overhead"]},
    }


def _create(cluster: Cluster, items: list[Json]) -> None:
    cluster.kubectl("create", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": items}), timeout=240)


def _pods(cluster: Cluster) -> dict[str, Json]:
    found: list[dict[str, Any]] = json.loads(cluster.kubectl("-n", NAMESPACE, "get", "pods", "-o", "json").stdout)["items"]
    return {pod["metadata"]["name"]: pod for pod in found}


def _answer(pod: Json) -> tuple[str, str] | None:
    """What the scheduler says of it and the node that is its own, and why not; None: nothing yet.

    It learns of nodes and of pods apart: a no that names nothing insufficient was said before it knew the node.
    """
    conditions = pod.get("status", {}).get("conditions", [])
    found = [(c["status"], c.get("message", "")) for c in conditions if c["type"] == "PodScheduled"]
    return next(((status, text) for status, text in found if status == "True" or "Insufficient" in text), None)
