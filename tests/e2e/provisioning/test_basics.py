"""The main paths: held and asked about, cheap at once, a no, a change of size, another template, and what goes wrong."""

import pytest

from controlplane import wait_until
from tests.e2e.operators import metric, until_acting
from tests.e2e.provisioning.depot import CHEAP, DEAR, PRICES, Depot, let_dana_override, put_prices, released_by
from tests.e2e.stage import PATIENCE, Body, condition
from tests.wall.api import Call, path


def test_a_dear_deployment_waits_is_asked_about_and_runs(depot: Depot) -> None:
    gate = depot.gate()
    before = depot.deployment(replicas=3)
    depot.until_waits("web", 3)
    asked = depot.asked("web")
    assert asked["metadata"]["labels"]["gatehold.dev/gate"] == gate
    subject = asked["spec"]["subject"]
    assert (subject["kind"], subject["name"], subject["uid"]) == ("Deployment", "web", before["metadata"]["uid"])
    price, provision = asked["status"]["resolved"]["price"], asked["status"]["resolved"]["provision"]
    assert (price["amount"], price["currency"], price["period"]) == ("0.138", "USD", "hour")
    assert (price["hourlyLow"], price["hourlyHigh"]) == ("0.042", "0.138")
    assert (price["low"], price["high"], price["hours"]) == ("30.66", "100.74", "730")
    assert (price["source"], price["date"]) == (PRICES["source"], PRICES["date"])
    assert provision["pods"] == 3
    assert provision["images"] == ["example.org/web:1"]
    assert len(depot.held("web")) == 3
    name = depot.approve("web")
    depot.until_runs("web", 3)
    done = depot.until_phase(name, "Released")
    assert {released_by(pod) for pod in depot.pods_named("web")} == {done["metadata"]["uid"]}
    assert done["status"]["decision"]["by"] == "People"
    assert condition(done, "Ready")[0] == "True"
    after = depot.get("deploy", "web")
    assert after["spec"] == before["spec"]  # nothing drifts
    assert len(depot.questions()) == 1


def test_what_is_under_the_threshold_goes_at_once_and_that_is_told(depot: Depot) -> None:
    gate = depot.gate()
    depot.deployment("small", 3, CHEAP)
    depot.until_runs("small", 3)
    assert {released_by(pod) for pod in depot.pods_named("small")} == {f"gate/{gate}"}
    depot.until_reason("small", "PodsLetGo")
    assert depot.questions() == []


def test_a_denied_deployment_stays_inert_and_is_not_asked_again(depot: Depot) -> None:
    depot.gate()
    depot.deployment(replicas=2)
    name = depot.deny("web")
    denied = depot.until(name, lambda body: condition(body, "RolledBack")[0] == "True", "nothing to undo")
    assert denied["status"]["phase"] == "Denied"
    assert condition(denied, "RolledBack") == ("True", "NothingToUndo")
    depot.until_reason("web", "PodsHeld")
    pod = depot.held("web")[0]
    depot.kubectl("delete", "pod", pod, "--wait=false")  # another one comes, and waits as well
    wait_until(lambda: pod not in depot.held("web") and len(depot.held("web")) == 2, "a new pod waits", PATIENCE)
    depot.deployment("other", 1)
    depot.asked("other")  # so everything before that was looked at
    assert len(depot.questions("web")) == 1
    assert depot.running("web") == []


def test_another_value_of_retry_asks_again(depot: Depot) -> None:
    depot.gate()
    depot.deployment(replicas=2)
    depot.deny("web")
    depot.until_reason("web", "PodsHeld")
    depot.kubectl("annotate", "deployment/web", "gatehold.dev/retry=after-the-budget-round", user="ci")
    depot.kubectl("delete", "pod", depot.held("web")[0], "--wait=false")
    depot.approve("web", 2)
    depot.until_runs("web", 2)


def test_inside_the_approved_size_nobody_is_asked_and_beyond_it_the_difference_is(depot: Depot) -> None:
    depot.gate()
    depot.deployment(replicas=4)
    first = depot.approve("web")
    depot.until_runs("web", 4)
    depot.until_phase(first, "Released")
    depot.scale("web", 1)
    depot.until_runs("web", 1)
    depot.scale("web", 4)
    depot.until_runs("web", 4)
    assert len(depot.questions("web")) == 1
    depot.scale("web", 6)
    asked = depot.asked("web", 2)
    assert asked["status"]["resolved"]["provision"]["pods"] == 6
    assert asked["status"]["resolved"]["provision"]["approvedPods"] == 4
    assert len(depot.running("web")) == 4
    depot.until_waits("web", 2)
    depot.approve("web", 2)
    depot.until_runs("web", 6)


def test_another_template_supersedes_the_question(depot: Depot) -> None:
    depot.gate()
    depot.deployment(replicas=2)
    first = depot.asked("web")["metadata"]["name"]
    depot.kubectl("set", "image", "deployment/web", "main=example.org/web:2", user="ci")
    superseded = depot.until_phase(first, "Superseded")
    assert superseded["status"]["decision"]["reason"] == "SubjectChanged"
    second = depot.asked("web", 2)
    assert second["status"]["resolved"]["provision"]["images"] == ["example.org/web:2"]
    depot.approve("web", 2)
    depot.until_runs("web", 2)
    assert {_image(pod) for pod in depot.pods_named("web")} == {"example.org/web:2"}


