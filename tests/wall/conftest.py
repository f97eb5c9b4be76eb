"""The stage: a cluster of its own with the wall installed, everybody's connections, stamping on or off."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from controlplane import Cluster, PodIdentity, provider
from playground import OperatorProcess, can_stamp, install, wait_enforced
from playground.install import STAMPS
from playground.operator_process import PATIENT
from tests.wall.api import Api, Call, path
from tests.wall.argo import install_kind, settle_argo
from tests.wall.gated import job, pod
from tests.wall.nodes import CORDON, CORDONED_BY, DENY
from tests.wall.people import OPERATOR, SYSTEM, Body, connect, service_account_token, settle
from tests.wall.places import PRICED, connect_places, settle_places
from tests.wall.rollouts import AUTHORS, rollout
from tests.wall.running import Running
from tests.wall.scene import GROUP, Hand, Scene, Stopped

ROOT = Path(__file__).parents[2]
ADMISSION = "admissionregistration.k8s.io/v1"


@dataclass
class Stage:
    """What all scenes of a session share."""

    cluster: Cluster
    people: dict[str, Api]
    pod: PodIdentity
    stamped: bool
    hand: Hand = field(default_factory=Stopped)

    def scene(self) -> Scene:
        """A fresh scene."""
        return Scene(self.people, self.hand, stamped=self.stamped, operator_pod=self.pod.pod)

    def stamp(self, wanted: bool) -> None:
        """Install or remove stamping, and wait until the API server has taken it up."""
        if wanted == self.stamped:
            return
        verb = ("apply", "--server-side") if wanted else ("delete",)
        for text in sorted((ROOT / "manifests/wall").glob(f"{STAMPS}*.yaml")):
            self.cluster.kubectl(*verb, "-f", str(text))
        self.stamped = wanted
        self.until_stamping_is(wanted)

    def until_stamping_is(self, wanted: bool) -> None:
        """API servers reload policies on a tick of a second: look, do not sleep."""
        scene = Scene(self.people, Stopped(), stamped=True)
        poll(lambda: self.people["ci"].send(scene.creation(), dryRun="All").ok is wanted)
        poll(lambda: (AUTHORS in self._made()["metadata"].get("annotations", {})) is wanted)
        poll(lambda: (CORDONED_BY in self._cordoned()["metadata"].get("annotations", {})) is wanted)
        poll(lambda: self.people["dora"].send(self._waiting("v1", "pods", pod(scene)), dryRun="All").ok is wanted)
        poll(lambda: self.people["dora"].send(self._waiting("batch/v1", "jobs", job(scene)), dryRun="All").ok is wanted)

    def _made(self) -> Body:
        return self.people["ada"].must(Call(path(GROUP, "rollouts", "shop"), rollout("any"), "post"), dryRun="All")

    @staticmethod
    def _waiting(version: str, plural: str, body: Body) -> Call:
        return Call(path(version, plural, PRICED), body, "post")

    def _cordoned(self) -> Body:
        body = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "any", **DENY["metadata"]}, **CORDON}
        return self.people["noah"].must(Call(path("v1", "nodes"), body, "post"), dryRun="All")


def poll(done: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, "the API server did not take it up"
        time.sleep(0.1)


@pytest.fixture(scope="package")
def stage(request: pytest.FixtureRequest) -> Iterator[Stage]:
    """A cluster of the wall's own: policies are taken away and weakened here, which no other test should meet."""
    with provider(request.getfixturevalue).cluster() as cluster:
        found = set_up(cluster)
        probe = {"apiVersion": GROUP, "kind": "ApprovalRequest", "metadata": {"name": "gatehold-probe"}}
        spec = {
            "policyRef": {"name": "gatehold-probe"},
            "subject": {"kind": "Wall", "name": "probe"},
            "requester": {"username": OPERATOR},
        }
        found.people["operator"].must(Call(path(GROUP, "approvalrequests", SYSTEM), {**probe, "spec": spec}, "post"))
        yield found


@pytest.fixture(scope="package")
def served(request: pytest.FixtureRequest) -> Iterator[Stage]:
    """The same with a real operator at work, which takes any number of requests of one author."""
    with provider(request.getfixturevalue).cluster() as cluster:
        found = set_up(cluster)
        process = OperatorProcess(cluster, max_pending_per_author="5000", max_pending_per_policy="5000", **PATIENT)
        process.start()
        wait_enforced(cluster)
        found.hand = Running()
        yield found
        assert process.code() is None, process.log()
        assert "Traceback" not in process.log(100_000), process.log()


def set_up(cluster: Cluster) -> Stage:
    """Install the wall, make everybody and their rights, and wait until it is in force."""
    install(cluster)
    install_kind(cluster)
    people = connect(cluster)
    settle(people["admin"])
    settle_places(people["admin"])
    connect_places(cluster, people)
    settle_argo(cluster, people)
    pod = cluster.mint_pod_bound_token(SYSTEM, "gatehold", seconds=7200)
    people["operator"] = people["admin"].with_token(pod.token)
    for name, namespace in (("robot", "shop"), ("gitops", "shop"), ("gatehold-probe", SYSTEM)):
        people[name] = people["admin"].with_token(service_account_token(people["admin"], namespace, name))
    people["pretender"] = people["admin"].impersonating(OPERATOR)
    found = Stage(cluster, people, pod, can_stamp(cluster))
    found.until_stamping_is(found.stamped)
    poll(lambda: not people["admin"].send(_forged_status(), dryRun="All").ok)
    return found


def _forged_status() -> Call:
    where = path("gatehold.dev/v1alpha1", "approvalpolicies", None, "solo", "status")
    return Call(where, {"status": {"observedGeneration": 7}})
