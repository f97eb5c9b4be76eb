"""The table of stories, and the moves that they are made of. A later effect adds a row, and a setting where it needs one.

The pods of these Jobs stand on a node that nobody plays, so they end when the story says so and not when a clock does:
between any two writes of the operator there is as much time as a death takes.
"""

from collections.abc import Callable
from typing import Final

from controlplane import wait_until
from tests.e2e.stage import GROUP, Body, condition, message
from tests.faults.story import Life, Ran, Step, Story
from tests.wall.api import Call, path

NODE: Final = "played-by-the-story"

# ---- settings


def held_job(*, reviewers: int = 1, undo: bool = False, **spec: object) -> Callable[[Life], None]:
    """A held Job (and one that undoes it), and the question whether it may run."""

    def make(life: Life) -> None:
        policy = policy_of(life, reviewers)
        _make(life, path("v1", "nodes"), {"apiVersion": "v1", "kind": "Node", "metadata": {"name": NODE}})
        names = ("job", "undo") if undo else ("job",)
        jobs = {name: life.stage.post(_job(life, name, policy)) for name in names}
        for name in names:
            _until_suspended(life, name)
        life.stage.post(life.stage.question(life.name, policy, job=jobs["job"], undo=jobs.get("undo"), **spec))

    return make


def policy_of(life: Life, reviewers: int) -> str:
    """A policy of so many reviewers; all lives of a namespace share it."""
    name = f"{life.stage.namespace}-of-{reviewers}"
    spec = {"quorum": [{"role": "sre", "count": reviewers}], "effects": ["Release"], "onUnknownRequester": "Allow"}
    body = {"apiVersion": GROUP, "kind": "ApprovalPolicy", "metadata": {"name": name}, "spec": spec}
    _make(life, path(GROUP, "approvalpolicies"), body)
    until_known(life, "approvalpolicies", name)
    return name


def until_known(life: Life, plural: str, name: str) -> None:
    """The operator has looked at a policy or a Gate as it is now: of a question that it sees first, it would say so."""

    def known() -> bool:
        body = life.stage.api().get(path(GROUP, plural, None, name)) or {}
        return bool(body) and body.get("status", {}).get("observedGeneration") == body["metadata"]["generation"]

    wait_until(known, f"the operator knows {plural}/{name}", 120)


def _until_suspended(life: Life, key: str) -> None:
    """The Job controller has had its say on a new Job: of one that is released before, it never says that it was held."""
    wait_until(lambda: condition(life.job(key), "Suspended")[0] == "True", f"Job {key} of {life.name} is suspended", 120)


def _make(life: Life, where: str, body: Body) -> None:
    answer = life.stage.api().send(Call(where, body, "post"))
    assert answer.ok or answer.code == 409, answer.message


def _job(life: Life, name: str, policy: str) -> Body:
    body = life.stage.job_body(f"{life.name}-{name}", policy)
    body["spec"]["template"]["spec"] |= {"nodeName": NODE, "tolerations": [{"operator": "Exists"}]}
    return body


# ---- what people wait for


def prepared(life: Life) -> bool:
    """Reviewers can answer."""
    return "requestDigest" in life.status()


def approvals(count: str) -> Callable[[Life], bool]:
    """So many approvals stand in the status."""
    return lambda life: life.status().get("approvals") == count


def effect(state: str) -> Callable[[Life], bool]:
    """The effect stands so in the status."""
    return lambda life: life.status().get("effect", {}).get("state") == state


def works(life: Life) -> bool:
    """The effect is recorded as running, and the Job has its pod: its controller makes none for a Job that was stopped."""
    return effect("Running")(life) and bool(life.pods("job"))


def undo(state: str) -> Callable[[Life], bool]:
    """The undo Job stands so in the status."""
    return lambda life: life.status().get("effect", {}).get("undo", {}).get("state") == state


def waits_for_pods(life: Life) -> bool:
    """The undo waits until the pods of the stopped Job are gone."""
    return "until the pods" in message(life.seen, "RolledBack")


# ---- what people do


def say(user: str, word: str, comment: str) -> Callable[[Life], bool]:
    """Somebody's word. It counts as said once it stands there: an answer that was lost is no reason to say it twice."""

    def act(life: Life) -> bool:
        if life.has_said(user, word):
            return True
        let_in, life.refusal = life.stage.word(user, life.name, word, comment)
        return let_in

    return act


def ends(key: str, phase: str) -> Callable[[Life], bool]:
    """The work of a Job ends, well or badly: its one pod says so."""

    def act(life: Life) -> bool:
        pods = life.pods(key)
        for pod in pods:
            life.stage.api().must(Call(life.pod_path(pod, "status"), {"status": {"phase": phase}}))
        return bool(pods)

    return act


def goes(key: str) -> Callable[[Life], bool]:
    """The pods of a stopped Job end at last."""

    def act(life: Life) -> bool:
        stopped = [pod for pod in life.pods(key) if "deletionTimestamp" in pod["metadata"]]
        for pod in stopped:
            life.stage.api().send(Call(life.pod_path(pod), {"gracePeriodSeconds": 0}, "delete"))
        return not life.pods(key)

    return act