def test_a_rolling_update_of_an_approved_deployment_is_a_new_question(depot: Depot) -> None:
    depot.gate()
    depot.deployment(replicas=3)
    depot.approve("web")
    depot.until_runs("web", 3)
    depot.kubectl("set", "image", "deployment/web", "main=example.org/web:2", user="ci")
    asked = depot.asked("web", 2)
    assert asked["status"]["resolved"]["provision"]["images"] == ["example.org/web:2"]
    depot.until_runs("web", 2)  # one is unavailable while the others wait
    depot.until_waits("web", 1)
    assert len(depot.running("web")) == 2  # nothing more was taken away
    depot.approve("web", 2)
    wait_until(
        lambda: {_image(p) for p in depot.pods_named("web")} == {"example.org/web:2"}, "all are of the new image", PATIENCE
    )
    depot.until_runs("web", 3)


def test_the_same_manifest_again_and_again_changes_nothing(depot: Depot) -> None:
    depot.gate()
    depot.deployment(replicas=2)
    depot.approve("web")
    depot.until_runs("web", 2)
    generation = depot.get("deploy", "web")["metadata"]["generation"]
    for _ in range(3):
        depot.deployment(replicas=2)
    assert depot.get("deploy", "web")["metadata"]["generation"] == generation
    assert len(depot.questions()) == 1
    assert len(depot.running("web")) == 2


def test_what_comes_while_the_operator_is_away_is_held_and_served_later(depot: Depot) -> None:
    depot.gate()
    depot.operator.stop()
    try:
        depot.deployment(replicas=2)
        depot.deployment("small", 2, CHEAP)
        depot.until_waits("web", 2)
        depot.until_waits("small", 2)
    finally:
        depot.operator.start()
    until_acting(depot.operator)
    depot.until_runs("small", 2)
    depot.approve("web")
    depot.until_runs("web", 2)


def test_a_broken_price_table_holds_everything_and_says_so(depot: Depot) -> None:
    gate = depot.gate()
    depot.deployment("early", 2)
    depot.approve("early")
    depot.until_runs("early", 2)
    put_prices(depot.cluster, CPU="-3")
    try:
        _until_gate(depot, gate, "False", "PriceTableBroken")
        assert metric(depot.operator, "gatehold_price_table_valid") == 0
        depot.deployment("small", 1, CHEAP)
        depot.until_waits("small", 1)
        depot.until_reason("small", "PodsHeld")
        depot.scale("early", 1)
        depot.until_runs("early", 1)
        depot.scale("early", 2)  # what was approved was priced when it was
        depot.until_runs("early", 2)
        assert depot.held("small") != []
    finally:
        put_prices(depot.cluster)
    _until_gate(depot, gate, "True", "PolicyFound")
    depot.until_runs("small", 1)


def test_a_job_is_suspended_asked_about_once_and_runs(depot: Depot) -> None:
    depot.gate()
    job = depot.batch(needs=DEAR, over={"parallelism": 2, "completions": 4, "activeDeadlineSeconds": 7200})
    assert job["spec"]["suspend"] is True
    asked = depot.asked("train")
    price, provision = asked["status"]["resolved"]["price"], asked["status"]["resolved"]["provision"]
    assert provision["pods"] == 2
    assert (price["hours"], price["high"]) == ("2", "0.184")
    assert "activeDeadlineSeconds" in price["hoursFrom"]
    depot.approve("train")
    depot.until("train", _is_complete, "the Job is complete", kind="job")
    assert len(depot.questions()) == 1


def test_a_bare_pod_waits_and_runs(depot: Depot) -> None:
    depot.gate()
    pod = depot.pod("solo")
    asked = depot.asked("solo")
    assert asked["spec"]["subject"]["uid"] == pod["metadata"]["uid"]
    depot.approve("solo")
    depot.until_runs("solo", 1)


def _image(pod: Body) -> str:
    return str(pod["spec"]["containers"][0]["image"])


def _is_complete(job: Body) -> bool:
    conditions = job.get("status", {}).get("conditions", [])
    return any(c["type"] == "Complete" and c["status"] == "True" for c in conditions)


def _until_gate(depot: Depot, gate: str, status: str, reason: str) -> None:
    where = path("gatehold.dev/v1alpha1", "gates", None, gate)

    def stands() -> bool:
        return condition(depot.api().must(Call(where, how="get")), "Ready") == (status, reason)

    wait_until(stands, f"Gate {gate} is {status}/{reason}", PATIENCE)


@pytest.mark.since(1, 36)
def test_what_is_opened_by_hand_runs_and_is_told(depot: Depot) -> None:
    gate = depot.gate()
    let_dana_override(depot, gate)
    depot.pod("solo")
    depot.asked("solo")
    told = metric(depot.operator, "gatehold_overrides_total") or 0
    depot.kubectl("annotate", "pod/solo", "gatehold.dev/override=INC-4711: the site is down", user="dana")
    depot.until_runs("solo", 1)
    assert depot.get("pods", "solo")["metadata"]["annotations"]["gatehold.dev/override-by"] == "dana"
    depot.until_reason("solo", "Overridden")
    assert (metric(depot.operator, "gatehold_overrides_total") or 0) == told + 1
    assert released_by(depot.get("pods", "solo")) == ""
