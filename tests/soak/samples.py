"""A small world made by hand in which every invariant holds; the tests spoil it, one thing at a time."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from typing import Any

from tests.soak import rule
from tests.soak.record import Facts, Story, Version, seconds

Body = dict[str, Any]
POLICY: Body = {
    "quorum": [{"role": "sre", "count": 2, "backups": ["duty"]}],
    "effects": ["None", "Release"],
    "escalation": [{"afterSeconds": 30, "roles": ["duty"]}],
    "retentionSeconds": 20,
}
START = "2026-01-01T00:00:00Z"
APR, JOB, UNDO, POD = "uid-of-apr", "uid-of-job", "uid-of-undo", "uid-of-pod"


def at(second: float) -> str:
    """A time of the sample's first hour."""
    return f"2026-01-01T00:{int(second) // 60:02d}:{int(second) % 60:02d}Z"


def clock(second: float) -> float:
    """The same as seconds of the epoch."""
    return seconds(START) + second


class Sample:
    """One request with its Job and undo Job; every step is one write. `facts()` is what a journal would have."""

    def __init__(self, policy: Body | None = None, *, effect: str = "Release") -> None:
        """Asked, nothing more."""
        self.revision = 100
        self.now = 0.0
        self.policy = policy or POLICY
        self.versions: dict[str, list[Version]] = {APR: [], JOB: [], UNDO: [], POD: []}
        self.jobs = {uid: _job(uid) for uid in (JOB, UNDO)}
        self.request = _request(effect)
        self.extra: Body = {}
        for uid in (JOB, UNDO):
            self.wrote(uid, self.jobs[uid])
        self.wrote(APR, self.request)

    def wrote(self, uid: str, body: Body, *, gone: bool = False) -> None:
        """One version."""
        self.revision, self.now = self.revision + 1, self.now + 1
        body["metadata"]["resourceVersion"] = str(self.revision)
        self.versions[uid].append(Version(clock(self.now), deepcopy(body), gone))

    def status(self, **change: Any) -> None:
        """One write of the operator to the request's status."""
        self.request["status"] = {**self.request.get("status", {}), **change}
        self.wrote(APR, self.request)

    def prepared(self) -> "Sample":
        """People can answer, for a minute."""
        snapshot = {
            "name": "two",
            "uid": "p",
            "generation": 1,
            "digest": rule.policy_digest(self.policy),
            "validitySeconds": 30,
            "retentionSeconds": 20,
        }
        resolved = {role: _resolved(self.jobs[uid]) for role, uid in (("job", JOB), ("undo", UNDO))}
        has_job = rule.effect_of(self.request) == "Release"
        self.request["status"] = {"policy": snapshot, **({"resolved": resolved} if has_job else {})}
        quorum = [{"role": "sre", "count": 2, "backups": ["duty"], "acceptedRoles": ["sre"]}]
        self.status(
            phase="Pending",
            requestDigest=rule.request_digest(self.request),
            quorum=quorum,
            preparedAt=at(self.now),
            deadline=at(self.now + 60),
        )
        return self

    def said(self, who: str, word: str, role: str = "sre", comment: str = "because") -> None:
        """A word is admitted."""
        notes = self.request["metadata"].setdefault("annotations", {})
        digest = self.request["status"]["requestDigest"]
        notes[f"verdict.gatehold.dev/{len(notes)}"] = f"{word}|{digest}|{role}|{who}||{comment}"
        self.wrote(APR, self.request)

    def ledger(self) -> list[Body]:
        """Every admitted word, recorded as counted."""
        found = list(self.request["status"].get("verdicts", []))
        for number, line in enumerate(self.request["metadata"].get("annotations", {}).values()):
            if number >= len(found):
                found.append(_entry(number, line, at(self.now)))
        return found

    def approved(self, by: str = "People") -> "Sample":
        """With the ledger in the same write."""
        decision = {"outcome": "Approved", "by": by, "at": at(self.now), "reason": "QuorumMet"}
        effect = {"type": "Release", "state": "Waiting"} if rule.effect_of(self.request) == "Release" else None
        more = {"effect": effect} if effect else {}
        self.status(phase="Approved", decision=decision, verdicts=self.ledger(), validUntil=at(self.now + 30), **more)
        return self

    def let_go(self, uid: str = JOB) -> "Sample":
        """The operator's write to a Job, and its pod."""
        job = self.jobs[uid]
        job["spec"]["suspend"] = False
        job["metadata"]["annotations"] = {"gatehold.dev/released-by": APR}
        job["metadata"]["managedFields"] = [{"manager": "gatehold", "time": at(self.now)}]
        self.wrote(uid, job)
        if uid == JOB:
            self.pod("Running")
        return self

    def pod(self, phase: str) -> None:
        """The Job's pod is in that phase."""
        owner = [{"uid": JOB}]
        self.wrote(POD, {"metadata": {"uid": POD, "name": "pod", "ownerReferences": owner}, "status": {"phase": phase}})

    def ended(self, uid: str = JOB, kind: str = "Complete") -> "Sample":
        """A Job's last word."""
        if uid == JOB:
            self.pod("Succeeded" if kind == "Complete" else "Failed")
        self.jobs[uid]["status"] = {"startTime": at(self.now), "conditions": [{"type": kind, "status": "True"}]}
        self.wrote(uid, self.jobs[uid])
        return self

    def over(self, phase: str, back: str = "NothingToUndo", *, by: str = "People") -> "Sample":
        """An end and, unless it passed, how it was rolled back."""
        decision = {"outcome": phase, "by": by, "at": at(self.now), "reason": "Because"}
        decision = self.request["status"]["decision"] if phase == "Released" else decision
        self.status(phase=phase, decision=decision, verdicts=self.ledger())
        if phase != "Released":
            value = "True" if back in ("NothingToUndo", "UndoCompleted") else "False"
            self.status(conditions=[{"type": "RolledBack", "status": value, "reason": back}])
        return self

    def done(self) -> "Sample":
        """The last write of all."""
        self.request["metadata"]["labels"] = {"gatehold.dev/done": "true"}
        self.wrote(APR, self.request)
        return self

    def spoil(self, uid: str, number: int, change: Callable[[Body], object]) -> "Sample":
        """Change one version that was seen."""
        version = self.versions[uid][number]
        body = deepcopy(version.body)
        change(body)
        self.versions[uid][number] = replace(version, body=body)
        return self

    def facts(self, **more: Any) -> Facts:
        """What there is to check."""
        stories = {uid: Story(versions) for uid, versions in self.versions.items() if versions}
        return Facts(
            jobs={uid: stories[uid] for uid in (JOB, UNDO)},
            requests={APR: stories[APR]},
            pods={JOB: [stories[POD]]} if POD in stories else {},
            policies={rule.policy_digest(self.policy): self.policy},
            now=clock(self.now + 5),
            **more,
        )


