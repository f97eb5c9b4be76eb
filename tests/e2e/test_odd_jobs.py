"""Odd Jobs: as subjects and as undo Jobs, all at once. Each is released, or fails for a reason, and nothing else runs."""

from collections.abc import Callable
from typing import Any, Final

import pytest

from tests.e2e.crowd import Crowd, Ear, at_once, ended_well, unapproved
from tests.e2e.stage import Body, Stage, condition, failure

Change = dict[str, Any]
End = tuple[str, str]
"""The phase in which it ends, and the reason of the decision."""

RELEASED: Final[End] = ("Released", "QuorumMet")
ENV: Final = [{"name": f"V{n}", "value": "x" * 1000} for n in range(400)]
FAILS: Final = {"rules": [{"action": "FailJob", "onExitCodes": {"operator": "In", "values": [1]}}]}
ONE: Final = {"rules": [{"succeededCount": 1}]}
ODD: Final[dict[str, tuple[Change, Change, End]]] = {
    "nothing-odd": ({}, {}, RELEASED),
    "four-hundred-kilobytes-of-environment": ({}, {"env": ENV}, RELEASED),
    "words-of-every-script": (
        {}, {"command": ["שלום", "e\u0301", "🚀", "a\u202eb", "\x1b[2J", "a\nb"], "args": ["", " "]}, RELEASED,
    ),
    "a-command-beyond-what-is-shown": ({}, {"command": ["x" * 5000]}, RELEASED),
    "an-image-beyond-what-is-shown": ({}, {"image": "example.org/" + "i" * 2000}, RELEASED),
    "three-indexes": ({"completionMode": "Indexed", "completions": 3, "parallelism": 2}, {}, RELEASED),
    "one-index-is-enough": (
        {"completionMode": "Indexed", "completions": 3, "parallelism": 3, "successPolicy": ONE}, {}, RELEASED,
    ),
    # the Job controller calls it complete at once, suspended or not
    "nothing-to-complete": ({"completions": 0}, {}, ("Failed", "SubjectRunning")),
    "gone-when-it-ends": ({"ttlSecondsAfterFinished": 0}, {}, RELEASED),
    "no-pod-at-once": ({"parallelism": 0}, {}, ("Failed", "EffectTimedOut")),
    "a-second-to-live": ({"activeDeadlineSeconds": 1, "fake": "runs"}, {}, ("Failed", "EffectFailed")),
    "fails-by-policy": ({"podFailurePolicy": FAILS, "fake": "fails", "backoffLimit": 6}, {}, ("Failed", "EffectFailed")),
    "waits-for-pods-to-fail": ({"podReplacementPolicy": "Failed"}, {}, RELEASED),
    "a-number-beyond-json": ({"activeDeadlineSeconds": 2**53 + 1}, {}, ("Failed", "InvalidRequest")),
    "a-name-of-63-" + "x" * 50: ({}, {}, RELEASED),
}  # fmt: skip
"""Name of the Job: what is odd about its spec, what about its container, and how the request ends once it is approved."""


def body_of(stage: Stage, policy: str, name: str, change: Change, container: Change) -> Body:
    """The Job that a row is about."""
    body = stage.job_body(name, policy, **change)
    body["spec"]["template"]["spec"]["containers"][0].update(container)
    return body


@pytest.fixture
def crowd(stage: Stage) -> Crowd:
    return Crowd.on(stage)


def test_odd_jobs_as_subjects(crowd: Crowd) -> None:
    stage, ear = crowd.stage, Ear(crowd.stage)
    policy = stage.policy(quorum=[{"role": "sre"}])
    jobs = {name: stage.post(body_of(stage, policy, name, change, more)) for name, (change, more, _) in ODD.items()}

    def ask(name: str) -> None:
        release = {"timeoutSeconds": 3} if name == "no-pod-at-once" else {}
        spec = stage.question(name, policy, job=jobs[name], effect={"type": "Release", "release": release})["spec"]
        answer = crowd.ask({"spec": spec})
        assert answer.ok, f"{name}: {answer.message}"

    stage.until("nothing-to-complete", lambda job: condition(job, "Complete")[0] == "True", "its end", kind="job")
    at_once(ask, ODD)
    waiting = crowd.until_looked_at()
    assert [j["metadata"]["name"] for j in stage.all("job") if not j["spec"]["suspend"]] == []
    at_once(crowd.decide, [body for body in waiting if body["status"]["phase"] == "Pending"])
    ended = {body["spec"]["subject"]["name"]: body for body in crowd.until_all_done()}
    assert {name: end_of(body) for name, body in ended.items()} == {name: end for name, (_, _, end) in ODD.items()}
    assert "Job a-number-beyond-json" in ended["a-number-beyond-json"]["status"]["decision"]["message"]
    assert unapproved(stage, ended.values()) == []
    assert [
        line for line in ear.heard() if "cannot read this request" not in line
    ] == []  # the one beyond JSON is told aloud


