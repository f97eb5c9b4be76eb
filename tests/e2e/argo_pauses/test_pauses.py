"""A pause of an Argo Rollout is asked about; a yes takes it away, anything else aborts, and what others do is recorded."""

import subprocess
import sys

from controlplane import wait_until
from tests.e2e.argo_pauses.dock import BLUE_GREEN, LABEL, Dock
from tests.e2e.operators import crash, until_acting
from tests.e2e.stage import GROUP, PATIENCE, condition, failure, message
from tests.wall.api import Call, path


def test_each_pause_is_asked_about_and_a_yes_takes_it_away(dock: Dock) -> None:
    gate = dock.gate(timeoutSeconds=300)
    rollout = dock.rollout()
    dock.push(2)
    since = dock.pauses("new")
    request = dock.asked()
    name, subject, seen = request["metadata"]["name"], request["spec"]["subject"], request["status"]["resolved"]["argo"]
    assert name == "web-new-1-a0"
    assert request["metadata"]["labels"]["gatehold.dev/gate"] == gate
    assert (subject["apiVersion"], subject["uid"]) == ("argoproj.io/v1alpha1", rollout["metadata"]["uid"])
    assert (request["spec"]["effect"]["type"], request["spec"]["timeoutSeconds"]) == ("Promote", 300)
    assert seen == {
        "podHash": "new",
        "stableHash": "old",
        "stepIndex": 1,
        "steps": 4,
        "weight": 20,
        "pausedAt": since,
        "images": ["example.org/web:2"],
    }
    before = dock.get("argo", "web")
    dock.approve(request)
    dock.goes_on(2)
    done = dock.until_done(name)
    assert done["status"]["phase"] == "Released"
    assert condition(done, "Ready")[0] == "True"
    assert "step 3 of 4" in done["status"]["effect"]["message"]
    after = dock.get("argo", "web")
    assert (after["spec"], after["metadata"].get("annotations")) == (before["spec"], before["metadata"].get("annotations"))
    dock.pauses("new", 3)
    second = dock.asked(2)
    assert second["metadata"]["name"] == "web-new-3-a0"
    assert second["status"]["resolved"]["argo"]["weight"] == 60
    dock.approve(second)
    dock.goes_on(4, stableRS="new")
    assert dock.until_done("web-new-3-a0")["status"]["phase"] == "Released"
    dock.until_told(name, "Released")


def test_what_is_shown_is_what_runs_and_not_a_template_that_has_its_hash(dock: Dock) -> None:
    dock.gate()
    rollout = dock.rollout()
    dock.makes_set(rollout, "old", "example.org/web:1")
    dock.makes_set(rollout, "new", "example.org/evil:1")
    dock.push(2)  # Argo would take its hash for that of the set above
    dock.pauses("new")
    seen = dock.asked()["status"]["resolved"]["argo"]
    assert (seen["images"], seen["stableImages"]) == (["example.org/evil:1"], ["example.org/web:1"])


def test_a_no_aborts_and_who_retries_is_asked_anew(dock: Dock) -> None:
    dock.gate()
    dock.rollout()
    dock.pauses("new")
    request = dock.asked()
    dock.deny(request)
    dock.aborts()
    denied = dock.until_done("web-new-1-a0")
    assert denied["status"]["phase"] == "Denied"
    assert condition(denied, "RolledBack") == ("True", "UndoCompleted")
    assert "Git still holds the rejected revision new" in message(denied, "RolledBack")
    assert condition(denied, "Stalled")[0] == "True"
    assert dock.status_as("admin", {"abort": False}).ok
    dock.pauses("new", seconds=1)
    again = dock.asked(2)
    assert again["metadata"]["name"] == "web-new-1-a1"
    dock.approve(again)
    dock.goes_on(2)
    assert dock.until_done("web-new-1-a1")["status"]["phase"] == "Released"


def test_nobody_answers_in_time(dock: Dock) -> None:
    dock.gate(timeoutSeconds=2)
    dock.rollout()
    dock.pauses("new")
    dock.aborts()
    ended = dock.until_done("web-new-1-a0")
    assert ended["status"]["phase"] == "Expired"
    assert condition(ended, "RolledBack") == ("True", "UndoCompleted")


