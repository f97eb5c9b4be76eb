"""How many: fifty pods, a StatefulSet, a deadline, surges, an autoscaler, the same manifest again, an option chosen."""

import json
from datetime import UTC, datetime

from controlplane import wait_until
from tests.e2e.provisioning.depot import Depot, released_by
from tests.e2e.stage import PATIENCE, Body, condition
from tests.wall.api import Call

AUTOSCALER = "system:serviceaccount:kube-system:horizontal-pod-autoscaler"
SMALL = {"cpu": "250m", "memory": "512Mi"}
"""0.0095 an hour: one goes by itself, a crowd does not."""
DEADLINE = 20
"""Seconds in which a Job of one moment is done, also on a busy machine."""
OPTIONS = [{"name": "fast", "pods": 6}, {"name": "cheap", "pods": 2, "summary": "in the night"}]


def test_fifty_dear_pods_are_one_question_with_their_surge_and_go_together(depot: Depot) -> None:
    depot.gate()
    before = depot.deployment(replicas=50, needs=SMALL, strategy={"type": "RollingUpdate"})
    depot.until_waits("web", 50)
    resolved = depot.asked("web")["status"]["resolved"]
    assert resolved["provision"]["pods"] == 63  # a quarter more at a time, rounded up
    assert resolved["price"]["amount"] == "0.5985"
    assert depot.running("web") == []
    name = depot.approve("web")
    depot.until_runs("web", 50)
    uid = depot.until_phase(name, "Released")["metadata"]["uid"]
    assert {released_by(pod) for pod in depot.pods_named("web")} == {uid}
    assert len(depot.questions()) == 1
    assert depot.get("deploy", "web")["spec"] == before["spec"]


def test_a_stateful_set_in_order_is_asked_about_once_as_a_whole(depot: Depot) -> None:
    depot.gate()
    depot.stateful_set("db", 3, over={"podManagementPolicy": "OrderedReady"})
    depot.until_waits("db", 1)  # db-1 does not come before db-0 runs
    resolved = depot.asked("db")["status"]["resolved"]
    assert resolved["provision"]["pods"] == 3
    assert "differences" not in resolved["provision"]
    depot.approve("db")
    depot.until_runs("db", 3)
    assert len(depot.questions()) == 1


def test_the_deadline_of_a_job_does_not_run_while_it_waits(depot: Depot) -> None:
    depot.gate()
    made = depot.batch(over={"parallelism": 2, "completions": 2, "activeDeadlineSeconds": DEADLINE})
    assert depot.asked("train")["status"]["resolved"]["provision"]["pods"] == 2
    made_at = datetime.fromisoformat(made["metadata"]["creationTimestamp"])
    wait_until(
        lambda: (datetime.now(UTC) - made_at).total_seconds() > DEADLINE + 2, "its deadline would be long over", PATIENCE
    )
    waiting = depot.get("job", "train")
    assert "startTime" not in waiting["status"]
    assert depot.pods_of(waiting) == []
    depot.approve("train")
    done = depot.until("train", _ended, "the Job has ended", kind="job")
    assert condition(done, "Complete")[0] == "True"


def test_a_restart_and_its_surge_inside_the_size_ask_nobody_and_a_new_template_is_asked(depot: Depot) -> None:
    depot.gate()
    surge = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}
    depot.deployment(replicas=3, strategy=surge)
    assert depot.asked("web")["status"]["resolved"]["provision"]["pods"] == 4
    depot.approve("web")
    depot.until_runs("web", 3)
    old = set(depot.running("web"))
    depot.kubectl("rollout", "restart", "deployment/web", user="ci")  # the same pods, made anew
    wait_until(lambda: not old & set(depot.running("web")), "all pods are new", PATIENCE)
    depot.until_runs("web", 3)
    assert len(depot.questions()) == 1
    depot.kubectl("set", "resources", "deployment/web", "--requests=cpu=2", user="ci")
    assert depot.asked("web", 2)["status"]["resolved"]["provision"]["approvedPods"] == 4
    assert len(depot.running("web")) == 3  # nothing was taken away for what waits


def test_an_autoscaler_moves_inside_the_size_and_asks_beyond_it(depot: Depot) -> None:
    depot.gate()
    depot.deployment(replicas=4)
    depot.approve("web")
    depot.until_runs("web", 4)
    for size in (2, 4):
        _autoscale(depot, size)
        depot.until_runs("web", size)
    assert len(depot.questions()) == 1
    _autoscale(depot, 7)
    asked = depot.asked("web", 2)
    provision = asked["status"]["resolved"]["provision"]
    assert (provision["pods"], provision["approvedPods"]) == (7, 4)
    depot.until_waits("web", 3)
    assert len(depot.running("web")) == 4
    depot.deny("web", 2)
    _autoscale(depot, 4)
    _autoscale(depot, 7)  # it goes up and down all day: nobody is asked again about what was denied
    depot.until_waits("web", 3)
    depot.deployment("other", 1)
    depot.asked("other")
    assert len(depot.questions("web")) == 2


