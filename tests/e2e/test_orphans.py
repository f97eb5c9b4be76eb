"""A namespace that is deleted under a running release is not held up by our finalizer."""

from controlplane import wait_until
from tests.e2e.stage import Stage


def test_a_namespace_with_a_running_release_can_be_deleted(stage: Stage) -> None:
    policy = stage.policy(quorum=[{"role": "sre"}])
    job = stage.job("loop", policy, fake="runs")
    stage.request("loop-1", policy, job=job)
    stage.until_prepared("loop-1")
    stage.say("alice", "loop-1", "approve")
    stage.until("loop-1", lambda body: body["status"].get("effect", {}).get("state") == "Running", "effect Running")

    stage.cluster.kubectl("delete", "namespace", stage.namespace, "--wait=false")

    def gone() -> bool:
        return not stage.cluster.kubectl("get", "namespace", stage.namespace, "--ignore-not-found", "-o", "name").stdout

    wait_until(gone, f"namespace {stage.namespace} gone", 120)
