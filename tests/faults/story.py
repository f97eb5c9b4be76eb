"""A story: one life of one request, told by people who do not care what is dead or alive behind the API server.

    life = Life(RELEASE, stage, "release-7")
    life.begin()                       # makes its objects and asks; the API server has to be there for this
    while not life.ended(): life.advance()

`advance` never waits: it takes every step that is due by what the API server shows, and tries again what did not get
in. So anything may die, freeze and come back between two calls, or during one. `tests.faults.stories` has the table.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import urllib3

from controlplane import wait_until
from tests.e2e.stage import Body, Stage, condition
from tests.faults.operator import Written
from tests.faults.snapshot import Mask, job_told, request_told
from tests.wall.api import Call, path

DONE: Final = "gatehold.dev/done"


@dataclass(frozen=True, slots=True)
class Step:
    """What somebody does (`act`: whether it got in), once something is seen."""

    what: str
    due: Callable[[Any], bool]
    act: Callable[[Any], bool]
    """Both take the life, of whatever kind it is."""


@dataclass(frozen=True, slots=True)
class Ran:
    """What must be true of a Job in the end: how often its spec was written since it was made, and pods made for it."""

    spec_writes: int
    pods: int


@dataclass(frozen=True, slots=True)
class Story:
    """One row of the table: a way in which a request can go, from the question to the end."""

    name: str
    setting: Callable[["Life"], None]
    """Makes what it takes and asks: the request bears the name of the life, everything else begins with it."""
    steps: tuple[Step, ...]
    phase: str
    """Where it ends."""
    told: tuple[str, ...]
    """The reasons of all Events about the request, in order."""
    jobs: Mapping[str, Ran]
    """Its Jobs, LIFE-KEY, and how often they did what they do: this is "every effect happened once"."""
    writes: tuple[str, ...]
    """Every write of the operator in a life that nothing disturbs, in order, Events aside. OBJECT: WHAT, where OBJECT is
    `request` or what stands behind `LIFE-` in a name, and WHAT is as `tests.faults.operator` names it."""
    known: tuple[str, ...] = ()
    """Writes and Events of the beginning that are swept with another story."""

    def expected(self) -> list[str]:
        """What is written in a life that nothing disturbs; Events last, since they go out beside the rest."""
        return [*self.writes, *(f"request: events {reason}" for reason in self.told)]

    def is_swept(self, write: str, nth: int) -> bool:
        """Whether anybody dies at that write here, and not in another story."""
        return self.known.count(write) < nth

    def may_merge(self, write: str) -> bool:
        """Whether a successor may have no such write to make, since it finds the world further on."""
        return False

    def new_life(self, stage: Stage, name: str) -> "Life":
        """One that has not begun."""
        return Life(self, stage, name)


@dataclass
class Life:
    """One telling of a story in a namespace."""

    story: Story
    stage: Stage
    name: str
    refusal: str = ""
    """What the API server last said to somebody whose step did not get in."""
    taken: int = 0
    seen: Body = field(default_factory=dict)
    """The request as last seen."""
    made: dict[str, set[str]] = field(default_factory=dict)
    """The uids of all pods that were ever seen, by the Job that they were made for."""

    def begin(self) -> None:
        """Make the objects and ask."""
        self.story.setting(self)

    def advance(self) -> None:
        """Take each step that is due now. That the API server is away is no error here."""
        try:
            self.look()
            while self.taken < len(self.story.steps) and self._take(self.story.steps[self.taken]):
                self.look()
        except (urllib3.exceptions.HTTPError, AssertionError) as error:  # refused or cut off: the next look tries again
            self.refusal = str(error)

    def look(self) -> None:
        """See how it stands."""
        self.seen = self.stage.find("apr", self.name) or {}

    def ended(self) -> bool:
        """Whether every step is taken and nothing is left to watch."""
        done = self.seen.get("metadata", {}).get("labels", {}).get(DONE) == "true"
        return done and self.taken == len(self.story.steps)

    def live(self, seconds: float = 180) -> None:
        """Go on until the end; `begin` comes before."""

        def over() -> bool:
            self.advance()
            return self.ended()

        try:
            wait_until(over, f"{self.name} has ended", seconds)
        except Exception as error:
            raise AssertionError(f"{error}\n{self.where()}\n{self.stage.operator.log(60)}") from error

    def has_taken(self, steps: int) -> bool:
        """Whether so many steps are taken, after those that are due now."""
        self.advance()
        return self.taken >= steps

    def where(self) -> str:
        """How far it is, for the message of a failure."""
        steps = self.story.steps
        waits = f"before: {steps[self.taken].what}" if self.taken < len(steps) else "all steps taken"
        return f"{self.name}: {waits}; last refusal: {self.refusal or 'none'}; status: {self.seen.get('status')}"

    def _take(self, step: Step) -> bool:
        if not step.due(self) or not step.act(self):
            return False
        self.taken += 1
        return True

    # ---- what the operator writes

    def object(self, about: str) -> str:
        """The name of an object of this life, as the table calls it (a pattern of fnmatch)."""
        return self.name if about == "request" else f"{self.name}-{about}"

    def about(self, write: Written) -> str:
        """What the table calls the object of a write; empty where it is not of this life."""
        if write.name == self.name:
            return "request"
        prefix = f"{self.name}-"
        return write.name.removeprefix(prefix) if write.name.startswith(prefix) else ""

    # ---- what people see

    def status(self) -> Body:
        """The status as last seen."""
        found: Body = self.seen.get("status", {})
        return found

    def condition(self, kind: str) -> tuple[str, str]:
        """Status and reason of a condition as last seen."""
        return condition(self.seen, kind)

    def has_said(self, user: str, word: str) -> bool:
        """Whether that word has got in, whatever answer the speaker got."""
        return heard(self.seen, user, word)

    def job(self, key: str) -> Body:
        """One of its Jobs."""
        return self.stage.get("job", f"{self.name}-{key}")

    def pods(self, key: str) -> list[Body]:
        """The pods of one of its Jobs that are there now. Only steps of the story take any away, after they have looked."""
        found = self.stage.pods_of(self.job(key))
        self.made.setdefault(key, set()).update(pod["metadata"]["uid"] for pod in found)
        return found

    def pod_path(self, pod: Body, sub: str = "") -> str:
        """The path of a pod."""
        return path("v1", "pods", self.stage.namespace, pod["metadata"]["name"], sub)

    def regarded(self) -> set[str]:
        """The names of all objects that its Events are about."""
        return {self.name}

    def events(self) -> list[Body]:
        """Its Events, oldest first."""
        names = self.regarded()
        found = [event for event in self.stage.all("events") if event["regarding"]["name"] in names]
        return sorted(found, key=lambda event: str(event["eventTime"]))

    def told(self) -> list[str]:
        """The same as OBJECT: REASON."""
        return [f"{self.about(Written(event['regarding']['name'], ''))}: {event['reason']}" for event in self.events()]

    # ---- the end

    def snapshot(self) -> dict[str, Any]:
        """The end as everybody sees it, with whatever differs from one life to the next masked."""
        mask = Mask({self.name: "LIFE", self.stage.namespace: "NAMESPACE"})
        told = {f"{event['reason']}: {event['note']}" for event in self.events()}
        whole = {
            "request": request_told(self.stage.get("apr", self.name)),
            "jobs": {key: job_told(self.job(key)) for key in self.story.jobs},
            "pods": {key: sorted(p["status"]["phase"] for p in self.pods(key)) for key in self.story.jobs},
            "events": sorted(told),
        }
        masked: dict[str, Any] = mask.of(whole)
        return masked

    def wrongs(self) -> list[str]:
        """Whatever did not happen exactly once, as sentences; empty when all is well."""
        found = [wrong for key, ran in self.story.jobs.items() for wrong in self._job_wrongs(key, ran)]
        told = [event["reason"] for event in self.events()]
        if sorted(told) != sorted(self.story.told):
            found.append(f"Events tell {told}, not {list(self.story.told)}")
        ids = [verdict["id"] for verdict in self.status().get("verdicts", [])]
        if len(ids) != len(set(ids)):
            found.append(f"a verdict is recorded twice: {ids}")
        if self.status().get("phase") != self.story.phase:
            found.append(f"phase {self.status().get('phase')}, not {self.story.phase}")
        return found

    def _job_wrongs(self, key: str, ran: Ran) -> list[str]:
        job = self.job(key)
        self.pods(key)
        writes, made = job["metadata"]["generation"] - 1, len(self.made[key])
        found = [f"spec of Job {key} was written {writes} times, not {ran.spec_writes}"] * (writes != ran.spec_writes)
        found += [f"{made} pods were made for Job {key}, not {ran.pods}"] * (made != ran.pods)
        by = job["metadata"].get("annotations", {}).get("gatehold.dev/released-by")
        wanted = self.seen["metadata"]["uid"] if ran.spec_writes else None
        found += [f"Job {key} was released by {by}, not {wanted}"] * (by != wanted)
        found += [f"the Job controller has not said its last word on Job {key}"] * (not is_told(job))
        return found + [f"Job {key} has finalizers left"] * bool(job["metadata"].get("finalizers"))

    def until_settled(self, expected: dict[str, Any] | None = None, seconds: float = 120) -> dict[str, Any]:
        """Wait until the rest has come too (Events, the Job controller's last word); answers the snapshot either way."""
        last: list[dict[str, Any]] = [{}]

        def settled() -> bool:
            wrong = self.wrongs()  # first: what comes late is in the snapshot then
            last[0] = self.snapshot()
            return not wrong and (expected is None or last[0] == expected)

        try:
            wait_until(settled, f"{self.name} has settled", seconds)
        except Exception as error:
            if self.wrongs():
                raise AssertionError(f"{error}: {self.wrongs()}\n{self.stage.operator.log(40)}") from error
        return last[0]

    def forget(self) -> None:
        """Take its Jobs away, so that the next life begins in an empty place."""
        for key in self.story.jobs:
            call = Call(self.stage.path("job", f"{self.name}-{key}"), {"propagationPolicy": "Background"}, "delete")
            self.stage.api().must(call)


def heard(request: Body, user: str, word: str) -> bool:
    """Whether somebody's word stands in a request."""
    notes = request.get("metadata", {}).get("annotations", {})
    lines = [line.split("|") for key, line in notes.items() if key.startswith("verdict.gatehold.dev/")]
    return any(line[0] == word and line[3] == user for line in lines)


def is_told(job: Body) -> bool:
    """Whether its controller says of a Job that stands still that it does, and has counted every pod."""
    status = job.get("status", {})
    at_work = any(status.get(name) for name in ("active", "ready", "terminating", "uncountedTerminatedPods"))
    ends = ("Suspended",) if job["spec"]["suspend"] else ("Complete", "Failed")
    return not at_work and any(condition(job, end)[0] == "True" for end in ends)
