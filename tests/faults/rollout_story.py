"""A life of one Rollout, told as `tests.faults.story` tells those of requests: same steps, same deaths, same end.

It bears the name of the life. Its children, templates and requests are called LIFE-..., and the table calls them `stable`,
`canary`, `template` and `request`.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Final

from tests.e2e.stage import Body, Stage
from tests.faults.operator import Written
from tests.faults.snapshot import Mask, ours, request_told
from tests.faults.story import DONE, Life, Story, heard
from tests.wall.api import Call, path

TRACKS: Final = ("stable", "canary")
_NAMES: Final = {"request": "-????????-?????", "template": "-??????????", "stable": "-stable", "canary": "-canary"}
"""How the names of its objects end: a request and a template have digits of their digest there."""


@dataclass(frozen=True, slots=True)
class Made:
    """What must be true of a child in the end: how often its spec was written, and how many pods were made for it."""

    generation: int
    pods: int


@dataclass(frozen=True, slots=True)
class RolloutStory(Story):
    """One row of the table. `told` are Events as OBJECT: REASON, and `phase` is the Rollout's."""

    children: Mapping[str, Made] = field(default_factory=dict)
    requests: tuple[str, ...] = ()
    """The phases of all requests, in alphabetical order."""
    outcome: str = ""
    """How the last run ended."""
    known_in_the_end: tuple[str, ...] = ()
    """The same of what comes last."""
    merged: tuple[str, ...] = ()
    """Writes that a successor may make together with the next: the cluster goes on while nobody records."""
    is_over: Callable[["RolloutLife"], bool] = lambda life: life.is_at_rest()

    def expected(self) -> list[str]:
        """Writes, then Events."""
        return [*self.writes, *events(*self.told)]

    def is_swept(self, write: str, nth: int) -> bool:
        """Whether it is swept here and not with another story."""
        return self.known.count(write) < nth <= self.expected().count(write) - self.known_in_the_end.count(write)

    def may_merge(self, write: str) -> bool:
        """Whether a successor may find more done than was recorded, and then records both at once."""
        return write in self.merged

    def new_life(self, stage: Stage, name: str) -> "RolloutLife":
        """One that has not begun."""
        return RolloutLife(self, stage, name)


def events(*told: str) -> tuple[str, ...]:
    """Events, OBJECT: REASON each, as the writes that they are."""
    return tuple(text.replace(": ", ": events ") for text in told)


