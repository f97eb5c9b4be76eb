"""The stage of the wall's table: a request (and its Job) brought into a named state, and the writes that an attempt makes.

`Stopped` writes the states by hand, with the operator's own pod-bound token: no operator runs, so nothing but the API
server can refuse. `Running` asks the same of a real operator, which brings the request there by itself.
"""

import hashlib
import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from tests.wall.api import Answer, Api, Call, path
from tests.wall.people import OPERATOR, SHOP, Body

GROUP = "gatehold.dev/v1alpha1"
VERDICT = "verdict.gatehold.dev/"
_numbers = itertools.count()

QUORUMS: dict[str, list[Body]] = {
    "solo": [{"role": "sre", "count": 1, "acceptedRoles": ["sre"]}],
    "choice": [{"role": "sre", "count": 2, "acceptedRoles": ["sre"]}],
    "prod": [
        {"role": "sre", "count": 2, "backups": ["duty"], "acceptedRoles": ["sre"]},
        {"role": "finance", "count": 1, "acceptedRoles": ["finance"]},
    ],
}
AT = "2026-01-01T00:00:00Z"
CLOSED = ("Denied", "Expired", "Withdrawn", "Superseded", "Failed", "Released", "Lapsed")


@dataclass(frozen=True)
class Ask:
    """What is asked, as data. `said` are words given beforehand, each by its person: ("alice", "approve", "sre", option)."""

    state: str = "pending"
    policy: str = "solo"
    requester: str = "ci"
    opened_by: str = ""
    """Who opens it, where that is not the requester."""
    release: bool = False
    undo: bool = False
    options: Sequence[str] = ()
    on_behalf_of: Sequence[str] = ()
    authors: Sequence[str] = ()
    nodes: Sequence[str] = ()
    """Nodes of a drain as the operator has read them beforehand; the uid of each is its name and -uid."""
    said: Sequence[tuple[str, ...]] = ()
    recorded: bool = True
    labels: Body = field(default_factory=dict)
    annotations: Body = field(default_factory=dict)
    escalations: Sequence[Body] = ()
    spec: Body = field(default_factory=dict)


class Hand(Protocol):
    """Who brings requests into their states: nobody but this token (stopped), or the operator (running)."""

    still: bool
    """Whether nobody but the attempt itself writes anything meanwhile."""

    def adapt(self, ask: Ask) -> Ask:
        """What has to be asked so that the state can be reached."""

    def bring(self, scene: "Scene", state: str) -> None:
        """Bring the scene's request into the state."""


