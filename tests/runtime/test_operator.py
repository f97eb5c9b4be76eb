"""The whole runtime on a real API server: events become cycles, one replica acts, every end is clean."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest

from controlplane import ControlPlane
from gatehold.domain.installation import PROBE
from gatehold.kube.client import Cluster
from gatehold.kube.errors import ApiError, Unavailable
from gatehold.kube.resources import JOBS, LEASES, POLICIES, REQUESTS, VAP
from gatehold.runtime.leadership import LeadershipLost
from gatehold.runtime.parts import Key, Periodic
from tests.runtime.conftest import Start, StartReplica
from tests.runtime.support import Running, eventually, policy_body, request_body


async def acting(running: Running) -> Running:
    await asyncio.wait_for(running.operator.acting.wait(), 60)
    return running


async def live(running: Running) -> None:
    """Wait until kopf itself watches: its bridge has ended."""
    await eventually(lambda: running.operator.feeding.bridges[REQUESTS].ended)


async def patch_status(cluster: Cluster, namespace: str, name: str, status: dict[str, Any]) -> None:
    body = await cluster.get(REQUESTS, namespace, name)
    version = {"metadata": {"resourceVersion": body["metadata"]["resourceVersion"]}}
    await cluster.patch_status(REQUESTS, namespace, name, version | {"status": {"observedGeneration": 1} | status})


async def test_what_happens_to_a_request_becomes_a_cycle_of_it(cluster: Cluster, namespace: str, start: Start) -> None:
    await cluster.create(REQUESTS, namespace, request_body("before", namespace))
    async with await start() as running:
        await acting(running)
        await eventually(lambda: "before" in running.requests.names())
        await cluster.create(REQUESTS, namespace, request_body("after", namespace))
        await eventually(lambda: "after" in running.requests.names())
        await live(running)
        count = running.requests.names().count("after")
        await cluster.merge_patch(
            REQUESTS, namespace, "after", {"metadata": {"annotations": {"verdict.gatehold.dev/1": "x"}}}
        )
        await eventually(lambda: running.requests.names().count("after") > count)
        key = next(key for key in running.requests.keys if (key.namespace, key.name) == (namespace, "after"))
        record = running.runtime.requests.get(key.uid)
        assert record is not None
        now = running.runtime.clock.timestamp()
        seen = running.runtime.requests.seen_at(key.uid, "verdict.gatehold.dev/1")
        assert seen is not None
        assert now - 30 < seen <= now
        await cluster.merge_patch(REQUESTS, namespace, "after", {"metadata": {"labels": {"gatehold.dev/done": "true"}}})
        await eventually(lambda: key.uid not in running.runtime.requests)


async def test_a_jobs_and_a_policys_change_reach_the_requests_that_depend_on_them(
    cluster: Cluster, namespace: str, start: Start
) -> None:
    async with await start() as running:
        await acting(running)
        await cluster.create(REQUESTS, namespace, request_body("r", namespace, policy=f"p-{namespace}", subject="job"))
        await eventually(lambda: "r" in running.requests.names())
        await live(running)

        def cycles() -> int:
            """Of that request: the probe's has its own, and its first may come late."""
            return running.requests.names().count("r")

        count = cycles()
        job = {
            "metadata": {"name": "job", "namespace": namespace, "labels": {"gatehold.dev/hold": "p"}},
            "spec": {
                "suspend": True,
                "template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "i"}]}},
            },
        }
        await cluster.create(JOBS, namespace, job)
        await eventually(lambda: cycles() > count)
        assert running.runtime.jobs.get(namespace, "job") is not None
        count = cycles()
        await cluster.delete(JOBS, namespace, "job")
        await eventually(lambda: cycles() > count)
        assert running.runtime.jobs.get(namespace, "job") is None

        count, policy = cycles(), f"p-{namespace}"
        await cluster.create(POLICIES, None, policy_body(policy))
        await eventually(lambda: cycles() > count and policy in running.policies.names())
        await patch_status(cluster, namespace, "r", {"phase": "Pending", "requestDigest": "sha256:" + "0" * 64})
        uid = next(key.uid for key in running.requests.keys if (key.namespace, key.name) == (namespace, "r"))
        await eventually(lambda: (record := running.runtime.requests.get(uid)) is not None and record.summary.prepared)
        await eventually(lambda: len(running.operator.queue) == 0 and running.operator.queue.processing == 0)
        count, policies = cycles(), running.policies.names().count(policy)
        await cluster.merge_patch(POLICIES, None, policy, {"spec": {"maxPending": 7}})
        await eventually(lambda: running.policies.names().count(policy) > policies)
        # A request that is prepared has its own snapshot: a policy's edit is nothing to it.
        assert cycles() == count


