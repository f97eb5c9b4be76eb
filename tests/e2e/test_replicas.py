"""Two replicas: one acts, the other knows; deaths, handovers, freezes and an API server that goes away."""

import json
import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from controlplane import ControlPlane, wait_until
from playground import OperatorProcess, install
from playground.operator_process import PATIENT
from tests.e2e.gaps import put, shipped
from tests.e2e.operators import free_lease, freeze, metric, site, thaw, until_acting
from tests.e2e.stage import Stage, new_stage
from tests.wall.api import Call

Pair = tuple[OperatorProcess, OperatorProcess]
"""The leader and the standby."""

Terms = dict[str, str]
"""Settings that say how long a leader's term lasts."""
STEADY: Terms = {"lease_seconds": "20", "lease_renew_seconds": "16"}
"""Twice the default, for a term that a test waits out: nobody starts a replica again that a busy machine costs the Lease."""
TAKE_OVER_SECONDS = 45.0
"""Time for the next decision after the death of a leader of twenty seconds. What the default takes the benchmark says."""


@pytest.fixture(scope="module")
def plane() -> Iterator[ControlPlane]:
    """A control plane of this file's own: its API server dies too."""
    with ControlPlane.start(nodes=2) as cluster:
        install(cluster)
        yield cluster


@pytest.fixture
def terms() -> Terms:
    """A leader for as long as a test takes; a Lease that must be free sooner is taken away."""
    return PATIENT


@pytest.fixture
def pair(plane: ControlPlane, terms: Terms, request: pytest.FixtureRequest) -> Iterator[Pair]:
    """The leader and the standby, both ready, the wall proven."""
    settings = {"log_format": "json", "watchdog_seconds": "120", **terms}
    first, second = (OperatorProcess(plane, f"{request.function.__name__}-{n}"[-50:], **settings) for n in (0, 1))
    first.start()
    until_acting(first)
    second.start()
    wait_until(lambda: site(second, "/readyz")[0] == 200, "the standby is ready", 120)
    wait_until(lambda: metric(second, "gatehold_wall_enforced") == 1, "the standby has proven the wall", 60)
    yield first, second
    for process in (first, second):
        if process.code() is None:
            process.kill()
    free_lease(plane)
    for process in (first, second):
        assert "Traceback" not in process.log(100_000), process.log(100)


@pytest.fixture
def stage(plane: ControlPlane, pair: Pair) -> Stage:
    """A namespace of the test's own, and the leader's log for failures."""
    return new_stage(plane, pair[0])


def asked(stage: Stage, name: str) -> str:
    """A prepared question that one person decides."""
    policy = stage.policy(quorum=[{"role": "sre"}])
    stage.request(name, policy)
    stage.until_prepared(name)
    return name


def since(start: float) -> float:
    """Seconds since then."""
    return time.monotonic() - start


def test_only_one_of_two_acts_and_both_are_ready(stage: Stage, pair: Pair) -> None:
    leader, standby = pair
    stage.say("alice", asked(stage, "calm"), "approve")
    stage.until_done("calm")
    assert [metric(process, "gatehold_leader") for process in pair] == [1, 0]
    assert [metric(process, "gatehold_synced") for process in pair] == [1, 1]
    written = 'gatehold_writes_total{resource="approvalrequests"}'
    wait_until(lambda: (metric(leader, written) or 0) >= 4, "the answer to the last write is counted, too", 60)
    assert metric(standby, written) is None
    assert metric(standby, 'gatehold_decisions_total{by="People",outcome="Approved"}') is None


def test_the_site_of_each_replica_answers(pair: Pair) -> None:
    for process in pair:
        assert site(process, "/healthz") == (200, "ok\n")
        code, text = site(process, "/readyz")
        assert (code, text.splitlines()) == (200, ["synced: ok", "watching: ok"])
        code, text = site(process, "/metrics")
        assert code == 200
        assert {"# TYPE gatehold_leader gauge", "# TYPE gatehold_wall_proofs_total counter"} <= set(text.splitlines())


