"""A control plane answers, knows its people, and plays nodes, pods and Jobs."""

import json
import threading
from typing import Any

import pytest

from controlplane import (
    API_ONLY,
    Component,
    ControlPlane,
    ControlPlaneError,
    KubectlError,
    wait_until,
)


def test_it_is_the_pinned_version(plane: ControlPlane) -> None:
    version = json.loads(plane.kubectl("version", "-o", "json").stdout)
    assert version["serverVersion"]["gitVersion"] == version["clientVersion"]["gitVersion"] == "v1.36.3"
    assert (version["serverVersion"]["major"], version["serverVersion"]["minor"]) == ("1", "36")


def test_a_user_is_who_the_certificate_names(plane: ControlPlane) -> None:
    plane.user("alice", "sre", "duty")
    me = _whoami(plane, "alice")
    assert me["username"] == "alice"
    assert set(me["groups"]) == {"sre", "duty", "system:authenticated"}


def test_people_have_no_rights_but_those_given(plane: ControlPlane, namespace: str) -> None:
    plane.user("bob", "sre")
    with pytest.raises(KubectlError) as refused:
        plane.kubectl("get", "pods", f"--namespace={namespace}", user="bob")
    assert 'User "bob" cannot list resource "pods"' in refused.value.stderr
    plane.kubectl(
        "create",
        "rolebinding",
        "b",
        "--clusterrole=view",
        "--group=sre",
        f"--namespace={namespace}",
    )
    wait_until(
        lambda: plane.kubectl("get", "pods", f"--namespace={namespace}", user="bob", check=False).returncode == 0,
        "the role binding taking effect",
        60,
    )


def test_same_name_with_other_groups_leaves_the_first_kubeconfig_alone(plane: ControlPlane) -> None:
    first, second = plane.user("erin", "sre"), plane.user("erin", "finance")
    assert first != second
    assert plane.user("erin", "sre") == first
    assert json.loads(plane.kubectl("auth", "whoami", "-o", "json", user=second).stdout)


def test_unknown_user_is_told_how_to_exist(plane: ControlPlane) -> None:
    with pytest.raises(ControlPlaneError, match=r"make them with user\('nobody'"):
        plane.kubectl("get", "pods", user="nobody")


def test_a_job_completes(plane: ControlPlane, namespace: str) -> None:
    _create_job(plane, namespace)
    plane.kubectl("wait", "job/work", "--for=condition=Complete", f"--namespace={namespace}", "--timeout=90s", timeout=100)


def test_a_job_that_fails_is_failed(plane: ControlPlane, namespace: str) -> None:
    _create_job(plane, namespace, fake="fails")
    plane.kubectl("wait", "job/work", "--for=condition=Failed", f"--namespace={namespace}", "--timeout=90s", timeout=100)
    (pod,) = _pods(plane, namespace)
    assert pod["status"]["containerStatuses"][0]["state"]["terminated"]["exitCode"] == 1


def test_a_job_that_runs_keeps_running_while_others_complete(plane: ControlPlane, namespace: str) -> None:
    _create_job(plane, namespace, fake="runs", name="runs")
    wait_until(lambda: _ready(plane, namespace) == _active(plane, namespace, "runs") == 1, "the pod of the running Job", 90)
    _create_job(plane, namespace, name="after")  # begun later and complete: the other one had its time too
    plane.kubectl("wait", "job/after", "--for=condition=Complete", f"--namespace={namespace}", "--timeout=90s", timeout=100)
    status = json.loads(plane.kubectl("get", "job/runs", "-o", "json", f"--namespace={namespace}").stdout)["status"]
    assert status["active"] == 1
    assert not status.get("succeeded")
    plane.kubectl(
        "patch",
        "job/runs",
        f"--namespace={namespace}",
        "--type=merge",
        "-p",
        '{"spec":{"suspend":true}}',
    )
    wait_until(lambda: not _active(plane, namespace, "runs"), "the suspended Job stopped", 90)


@pytest.mark.parametrize(
    ("fake", "reason", "phase"),
    [("crashloop", "CrashLoopBackOff", "Running"), ("badimage", "ImagePullBackOff", "Pending")],
)
def test_a_faulty_pod_never_becomes_ready(plane: ControlPlane, namespace: str, fake: str, reason: str, phase: str) -> None:
    plane.kubectl(
        "run",
        "bad",
        "--image=web:2",
        f"--labels=example.org/fake={fake}",
        f"--namespace={namespace}",
    )
    wait_until(lambda: bool(_containers(plane, namespace)), "a status of the faulty pod", 90)
    (container,) = _containers(plane, namespace)
    assert (container["state"]["waiting"]["reason"], container["ready"]) == (reason, False)
    assert _pods(plane, namespace)[0]["status"]["phase"] == phase