async def test_a_change_of_the_wall_is_told_at_once(cluster: Cluster, namespace: str, start: Start) -> None:
    changes: list[int] = []
    async with await start(on_wall_change=lambda: changes.append(1)) as running:
        await acting(running)
        name = f"wall-{namespace}"
        body = {
            "metadata": {"name": name, "labels": {"app.kubernetes.io/part-of": "gatehold"}},
            "spec": {
                "failurePolicy": "Fail",
                "matchConstraints": {
                    "resourceRules": [
                        {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}
                    ]
                },
                "validations": [{"expression": "true"}],
            },
        }
        await cluster.create(VAP, None, body)
        await eventually(lambda: changes)
        count = len(changes)
        await cluster.delete(VAP, None, name)
        await eventually(lambda: len(changes) > count)


async def test_what_is_decided_or_due_goes_first_at_take_over(cluster: Cluster, namespace: str, start: Start) -> None:
    for number in range(20):
        await cluster.create(REQUESTS, namespace, request_body(f"idle-{number}", namespace))
    for name in ("decided", "due"):
        await cluster.create(REQUESTS, namespace, request_body(name, namespace))
    digest = "sha256:" + "0" * 64
    await patch_status(cluster, namespace, "decided", {"phase": "Pending", "requestDigest": digest})
    await patch_status(cluster, namespace, "decided", {"phase": "Approved"})
    await patch_status(
        cluster, namespace, "due", {"phase": "Pending", "requestDigest": digest, "deadline": "2020-01-01T00:00:00Z"}
    )
    async with await start(workers=1) as running:
        await eventually(lambda: len(running.requests.names()) >= 23)
        assert set(running.requests.names()[:2]) == {"decided", "due"}


async def test_a_recheck_in_server_time_brings_the_key_back(cluster: Cluster, namespace: str, start: Start) -> None:
    async def act(key: Key) -> datetime | None:
        names = running.requests.names()
        soon = running.runtime.clock.timestamp() + 0.3
        return datetime.fromtimestamp(soon, UTC) if names.count(key.name) == 1 else None

    async with await start(act=act) as running:
        await acting(running)
        await cluster.create(REQUESTS, namespace, request_body("r", namespace))
        await eventually(lambda: running.requests.names().count("r") >= 2)


async def test_one_replica_acts_and_a_graceful_end_hands_over_at_once(
    cluster: Cluster, namespace: str, replica: StartReplica
) -> None:
    terms = {"lease_seconds": 600.0, "lease_renew_seconds": 400.0}
    first = replica(**terms)
    await eventually(first.operator.acting.is_set)
    second = replica(**terms)
    await eventually(second.operator.feeding.synced.is_set)
    await cluster.create(REQUESTS, namespace, request_body("r", namespace))
    await eventually(lambda: "r" in first.requests.names())
    uid = next(key.uid for key in first.requests.keys if (key.namespace, key.name) == (namespace, "r"))
    await eventually(lambda: uid in second.runtime.requests)
    assert second.requests.keys == []
    assert not second.runtime.is_leader()
    await eventually(lambda: second.operator.elector._seen_version)
    first.ask_to_end()
    await eventually(lambda: not first.thread.is_alive())
    # what is tested is that it was handed over, not how fast (the benchmark's work): after a crash the Lease lasts longer
    await eventually(second.operator.acting.is_set)
    await eventually(lambda: "r" in second.requests.names())