class Scene:
    """One request, with its Job where it has one, and everybody's connections."""

    def __init__(self, people: dict[str, Api], hand: Hand, *, stamped: bool, operator_pod: str = "") -> None:
        self.people, self.hand, self.stamped, self.operator_pod = people, hand, stamped, operator_pod
        self.name = f"r{next(_numbers)}"
        self.ask = Ask()
        self.job = self.undo = ""
        self.uids: dict[str, str] = {}

    # ---- setting up

    def request(self, ask: Ask) -> "Scene":
        """Open the request and bring it into its state, words included. State `nothing`: only the Job, if any."""
        self.ask = ask = self.hand.adapt(ask)
        if ask.release:
            self.job, self.undo = self.hold("job"), self.hold("undo") if ask.undo else ""
        if ask.state == "nothing":
            return self
        by = ask.opened_by or ("operator" if ask.authors else ask.requester)
        self.people[by].must(self.creation(by))
        self.hand.bring(self, ask.state)
        return self

    def hold(self, stem: str, policy: str = "", **spec: object) -> str:
        """Create a held Job as ci; returns its name."""
        name = f"{stem}-{self.name}"
        body = job(name, policy or self.ask.policy, ends=self.ask.state == "Released", **spec)
        self.uids[name] = self.people["ci"].must(Call(path("batch/v1", "jobs", SHOP), body, "post"))["metadata"]["uid"]
        return name

    def spec(self, by: str = "") -> Body:
        """The spec as its creator writes it; without stamping the requester writes itself down."""
        ask = self.ask
        subject: Body = {"kind": "Deployment", "name": "web"}
        spec: Body = {"policyRef": {"name": ask.policy}, "subject": subject}
        if self.job:
            subject |= {"apiVersion": "batch/v1", "kind": "Job", "name": self.job, "uid": self.uids[self.job]}
            spec["effect"] = {"type": "Release"}
        if self.undo:
            spec["effect"]["release"] = {"undo": {"name": self.undo, "uid": self.uids[self.undo]}}
        if ask.options:
            spec["options"] = [{"name": name} for name in ask.options]
        if ask.on_behalf_of:
            spec["onBehalfOf"] = list(ask.on_behalf_of)
        if ask.authors:
            spec |= {"authors": list(ask.authors), "requester": {"username": OPERATOR}}
        if not self.stamped and "requester" not in spec:
            spec["requester"] = self.identity(by or ask.requester)
        return {**spec, **ask.spec}

    def identity(self, who: str) -> Body:
        """username, and uid where there is one, as the API server knows that account."""
        body = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
        info = self.people[who].must(Call(path("authentication.k8s.io/v1", "selfsubjectreviews"), body, "post"))["status"][
            "userInfo"
        ]
        return {key: info[key] for key in ("username", "uid") if info.get(key)}

    def creation(self, by: str = "", *, name: str = "", **metadata: object) -> Call:
        """The write that opens the request."""
        meta = {
            "name": name or self.name,
            "labels": dict(self.ask.labels),
            "annotations": dict(self.ask.annotations),
            **metadata,
        }
        body = {"apiVersion": GROUP, "kind": "ApprovalRequest", "metadata": meta, "spec": self.spec(by)}
        return Call(path(GROUP, "approvalrequests", SHOP), body, "post")

    # ---- looking

    @property
    def target(self) -> str:
        return path(GROUP, "approvalrequests", SHOP, self.name)

    @property
    def job_target(self) -> str:
        return path("batch/v1", "jobs", SHOP, self.job)

    def read(self) -> Body:
        found = self.people["admin"].get(self.target)
        assert found is not None
        return found

    def digest(self) -> str:
        return str(self.read().get("status", {}).get("requestDigest", ""))

    def verdicts(self) -> dict[int, str]:
        """The verdict annotations by number."""
        notes = self.read()["metadata"].get("annotations") or {}
        return {
            int(k.removeprefix(VERDICT)): v for k, v in notes.items() if re.fullmatch(re.escape(VERDICT) + r"[0-9]{1,4}", k)
        }

    def next(self) -> int:
        ids = [*self.verdicts(), *(v["id"] for v in self.read().get("status", {}).get("verdicts", []))]
        return max(ids, default=-1) + 1

    # ---- saying

    def say(self, who: str, word: str, role: str = "", option: str = "", comment: str = "looks fine to me") -> None:
        """Give a word that has to be admitted, in the stored form, which works with and without stamping."""
        name = username(who).replace("%", "%25").replace("|", "%7C")
        value = f"{word}|{self.digest()}|{role}|{name}|{option}|{comment}"
        self.people[who].must(Call(self.target, notes({f"{VERDICT}{self.next()}": value})))

    def ledger(self, **overrides: Body) -> list[Body]:
        """The ledger as the operator would write it from the annotations; `overrides` by number, as v0={...}."""
        found = []
        old = {v["id"]: v for v in self.read().get("status", {}).get("verdicts", [])}
        for number, value in sorted(self.verdicts().items()):
            fields = value.split("|", 5)
            if len(fields) != 6:
                continue
            word, digest, role, name, option, comment = fields
            entry: Body = {
                "id": number,
                "verdict": word,
                "digest": digest,
                "username": name.replace("%7C", "|").replace("%25", "%"),
            }
            entry |= {key: text for key, text in (("role", role), ("option", option), ("comment", comment)) if text}
            found.append(old.get(number, entry | {"observedAt": AT}) | overrides.get(f"v{number}", {}))
        return found

    def write_status(self, status: Body) -> Answer:
        """Write status as the operator's own pod."""
        return self.people["operator"].send(Call(f"{self.target}/status", {"status": status}))


def username(who: str) -> str:
    """The name by which the API server knows an account of the table."""
    return f"system:serviceaccount:{SHOP}:{who}" if who in ("robot", "gitops") else who


def notes(annotations: Body) -> Body:
    return {"metadata": {"annotations": annotations}}


def job(name: str, policy: str, *, ends: bool = False, **spec: object) -> Body:
    """A held Job. Its pods run on unless it `ends`."""
    pod = {"restartPolicy": "Never", "containers": [{"name": "main", "image": "busybox", "command": ["true"]}]}
    meta = {"name": name, "labels": {"gatehold.dev/hold": policy}}
    labels = {} if ends else {"example.org/fake": "runs-on"}
    base: Body = {"suspend": True, "template": {"metadata": {"labels": labels}, "spec": pod}}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": meta, "spec": {**base, **spec}}