@pytest.mark.parametrize("terms", [STEADY], ids=["steady"])
def test_a_killed_leader_is_replaced_once_its_term_is_over(stage: Stage, pair: Pair) -> None:
    leader, standby = pair
    asked(stage, "orphan")
    leader.kill()
    died = time.monotonic()
    stage.say("alice", "orphan", "approve")
    stage.until_phase("orphan", "Approved")
    assert since(died) < TAKE_OVER_SECONDS
    until_acting(standby)


def test_a_planned_end_hands_over_at_once(stage: Stage, pair: Pair) -> None:
    """The leader's term lasts ninety seconds here: nobody has waited for it. What it takes at rest the benchmark says."""
    leader, standby = pair
    asked(stage, "handed-over")
    told = time.monotonic()
    leader.cluster.signal_program(leader.name, signal.SIGTERM)
    stage.say("alice", "handed-over", "approve")
    stage.until_phase("handed-over", "Approved")
    assert since(told) < float(PATIENT["lease_seconds"]) / 2
    wait_until(lambda: leader.code() is not None, "the old leader has ended", 60)
    assert leader.code() == 0
    until_acting(standby)


def test_what_the_standby_saw_in_time_counts_though_the_leader_died(stage: Stage, pair: Pair) -> None:
    leader, standby = pair
    policy = stage.policy(quorum=[{"role": "sre"}])
    job = stage.job("seen", policy)
    stage.request("seen-1", policy, job=job, timeoutSeconds=20)
    deadline = stage.until_prepared("seen-1")["status"]["deadline"]
    leader.kill()
    stage.say("alice", "seen-1", "approve", "in time; only the standby listens")
    wait_until(lambda: datetime.now(UTC) > instant(deadline) + timedelta(seconds=2), "its time is over", 60)
    assert stage.get("apr", "seen-1")["status"]["phase"] == "Pending"
    free_lease(stage.cluster)
    done = stage.until_done("seen-1")
    assert done["status"]["phase"] == "Released"
    verdict, decision = done["status"]["verdicts"][0], done["status"]["decision"]
    assert verdict.get("counted", True) is True
    assert instant(verdict["observedAt"]) < instant(deadline) < instant(decision["at"])
    until_acting(standby)


def test_a_standby_remembers_a_gap_of_the_wall_that_only_it_has_seen(stage: Stage, pair: Pair) -> None:
    leader, standby = pair
    policy = stage.policy(quorum=[{"role": "sre"}])
    job = stage.job("between", policy)
    stage.request("between-1", policy, job=job)
    digest = stage.until_prepared("between-1")["status"]["requestDigest"]
    wall = shipped("ValidatingAdmissionPolicy", "gatehold-requests")
    leader.kill()
    put(stage.cluster, wall, None)
    try:
        line = {"verdict.gatehold.dev/0": f"approve|{digest}|sre|alice||forged"}
        forged = Call(stage.path("apr", "between-1"), {"metadata": {"annotations": line}})
        wait_until(lambda: stage.api("mallory").send(forged).ok, "the forgery gets in", 60)
    finally:
        put(stage.cluster, wall, wall)
    assert metric(standby, "gatehold_leader") == 0
    free_lease(stage.cluster)
    until_acting(standby)
    stage.until("between-1", lambda body: body["status"].get("verdicts"), "recorded")
    verdict = stage.get("apr", "between-1")["status"]["verdicts"][0]
    assert (verdict["username"], verdict["counted"], verdict["reason"]) == ("alice", False, "Unproven")
    assert stage.get("job", "between")["spec"]["suspend"] is True
    stage.say("alice", "between-1", "approve", "now it is me")
    assert stage.until_done("between-1")["status"]["phase"] == "Released"


def instant(text: str) -> datetime:
    """A time of a status."""
    return datetime.fromisoformat(text).astimezone(UTC)


