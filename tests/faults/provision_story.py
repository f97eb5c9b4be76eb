"""A life of one provision, told as `tests.faults.story` tells those of requests about Jobs: the same deaths, the same end.

Its owner bears the name of the life, its pods are LIFE-0, LIFE-1 ... (a StatefulSet names them so) and its Job LIFE-run. The
operator itself opens the request; the table calls it `request`, and nobody else does anything but answer it. A provision
that people accepted stays in sight as long as its owner lives, so a life is over once its end stands there.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from tests.e2e.provisioning.depot import Depot, is_gated, released_by
from tests.e2e.stage import Body, Stage
from tests.faults.operator import Written
from tests.faults.snapshot import Mask, request_told
from tests.faults.stories import until_known
from tests.faults.story import Life, Story
from tests.wall.api import Call, path

PLURALS: Final = {"StatefulSet": ("apps/v1", "statefulsets"), "CronJob": ("batch/v1", "cronjobs")}


@dataclass(frozen=True, slots=True)
class ProvisionStory(Story):
    """One row of the table: how many pods people accepted (`most`), its owner makes (`pods`), stay in the end (`left`)."""

    kind: str = "StatefulSet"
    most: int = 0
    pods: int = 0
    left: int = 0

    def may_merge(self, write: str) -> bool:
        """Pods of a wave go at the same time: what was on its way when the operator died is not written again."""
        return ": pods" in write

    def new_life(self, stage: Stage, name: str) -> "ProvisionLife":
        """One that has not begun."""
        return ProvisionLife(self, stage, name)


@dataclass
class ProvisionLife(Life):
    """One telling."""

    story: ProvisionStory
    free: int = 0
    """The most pods that were ever seen without our gate."""
    asked: set[str] = field(default_factory=set)
    """The names of all questions that were ever seen about it."""

    # ---- what the operator writes

    def object(self, about: str) -> str:
        """The name of one of its objects, or a pattern of it."""
        return f"{self.name}-????????-p0" if about == "request" else self.name if about == "owner" else super().object(about)

    def about(self, write: Written) -> str:
        """Whose write it is; Events about the owner are no part of any story."""
        if write.name == self.name:
            return "" if write.what.startswith("events ") else "owner"
        return "request" if self._asks(write.name) else super().about(write)

    def _asks(self, name: str) -> bool:
        return re.fullmatch(rf"{re.escape(self.name)}-[0-9a-f]{{8}}-p\d+", name) is not None

    # ---- what people see

    def look(self) -> None:
        """See how it stands."""
        found = self.stage.all("apr", labelSelector="gatehold.dev/gate")
        theirs = [body for body in found if self._asks(body["metadata"]["name"])]
        self.asked |= {str(body["metadata"]["name"]) for body in theirs}
        self.seen = theirs[0] if theirs else {}
        self.free = max(self.free, sum(not is_gated(pod) for pod in self.pods("")))

    def ended(self) -> bool:
        """Whether it is at its end, and that is told whole."""
        told = self.condition("RolledBack")[0] == "True" or self.status().get("effect", {}).get("state") == "Done"
        return self.status().get("phase") == self.story.phase and told and self.taken == len(self.story.steps)

    def pods(self, key: str) -> list[Body]:
        """Its pods that are there now."""
        return self.stage.all("pods", labelSelector=f"app={self.name}")

    def owner(self) -> Body | None:
        """Its owner, where it is there."""
        version, plural = PLURALS[self.story.kind]
        return self.stage.api().get(path(version, plural, self.stage.namespace, self.name))

    def regarded(self) -> set[str]:
        """Its questions."""
        return self.asked

    # ---- the end

    def snapshot(self) -> dict[str, Any]:
        """The end as everybody sees it, masked."""
        self.look()
        owner = self.owner()
        gone = owner is None or "deletionTimestamp" in owner["metadata"]
        spec = (owner or {}).get("spec", {})
        told = request_told(self.seen)
        told["labels"].pop("gatehold.dev/done", None)  # it comes once nothing of the owner is left, at whatever moment
        whole = {
            "request": told,
            "questions": len(self.asked),
            "owner": "gone" if gone else {key: spec.get(key) for key in ("replicas", "suspend")},
            "pods": {} if gone else {pod["metadata"]["name"]: [is_gated(pod), _generation(pod)] for pod in self.pods("")},
            "events": sorted({f"{event['reason']}: {event['note']}" for event in self.events()}),
        }
        masked: dict[str, Any] = Mask({self.name: "LIFE", self.stage.namespace: "NAMESPACE"}).of(whole)
        return masked

    def wrongs(self) -> list[str]:
        """Whatever did not happen exactly once, or went beyond what people accepted."""
        found = super().wrongs()
        pods = self.pods("")
        free = [pod for pod in pods if not is_gated(pod)]
        found += [f"{len(pods)} pods are left, not {self.story.left}"] * (len(pods) != self.story.left)
        by = {released_by(pod) for pod in free}
        found += [f"{self.free} pods were let go, and people accepted {self.story.most}"] * (self.free > self.story.most)
        found += [f"{len(free)} pods run, not {self.story.most}"] * (len(free) != self.story.most)
        found += [f"pods were let go by {by}"] * bool(by - {self.seen["metadata"]["uid"]})
        return found + [f"{len(self.asked)} questions were asked: {self.asked}"] * (len(self.asked) != 1)

    def forget(self) -> None:
        """Take its owner away; the pods go with it."""
        version, plural = PLURALS[self.story.kind]
        where = path(version, plural, self.stage.namespace, self.name)
        self.stage.api().send(Call(where, {"propagationPolicy": "Background"}, "delete"))


def _generation(pod: Body) -> object:
    """How often its spec was written."""
    return pod["metadata"].get("generation")


def all_wait(life: ProvisionLife) -> bool:
    """Its controller has made every pod, and people can answer: which of them go by a yes hangs on what is there."""
    return "requestDigest" in life.status() and len(life.pods("")) == life.story.pods


def behind(on_denied: str, make: Callable[[Depot, str], object]) -> Callable[[ProvisionLife], None]:
    """A gated namespace whose Gate says that of what is denied, and in it what the life is about."""

    def setting(life: ProvisionLife) -> None:
        depot = Depot(life.stage.cluster, life.stage.namespace, life.stage.operator)
        gate = depot.gate(onDenied=on_denied)
        until_known(life, "gates", gate)
        make(depot, life.name)

    return setting