class Stopped:
    """No operator runs: each state is written by hand, through the same wall, with the operator's pod-bound token."""

    still = True

    def adapt(self, ask: Ask) -> Ask:
        return ask

    def bring(self, scene: Scene, state: str) -> None:
        ask = scene.ask
        if state == "new":
            return
        # first of all the operator owns the annotations map, so that no GitOps apply ever does
        scene.people["operator"].must(Call(scene.target, notes({"gatehold.dev/prepared-by": "by hand"})))
        if state == "unprepared":
            self._write(scene, {"phase": "Pending", "deadline": AT})
        elif state in ("Failed", "Superseded") and not ask.said:
            self._write(scene, {"phase": state, "decision": {"outcome": state, "by": "Operator"}})
            return
        else:
            self._write(scene, prepared(scene))
        for word in ask.said:
            scene.say(*word)
        if state not in ("unprepared", "pending"):
            self._close(scene, state)
        elif ask.recorded and ask.said:
            self._write(scene, {"verdicts": scene.ledger()})

    def _close(self, scene: Scene, state: str) -> None:
        if state in ("Approved", "running", "Released", "Lapsed"):
            self._approve(scene)
        if state == "Denied":
            scene.say("vic", "deny", "security")
        if state == "Withdrawn":
            scene.say(scene.ask.requester, "withdraw")
        by = {"Denied": "People", "Withdrawn": "Requester", "Expired": "Time", "Lapsed": "Time"}.get(state, "Operator")
        if state == "running":
            self._write(scene, {"effect": {"state": "Running", "startedAt": AT}})
        elif state == "Released":
            self._write(scene, {"phase": "Released", "effect": {"state": "Done"}})
        elif state != "Approved":
            ending = {"outcome": state, "by": by}
            self._write(scene, {"phase": state, "decision": ending, "verdicts": scene.ledger()})

    def _approve(self, scene: Scene) -> None:
        option = scene.ask.options[0] if scene.ask.options else ""
        for who, role in {"solo": [("alice", "sre")], "choice": [("alice", "sre"), ("bob", "sre")]}[scene.ask.policy]:
            if not any(word[:2] == (who, "approve") for word in scene.ask.said):
                scene.say(who, "approve", role, option)
        status = {"phase": "Approved", "verdicts": scene.ledger(), "validUntil": AT, "decision": approval(option=option)}
        if scene.job:
            status["effect"] = effect(scene)
        self._write(scene, status)

    def _write(self, scene: Scene, status: Body) -> None:
        answer = scene.write_status({"observedGeneration": 1, **status})
        assert answer.ok, f"set-up of {scene.ask.state}: {answer.code} {answer.message}"


def approval(by: str = "People", option: str = "", **more: object) -> Body:
    return {"outcome": "Approved", "by": by, "at": AT, **({"option": option} if option else {}), **more}


def effect(scene: Scene, state: str = "Waiting") -> Body:
    ref = {"apiVersion": "batch/v1", "kind": "Job", "name": scene.job, "uid": scene.uids[scene.job], "resourceVersion": "1"}
    return {"type": "Release", "state": state, "object": ref, "prior": {"suspend": True}}


def prepared(scene: Scene) -> Body:
    """What the operator writes before anybody is asked."""
    ask = scene.ask
    status: Body = {"phase": "Pending", "requestDigest": "sha256:" + hashlib.sha256(scene.name.encode()).hexdigest()}
    status["policy"] = {"name": ask.policy, "uid": "u", "generation": 1, "validitySeconds": 600, "retentionSeconds": 600}
    status |= {"preparedAt": AT, "deadline": "2036-01-01T00:00:00Z", "resolved": {"imageIDs": ["one"]}}
    if ask.nodes:
        status["resolved"]["nodes"] = [{"name": name, "uid": f"{name}-uid"} for name in ask.nodes]
    if ask.policy in QUORUMS:
        status |= {"quorum": QUORUMS[ask.policy], "approvals": "0/1"}
    if ask.policy == "prod":
        status["escalations"] = [{"afterSeconds": 3600, "at": "2035-01-01T00:00:00Z", "roles": ["duty"]}]
    return status
