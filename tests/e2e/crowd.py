"""Many objects at once, where one by one would take minutes: sent by threads, decided, and watched by one list."""

import itertools
import json
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final, TypeVar

from controlplane import wait_until
from controlplane.errors import TimeIsUpError
from tests.e2e.operators import metric
from tests.e2e.rights import until_allowed
from tests.e2e.stage import GROUP, PATIENCE, Body, Stage, condition, failure, message
from tests.wall.api import Answer, Api, Call, path

T = TypeVar("T")
R = TypeVar("R")

ENDS: Final = ("Approved", "Denied", "Expired", "Withdrawn", "Superseded", "Failed", "Released", "Lapsed")
_EACH: Final = 40
"""Requests of one author: the operator of these tests lets 60 of one wait in a namespace."""
_TROUBLE: Final = ("Traceback", " ERROR ", " CRITICAL ", "it stays held", "unexpected")
_RIGHTS: Final = """
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {{name: crowd-drains}}
rules: [{{apiGroups: [""], resources: [nodes], verbs: [drain]}}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {{name: crowd-drains}}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: crowd-drains}}
subjects: [{{apiGroup: rbac.authorization.k8s.io, kind: Group, name: crowd}}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {{name: crowd-edits, namespace: {namespace}}}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: edit}}
subjects: [{{apiGroup: rbac.authorization.k8s.io, kind: Group, name: crowd}}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {{name: crowd-asks, namespace: {namespace}}}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: Role, name: gatehold-asks}}
subjects: [{{apiGroup: rbac.authorization.k8s.io, kind: Group, name: crowd}}]
"""


def at_once(do: Callable[[T], R], items: Iterable[T]) -> list[R]:
    """Do it for all of them, several at a time; answers in their order."""
    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(do, items))


@dataclass
class Crowd:
    """One namespace and the authors who ask in it. They may also ask for drains."""

    stage: Stage
    numbers: Iterator[int] = field(default_factory=itertools.count)

    @classmethod
    def on(cls, stage: Stage) -> "Crowd":
        """Give the authors their rights."""
        stage.cluster.kubectl("apply", "--server-side", "-f", "-", stdin=_RIGHTS.format(namespace=stage.namespace))
        asks = {"group": "gatehold.dev", "resource": "approvalpolicies", "namespace": stage.namespace}
        until_allowed(stage.api(), "author-0", ["crowd"], verb="request", **asks)
        until_allowed(stage.api(), "author-0", ["crowd"], verb="drain", resource="nodes")
        return cls(stage)

    def author(self, name: str) -> Api:
        """Who asks the request of this name, n<number>: enough people that nobody's queue is full."""
        return self.stage.api().impersonating(f"author-{int(name[1:]) // _EACH}", "crowd")

    def ask(self, body: Body, *, dry: bool = False) -> Answer:
        """Create a request from a body of nothing but its spec, under the next name, or only try to."""
        name = "n0" if dry else f"n{next(self.numbers)}"
        placed = json.loads(json.dumps(body).replace('"the-namespace"', f'"{self.stage.namespace}"'))
        whole = {"apiVersion": GROUP, "kind": "ApprovalRequest", "metadata": {"name": name}, **placed}
        return self.author(name).send(Call(self.stage.path("apr"), whole, "post"), **({"dryRun": "All"} if dry else {}))

    def waiting(self) -> list[Body]:
        """The requests that are not done."""
        return self.stage.all("apr", labelSelector="gatehold.dev/done!=true")

    def until_looked_at(self) -> list[Body]:
        """Wait until the operator has said of each what it waits for; answers those that are not over.

        That the wall could not be proven is no such thing: nobody weakens it here, so that is a machine that is busy.
        """
        while True:
            bodies = self.waiting()
            unsaid = [body["metadata"]["name"] for body in bodies if not waits_for_its_own(body)]
            if not unsaid:
                return bodies
            self._until(unsaid[-1], waits_for_its_own, "held for a reason, or over")

    def until_all_done(self) -> list[Body]:
        """Wait until all are over; answers them. The failure shows the one that hangs."""
        while waiting := self.waiting():
            self._until(waiting[-1]["metadata"]["name"], lambda body: not is_waiting(body), "label done")
        return self.stage.all("apr")

    def _until(self, name: str, holds: Callable[[Body], bool], what: str) -> None:
        """Wait for one: a list of hundreds, again and again, would take the machine away from the operator.

        One that is gone is over: some policies keep nothing.
        """

        def look() -> bool:
            body = self.stage.find("apr", name)
            return body is None or holds(body)

        try:
            wait_until(look, f"{name}: {what}", PATIENCE)
        except TimeIsUpError as error:
            status = (self.stage.find("apr", name) or {}).get("status")
            raise AssertionError(f"{error}\n{json.dumps(status, indent=1)}\n{self.stage.operator.log(40)}") from error

    def decide(self, body: Body) -> None:
        """A yes of alice where people are asked, the author's own withdrawal where nobody can answer."""
        if "requestDigest" not in body["status"]:
            self.withdraw(body)
            return
        options = [option["name"] for option in body["spec"].get("options", ())]
        picked = {"gatehold.dev/option": options[0]} if options else {}
        self._annotate(self.stage.api("alice"), body, {"gatehold.dev/approve": "fine", **picked})

    def withdraw(self, body: Body) -> None:
        """The author takes it back."""
        self._annotate(self.author(body["metadata"]["name"]), body, {"gatehold.dev/withdraw": "it was a try"})

    def _annotate(self, who: Api, body: Body, notes: dict[str, str]) -> None:
        """Say a word; that it came too late is no fault."""
        answer = who.send(Call(self.stage.path("apr", body["metadata"]["name"]), {"metadata": {"annotations": notes}}))
        late = answer.code == 404 or "no longer takes verdicts" in answer.message
        assert answer.ok or late, f"{body['metadata']['name']}: {answer.message}"


