"""Denied, expired, taken back: what the Gate says of what was not approved, by each word, verified and recorded."""

from controlplane import wait_until
from tests.e2e.provisioning.depot import Depot
from tests.e2e.stage import PATIENCE, Body, condition, message
from tests.wall.api import Call, path

QUICK = {"timeoutSeconds": {"default": 4}}
CRON = "cronjobs"


def test_expired_it_stays_inert(depot: Depot) -> None:
    depot.gate(depot.provisions(**QUICK))
    before = depot.deployment(replicas=2)
    ended = _ended(depot, "web", "Expired")
    assert condition(ended, "RolledBack") == ("True", "NothingToUndo")
    assert depot.get("deploy", "web")["spec"] == before["spec"]
    depot.until_waits("web", 2)


def test_denied_it_is_scaled_back_to_what_was_approved(depot: Depot) -> None:
    depot.gate(onDenied="ScaleBack")
    surge = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}
    depot.deployment(replicas=2, strategy=surge)
    depot.approve("web")
    depot.until_runs("web", 2)
    depot.scale("web", 5)
    depot.deny("web", 2)
    ended = _ended(depot, "web", "Denied")
    assert condition(ended, "RolledBack") == ("True", "UndoCompleted"), message(ended, "RolledBack")
    assert depot.get("deploy", "web")["spec"]["replicas"] == 3  # two and the surge: what runs by that yes is not taken away
    wait_until(lambda: len(depot.pods_named("web")) == 3, "the others are gone", PATIENCE)
    depot.until_runs("web", 3)
    assert len(depot.questions()) == 2


def test_expired_what_was_never_approved_is_scaled_to_nothing(depot: Depot) -> None:
    depot.gate(depot.provisions(**QUICK), onDenied="ScaleBack")
    depot.stateful_set("db", 2)
    ended = _ended(depot, "db", "Expired")
    assert condition(ended, "RolledBack") == ("True", "UndoCompleted"), message(ended, "RolledBack")
    assert _named(depot, "apps/v1", "statefulsets", "db")["spec"]["replicas"] == 0
    wait_until(lambda: depot.pods_named("db") == [], "its pods are gone", PATIENCE)


def test_denied_a_job_stays_suspended(depot: Depot) -> None:
    depot.gate(onDenied="Suspend")
    depot.batch()
    depot.deny("train")
    ended = _ended(depot, "train", "Denied")
    assert condition(ended, "RolledBack")[0] == "True"
    assert depot.get("job", "train")["spec"]["suspend"] is True
    assert depot.pods_of(depot.get("job", "train")) == []


def test_expired_a_cron_job_is_suspended(depot: Depot) -> None:
    depot.gate(depot.provisions(**QUICK), onDenied="Suspend")
    depot.cron_job()
    depot.run_now("nightly", "nightly-1")
    ended = _ended(depot, "nightly", "Expired")
    assert condition(ended, "RolledBack") == ("True", "UndoCompleted"), message(ended, "RolledBack")
    assert _named(depot, "batch/v1", CRON, "nightly")["spec"]["suspend"] is True
    assert depot.get("job", "nightly-1")["spec"]["suspend"] is True


def test_denied_what_never_ran_is_deleted_with_all_of_its_pods(depot: Depot) -> None:
    depot.gate(onDenied="Delete")
    depot.deployment(replicas=2)
    depot.until_waits("web", 2)
    name = depot.deny("web")
    depot.until_gone("deploy", "web")
    wait_until(lambda: depot.pods_named("web") == [], "its pods are gone", PATIENCE)
    ended = depot.until_done(name)
    assert ended["status"]["phase"] == "Denied"
    assert condition(ended, "RolledBack") == ("True", "UndoCompleted"), message(ended, "RolledBack")


def test_denied_a_bare_pod_and_a_job_are_deleted(depot: Depot) -> None:
    depot.gate(onDenied="Delete")
    depot.pod("solo")
    depot.batch("train")
    for about, kind in (("solo", "pods"), ("train", "job")):
        name = depot.deny(about)
        depot.until_gone(kind, about)
        assert condition(depot.until_done(name), "RolledBack") == ("True", "UndoCompleted")


def test_what_has_run_is_not_deleted(depot: Depot) -> None:
    depot.gate(onDenied="Delete")
    depot.deployment(replicas=2)
    depot.approve("web")
    depot.until_runs("web", 2)
    depot.scale("web", 4)
    depot.deny("web", 2)
    ended = _ended(depot, "web", "Denied")
    assert condition(ended, "RolledBack") == ("True", "NothingToUndo")
    assert "has run" in message(ended, "RolledBack")
    depot.until_waits("web", 2)
    assert len(depot.running("web")) == 2


def test_a_word_that_makes_no_sense_for_a_kind_is_said_and_nothing_is_done(depot: Depot) -> None:
    depot.gate(onDenied="Suspend")
    depot.deployment(replicas=2)
    depot.deny("web")
    ended = _ended(depot, "web", "Denied")
    assert condition(ended, "RolledBack") == ("True", "NothingToUndo")
    assert "cannot be suspended" in message(ended, "RolledBack")
    assert depot.get("deploy", "web")["spec"]["replicas"] == 2


def test_a_superseded_question_undoes_nothing(depot: Depot) -> None:
    depot.gate(onDenied="Delete")
    depot.deployment(replicas=2)
    first = str(depot.asked("web")["metadata"]["name"])
    depot.kubectl("set", "image", "deployment/web", "main=example.org/web:2", user="ci")
    depot.until_phase(first, "Superseded")
    ended = depot.until(first, lambda body: condition(body, "RolledBack")[0] == "True", "the end is verified")
    assert condition(ended, "RolledBack") == ("True", "NothingToUndo")
    depot.asked("web", 2)
    assert depot.get("deploy", "web")["spec"]["replicas"] == 2


def test_the_owner_deleted_while_people_are_asked_ends_the_question(depot: Depot) -> None:
    depot.gate()
    depot.deployment(replicas=2)
    name = str(depot.asked("web")["metadata"]["name"])
    depot.kubectl("delete", "deployment/web", "--wait=false", user="ci")
    assert depot.until_phase(name, "Superseded")["status"]["decision"]["reason"] == "SubjectDeleted"
    depot.until_done(name)


def test_a_yes_is_done_with_only_when_its_owner_is_gone(depot: Depot) -> None:
    depot.gate()
    depot.deployment(replicas=1)
    name = depot.approve("web")
    depot.until_runs("web", 1)
    released = depot.until_phase(name, "Released")
    assert "gatehold.dev/done" not in released["metadata"]["labels"]
    depot.kubectl("delete", "deployment/web", "--wait=false", user="ci")
    assert depot.until_done(name)["status"]["phase"] == "Released"


def _ended(depot: Depot, about: str, phase: str) -> Body:
    """The newest question about it, once it has ended so and its end is verified."""
    name = str(depot.asked(about)["metadata"]["name"])
    depot.until_phase(name, phase)
    return depot.until(name, lambda body: condition(body, "RolledBack")[0] == "True", "the end is verified")


def _named(depot: Depot, version: str, plural: str, name: str) -> Body:
    return depot.api().must(Call(path(version, plural, depot.namespace, name), how="get"))