def test_what_others_do_ends_the_question_and_is_not_put_back(dock: Dock) -> None:
    dock.gate()
    dock.let_dana_override()
    for name in ("web", "shop", "cart", "gone"):
        dock.rollout(name)
        dock.pauses("new", name=name)
        dock.asked(name=name)
    # break-glass: a person promotes by hand
    assert not dock.status_as("alice", {"pauseConditions": None}).ok
    assert dock.status_as("dana", {"pauseConditions": None}).ok
    overridden = dock.until_done("web-new-1-a0")
    assert (overridden["status"]["phase"], failure(overridden)) == ("Superseded", "SubjectOverridden")
    assert condition(overridden, "Overridden")[0] == "True"
    # a person aborts
    assert dock.status_as("dana", {"abort": True}, "shop").ok
    aborted = dock.until_done("shop-new-1-a0")
    assert (aborted["status"]["phase"], failure(aborted)) == ("Superseded", "SubjectChanged")
    assert condition(aborted, "RolledBack") == ("True", "NothingToUndo")
    # another revision
    dock.push(3, "cart")
    replaced = dock.until_done("cart-new-1-a0")
    assert (replaced["status"]["phase"], failure(replaced)) == ("Superseded", "SubjectChanged")
    dock.pauses("newer", name="cart")
    assert dock.asked(2, "cart")["metadata"]["name"] == "cart-newer-1-a0"
    assert "abort" not in dock.get("argo", "cart")["status"]
    # gone
    dock.kubectl("delete", "rollouts.argoproj.io/gone")
    gone = dock.until_done("gone-new-1-a0")
    assert (gone["status"]["phase"], failure(gone)) == ("Superseded", "SubjectDeleted")


def test_a_blue_green_rollout_waits_for_its_switch(dock: Dock) -> None:
    dock.gate()
    dock.rollout(strategy=BLUE_GREEN)
    dock.pauses("new", None)
    request = dock.asked()
    assert request["metadata"]["name"] == "web-new-switch-a0"
    assert "stepIndex" not in request["status"]["resolved"]["argo"]
    dock.approve(request)
    dock.until_resumed()
    dock.writes("web", controllerPause=None, blueGreen={"activeSelector": "new"}, phase="Progressing")
    assert dock.until_done("web-new-switch-a0")["status"]["phase"] == "Released"


def test_a_gate_that_can_ask_nobody_holds_until_it_can(dock: Dock) -> None:
    gate = dock.gate(policy_is=False)
    dock.rollout()
    dock.pauses("new")
    dock.until_told("web", "PromotionHeld")
    where = Call(path(GROUP, "gates", None, gate), how="get")
    wait_until(
        lambda: condition(dock.api().must(where), "Ready") == ("False", "PolicyNotFound"), "the gate says so", PATIENCE
    )
    dock.asks()
    dock.asked()
    # taken out from behind the gate, by who may: what was asked is over
    label = {"metadata": {"labels": {LABEL: None}}}
    dock.api().must(Call(path("v1", "namespaces", None, dock.namespace), label))
    over = dock.until_done("web-new-1-a0")
    assert (over["status"]["phase"], failure(over)) == ("Superseded", "SubjectChanged")
    assert "abort" not in dock.get("argo", "web")["status"]


def test_doctor_names_one_from_before_that_would_go_past_people(dock: Dock) -> None:
    dock.rollout(strategy={"canary": {"steps": [{"setWeight": 50}]}})
    dock.gate()
    program = [sys.executable, "-m", "gatehold", "doctor"]
    environ = {**dock.cluster.environment(), "NO_COLOR": "1", "COLUMNS": "1000"}
    said = subprocess.run(program, env=environ, capture_output=True, text=True, check=False, timeout=300)
    told = f"Rollout web in {dock.namespace} would go past people as it stands: no step {{pause: {{}}}}"
    assert told in said.stdout, said


def test_a_yes_waits_while_somebody_has_stopped_the_rollout(dock: Dock) -> None:
    dock.gate()
    dock.rollout()
    dock.pauses("new")
    request = dock.asked()
    dock.api().must(Call(dock.at("web"), {"spec": {"paused": True}}))
    dock.approve(request)
    dock.until_held("web-new-1-a0", "RolloutStopped")
    assert dock.get("argo", "web")["status"]["pauseConditions"]
    dock.api().must(Call(dock.at("web"), {"spec": {"paused": False}}))
    dock.goes_on(2)
    assert dock.until_done("web-new-1-a0")["status"]["phase"] == "Released"
    assert len(dock.all("apr")) == 1


def test_who_dies_after_the_yes_was_recorded_takes_the_pause_away_afterwards(dock: Dock) -> None:
    dock.gate()
    dock.rollout()
    dock.pauses("new")
    request = dock.asked()
    dock.let_the_operator_write(False)
    try:
        dock.approve(request)
        held = dock.until_held("web-new-1-a0", "WriteRefused")
        assert held["status"]["effect"]["state"] == "Running"
        assert "refuses to let Rollout web go on" in message(held, "Held")
        assert dock.get("argo", "web")["status"]["pauseConditions"]
        crash(dock.operator)
    finally:
        dock.let_the_operator_write(True)
    dock.operator.start()
    until_acting(dock.operator)
    dock.goes_on(2)
    assert dock.until_done("web-new-1-a0")["status"]["phase"] == "Released"