def is_waiting(body: Body) -> bool:
    """Whether something is left to watch."""
    return bool(body["metadata"].get("labels", {}).get("gatehold.dev/done") != "true")


def waits_for_its_own(body: Body) -> bool:
    """Whether the operator has spoken, and not of the wall."""
    return said(body) and condition(body, "Held")[1] != "WallNotProven"


def said(body: Body) -> bool:
    """Whether the operator has spoken about a request, with a reason and a sentence for people."""
    status = body.get("status", {})
    kind = "Held" if status.get("phase") == "Pending" else "Ready"
    stated = [c for c in status.get("conditions", ()) if c["type"] == kind]
    return bool(stated and stated[0]["reason"] and stated[0]["message"])


def ended_well(body: Body) -> str:
    """What is wrong with the end of a request, in words; nothing where it is as it has to be."""
    status = body["status"]
    if status["phase"] not in ENDS or not said(body):
        return f"phase {status['phase']} without a reason"
    passed = status["phase"] in ("Approved", "Released")
    if condition(body, "Ready")[0] != str(passed) or not status["decision"].get("message"):
        return f"phase {status['phase']}: {status['conditions']}"
    if passed and not _approvals(body):
        return f"phase {status['phase']} and nobody approved"
    return "the operator cannot read it" if failure(body) == "InvalidRequest" else ""


def unapproved(stage: Stage, requests: Iterable[Body]) -> list[str]:
    """Jobs that run, or ran, although nobody approved the request that signed them."""
    approved = {body["metadata"]["uid"] for body in requests if _approvals(body)}
    jobs = (job for job in stage.all("job") if job["spec"].get("suspend") is not True)
    mark = "gatehold.dev/released-by"
    return [j["metadata"]["name"] for j in jobs if j["metadata"].get("annotations", {}).get(mark) not in approved]


def _approvals(body: Body) -> list[str]:
    """Who said a yes that counts."""
    verdicts = body["status"].get("verdicts", ())
    return [v["username"] for v in verdicts if v["verdict"] in ("approve", "override") and v.get("counted", True)]


class Ear:
    """What the operator complains about from now on."""

    def __init__(self, stage: Stage) -> None:
        """Begin to listen."""
        self._operator = stage.operator
        self._before = len(self._lines())

    def heard(self) -> list[str]:
        """Lines of its log that tell of an error, with what stands around them."""
        lines = self._lines()[self._before :]
        bugs = metric(self._operator, 'gatehold_reconcile_errors_total{kind="ApprovalRequest",reason="Bug"}')
        found = [line for line in lines if any(word in line for word in _TROUBLE)]
        return found + ([f"{bugs} bugs are counted"] if bugs else [])

    def _lines(self) -> list[str]:
        return self._operator.log(10**6).splitlines()


def policies_path(name: str = "") -> str:
    """The path of a policy, or of all."""
    return path(GROUP, "approvalpolicies", None, name or None)


def until_said(stage: Stage, name: str) -> Body:
    """The policy, once the operator says whether it is ready, and why."""
    last: Body = {}

    def look() -> bool:
        last.update(stage.api().must(Call(policies_path(name), how="get")))
        return bool(condition(last, "Ready")[1] and message(last, "Ready"))

    wait_until(look, f"the operator speaks of policy {name}", PATIENCE)
    return last