# ---- the table

APPROVE: Final = Step("alice approves", prepared, say("alice", "approve", "error rate is flat"))
OVERRIDE: Final = Step("dana overrides", prepared, say("dana", "override", "INC-4711: site down, sre asleep"))
BOTH: Final = Step("bob approves too", approvals("1/2"), say("bob", "approve", "go"))
WORKS: Final = Step("the Job succeeds", effect("Running"), ends("job", "Succeeded"))
FAILS: Final = Step("the Job fails", effect("Running"), ends("job", "Failed"))
DENY: Final = Step("bob denies while it runs", works, say("bob", "deny", "p99 doubled"))
BACK: Final = Step("the requester takes it back", prepared, say("ci", "withdraw", "wrong cluster"))
STOPS: Final = Step("the pods of the stopped Job go", waits_for_pods, goes("job"))
UNDOES: Final = Step("the undo Job succeeds", undo("Running"), ends("undo", "Succeeded"))

ONCE: Final = Ran(spec_writes=1, pods=1)
STOPPED: Final = Ran(spec_writes=2, pods=1)
NEVER: Final = Ran(spec_writes=0, pods=0)

ASKED: Final = ("request: approvalrequests annotations", "request: approvalrequests/status Pending")
BEGUN: Final = (
    "request: approvalrequests/status Approved",
    "job: jobs annotations finalizers suspend",
    "request: approvalrequests/status effect Running",
)
UNDONE: Final = (
    "request: approvalrequests/status undo Waiting",
    "undo: jobs annotations finalizers suspend",
    "request: approvalrequests/status undo Running",
    "request: approvalrequests/status effect Undone",
    "job: jobs finalizers",
    "undo: jobs finalizers",
)
DONE: Final = ("request: approvalrequests labels",)

KNOWN: Final = (*ASKED, "request: events Waiting")
"""What every story begins with is swept with the first; denial also begins as failure does, up to the running Job."""
RELEASE: Final = Story(
    "release",
    held_job(reviewers=2),
    (APPROVE, BOTH, WORKS),
    "Released",
    told=("Waiting", "VerdictRecorded", "VerdictRecorded", "Approved", "EffectStarted", "Released"),
    jobs={"job": ONCE},
    writes=(
        *ASKED,
        "request: approvalrequests/status approvals conditions verdicts",
        *BEGUN,
        "request: approvalrequests/status Released",
        "job: jobs finalizers",
        *DONE,
    ),
)
FAILURE: Final = Story(
    "failure",
    held_job(undo=True),
    (APPROVE, FAILS, UNDOES),
    "Failed",
    told=("Waiting", "VerdictRecorded", "Approved", "EffectStarted", "Failed", "UndoStarted", "RolledBack"),
    jobs={"job": ONCE, "undo": ONCE},
    writes=(*ASKED, *BEGUN, "request: approvalrequests/status Failed", *UNDONE, *DONE),
    known=KNOWN,
)
DENIAL: Final = Story(
    "denial",
    held_job(undo=True),
    (APPROVE, DENY, STOPS, UNDOES),
    "Denied",
    told=(
        *("Waiting", "VerdictRecorded", "Approved", "EffectStarted"),
        *("VerdictRecorded", "Denied", "UndoStarted", "RolledBack"),
    ),
    jobs={"job": STOPPED, "undo": ONCE},
    writes=(
        *ASKED,
        *BEGUN,
        "request: approvalrequests/status Denied",
        "job: jobs suspend",
        "request: approvalrequests/status conditions effect",
        *UNDONE,
        *DONE,
    ),
    known=(*KNOWN, *BEGUN, *(f"request: events {reason}" for reason in ("VerdictRecorded", "Approved", "EffectStarted"))),
)
OVERRIDING: Final = Story(
    "override",
    held_job(reviewers=2),
    (OVERRIDE, WORKS),
    "Released",
    told=("Waiting", "VerdictRecorded", "Approved", "Overridden", "EffectStarted", "Released"),
    jobs={"job": ONCE},
    writes=(*ASKED, *BEGUN, "request: approvalrequests/status Released", "job: jobs finalizers", *DONE),
    known=KNOWN,
)
EXPIRY: Final = Story(
    "expiry",
    held_job(timeoutSeconds=1),
    (),
    "Expired",
    told=("Waiting", "Expired"),
    jobs={"job": NEVER},
    writes=(*ASKED, "request: approvalrequests/status Expired", *DONE),
    known=KNOWN,
)
WITHDRAWAL: Final = Story(
    "withdrawal",
    held_job(),
    (BACK,),
    "Withdrawn",
    told=("Waiting", "VerdictRecorded", "Withdrawn"),
    jobs={"job": NEVER},
    writes=(*ASKED, "request: approvalrequests/status Withdrawn", *DONE),
    known=KNOWN,
)

STORIES: Final = (RELEASE, FAILURE, DENIAL, OVERRIDING, EXPIRY, WITHDRAWAL)
"""Every one of them is swept: see `tests.faults.test_crash_sweep`."""
