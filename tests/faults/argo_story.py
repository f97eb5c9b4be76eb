"""A life of one Argo Rollout behind a Gate, told as `tests.faults.story` tells those of requests: same deaths, same end.

It bears the name of the life, and the table calls it `rollout`; its questions are called LIFE-REVISION-PLACE-aN, and in the
table what stands behind LIFE-. Argo's controller is played by the story, so it takes a step when the story says so.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.e2e.argo_pauses.dock import Dock, controller
from tests.e2e.stage import Body, Stage
from tests.faults.operator import Written
from tests.faults.snapshot import Mask, request_told
from tests.faults.story import DONE, Life, Story, heard
from tests.wall.api import Call


@dataclass(frozen=True, slots=True)
class ArgoStory(Story):
    """One row of the table. `told` are Events as OBJECT: REASON, and `phase` is what Argo says of the Rollout in the end."""

    requests: Mapping[str, str] = field(default_factory=dict)
    """Its questions, and the phase in which each ends: this is "every pause was asked about once"."""
    passed: tuple[str, ...] = ()
    """The pauses that were let go, REVISION-PLACE each, in order."""

    def expected(self) -> list[str]:
        """Writes, then Events."""
        return [*self.writes, *(text.replace(": ", ": events ") for text in self.told)]

    def new_life(self, stage: Stage, name: str) -> "ArgoLife":
        """One that has not begun."""
        return ArgoLife(self, stage, name)


@dataclass
class ArgoLife(Life):
    """One telling."""

    story: ArgoStory
    asked: dict[str, Body] = field(default_factory=dict)
    """Every question about it as last seen, as the table calls them."""
    pause: str = ""
    """The pause at which Argo's controller has it, REVISION-PLACE; empty while it is at none."""
    passed: list[str] = field(default_factory=list)
    """The pauses that somebody took away, as its controller found."""

    # ---- what the operator writes

    def object(self, about: str) -> str:
        """The name of one of its objects."""
        return self.name if about == "rollout" else super().object(about)

    def about(self, write: Written) -> str:
        """Whose write it is."""
        return "rollout" if write.name == self.name else super().about(write)

    # ---- what people and Argo's controller see

    @property
    def dock(self) -> Dock:
        """Its namespace, and what Argo's controller writes with."""
        stage = self.stage
        return Dock(stage.cluster, stage.namespace, stage.operator, controller(stage.cluster))

    def look(self) -> None:
        """See how it stands, and whether its pause was taken away."""
        self.seen = self.dock.find("argo", self.name) or {}
        about = (body for body in self.stage.all("apr") if body["spec"]["subject"].get("name") == self.name)
        self.asked = {body["metadata"]["name"].removeprefix(f"{self.name}-"): body for body in about}
        if self.pause and not self.status().get("pauseConditions"):
            self.passed.append(self.pause)
            self.pause = ""

    def ended(self) -> bool:
        """Whether every step is taken and nothing is left to watch."""
        marks = [body["metadata"].get("labels", {}).get(DONE) for body in self.asked.values()]
        return self.taken == len(self.story.steps) and set(marks) == {"true"} and self.phases() == self.story.requests

    def phases(self) -> dict[str, str]:
        """Where its questions stand."""
        return {question: str(body.get("status", {}).get("phase")) for question, body in self.asked.items()}

    def question(self, question: str) -> Body:
        """The status of one of its questions; empty where it was not asked or not looked at."""
        found: Body = self.asked.get(question, {}).get("status", {})
        return found

    def has_heard(self, question: str, user: str, word: str) -> bool:
        """Whether that word on that question has got in."""
        return heard(self.asked[question], user, word)

    def regarded(self) -> set[str]:
        """It and its questions."""
        return {self.name, *(self.object(question) for question in self.asked)}

    # ---- the end

    def snapshot(self) -> dict[str, Any]:
        """The end as everybody sees it, masked."""
        self.look()
        shown = {question: body["spec"].get("evidence") for question, body in self.asked.items()}
        whole = {
            "rollout": {"spec": self.seen["spec"], "status": self.seen["status"]},
            "requests": {question: request_told(body) for question, body in self.asked.items()},
            "evidence": shown,
            "events": sorted({f"{event['reason']}: {event['note']}" for event in self.events()}),
        }
        masked: dict[str, Any] = Mask({self.name: "LIFE", self.stage.namespace: "NAMESPACE"}).of(whole)
        return masked

    def wrongs(self) -> list[str]:
        """Whatever did not happen exactly once."""
        self.look()
        told = self.told()
        found = [f"Events tell {told}, not {list(self.story.told)}"] * (Counter(told) != Counter(self.story.told))
        phases, passed, phase = self.phases(), tuple(self.passed), self.status().get("phase")
        found += [f"questions are {phases}, not {self.story.requests}"] * (phases != self.story.requests)
        found += [f"{passed} were let go, not {self.story.passed}"] * (passed != self.story.passed)
        ids = [(question, word["id"]) for question in self.asked for word in self.question(question).get("verdicts", [])]
        found += [f"a verdict is recorded twice: {ids}"] * (len(ids) != len(set(ids)))
        return found + [f"phase {phase}, not {self.story.phase}"] * (phase != self.story.phase)

    def forget(self) -> None:
        """Take it away."""
        self.stage.api().must(Call(self.dock.at(self.name), how="delete"))