@dataclass
class RolloutLife(Life):
    """One telling."""

    story: RolloutStory

    # ---- what the operator writes

    def object(self, about: str) -> str:
        """The name of one of its objects, or a pattern of it."""
        return self.name + _NAMES.get(about, "")

    def about(self, write: Written) -> str:
        """Whose write it is."""
        if write.name == self.name:
            return "rollout"
        return next((about for about in _NAMES if fnmatchcase(write.name, self.object(about))), "")

    # ---- what people see

    def look(self) -> None:
        """See how it stands."""
        self.seen = self.stage.find("gro", self.name) or {}

    def ended(self) -> bool:
        """Whether every step is taken and the story is over."""
        return self.taken == len(self.story.steps) and self.story.is_over(self)

    def is_at_rest(self) -> bool:
        """Whether no run is under way, what is shown is what is there, and every request about it is closed."""
        status = self.status()
        ended = "run" not in status and status.get("lastRun", {}).get("outcome") == self.story.outcome
        shown = (status.get("phase"), status.get("ready"), status.get("replicas")) == (self.story.phase, "2/2", 2)
        if not ended or not shown or not all(self.is_answered(track) for track in TRACKS):
            return False
        return all(body["metadata"].get("labels", {}).get(DONE) == "true" for body in self.requests())

    def is_current(self) -> bool:
        """Whether the newest spec was looked at."""
        return bool(self.seen) and self.status().get("observedGeneration") == self.seen["metadata"]["generation"]

    def requests(self) -> list[Body]:
        """Every request about it, by phase."""
        found = self.stage.all("apr", labelSelector=f"gatehold.dev/rollout={self.name}")
        return sorted(found, key=lambda body: str(body.get("status", {}).get("phase")))

    def question(self) -> Body:
        """The request that the run waits for; empty where there is none."""
        asked = self.status().get("run", {}).get("questions", [])
        return (self.stage.find("apr", asked[-1]["name"]) or {}) if asked else {}

    def child(self, track: str) -> Body:
        """One of its Deployments; empty where there is none."""
        return self.stage.find("deploy", f"{self.name}-{track}") or {}

    def is_answered(self, track: str) -> bool:
        """Whether the last write of a child is recorded, and its controller has made of it what it can."""
        child, known = self.child(track), self.status().get(track, {})
        generation = child.get("metadata", {}).get("generation")
        seen = child.get("status", {}).get("observedGeneration")
        return generation is not None and generation == known.get("generation") == seen

    def pods(self, key: str) -> list[Body]:
        """The pods of a child that are there now."""
        return self.stage.all("pods", labelSelector=f"gatehold.dev/rollout={self.name},gatehold.dev/track={key}")

    def has_said(self, user: str, word: str) -> bool:
        """Whether that word has got in, on the question that is open."""
        return heard(self.question(), user, word)

    def regarded(self) -> set[str]:
        """It and its requests."""
        return {self.name, *(body["metadata"]["name"] for body in self.requests())}

    # ---- the end

    def snapshot(self) -> dict[str, Any]:
        """The end as everybody sees it, masked."""
        asked = self.requests()
        names = {f"{self.name}-DIGEST-{body['metadata']['name'][-5:]}": "REQUEST" for body in asked}
        whole = {
            "rollout": rollout_told(self.seen),
            "children": {track: child_told(self.child(track)) for track in TRACKS},
            "templates": sorted(
                [r["revision"], r["data"]["template"]["spec"]["containers"][0]["image"]] for r in self._kept()
            ),
            "requests": [request_told(body) for body in asked],
            "events": sorted({f"{event['reason']}: {event['note']}" for event in self.events()}),
        }
        masked: dict[str, Any] = Mask({**names, self.name: "LIFE", self.stage.namespace: "NAMESPACE"}).of(whole)
        return masked

    def wrongs(self) -> list[str]:
        """Whatever did not happen exactly once."""
        self.look()
        found = [wrong for track, made in self.story.children.items() for wrong in self._child_wrongs(track, made)]
        told = self.told()
        if Counter(told) != Counter(self.story.told):
            found.append(f"Events tell {told}, not {list(self.story.told)}")
        phases = [body.get("status", {}).get("phase") for body in self.requests()]
        found += [f"requests are {phases}, not {self.story.requests}"] * (tuple(phases) != self.story.requests)
        status = self.status()
        if status.get("phase") != self.story.phase:
            found.append(f"phase {status.get('phase')}, not {self.story.phase}")
        return found

    def _child_wrongs(self, track: str, made: Made) -> list[str]:
        child = self.child(track)
        if not child:
            return [f"there is no child {track}"]
        written, pods = child["metadata"]["generation"], self._pods_made(child)
        found = [f"spec of {track} was written {written} times, not {made.generation}"] * (written != made.generation)
        return found + [f"{pods} pods were made for {track}, not {made.pods}"] * (pods != made.pods)

    def _pods_made(self, child: Body) -> int:
        """How many pods its ReplicaSets say they ever made."""
        told = self.stage.all("events", fieldSelector="reason=SuccessfulCreate,regarding.kind=ReplicaSet")
        mine = (event for event in told if event["regarding"]["name"].startswith(f"{child['metadata']['name']}-"))
        return sum(event.get("deprecatedCount", 1) or 1 for event in mine)

    def _kept(self) -> list[Body]:
        return self.stage.all("crev", labelSelector=f"gatehold.dev/rollout={self.name}")

    def forget(self) -> None:
        """Take it away with all that is its own."""
        call = Call(self.stage.path("gro", self.name), {"propagationPolicy": "Background"}, "delete")
        self.stage.api().must(call)
        for pod in (pod for track in TRACKS for pod in self.pods(track)):
            self.stage.api().send(Call(self.pod_path(pod), {"gracePeriodSeconds": 0}, "delete"))


def rollout_told(rollout: Body) -> Body:
    """A Rollout as people see it in the end."""
    meta = rollout["metadata"]
    own = {key: meta.get(key) for key in ("labels", "finalizers", "generation")}
    return {**own, "annotations": ours(meta.get("annotations")), "status": rollout.get("status", {})}


def child_told(child: Body) -> Body:
    """A child in the end; empty where there is none."""
    if not child:
        return {}
    meta, spec, status = child["metadata"], child["spec"], child.get("status", {})
    return {
        "labels": meta.get("labels"),
        "annotations": ours(meta.get("annotations")),
        "generation": meta["generation"],
        "owners": [[owner["kind"], owner["name"]] for owner in meta.get("ownerReferences", [])],
        "replicas": spec["replicas"],
        "template": spec["template"],
        "counts": {name: status.get(name, 0) for name in ("replicas", "updatedReplicas", "availableReplicas")},
    }


def node(life: Life, name: str) -> None:
    """A node that nobody plays; all lives of a cluster share it."""
    body = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}}
    answer = life.stage.api().send(Call(path("v1", "nodes"), body, "post"))
    assert answer.ok or answer.code == 409, answer.message
