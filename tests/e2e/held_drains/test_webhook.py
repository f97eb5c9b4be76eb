"""The webhook itself: cold, slow, down, twice, and not there."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from controlplane import ControlPlane, wait_until
from playground import Launch, OperatorProcess
from tests.e2e.drains.yard import is_cordoned
from tests.e2e.held_drains import cold
from tests.e2e.held_drains.balancer import Balancer
from tests.e2e.held_drains.doors import DOWN, port_of, until_listening, until_proven, until_ready
from tests.e2e.held_drains.hall import Hall, address, certs_init, with_webhook
from tests.e2e.held_drains.load import Load
from tests.e2e.operators import freeze, metric, site, thaw
from tests.e2e.stage import condition


@pytest.fixture
def alone(hall_operator: OperatorProcess) -> Iterator[int]:
    """The hall's operator is down meanwhile; answers its webhook's port."""
    assert hall_operator.stop() == 0
    yield port_of(hall_operator)
    hall_operator.start()
    until_ready(hall_operator)


def test_it_is_ready_and_proven_and_tells_what_it_answers(hall: Hall, hall_operator: OperatorProcess) -> None:
    hall.held(count=1)
    until_ready(hall_operator)
    until_proven(hall_operator)
    gate = f"/apis/gatehold.dev/v1alpha1/gates/gate-{hall.namespace}"
    wait_until(lambda: condition(hall.api().get(gate) or {}, "Ready") == ("True", "PolicyFound"), "the gate is ready", 60)
    expiry = metric(hall_operator, "gatehold_webhook_certificate_expiry_seconds")
    assert expiry is not None and 80 * 86_400 < expiry <= 90 * 86_400
    assert metric(hall_operator, 'gatehold_evictions_total{answer="probe"}')
    hall.until_evicts("n-0", 201)
    assert metric(hall_operator, 'gatehold_evictions_total{answer="allowed"}')


def test_a_cold_one_holds_everything_and_then_judges(
    hall: Hall, hall_plane: ControlPlane, tmp_path: Path, alone: int
) -> None:
    blocker = tmp_path / "cold"
    blocker.touch()
    launch = Launch("tests.e2e.held_drains.cold", {cold.FILE: str(blocker)})
    process = with_webhook(hall_plane, "gatehold-cold", alone, launch)
    try:
        process.start()
        hall.node("free")
        hall.pod("anybody", "free")
        wait_until(lambda: hall.evict("anybody")[0] == 429, "it answers", 90)
        assert "held by gatehold, try again: " in hall.evict("anybody")[1]
        code, text = site(process, "/readyz")
        assert (code, "webhook: not yet" in text) == (503, True), text
        drain = hall.kubectl_drain(f"{hall.namespace}-free")
        drain.until_says("not all pods are known yet")
        assert drain.waits
        blocker.unlink()
        assert drain.ends() == 0  # the node has no gate
        until_ready(process)
    finally:
        process.kill()
        hall_plane.kubectl("-n", "gatehold-system", "delete", "lease", "gatehold-operator", "--ignore-not-found")


def test_a_slow_one_lets_nothing_pass(hall: Hall, hall_operator: OperatorProcess) -> None:
    node = hall.held(count=1)
    hall.kubectl_drain(node).until_says("holds the drain")
    hall.asked()
    hall.end_drains()
    freeze(hall_operator)
    try:
        drain = hall.kubectl_drain(node)
        assert drain.ends() == 1
        assert DOWN in drain.said
        assert "?timeout=5s" in drain.said  # no longer than that
    finally:
        thaw(hall_operator)
    assert len(hall.pods_on("n")) == 1
    again = hall.kubectl_drain(node)
    again.until_says("is pending")


def test_one_that_is_down_refuses_in_both_modes_and_comes_back(hall: Hall, hall_operator: OperatorProcess) -> None:
    node = hall.held(count=1)
    gate = hall.node_of("n")["metadata"]["labels"]["gatehold.dev/drain"]
    hall.node("deny", gate=gate)
    hall.until_mode("deny", "Hold")
    drain = hall.kubectl_drain(node)
    asked = hall.asked()
    hall.end_drains()
    assert hall_operator.stop() == 0
    try:
        hall.change_node("deny", {"metadata": {"labels": {"gatehold.dev/drain-mode": None}}})
        denied = hall.kubectl_drain(f"{hall.namespace}-deny")
        assert denied.ends() in (0, 1)
        assert f"gate {gate} guards node" in denied.said  # the cordon: by the wall alone
        assert not is_cordoned(hall.node_of("deny"))
        drain = hall.kubectl_drain(node)
        assert drain.ends() == 1
        assert DOWN in drain.said
        assert len(hall.pods_on("n")) == 1
        # whoever is allowed to say yes may do so meanwhile
        hall.say("alice", asked["metadata"]["name"], "approve")
    finally:
        hall_operator.start()
        until_ready(hall_operator)
    hall.until_phase(asked["metadata"]["name"], "Approved", "Released")
    drain = hall.kubectl_drain(node)
    assert drain.ends() == 0


def test_two_replicas_answer_for_each_other(hall: Hall, hall_plane: ControlPlane, alone: int) -> None:
    ports = (hall_plane.reserve_port(), hall_plane.reserve_port())
    replicas = [with_webhook(hall_plane, f"gatehold-twin-{n}", port) for n, port in enumerate(ports)]
    hall.operator = replicas[0]
    with Balancer(ports) as service:
        try:
            for replica in replicas:
                replica.start()
                until_listening(port_of(replica))
            certs_init(hall_plane, f"https://127.0.0.1:{service.port}/evict")
            for replica in replicas:
                until_ready(replica)
            node = hall.held(count=4)
            drain = hall.kubectl_drain(node)
            asked = hall.asked()
            with Load(hall, "n-0", people=8):
                wait_until(lambda: all(map(_holds, replicas)), "both have heard of it", 60)
            with Load(hall, "n-0", people=8) as load:
                load.more(200)
            assert load.odd == []  # whichever is asked, it knows the one question
            assert address(asked) in hall.evict("n-0")[1]
            assert len(hall.questions()) == 1
            _one_ends_under_load(hall, replicas)
            hall.say("alice", asked["metadata"]["name"], "approve")
            assert drain.ends() == 0, drain.said
            assert len(hall.questions()) == 1
        finally:
            hall.end_drains()
            for replica in replicas:
                if replica.code() is None:
                    replica.kill()
            hall_plane.kubectl("-n", "gatehold-system", "delete", "lease", "gatehold-operator", "--ignore-not-found")
            certs_init_later(hall_plane, alone)


def certs_init_later(cluster: ControlPlane, port: int) -> None:
    """Point back at the hall's operator, which is started after this; so nothing answers yet."""
    patch = [{"op": "replace", "path": "/webhooks/0/clientConfig/url", "value": f"https://127.0.0.1:{port}/evict"}]
    cluster.kubectl("patch", "validatingwebhookconfiguration", "gatehold-evictions", "--type=json", "-p", json.dumps(patch))


