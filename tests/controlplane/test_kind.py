"""A cluster we did not make gives the same interface: people by certificate request, fake nodes by our kwok.

The stand-in for kind is a control plane without kwok, reached through its admin's kubeconfig only.
"""

import json
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from controlplane import Component, ControlPlane, ControlPlaneError, provider
from controlplane.kind import KindCluster
from controlplane.provider import Embedded, Kind


@pytest.fixture(scope="module")
def foreign() -> Iterator[ControlPlane]:
    """Somebody else's cluster."""
    with ControlPlane.start(components=set(Component) - {Component.KWOK}) as running:
        yield running


@pytest.fixture(scope="module")
def adopted(foreign: ControlPlane) -> Iterator[KindCluster]:
    """The same cluster as our tests would see it."""
    with KindCluster.connect(foreign.admin_kubeconfig, nodes=1) as cluster:
        yield cluster


def test_people_come_by_certificate_request(adopted: KindCluster) -> None:
    adopted.user("alice", "sre")
    me = json.loads(adopted.kubectl("auth", "whoami", "-o", "json", user="alice").stdout)["status"]["userInfo"]
    assert (me["username"], me["groups"]) == ("alice", ["sre", "system:authenticated"])


def test_an_operator_has_its_pod(adopted: KindCluster) -> None:
    identity = adopted.mint_pod_bound_token("gatehold-system", "gatehold")
    text = adopted.kubectl("auth", "whoami", "-o", "json", user=identity.kubeconfig).stdout
    assert json.loads(text)["status"]["userInfo"]["extra"]["authentication.kubernetes.io/pod-name"] == [identity.pod]


def test_pods_run_on_fake_nodes(adopted: KindCluster) -> None:
    adopted.kubectl("run", "web", "--image=web:2")
    adopted.kubectl("wait", "pod/web", "--for=condition=Ready", "--timeout=90s", timeout=100)


def test_it_is_given_back_as_it_was_found(foreign: ControlPlane) -> None:
    before = foreign.kubectl("get", "nodes", "-o", "name").stdout
    with KindCluster.connect(foreign.admin_kubeconfig, nodes=2) as cluster:
        assert foreign.kubectl("get", "nodes", "-o", "name").stdout != before
    assert foreign.kubectl("get", "nodes", "-o", "name").stdout == before
    assert not cluster.directory.exists()


def test_the_embedded_one_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GATEHOLD_CLUSTER", raising=False)
    assert isinstance(provider(_plugin_must_not_be_asked), Embedded)


def test_kind_without_docker_says_so_and_does_not_ask_the_plugin(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GATEHOLD_CLUSTER", "kind")
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(ControlPlaneError, match="needs a running Docker"):
        provider(_plugin_must_not_be_asked).cluster()


def test_kind_with_docker_uses_the_plugin(
    foreign: ControlPlane, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    monkeypatch.setenv("GATEHOLD_CLUSTER", "kind")
    docker = tmp_path_factory.mktemp("bin") / "docker"
    docker.write_text("#!/bin/sh\nexit 0\n")
    docker.chmod(0o755)
    monkeypatch.setenv("PATH", str(docker.parent), prepend=":")
    chosen = provider(
        {"kind_cluster": SimpleNamespace(kubeconfig_path=foreign.admin_kubeconfig)}.__getitem__,
        nodes=1,
    )
    assert isinstance(chosen, Kind)
    with chosen.cluster() as cluster:
        assert cluster.server == foreign.server


def test_an_unknown_provider_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEHOLD_CLUSTER", "minikube")
    with pytest.raises(ControlPlaneError, match="set it to embedded or kind"):
        provider(_plugin_must_not_be_asked)


def _plugin_must_not_be_asked(name: str) -> None:
    raise AssertionError(name)