@pytest.mark.parametrize("terms", [STEADY], ids=["steady"])
def test_a_frozen_leader_that_thaws_writes_nothing_and_ends(stage: Stage, pair: Pair) -> None:
    leader, standby = pair
    asked(stage, "frozen-over")
    freeze(leader)
    frozen = time.monotonic()
    stage.say("alice", "frozen-over", "approve")
    done = stage.until_done("frozen-over")
    asked(stage, "after")
    stage.say("bob", "after", "deny", "no")
    wait_until(lambda: since(frozen) > float(STEADY["lease_renew_seconds"]) + 5, "its term is long over", 60)
    thaw(leader)
    wait_until(lambda: leader.code() is not None, "the frozen leader has ended", 60)
    assert leader.code() != 0
    wrote = [json.loads(line) for line in leader.log(100_000).splitlines()]
    assert not [line for line in wrote if line.get("name") in ("frozen-over", "after") and line["message"] == "done"]
    assert stage.get("apr", "frozen-over") == done
    assert stage.until_done("after")["status"]["phase"] == "Denied"
    lease = ("get", "lease", "gatehold-operator", "-n", "gatehold-system", "-o", "jsonpath={.spec.holderIdentity}")
    assert stage.cluster.kubectl(*lease).stdout.startswith(standby.name)
    told = [reason for reason, _ in stage.events("frozen-over")]
    assert sorted(told) == sorted(set(told))


def test_decisions_go_on_after_the_api_server_was_away_and_no_verdict_is_doubted(
    stage: Stage, pair: Pair, plane: ControlPlane
) -> None:
    policy = stage.policy()
    job = stage.job("outlasts", policy)
    stage.request("outlasts-1", policy, job=job)
    stage.until_prepared("outlasts-1")
    stage.say("alice", "outlasts-1", "approve", "before")
    stage.until("outlasts-1", lambda body: body["status"]["approvals"] == "1/2", "1/2")
    plane.restart("kube-apiserver")

    def spoken() -> bool:
        return (
            plane.kubectl(
                "-n", stage.namespace, "annotate", "apr/outlasts-1", "gatehold.dev/approve=after", user="bob", check=False
            ).returncode
            == 0
        )

    wait_until(spoken, "bob's word gets in", 60)  # a fresh API server stamps up to 5 s late
    done = stage.until_done("outlasts-1")
    assert done["status"]["phase"] == "Released"
    assert [(v["username"], v.get("counted", True)) for v in done["status"]["verdicts"]] == [("alice", True), ("bob", True)]
    assert len(stage.pods_of(job)) == 1
    assert any(process.code() is None for process in pair)


def test_logs_are_json_and_name_the_request_and_no_secret(stage: Stage, pair: Pair) -> None:
    leader, _ = pair
    policy = stage.policy(quorum=[{"role": "sre"}])
    job = stage.job("logged", policy)
    request = stage.request("logged-1", policy, job=job, traceID="pipeline/4711")
    stage.until_prepared("logged-1")
    stage.say("alice", "logged-1", "approve", "the comment of a person")
    stage.until_done("logged-1")

    def lines() -> list[dict[str, str]]:
        found = [json.loads(line) for line in leader.log(100_000).splitlines()]
        return [line for line in found if line.get("uid") == request["metadata"]["uid"]]

    wait_until(lambda: any(line["message"] == "done" for line in lines()), "the last line", 60)
    for line in lines():
        assert (line["namespace"], line["name"], line["kind"]) == (stage.namespace, "logged-1", "ApprovalRequest")
        assert line["trace_id"] == "pipeline/4711"
    record = json.loads(next(line["record"] for line in lines() if line["message"] == "done"))
    assert record["status"]["phase"] == "Released"
    assert record["status"]["verdicts"][0]["comment"] == "the comment of a person"
    for process in pair:
        text = process.log(100_000)
        assert process.identity.token not in text
        assert "eyJ" not in text
        assert "PRIVATE KEY" not in text
        assert "Bearer" not in text