def _job(uid: str) -> Body:
    meta = {"uid": uid, "name": f"name-of-{uid}", "namespace": "soak-a", "labels": {"gatehold.dev/hold": "two"}}
    return {"kind": "Job", "metadata": meta, "spec": {"suspend": True, "template": {"spec": {"containers": []}}}}


def _request(effect: str) -> Body:
    spec: Body = {"policyRef": {"name": "two"}, "requester": {"username": "ci"}, "effect": {"type": effect}}
    if effect == "Release":
        spec["subject"] = {"kind": "Job", "name": "migrate", "uid": JOB}
        spec["effect"]["release"] = {"undo": {"name": "undo", "uid": UNDO}}
    return {"kind": "ApprovalRequest", "metadata": {"uid": APR, "name": "r1", "namespace": "soak-a"}, "spec": spec}


def _resolved(job: Body) -> Body:
    return {"name": job["metadata"]["name"], "uid": job["metadata"]["uid"], "digest": rule.job_digest(job)}


def _entry(number: int, line: str, seen: str) -> Body:
    word, digest, role, who, option, comment = line.split("|", 5)
    more = {"role": role, "option": option}
    found: Body = {"id": number, "verdict": word, "digest": digest, "username": who, "comment": comment, "observedAt": seen}
    return found | {key: value for key, value in more.items() if value}
