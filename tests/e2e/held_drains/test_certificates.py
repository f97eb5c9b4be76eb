"""The webhook's certificate on a real API server: wrong, unfit, renewed in time and under load."""

import base64
import json
from datetime import UTC, datetime, timedelta

from controlplane import ControlPlane, wait_until
from gatehold.admission.certificates import Pair, facts, issue, make_authority, of_secret, secret_data
from playground import OperatorProcess
from tests.e2e.held_drains.doors import DOWN, port_of, served, until_proven, until_ready
from tests.e2e.held_drains.hall import Hall
from tests.e2e.held_drains.load import Load
from tests.e2e.operators import site, until_acting
from tests.e2e.stage import Body
from tests.prometheus import INACTIVE, Scrape, firing, sees, spec

LEAF, CA = "gatehold-webhook-tls", "gatehold-webhook-ca"


def secret(cluster: ControlPlane, name: str) -> Body:
    found: Body = json.loads(cluster.kubectl("-n", "gatehold-system", "get", "secret", name, "-o", "json").stdout)
    return found


def put_pair(cluster: ControlPlane, pair: Pair, ca: bytes) -> None:
    body = secret(cluster, LEAF)
    body["data"] = secret_data(pair, ca)
    cluster.kubectl("replace", "-f", "-", stdin=json.dumps(body))


def authority(cluster: ControlPlane) -> Pair:
    return of_secret(secret(cluster, CA)["data"])


def test_a_wrong_certificate_lets_nothing_pass(hall: Hall, hall_plane: ControlPlane, hall_operator: OperatorProcess) -> None:
    node = hall.held(count=1)
    hall.kubectl_drain(node).until_says("holds the drain")
    hall.end_drains()
    port, good, now = port_of(hall_operator), secret(hall_plane, LEAF), datetime.now(UTC)
    strange = make_authority(now)
    before = served(port)
    try:
        put_pair(hall_plane, issue(strange, ["127.0.0.1"], now, days=3), strange.certificate)
        wait_until(lambda: served(port) != before, "the strange certificate is served", 60)
        # connections that are open stay good: only new ones meet the strange certificate
        assert hall_operator.stop() == 0
        hall_operator.start()
        until_ready(hall_operator)
        until_acting(hall_operator)
        wrong = site(hall_operator, "/metrics")[1]
        drain = hall.kubectl_drain(node)
        assert drain.ends() == 1
        assert DOWN in drain.said
        assert "certificate signed by unknown authority" in drain.said
        assert len(hall.pods_on("n")) == 1
    finally:
        body = secret(hall_plane, LEAF)
        body["data"] = good["data"]
        hall_plane.kubectl("replace", "-f", "-", stdin=json.dumps(body))
    wait_until(lambda: served(port) == before, "the good one is served again", 60)
    until_proven(hall_operator)
    hall.until_mode("n", "Hold")
    hall.kubectl_drain(node).until_says("holds the drain")
    told = sees(spec(), [Scrape(0, "a", wrong), Scrape(900, "a", site(hall_operator, "/metrics")[1])], 30)
    alerts = {"GateholdCertificateNearEnd": 600, "GateholdWebhookNotProven": 300}
    assert (firing(told), {one.alert for one in told if (one.at, one.state) == (900, INACTIVE)}) == (alerts, set(alerts))


def test_a_pair_that_does_not_go_together_is_not_served(
    hall: Hall, hall_plane: ControlPlane, hall_operator: OperatorProcess
) -> None:
    port, good = port_of(hall_operator), secret(hall_plane, LEAF)
    before, ca = served(port), authority(hall_plane)
    other = issue(ca, ["127.0.0.1"], datetime.now(UTC))
    try:
        put_pair(hall_plane, Pair(other.certificate, of_secret(good["data"]).key), ca.certificate)
        wait_until(lambda: "the key is not that of the certificate" in hall_operator.log(100), "it says so", 60)
        assert served(port) == before
        assert "PRIVATE" not in hall_operator.log(100_000)
    finally:
        put_pair(hall_plane, of_secret(good["data"]), ca.certificate)


def test_certificates_change_under_load_without_a_failed_call(
    hall: Hall, hall_plane: ControlPlane, hall_operator: OperatorProcess
) -> None:
    hall.held(count=1)
    hall.change_node("n", {"spec": {"unschedulable": True}})
    wait_until(lambda: "holds the drain" in hall.evict("n-0", dryRun=["All"])[1], "the cordon is known", 60)
    ca, port = authority(hall_plane), port_of(hall_operator)
    with Load(hall, "n-0") as load:
        for _ in range(3):
            fresh = issue(ca, ["127.0.0.1"], datetime.now(UTC))
            put_pair(hall_plane, fresh, ca.certificate)
            digest = facts(fresh.certificate).digest
            wait_until(lambda digest=digest: served(port) == digest, "the new one is served", 60)
        load.more(100)
    assert load.odd == []


def test_the_leader_renews_a_leaf_in_time(hall_plane: ControlPlane, hall: Hall, hall_operator: OperatorProcess) -> None:
    ca, port = authority(hall_plane), port_of(hall_operator)
    old = issue(ca, ["127.0.0.1"], datetime.now(UTC), days=0.001)  # 86 seconds: due after 57, and from the skew at once
    put_pair(hall_plane, old, ca.certificate)

    def renewed() -> bool:
        found = facts(base64.b64decode(secret(hall_plane, LEAF)["data"]["tls.crt"]))
        return found.digest != facts(old.certificate).digest and found.not_after > datetime.now(UTC) + timedelta(days=80)

    wait_until(renewed, "the leader has renewed it", 180)
    found = facts(base64.b64decode(secret(hall_plane, LEAF)["data"]["tls.crt"]))
    assert found.hosts == ("127.0.0.1",)
    wait_until(lambda: served(port) == found.digest, "it is served", 60)
    assert secret(hall_plane, CA)["data"] == secret_data(ca)