async def test_a_leader_that_hangs_is_replaced(
    cluster: Cluster, namespace: str, replica: StartReplica, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The default terms, and a leader whose loop stands still: it can give nothing away, and may do nothing afterwards."""
    terms = {"lease_seconds": 10.0, "lease_renew_seconds": 7.0}
    monkeypatch.setattr("gatehold.runtime.operator.HANG_SECONDS", 600.0)  # the process that would end is this one
    first = replica(**terms, watchdog_seconds=600.0)
    await eventually(first.operator.acting.is_set)
    second = replica(**terms)
    await eventually(lambda: second.operator.elector._seen_version)
    hung = threading.Event()
    first.loop.call_soon_threadsafe(hung.wait)
    try:
        await eventually(second.operator.acting.is_set)
        before, after = first.operator.elector, second.operator.elector
        assert not before.is_leader()
        assert after._renewed >= before._renewed + 7.0  # never before the hung one has stopped by its own clock
        told = [each.operator.metrics.registry.get_sample_value("gatehold_leader") for each in (first, second)]
        assert told == [0, 1]  # before the hung one has come to any end of its own
    finally:
        hung.set()
    await eventually(lambda: not first.thread.is_alive())
    assert isinstance(first.error, LeadershipLost)


async def test_work_under_way_is_finished_before_the_lease_is_given_away(
    cluster: Cluster, namespace: str, start: Start
) -> None:
    entered, leave = asyncio.Event(), asyncio.Event()
    holders: list[str] = []

    async def act(key: Key) -> datetime | None:
        if key.name == "slow":
            entered.set()
            await leave.wait()
            holders.append((await cluster.get(LEASES, namespace, "gatehold-operator"))["spec"]["holderIdentity"])
        return None

    async with await start(act=act, drain_seconds=60.0) as running:
        await acting(running)
        await cluster.create(REQUESTS, namespace, request_body("slow", namespace))
        await asyncio.wait_for(entered.wait(), 60)
        running.stop.set()
        await eventually(lambda: not running.operator.router.acting)
        leave.set()
        await running.task
        assert holders == [running.operator.identity]
        assert (await cluster.get(LEASES, namespace, "gatehold-operator"))["spec"].get("holderIdentity", "") == ""


async def test_sigterm_is_ours_though_kopf_takes_it(namespace: str, start: Start) -> None:
    async with await start() as running:
        await acting(running)
        await live_or_ready(running)
        await asyncio.sleep(0)
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.wait_for(running.task, 60)
        assert running.stop.is_set()  # kopf's own handler would end kopf, and with that part the process


async def test_a_lost_lease_ends_the_process(cluster: Cluster, namespace: str, start: Start) -> None:
    async with await start() as running:
        await acting(running)
        await cluster.merge_patch(LEASES, namespace, "gatehold-operator", {"spec": {"holderIdentity": "thief"}})
        with pytest.raises(LeadershipLost):
            await asyncio.wait_for(running.task, 60)
        assert not running.runtime.is_leader()
        assert (await cluster.get(LEASES, namespace, "gatehold-operator"))["spec"]["holderIdentity"] == "thief"


async def test_an_event_that_comes_in_a_moment_without_the_lease_is_not_lost(
    cluster: Cluster, namespace: str, start: Start
) -> None:
    async with await start() as running:
        await acting(running)
        await live(running)
        workers, caches = running.operator.workers, running.runtime.requests
        may_act, workers._may_act = workers._may_act, lambda: False
        made = await cluster.create(REQUESTS, namespace, request_body("meanwhile", namespace))
        await eventually(lambda: made["metadata"]["uid"] in caches)
        await eventually(lambda: len(running.operator.queue) == 0 and running.operator.queue.processing == 0)
        assert "meanwhile" not in running.requests.names()
        workers._may_act = may_act
        await eventually(lambda: "meanwhile" in running.requests.names())


async def test_health_readiness_and_metrics(cluster: Cluster, namespace: str, start: Start) -> None:
    async with await start() as running:
        await acting(running)
        base = f"http://127.0.0.1:{running.operator.site.port}"
        async with aiohttp.ClientSession() as session:

            async def text(path: str) -> tuple[int, str]:
                async with session.get(base + path) as answer:
                    return answer.status, await answer.text()

            assert await text("/healthz") == (200, "ok\n")

            async def ready() -> bool:
                return (await text("/readyz")) == (200, "synced: ok\nwatching: ok\n")

            await eventually(ready)
            status, body = await text("/metrics")
        assert status == 200
        assert "gatehold_leader 1.0" in body
        assert "gatehold_synced 1.0" in body
        assert 'gatehold_requests{phase="New"}' in body
        assert "gatehold_oldest_pending_seconds" in body


async def test_our_own_pulse_is_no_work(cluster: Cluster, namespace: str, start: Start) -> None:
    async with await start(heartbeat_seconds=0.2) as running:
        await acting(running)
        await eventually(lambda: PROBE in running.requests.names())

        async def beaten() -> bool:
            body = await cluster.get(REQUESTS, namespace, PROBE)
            return bool(body["metadata"].get("annotations", {}).get("gatehold.dev/heartbeat"))

        await eventually(beaten)
        await live(running)
        before = running.operator.heartbeat._seen
        count = running.requests.names().count(PROBE)
        await eventually(lambda: int(running.operator.heartbeat._seen or 0) > int(before or 0) + 3)
        assert running.requests.names().count(PROBE) <= count + 1


async def test_periodic_work_runs_fails_and_comes_again(
    namespace: str, start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    """An API server that is away is said in one line; only a slip of our own leaves a traceback."""
    turns: list[int] = []
    errors: list[Exception] = [Unavailable("away"), RuntimeError("once")]

    async def work() -> None:
        turns.append(1)
        if errors:
            raise errors.pop()

    async with await start(periodics=(Periodic("prove", 0.05, work),)) as running:
        await acting(running)
        await eventually(lambda: len(turns) >= 4)
        value = running.operator.metrics.registry.get_sample_value("gatehold_periodic_errors_total", {"name": "prove"})
        assert value == 2
    said = [record for record in caplog.records if record.getMessage().startswith("prove failed")]
    assert [(record.levelname, record.exc_info is not None) for record in said] == [("ERROR", True), ("WARNING", False)]


async def test_an_api_server_that_dies_and_comes_back_is_served_on(
    plane: ControlPlane, cluster: Cluster, namespace: str, start: Start
) -> None:
    async with await start(lease_seconds=600.0, lease_renew_seconds=400.0) as running:
        await acting(running)
        await cluster.create(REQUESTS, namespace, request_body("r", namespace))
        await eventually(lambda: "r" in running.requests.names())
        await live(running)
        await asyncio.to_thread(plane.restart, "kube-apiserver")
        count = running.requests.names().count("r")

        async def patched() -> bool:
            try:
                await cluster.merge_patch(REQUESTS, namespace, "r", {"metadata": {"annotations": {"a": "b"}}})
            except ApiError:
                return False
            return True

        await eventually(patched)
        await eventually(lambda: running.requests.names().count("r") > count)


async def test_nothing_is_left_behind(namespace: str, start: Start) -> None:
    before = asyncio.all_tasks()
    async with await start() as running:
        await acting(running)
        await live_or_ready(running)
        await running.end()
        # kopf is given a second to close its watches, and on a busy machine some need longer
        await eventually(lambda: asyncio.all_tasks() - before == set())


async def live_or_ready(running: Running) -> None:
    await asyncio.wait_for(running.operator.feeding.kopf.ready.wait(), 60)
