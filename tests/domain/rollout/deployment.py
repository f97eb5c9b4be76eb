"""A toy Deployment, with its controller and its kubelets in one."""

from dataclasses import dataclass, field

from gatehold.domain.rollout.model import Answer, Child

UID = "rollout-uid"


@dataclass
class Pod:
    """A pod: of which template, with which image, and whether it serves."""

    template: str
    image: str
    ready: bool = False


@dataclass
class Deployment:
    """A Deployment, with its controller and its kubelets in one."""

    name: str
    template: str
    replicas: int
    owner: str = UID
    uid: str = ""
    version: int = 1
    generation: int = 1
    observed: int = 0
    restarted_at: str = ""
    overridden: str = ""
    labelled: bool = True
    deleting: bool = False
    answer: Answer | None = None
    pods: list[Pod] = field(default_factory=list)

    @property
    def available(self) -> int:
        return sum(pod.ready for pod in self.pods)

    def roll(self, images: dict[str, str]) -> None:
        """The deployment controller to its end for now: maxUnavailable 0, maxSurge 25 %, unready pods go first."""
        self.observed = self.generation
        limit = self.replicas + -(-self.replicas // 4)
        for _ in range(200):
            new = [p for p in self.pods if p.template == self.template]
            old = [p for p in self.pods if p.template != self.template]
            if len(new) > self.replicas:
                self.pods.remove(min(new, key=lambda p: p.ready))
            elif old and (not all(p.ready for p in old) or self.available > self.replicas):
                self.pods.remove(min(old, key=lambda p: p.ready))
            elif len(new) < self.replicas and len(self.pods) < limit:
                self.pods.append(Pod(self.template, images.get(self.template, self.template)))
            else:
                return

    def child(self, held: int) -> Child:
        new = [p for p in self.pods if p.template == self.template]
        ready = sorted({f"app={p.image}" for p in self.pods if p.ready})
        return Child(
            self.name,
            self.uid,
            str(self.version),
            self.generation,
            self.owner,
            self.template,
            self.replicas,
            self.observed,
            len(self.pods),
            len(new),
            self.available,
            self.available,
            self.overridden,
            self.labelled,
            self.deleting,
            self.answer,
            tuple(ready),
            held=held,
        )