def _one_ends_under_load(hall: Hall, replicas: list[OperatorProcess]) -> None:
    """The leader ends in order; what was asked of it is answered, and the other goes on."""
    with Load(hall, "n-0") as load:
        load.more(50)
        assert replicas[0].stop() == 0
        load.more(50)
    assert load.odd == []
    hall.operator = replicas[1]


def _holds(replica: OperatorProcess) -> bool:
    """Whether it has answered somebody by the question that is open."""
    return bool(metric(replica, 'gatehold_evictions_total{answer="held"}'))


def test_an_exempt_account_is_not_held(hall: Hall, hall_plane: ControlPlane, hall_operator: OperatorProcess) -> None:
    hall.held(count=1)
    hall.change_node("n", {"spec": {"unschedulable": True}})
    hall.until_evicts("n-0", 429, "oscar", "holds the drain", dryRun=["All"])
    url = f"https://127.0.0.1:{port_of(hall_operator)}/evict"
    try:
        certs_init(hall_plane, url, "--exempt", "oscar")
        hall.until_evicts("n-0", 201, "oscar", dryRun=["All"])
        assert hall.evict("n-0", "olga")[0] == 429
        until_proven(hall_operator)
    finally:
        certs_init(hall_plane, url, "--exempt", "")
        wait_until(lambda: hall.evict("n-0", "oscar", dryRun=["All"])[0] == 429, "oscar is not exempt any more", 60)


def test_without_the_configuration_its_nodes_go_back_to_deny(
    hall: Hall, hall_plane: ControlPlane, hall_operator: OperatorProcess
) -> None:
    hall.held(count=1)
    name = "gatehold-evictions"
    before = json.loads(hall_plane.kubectl("get", "validatingwebhookconfiguration", name, "-o", "json").stdout)
    gate = f"/apis/gatehold.dev/v1alpha1/gates/gate-{hall.namespace}"
    try:
        for spoil, reason in ((_lenient, "WebhookNotProven"), (_delete, "WebhookNotInstalled")):
            spoil(hall_plane)
            hall.until_mode("n", "")

            def said(reason: str = reason) -> bool:
                return condition(hall.api().get(gate) or {}, "Ready") == ("False", reason)

            wait_until(said, f"the gate says {reason}", 60)
    finally:
        kept = ("name", "labels")
        before["metadata"] = {key: before["metadata"][key] for key in kept}
        _delete(hall_plane)
        hall_plane.kubectl("create", "-f", "-", stdin=json.dumps(before))
    hall.until_mode("n", "Hold")


def _lenient(cluster: ControlPlane) -> None:
    patch = [{"op": "replace", "path": "/webhooks/0/failurePolicy", "value": "Ignore"}]
    named = ("validatingwebhookconfiguration", "gatehold-evictions")
    cluster.kubectl("patch", *named, "--type=json", "-p", json.dumps(patch))


def _delete(cluster: ControlPlane) -> None:
    cluster.kubectl("delete", "validatingwebhookconfiguration", "gatehold-evictions", "--ignore-not-found")
