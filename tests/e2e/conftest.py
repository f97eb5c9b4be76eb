"""Gatehold as its users have it: installed once for all of this room, the operator running, a namespace per test."""

import sys
from collections.abc import Generator, Iterator

import pytest

from controlplane import Cluster, provider
from playground import OperatorProcess, install, wait_enforced
from playground.operator_process import PATIENT
from tests.e2e.gaps import world_of_its_own
from tests.e2e.notices import Receiver
from tests.e2e.operators import begin_anew, standing
from tests.e2e.stage import Stage, new_stage

_FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Note what failed, for `at_work`."""
    report = yield
    item.stash[_FAILED] = report.failed or item.stash.get(_FAILED, False)
    return report


@pytest.fixture(autouse=True)
def at_work(request: pytest.FixtureRequest) -> Iterator[None]:
    """Whatever happens to the operator in one test must not fail the next: it begins anew where it ended, or a test failed.

    An end that no test asked for is a failure, with what the operator said; so is shown what it said where a test failed.
    Where another has its place for a while it was told to end, and rests.
    """
    operator = request.getfixturevalue("operator") if "operator" in request.fixturenames else None
    rests = operator is not None and operator.code() == 0
    yield
    if operator is None or rests:
        return
    ended, failed = operator.code() is not None, request.node.stash.get(_FAILED, False)
    if ended or failed:
        told = standing(operator)
        begin_anew(operator)
        if not failed:
            pytest.fail(f"the operator is gone, and no test has asked for that\n{told}")
        sys.stdout.write(told)  # shown beneath the failure


@pytest.fixture(scope="package")
def gatehold(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """A cluster with Gatehold installed; no operator yet."""
    with provider(request.getfixturevalue).cluster() as cluster:
        install(cluster)
        yield cluster


@pytest.fixture(scope="package")
def notices() -> Iterator[Receiver]:
    """Who is told."""
    with Receiver() as receiver:
        yield receiver


@pytest.fixture(scope="package")
def operator(gatehold: Cluster, notices: Receiver) -> Iterator[OperatorProcess]:
    """The operator, acting, the wall proven. A test that stops it starts it again."""
    process = OperatorProcess(
        gatehold,
        default_timeout_seconds="600",
        retention_sweep_seconds="3",
        max_pending_per_author="60",
        robot_users="robot-ci,other-robot",
        notice_url=notices.url,
        notice_insecure_loopback="true",
        drain_policy="node-drains",
        drain_namespace="node-drains",
        **PATIENT,
    )
    process.start()
    wait_enforced(gatehold)
    yield process
    assert "Traceback" not in process.log(100_000), process.log(400)


@pytest.fixture
def stage(gatehold: Cluster, operator: OperatorProcess) -> Stage:
    """A namespace of the test's own, with its people."""
    return new_stage(gatehold, operator)


@pytest.fixture(scope="module")
def world() -> Iterator[OperatorProcess]:
    """A control plane of one file's own: its `stage` is made there instead."""
    with world_of_its_own() as process:
        yield process
