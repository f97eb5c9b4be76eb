"""What is left of a request: writes that are counted, Events, notices, and what retention keeps."""

from datetime import datetime, timedelta
from itertools import pairwise

from controlplane import wait_until
from tests.e2e.notices import Receiver
from tests.e2e.stage import Body, Stage, condition
from tests.e2e.witness import versions, watched

NOTE = "gatehold.dev/prepared-by"
DONE = "gatehold.dev/done"
FLUX = "kustomize.toolkit.fluxcd.io/name"


def told(life: list[Body]) -> int:
    """How many writes there were after the first, without those that only show new figures of a Job that runs.

    How many such there are is up to how slow its pods are; they come no more often than every ten seconds.
    """
    steps = list(pairwise(life))
    figures = [step for step in steps if _but_for_figures(step[0]) == _but_for_figures(step[1])]
    for shown in figures:
        earlier, later = (datetime.fromisoformat(body["status"]["effect"]["progress"]["at"]) for body in shown)
        assert later - earlier >= timedelta(seconds=10), shown
    return len(steps) - len(figures)


def _but_for_figures(body: Body) -> Body:
    meta, status = dict(body["metadata"]), dict(body.get("status", {}))
    for key in ("resourceVersion", "managedFields"):
        meta.pop(key, None)
    status["effect"] = {**status.get("effect", {}), "progress": None}
    return {"metadata": meta, "spec": body["spec"], "status": status}


def is_finished(seen: list[Body], name: str) -> bool:
    """Whether the last write of all was seen."""
    found = versions(seen, name)
    return bool(found) and DONE in found[-1]["metadata"].get("labels", {})


def test_a_whole_life_with_two_verdicts_and_a_release_takes_eight_writes_at_most(stage: Stage) -> None:
    policy = stage.policy()
    job = stage.job("counted", policy)
    with watched(stage.api(), stage.path("apr")) as seen:
        stage.request("counted-1", policy, job=job)
        stage.until_prepared("counted-1")
        stage.say("alice", "counted-1", "approve")
        stage.until("counted-1", lambda body: body["status"]["approvals"] == "1/2", "1/2")
        stage.say("bob", "counted-1", "approve")
        stage.until_done("counted-1")
        wait_until(lambda: is_finished(seen, "counted-1"), "the watch has told all", 60)
    life = versions(seen, "counted-1")
    by_the_operator = told(life) - 2  # without what the two people wrote
    assert by_the_operator <= 4 + 2 + 2, [body["status"].get("phase") for body in life]


def test_an_undone_life_stays_within_its_bar_too(stage: Stage) -> None:
    policy = stage.policy(quorum=[{"role": "sre"}])
    job, undo = stage.job("forth", policy, fake="fails"), stage.job("and-back", policy)
    with watched(stage.api(), stage.path("apr")) as seen:
        stage.request("forth-1", policy, job=job, undo=undo)
        stage.until_prepared("forth-1")
        stage.say("alice", "forth-1", "approve")
        stage.until_done("forth-1")
        wait_until(lambda: is_finished(seen, "forth-1"), "the watch has told all", 60)
    by_the_operator = told(versions(seen, "forth-1")) - 1
    assert by_the_operator <= 4 + 1 + 4  # the job began and ended, its undo began and ended


def test_the_bookkeeping_annotation_stands_before_the_digest(stage: Stage) -> None:
    policy = stage.policy()
    with watched(stage.api(), stage.path("apr")) as seen:
        stage.request("noted", policy)
        stage.until_prepared("noted")
        wait_until(lambda: any("requestDigest" in body["status"] for body in versions(seen, "noted")), "the digest", 60)
    life = versions(seen, "noted")
    prepared = next(body for body in life if "requestDigest" in body["status"])
    before = life[life.index(prepared) - 1]
    assert NOTE in before["metadata"]["annotations"]
    assert "requestDigest" not in before["status"]
    assert life[0]["status"] == {"observedGeneration": -1}


def test_the_last_write_of_all_is_the_label_done(stage: Stage) -> None:
    policy = stage.policy(quorum=[{"role": "sre"}])
    job = stage.job("tidy", policy)
    with watched(stage.api(), stage.path("apr")) as seen:
        stage.request("tidy-1", policy, job=job)
        stage.until_prepared("tidy-1")
        stage.say("alice", "tidy-1", "approve")
        stage.until_done("tidy-1")
        wait_until(lambda: is_finished(seen, "tidy-1"), "the watch has told all", 60)
    *before, last = versions(seen, "tidy-1")
    assert not any(DONE in body["metadata"].get("labels", {}) for body in before)
    assert before[-1]["status"] == last["status"]
    assert "gatehold.dev/outcome" not in stage.get("job", "tidy")["metadata"].get("finalizers", [])