def test_a_running_pod_turns_faulty_and_keeps_its_image_id(plane: ControlPlane, namespace: str) -> None:
    plane.kubectl("create", "deployment", "web", "--image=web:2", "--replicas=2", f"--namespace={namespace}")
    plane.kubectl("rollout", "status", "deployment/web", f"--namespace={namespace}", "--timeout=90s", timeout=100)
    before = _containers(plane, namespace)
    assert {container["imageID"].split("@sha256:")[0] for container in before} == {"web:2"}
    name = _pods(plane, namespace)[0]["metadata"]["name"]
    plane.kubectl("annotate", f"pod/{name}", "example.org/fake=faulty", f"--namespace={namespace}")
    wait_until(lambda: _ready(plane, namespace) == 1, "one of two pods not ready", 90)
    assert {c["imageID"] for c in _containers(plane, namespace)} == {c["imageID"] for c in before}


def test_an_image_id_can_be_ordered(plane: ControlPlane, namespace: str) -> None:
    plane.kubectl(
        *(
            "run",
            "web",
            "--image=web:2",
            "--annotations=example.org/fake-image-id=web@sha256:feed",
            f"--namespace={namespace}",
        )
    )
    wait_until(lambda: bool(_containers(plane, namespace)), "a status of the pod", 90)
    assert _containers(plane, namespace)[0]["imageID"] == "web@sha256:feed"


def test_a_drained_node_loses_its_pods(plane: ControlPlane, namespace: str) -> None:
    plane.kubectl("create", "deployment", "web", "--image=web:2", "--replicas=4", f"--namespace={namespace}")
    plane.kubectl("rollout", "status", "deployment/web", f"--namespace={namespace}", "--timeout=90s", timeout=100)
    try:
        wait_until(lambda: _drained(plane, namespace), "all four pods elsewhere", 120)
    finally:
        plane.kubectl("uncordon", "n1")


def test_two_side_by_side_share_nothing(plane: ControlPlane, namespace: str) -> None:
    with ControlPlane.start(components=API_ONLY) as other:
        assert other.server != plane.server
        assert namespace not in other.kubectl("get", "namespaces", "-o", "name").stdout
        foreign = plane.kubectl(f"--server={other.server}", "--insecure-skip-tls-verify", "get", "nodes", check=False)
        assert foreign.returncode != 0
    assert not other.directory.exists()
    assert plane.kubectl("get", "--raw=/readyz").stdout == "ok"


def test_api_server_arguments_come_last_and_win() -> None:
    with ControlPlane.start(components=API_ONLY, apiserver_args=["--authorization-mode=AlwaysAllow"]) as open_to_all:
        open_to_all.user("stranger")
        open_to_all.kubectl("get", "secrets", "--all-namespaces", user="stranger")


def test_a_component_that_cannot_start_explains_itself() -> None:
    with pytest.raises(ControlPlaneError, match="unknown flag: --no-such-flag"):
        ControlPlane.start(components=API_ONLY, apiserver_args=["--no-such-flag"])


def test_it_outlives_the_thread_that_started_it() -> None:
    started: list[ControlPlane] = []
    thread = threading.Thread(target=lambda: started.append(ControlPlane.start(components=API_ONLY)))
    thread.start()
    thread.join()
    with started[0] as plane:
        assert plane.alive(Component.ETCD)
        assert plane.kubectl("get", "--raw=/readyz").stdout == "ok"


def _whoami(plane: ControlPlane, user: str) -> dict[str, Any]:
    info: dict[str, Any] = json.loads(plane.kubectl("auth", "whoami", "-o", "json", user=user).stdout)["status"]["userInfo"]
    return info


def _create_job(plane: ControlPlane, namespace: str, *, fake: str = "", name: str = "work") -> None:
    labels = {"example.org/fake": fake} if fake else {}
    pod = {"restartPolicy": "Never", "containers": [{"name": "main", "image": "worker:1"}]}
    spec = {"backoffLimit": 0, "template": {"metadata": {"labels": labels}, "spec": pod}}
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}, "spec": spec}
    plane.kubectl("create", "-f", "-", f"--namespace={namespace}", stdin=json.dumps(job))


def _pods(plane: ControlPlane, namespace: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = json.loads(plane.kubectl("get", "pods", "-o", "json", f"--namespace={namespace}").stdout)[
        "items"
    ]
    return items


def _containers(plane: ControlPlane, namespace: str) -> list[dict[str, Any]]:
    return [each for pod in _pods(plane, namespace) for each in pod["status"].get("containerStatuses", [])]


def _ready(plane: ControlPlane, namespace: str) -> int:
    return sum(container["ready"] for container in _containers(plane, namespace))


def _drained(plane: ControlPlane, namespace: str) -> bool:
    """Drain n1 (once more, where the scheduler had not heard of the cordon yet), and see where the pods are by now."""
    plane.kubectl("drain", "n1", "--ignore-daemonsets", "--force", "--timeout=90s", timeout=100)
    return [pod["spec"].get("nodeName") for pod in _pods(plane, namespace)] == ["n0"] * 4


def _active(plane: ControlPlane, namespace: str, job: str) -> int:
    status = json.loads(plane.kubectl("get", f"job/{job}", "-o", "json", f"--namespace={namespace}").stdout)["status"]
    return int(status.get("active", 0))
