"""Where the webhook's certificate comes from: files that change, and Secrets that are renewed only where they are ours."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from gatehold.admission.certificates import Pair, facts, issue, make_authority, of_secret, secret_data
from gatehold.controllers.certificates import CERT_MANAGER, Certificates
from gatehold.kube.errors import Absent, Conflict, Forbidden
from gatehold.settings import Settings
from gatehold.telemetry.metrics import Metrics

NOW = datetime.now(UTC).replace(microsecond=0)
CA = make_authority(NOW)
LEAF, CA_SECRET = "gatehold-webhook-tls", "gatehold-webhook-ca"


class Cluster:
    """Secrets as the API server would keep them."""

    def __init__(self, **bodies: Any) -> None:
        self.bodies = {name.replace("_", "-"): body for name, body in bodies.items()}
        self.written: list[Any] = []
        self.conflict = False

    async def get(self, _: Any, namespace: str, name: str) -> Any:
        assert namespace == "gatehold-system"
        if name not in self.bodies:
            raise Absent("none")
        return dict(self.bodies[name])

    async def replace(self, _: Any, namespace: str, body: Any) -> Any:
        if self.conflict:
            raise Conflict("somebody was faster")
        assert body["metadata"]["resourceVersion"]
        self.written.append(body)
        self.bodies[body["metadata"]["name"]] = body
        return body


def secret(name: str, pair: Pair, ca: bytes = b"", **annotations: str) -> dict[str, Any]:
    meta = {"name": name, "resourceVersion": "7", "annotations": annotations}
    return {"metadata": meta, "type": "kubernetes.io/tls", "data": secret_data(pair, ca)}


def made(cluster: Any = None, *, leads: bool = True, now: datetime = NOW, **settings: Any) -> tuple[Certificates, Any]:
    runtime: Any = SimpleNamespace(
        settings=Settings(webhook_port=0, **settings),
        cluster=cluster,
        clock=SimpleNamespace(now=lambda: now),
        metrics=Metrics(),
        is_leader=lambda: leads,
    )
    used: list[Pair] = []
    runtime.used = used
    return Certificates(runtime, used.append), runtime


def expiry(runtime: Any) -> float:
    return float(runtime.metrics.registry.get_sample_value("gatehold_webhook_certificate_expiry_seconds"))


async def test_files_are_read_again_when_they_change(tmp_path: Path) -> None:
    certificates, runtime = made(webhook_cert_dir=str(tmp_path))
    await certificates.read()
    assert (runtime.used, expiry(runtime)) == ([], 0.0)
    for days in (90, 30):
        pair = issue(CA, ["127.0.0.1"], NOW, days)
        (tmp_path / "tls.crt").write_bytes(pair.certificate)
        (tmp_path / "tls.key").write_bytes(pair.key)
        await certificates.read()
        await certificates.read()
        assert runtime.used[-1] == pair
        assert expiry(runtime) == days * 86_400
    assert len(runtime.used) == 2
    (tmp_path / "tls.key").write_bytes(CA.key)  # the files are replaced one after the other
    await certificates.read()
    assert len(runtime.used) == 2
    await certificates.renew()


async def test_a_certificate_goes_on_to_end_though_it_cannot_be_read_any_more() -> None:
    cluster, now = Cluster(), [NOW]
    cluster.bodies[LEAF] = secret(LEAF, issue(CA, ["127.0.0.1"], NOW))
    certificates, runtime = made(cluster)
    runtime.clock.now = lambda: now[0]
    await certificates.read()
    cluster.get = refusing
    now[0] += timedelta(days=89)
    with pytest.raises(Forbidden):
        await certificates.read()
    assert expiry(runtime) == 86_400


async def refusing(*_: Any) -> Any:
    raise Forbidden("not any more")


async def test_a_secret_is_taken_as_it_is_and_a_bad_one_is_not(caplog: pytest.LogCaptureFixture) -> None:
    good = issue(CA, ["127.0.0.1"], NOW)
    cluster = Cluster()
    certificates, runtime = made(cluster)
    await certificates.read()
    assert "run `gatehold certs init`" in caplog.text
    cluster.bodies[LEAF] = secret(LEAF, good)
    await certificates.read()
    cluster.bodies[LEAF] = {"metadata": {"name": LEAF}, "data": {"tls.crt": "!"}}
    await certificates.read()
    await certificates.read()
    assert runtime.used == [good]
    assert caplog.text.count("not usable") == 1
    assert "PRIVATE" not in caplog.text


LATE = NOW + timedelta(days=61)


async def test_the_leader_renews_what_is_ours_after_two_thirds() -> None:
    old = issue(CA, ["gatehold.gatehold-system.svc", "127.0.0.1"], NOW)
    cluster = Cluster(gatehold_webhook_tls=secret(LEAF, old, CA.certificate), gatehold_webhook_ca=secret(CA_SECRET, CA))
    certificates, _ = made(cluster, now=NOW + timedelta(days=59))
    await certificates.renew()
    assert cluster.written == []
    certificates, runtime = made(cluster, now=LATE)
    await certificates.renew()
    (body,) = cluster.written
    found = facts(of_secret(body["data"]).certificate)
    assert (found.hosts, found.not_after) == (facts(old.certificate).hosts, LATE + timedelta(days=90))
    assert body["data"]["ca.crt"] == secret_data(CA, CA.certificate)["ca.crt"]
    await certificates.renew()
    assert len(cluster.written) == 1
    await certificates.read()
    assert runtime.used == [of_secret(body["data"])]


@pytest.mark.parametrize("case", ["standby", "cert-manager", "no CA", "another CA", "no leaf", "files", "faster", "junk"])
async def test_nobody_else_s_is_ever_written(case: str, tmp_path: Path) -> None:
    signer = make_authority(NOW) if case == "another CA" else CA
    marks = {CERT_MANAGER: "webhook"} if case == "cert-manager" else {}
    cluster = Cluster()
    if case != "no leaf":
        cluster.bodies[LEAF] = secret(LEAF, issue(signer, ["x"], NOW), **marks)
    if case == "junk":
        cluster.bodies[LEAF]["data"]["tls.crt"] = "eA=="
    if case != "no CA":
        cluster.bodies[CA_SECRET] = secret(CA_SECRET, CA)
    cluster.conflict = case == "faster"
    more = {"webhook_cert_dir": str(tmp_path)} if case == "files" else {}
    certificates, _ = made(cluster, leads=case != "standby", now=LATE, **more)
    await certificates.renew()
    assert cluster.written == []
