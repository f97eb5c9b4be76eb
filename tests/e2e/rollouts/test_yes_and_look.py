"""The status that approves a promotion is written beside the look at the wall: by that status alone nothing is promoted."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from controlplane import wait_until
from playground import Launch, OperatorProcess
from playground.operator_process import PATIENT
from tests.e2e.gaps import put, recorded, shipped, world_of_its_own, write_verdict
from tests.e2e.late_watch import FOLDER, PROOFS, WALL, late
from tests.e2e.operators import until_acting
from tests.e2e.rollouts.shop import Shop
from tests.e2e.stage import PATIENCE, Stage, failure, new_stage
from tests.faults.operator import FOLDER as ORDERS
from tests.faults.operator import Folder, Orders

VAP, REQUESTS = "ValidatingAdmissionPolicy", "gatehold-requests"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the test says that nobody gets to see the wall."""
    return tmp_path_factory.mktemp("late")


@pytest.fixture(scope="module")
def world(folder: Path) -> Iterator[OperatorProcess]:
    """A control plane of this file's own."""
    with world_of_its_own(Launch("tests.e2e.late_watch", {FOLDER: str(folder)})) as process:
        yield process


@pytest.fixture
def stage(world: OperatorProcess) -> Stage:
    """A namespace of the test's own in it."""
    return new_stage(world.cluster, world)


def asked(shop: Shop) -> str:
    """A canary that waits for one yes before all else; answers the name of the question."""
    policy = shop.promotes(quorum=[{"role": "sre", "count": 1}])
    shop.running()
    shop.rollout(image="2", steps=({"setWeight": 20}, {"approval": {"policyRef": {"name": policy}}}))
    return shop.until_asked()


def test_a_yes_waits_for_the_look_at_the_wall_whatever_its_status_says(shop: Shop, folder: Path) -> None:
    question = asked(shop)
    with late(folder, PROOFS):
        shop.yes(question, "alice")
        shop.until(question, lambda body: body["status"]["phase"] == "Approved", "the yes is recorded")
        assert not shop.get("gro", "web")["status"]["run"]["questions"][0]["passed"]
        assert shop.image("stable") == "1"
    shop.until_ended("Promoted")
    assert shop.image("stable") == "2"


def test_a_crash_between_the_approval_and_the_look_at_the_wall_promotes_nothing(
    shop: Shop, folder: Path, tmp_path: Path
) -> None:
    question = asked(shop)
    shop.operator.stop()
    variables = {FOLDER: str(folder), ORDERS: str(tmp_path)}
    launch = Launch("tests.e2e.late_watch", variables)
    doomed = OperatorProcess(shop.cluster, "torn", launch, **PATIENT)  # by its orders, and not for want of the Lease
    Folder(tmp_path).order("torn", Orders("after", name=question, what="approvalrequests/status Approved"))
    doomed.start()
    until_acting(doomed)
    with late(folder, PROOFS, *WALL):
        put(shop.cluster, shipped(VAP, REQUESTS), None)
        try:
            write_verdict(shop, question, 0, "alice")
            wait_until(lambda: doomed.code() is not None, "it has died", PATIENCE)
        finally:
            put(shop.cluster, shipped(VAP, REQUESTS), shipped(VAP, REQUESTS))
    shop.cluster.kubectl("-n", "gatehold-system", "delete", "lease", "gatehold-operator", "--ignore-not-found")
    approved = shop.get("apr", question)
    assert (approved["status"]["phase"], recorded(approved)) == ("Approved", [("approve", "alice", True, "")])

    shop.operator.start()
    until_acting(shop.operator)
    done = shop.until_done(question)
    assert (done["status"]["phase"], failure(done)) == ("Failed", "ApprovalUnproven")
    shop.until_ended("Failed")
    assert shop.image("stable") == "1"