def end_of(body: Body) -> End:
    """How a request ended."""
    return body["status"]["phase"], failure(body)


def not_held(stage: Stage, policy: str) -> Body:
    """A Job of nobody's that has run to its end."""
    body = stage.job_body("not-held", policy)
    del body["metadata"]["labels"]
    return finished(stage, stage.post(body | {"spec": {**body["spec"], "suspend": False}}))


def runs(stage: Stage, policy: str) -> Body:
    """A Job of nobody's that runs."""
    body = stage.job_body("runs", policy, fake="runs")
    del body["metadata"]["labels"]
    job = stage.post(body | {"spec": {**body["spec"], "suspend": False}})
    return stage.until("runs", lambda j: j.get("status", {}).get("active") == 1, "a pod", kind="job") and job


def by_hand(stage: Stage, policy: str) -> Body:
    """A held Job that somebody has let go by hand, and that is over."""
    job = stage.job("by-hand", policy)
    patch = '{"metadata":{"annotations":{"gatehold.dev/override":"INC-4711: needed at once"}},"spec":{"suspend":false}}'
    stage.kubectl("patch", "job", "by-hand", "--type=merge", "-p", patch, user="dana")
    return finished(stage, job)


def dying(stage: Stage, policy: str) -> Body:
    """A held Job that is being deleted, and that a finalizer of somebody's keeps."""
    body = stage.job_body("dying", policy)
    body["metadata"]["finalizers"] = ["example.org/kept"]
    job = stage.post(body, user="admin")
    stage.kubectl("delete", "job", "dying", "--wait=false")
    return job


def finished(stage: Stage, job: Body) -> Body:
    """Wait until the Job has completed."""
    stage.until(job["metadata"]["name"], lambda j: j.get("status", {}).get("succeeded") == 1, "an end", kind="job")
    return job


def missing(stage: Stage, policy: str) -> Body:
    """A Job that nobody made."""
    return {"metadata": {"name": "missing", "uid": "no-such-uid"}}


def replaced(stage: Stage, policy: str) -> Body:
    """The name of a Job, and the uid of another."""
    return {"metadata": {"name": stage.job("replaced", policy)["metadata"]["name"], "uid": "another-uid"}}


def of_another_policy(stage: Stage, policy: str) -> Body:
    """A Job that another policy holds."""
    return stage.job("of-another-policy", "another")


UNFIT: Final[dict[Callable[[Stage, str], Body], str]] = {
    not_held: "SubjectNotHeld",
    runs: "SubjectNotHeld",
    by_hand: "SubjectRunning",
    dying: "SubjectNotFound",
    missing: "SubjectNotFound",
    replaced: "SubjectChanged",
    of_another_policy: "PolicyMismatch",
}


def test_jobs_that_cannot_be_released_nor_undo_anything(crowd: Crowd) -> None:
    """Each as the subject of one request and as the undo Job of another. The good Jobs beside them stay held."""
    stage, ear = crowd.stage, Ear(crowd.stage)
    policy = stage.policy(quorum=[{"role": "sre"}])
    unfit = {make: make(stage, policy) for make in UNFIT}
    good = {make: stage.post(stage.job_body(f"good-{job['metadata']['name']}", policy)) for make, job in unfit.items()}
    expected: dict[str, str] = {}

    def ask(make: Callable[[Stage, str], Body], **jobs: Body) -> None:
        answer = crowd.ask({"spec": stage.question("q", policy, **jobs)["spec"]})
        assert answer.ok, f"{make.__name__}: {answer.message}"
        expected[answer.body["metadata"]["name"]] = UNFIT[make]

    for make, job in unfit.items():
        ask(make, job=job)
    crowd.until_all_done()  # one after the other, since a live request owns the Jobs that it names
    for make, job in unfit.items():
        ask(make, job=good[make], undo=job)
    ended = crowd.until_all_done()
    assert {body["metadata"]["name"]: failure(body) for body in ended} == expected
    assert [fault for body in ended if (fault := ended_well(body))] == []
    assert {condition(body, "RolledBack") for body in ended} == {("True", "NothingToUndo")}
    good_jobs = [job for job in stage.all("job") if job["metadata"]["name"].startswith("good-")]
    assert [job["spec"]["suspend"] for job in good_jobs] == [True] * len(UNFIT)
    assert ear.heard() == []
    stage.kubectl("patch", "job", "dying", "--type=merge", "-p", '{"metadata":{"finalizers":null}}')


@pytest.mark.parametrize("same", ["name", "uid"])
def test_a_job_does_not_undo_itself(crowd: Crowd, same: str) -> None:
    policy = crowd.stage.policy(quorum=[{"role": "sre"}])
    job = crowd.stage.job("itself", policy)
    undo = {"metadata": {**job["metadata"], ("uid" if same == "name" else "name"): "another"}}
    answer = crowd.ask({"spec": crowd.stage.question("q", policy, job=job, undo=undo)["spec"]})
    assert "the undo Job is another Job than the subject" in answer.message