def test_somebody_is_told_when_it_waits_escalates_is_decided_and_is_undone(stage: Stage, notices: Receiver) -> None:
    policy = stage.policy(
        quorum=[{"role": "sre", "backups": ["duty"]}],
        escalation=[{"afterSeconds": 1, "roles": ["duty"]}],
    )
    job, undo = stage.job("told", policy, fake="fails"), stage.job("told-back", policy)
    request = stage.request("told-1", policy, job=job, undo=undo, traceID="run-4711")
    stage.until("told-1", lambda b: b.get("status", {}).get("escalations", [{}])[0].get("openedAt"), "escalated")
    stage.say("dana", "told-1", "approve", "standing in")
    stage.until_done("told-1")

    uid, wanted = request["metadata"]["uid"], ["Waiting", "Escalated", "Approved", "Failed", "RolledBack"]
    wait_until(lambda: len(notices.about(uid)) >= len(wanted), "all notices", 60)
    told = notices.about(uid)
    assert [notice["event"] for notice in told] == wanted
    assert {(n["namespace"], n["name"], n["policy"], n["traceID"]) for n in told} == {
        (stage.namespace, "told-1", policy, "run-4711")
    }
    assert all(notice["text"].startswith(f"{stage.namespace}/told-1: {notice['event']}: ") for notice in told)
    assert {notice["type"] for notice in told} == {"application/json"}
    assert notices.url.rsplit("/", 1)[1] not in stage.operator.log(100_000)


def test_an_override_is_told(stage: Stage, notices: Receiver) -> None:
    policy = stage.policy()
    request = stage.request("loud", policy)
    stage.until_prepared("loud")
    stage.say("dana", "loud", "override", "INC-2: everything is down")
    stage.until_done("loud")
    uid = request["metadata"]["uid"]
    wait_until(lambda: any(notice["event"] == "Overridden" for notice in notices.about(uid)), "the notice", 60)


def test_retention_removes_what_is_done_and_over_and_nothing_else(stage: Stage) -> None:
    short = stage.policy(f"short-{stage.namespace}", retentionSeconds=1)
    none = stage.policy(f"none-{stage.namespace}", retentionSeconds=0)
    long = stage.policy(f"long-{stage.namespace}", retentionSeconds=3600)
    for name, policy in (("ended", short), ("ended-too", none), ("kept", long), ("pending", short)):
        stage.request(name, policy)
        stage.until_prepared(name)
    for name in ("ended", "ended-too", "kept"):
        stage.say("ci", name, "withdraw", "done with it")
    stage.until_gone("apr", "ended")
    stage.until_gone("apr", "ended-too")
    assert condition(stage.until_done("kept"), "Stalled") == ("True", "WithdrawnByRequester")
    assert stage.get("apr", "pending")["status"]["phase"] == "Pending"


def test_retention_keeps_the_newest_twenty_of_a_gitops_tracker(stage: Stage) -> None:
    policy = stage.policy(retentionSeconds=4)
    names = [f"n{number}" for number in range(24)]
    with watched(stage.api(), stage.path("apr")) as seen:  # who looks now and then may find one gone before its end was seen
        for number, name in enumerate(names):
            body = stage.question(name, policy)
            body["metadata"]["labels"] = {FLUX: "shop" if number < 22 else "other"}
            stage.post(body)
        for name in names:
            stage.until_prepared(name)
        for name in names:
            assert stage.word("ci", name, "withdraw", "done with it")[0]
        wait_until(lambda: ended(seen).keys() == set(names), "all of them are over", 60)
    ends = ended(seen)
    oldest = sorted(names[:22], key=lambda name: (ends[name], name))[:2]  # a status counts in seconds
    for name in oldest:
        stage.until_gone("apr", name)
    kept = {body["metadata"]["name"] for body in stage.all("apr")}
    assert kept == set(names) - set(oldest)


def ended(seen: list[Body]) -> dict[str, datetime]:
    """When those that are over ended."""
    decisions = {body["metadata"]["name"]: body["status"].get("decision") for body in tuple(seen)}
    return {name: datetime.fromisoformat(decision["at"]) for name, decision in decisions.items() if decision is not None}