def test_applying_the_same_again_from_the_server_too_drifts_nothing(depot: Depot) -> None:
    depot.gate()
    manifest = json.dumps(depot.deployment_body(replicas=2))
    for _ in range(2):
        depot.kubectl("apply", "--server-side", "-f", "-", user="ci", stdin=manifest)
    depot.approve("web")
    depot.until_runs("web", 2)
    generation = depot.get("deploy", "web")["metadata"]["generation"]
    for _ in range(3):
        depot.kubectl("apply", "--server-side", "-f", "-", user="ci", stdin=manifest)
    assert depot.kubectl("diff", "--server-side", "-f", "-", stdin=manifest) == ""
    job = json.dumps(depot.batch_body("small", {"cpu": "10m", "memory": "16Mi"}))
    for _ in range(2):  # the hold itself writes spec.suspend, and applying is no fight about it
        depot.kubectl("apply", "--server-side", "-f", "-", user="ci", stdin=job)
    depot.until("small", _ended, "the Job has ended", kind="job")
    depot.kubectl("apply", "--server-side", "-f", "-", user="ci", stdin=job)
    depot.kubectl("apply", "--server-side", "--dry-run=server", "-f", "-", user="ci", stdin=manifest)
    assert depot.get("deploy", "web")["metadata"]["generation"] == generation
    assert len(depot.questions()) == 1
    assert len(depot.running("web")) == 2


def test_the_cheap_option_covers_exactly_its_size(depot: Depot) -> None:
    depot.gate()
    depot.deployment(replicas=6, notes={"gatehold.dev/options": json.dumps(OPTIONS)})
    asked = depot.asked("web")
    shown = {option["name"]: option["cost"]["amount"] for option in asked["spec"]["options"]}
    assert shown == {"fast": "0.276", "cheap": "0.092"}
    options = asked["status"]["resolved"]["provision"]["options"]
    assert [(option["name"], option["pods"]) for option in options] == [("fast", 6), ("cheap", 2)]
    name = depot.approve("web", option="cheap")
    depot.until_runs("web", 2)
    depot.until_phase(name, "Released")
    depot.until_waits("web", 4)
    gone = depot.running("web")[0]
    depot.kubectl("delete", "pod", gone, "--wait=false")  # its successor is covered, and no fifth one
    wait_until(lambda: gone not in depot.running("web") and len(depot.running("web")) == 2, "two run again", PATIENCE)
    depot.until_waits("web", 4)
    assert len(depot.running("web")) == 2
    assert len(depot.questions()) == 1


def test_options_that_nobody_can_read_are_held_and_named(depot: Depot) -> None:
    depot.gate()
    depot.deployment(replicas=2, notes={"gatehold.dev/options": '[{"name":"free","pods":0}]'})
    depot.until_reason("web", "PodsHeld")
    told = [event["note"] for event in depot.all("events") if event["regarding"]["name"] == "web"]
    assert any("gatehold.dev/options" in note for note in told), told
    assert depot.questions() == []
    depot.kubectl("annotate", "deployment/web", "gatehold.dev/options-", user="ci")
    depot.asked("web")  # mended, it is asked about


def test_two_owners_of_the_same_template_are_two_questions(depot: Depot) -> None:
    depot.gate()
    depot.deployment("one", 2)
    depot.deployment("two", 2)
    depot.asked("two")
    depot.approve("one")
    depot.until_runs("one", 2)
    depot.until_waits("two", 2)
    one, two = depot.questions("one")[0], depot.questions("two")[0]
    assert one["spec"]["subject"]["digest"] == two["spec"]["subject"]["digest"]
    depot.approve("two")
    depot.until_runs("two", 2)
    assert {released_by(pod) for pod in depot.pods_named("two")} == {two["metadata"]["uid"]}


def _autoscale(depot: Depot, replicas: int) -> None:
    """What the autoscaler writes: the scale subresource, under its own account."""
    who = depot.api().impersonating(AUTOSCALER, "system:serviceaccounts", "system:authenticated")
    meta = {"name": "web", "namespace": depot.namespace}
    body = {"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": meta, "spec": {"replicas": replicas}}
    who.must(Call(depot.path("deploy", "web") + "/scale", body, "put"))


def _ended(job: Body) -> bool:
    return any(c["status"] == "True" and c["type"] in ("Complete", "Failed") for c in job["status"].get("conditions", []))
