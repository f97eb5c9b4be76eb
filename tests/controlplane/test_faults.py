"""Components can be killed, frozen and started again, and the rest goes on."""

import json
import signal
from collections.abc import Iterator

import pytest

from controlplane import Component, ControlPlane, ControlPlaneError, wait_until


@pytest.fixture(scope="module")
def broken() -> Iterator[ControlPlane]:
    """A control plane to break; each test leaves it working."""
    with ControlPlane.start(nodes=1) as running:
        yield running


def test_a_restarted_api_server_has_its_objects_and_its_clients(broken: ControlPlane) -> None:
    broken.kubectl("create", "configmap", "kept", "--from-literal=a=b")
    broken.restart(Component.API_SERVER)
    assert broken.kubectl("get", "configmap/kept", "-o", "jsonpath={.data.a}").stdout == "b"
    _run_a_job(broken, "after-restart")


@pytest.mark.parametrize("component", list(Component))
def test_every_component_can_be_killed_and_restarted(broken: ControlPlane, component: Component) -> None:
    broken.kill(component)
    assert not broken.alive(component)
    broken.restart(component)
    assert broken.alive(component)
    wait_until(
        lambda: broken.kubectl("get", "--raw=/readyz", check=False).stdout == "ok",
        "an API that answers",
        90,
    )
    _run_a_job(broken, f"after-{component}")


def test_a_frozen_api_server_answers_after_the_thaw(broken: ControlPlane) -> None:
    broken.freeze(Component.API_SERVER)
    frozen = broken.kubectl("get", "--raw=/readyz", "--request-timeout=1s", check=False)
    assert frozen.returncode != 0
    assert broken.alive(Component.API_SERVER)
    broken.thaw(Component.API_SERVER)
    wait_until(
        lambda: broken.kubectl("get", "--raw=/readyz", check=False).stdout == "ok",
        "an API that answers",
        90,
    )


def test_a_frozen_scheduler_schedules_nothing(broken: ControlPlane) -> None:
    broken.freeze(Component.SCHEDULER)
    broken.kubectl("run", "waits", "--image=web:2")
    broken.kubectl("get", "nodes")
    assert broken.kubectl("get", "pod/waits", "-o", "jsonpath={.spec.nodeName}").stdout == ""
    broken.thaw(Component.SCHEDULER)
    broken.kubectl("wait", "pod/waits", "--for=condition=Ready", "--timeout=120s", timeout=130)


def test_a_component_that_is_not_there_is_named(broken: ControlPlane) -> None:
    with pytest.raises(ControlPlaneError, match="has no kubelet; it has etcd"):
        broken.kill("kubelet")


def test_a_program_beside_the_components_is_killed_and_started_again(broken: ControlPlane) -> None:
    command = ["/bin/sh", "-c", "echo started; exec sleep 1000"]
    broken.start_program("beside", command)
    with pytest.raises(ControlPlaneError, match="beside is running already"):
        broken.start_program("beside", command)
    wait_until(lambda: broken.program_log("beside") == "started", "the program runs", 60)
    broken.signal_program("beside", signal.SIGTERM)
    wait_until(lambda: broken.program_code("beside") == -signal.SIGTERM, "the program ended", 60)
    broken.start_program("beside", command)
    assert broken.program_code("beside") is None
    wait_until(lambda: broken.program_log("beside") == "started\nstarted", "both runs in one log", 60)


def test_a_line_is_read_from_a_log_when_all_of_it_is_there(broken: ControlPlane) -> None:
    says = "trap 'echo lf; exit' TERM; printf 'whole\nha'; while :; do sleep 0.1; done"
    broken.start_program("wordy", ["/bin/sh", "-c", says])
    wait_until(lambda: broken.program_log("wordy") == "whole", "the first line is there", 60)
    broken.signal_program("wordy", signal.SIGTERM)
    wait_until(lambda: broken.program_log("wordy") == "whole\nhalf", "the second line is there", 60)


def test_after_stop_nothing_answers() -> None:
    plane = ControlPlane.start(nodes=0)
    plane.stop()
    plane.stop()
    with pytest.raises(ControlPlaneError, match="stopped"):
        plane.kill(Component.ETCD)


def _run_a_job(plane: ControlPlane, name: str) -> None:
    pod = {"restartPolicy": "Never", "containers": [{"name": "main", "image": "worker:1"}]}
    job = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name},
        "spec": {"template": {"spec": pod}},
    }
    plane.kubectl("create", "-f", "-", stdin=json.dumps(job))
    # whoever watched in vain for long waits up to a minute before it tries again
    plane.kubectl("wait", f"job/{name}", "--for=condition=Complete", "--timeout=150s", timeout=160)
