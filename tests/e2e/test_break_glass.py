"""Break-glass by hand is seen: with a request, and without one."""

import json

from controlplane import wait_until
from tests.e2e.operators import metric
from tests.e2e.stage import Stage

RESUME = '-p={"metadata":{"annotations":{"gatehold.dev/override":"INC-4711: site down"}},"spec":{"suspend":false}}'


def test_a_job_without_a_request_that_is_let_go_by_hand_is_said_and_counted_once(stage: Stage) -> None:
    stage.job("lonely", "nobody")
    before = metric(stage.operator, "gatehold_overrides_total")
    stage.kubectl("patch", "job", "lonely", "--type=merge", RESUME, user="dana")

    def told() -> bool:
        events = json.loads(stage.kubectl("get", "events.events.k8s.io", "-o", "json"))["items"]
        return [e["type"] for e in events if (e["regarding"]["name"], e["reason"]) == ("lonely", "Overridden")] == [
            "Warning"
        ]

    wait_until(told, "a Warning about the Job", 120)  # it looks every 30 s
    assert metric(stage.operator, "gatehold_overrides_total") == before + 1
    assert stage.get("job", "lonely")["metadata"]["annotations"]["gatehold.dev/override-recorded"] == "true"


def test_a_job_with_a_request_that_is_let_go_by_hand_is_counted(stage: Stage) -> None:
    policy = stage.policy()
    job = stage.job("asked", policy)
    stage.request("asked-1", policy, job=job)
    stage.until_prepared("asked-1")
    before = metric(stage.operator, "gatehold_overrides_total")
    stage.kubectl("patch", "job", "asked", "--type=merge", RESUME, user="dana")

    done = stage.until_done("asked-1")
    assert done["status"]["decision"]["reason"] == "SubjectOverridden"
    assert metric(stage.operator, "gatehold_overrides_total") == before + 1
