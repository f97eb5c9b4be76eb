"""The groups of an owner: its pods and Jobs by pod digest, how many of each there may be, and what waits."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from gatehold.domain.phases import Phase, is_over
from gatehold.domain.pricing.pod import PodShape
from gatehold.domain.provision.model import Asked, JobSeen, PodSeen, Sight


@dataclass(frozen=True, slots=True)
class Group:
    """The pods of one owner with one digest. `odd`: the owner's template is another, so what there is is what counts.

    What is on its way out is no reason to ask for more (`size`), and takes room until it has ended (`running`): when a node
    is lost, or under a rolling restart, the next ones wait for that and people are left alone.

    `running` is how many pods were let go and have not ended: those of this digest, and those that a question about it let
    go, whatever became of them. Images and labels of a pod that runs may be changed by its users; who let it go may not.
    """

    digest: str
    pods: tuple[PodSeen, ...]
    jobs: tuple[JobSeen, ...]
    size: int
    odd: bool
    running: int = 0

    @property
    def waiting(self) -> tuple[PodSeen, ...]:
        """The pods that our gate is on, the oldest first."""
        found = [pod for pod in self.pods if pod.gated and pod.live and not pod.deleting]
        return tuple(sorted(found, key=lambda pod: (pod.created, pod.name)))

    @property
    def suspended(self) -> tuple[JobSeen, ...]:
        """The Jobs that wait for this gate, the oldest first; those that wait for another request are not ours."""
        found = [job for job in self.jobs if job.suspended and not job.finished and not job.deleting and not job.hold]
        return tuple(sorted(found, key=lambda job: (job.created, job.name)))

    @property
    def taken(self) -> int:
        """How much of a yes is in use: what runs, or what the Jobs that were resumed are about to run."""
        return max(self.running, sum(job.size for job in self.jobs if not job.suspended and not job.finished))

    @property
    def idle(self) -> bool:
        """Whether nothing waits."""
        return not self.waiting and not self.suspended

    @property
    def members(self) -> tuple[PodSeen | JobSeen, ...]:
        """Everything in it."""
        return (*self.pods, *self.jobs)

    @property
    def since(self) -> datetime:
        """When the first of those that wait was made. Something must wait."""
        waiting: tuple[PodSeen | JobSeen, ...] = (*self.waiting, *self.suspended)
        return min(seen.created for seen in waiting)

    @property
    def shape(self) -> PodShape:
        """What one pod takes; all of a digest take the same."""
        return self.members[0].shape

    @property
    def images(self) -> tuple[str, ...]:
        """Which images run."""
        return self.members[0].images


def groups(sight: Sight) -> tuple[Group, ...]:
    """Every group that has a pod or Job, by digest."""
    seen: tuple[PodSeen | JobSeen, ...] = (*sight.pods, *sight.jobs)
    digests = sorted({one.digest for one in seen})
    return tuple(group(sight, digest) for digest in digests)


def group(sight: Sight, digest: str) -> Group:
    """The group of that digest, which may be empty."""
    pods = tuple(pod for pod in sight.pods if pod.digest == digest)
    jobs = tuple(job for job in sight.jobs if job.digest == digest)
    staying = sum(pod.live and not pod.deleting for pod in pods)
    odd = not sight.owner.known or digest != sight.owner.digest
    wanted = max((job.size for job in jobs if not job.finished), default=0)
    size = max(staying, wanted, 0 if odd else sight.owner.size, 1)
    return Group(digest, pods, jobs, size, odd, _running(sight, digest))


def _running(sight: Sight, digest: str) -> int:
    uids = {asked.uid for asked in sight.asked if asked.digest == digest}
    ours = [pod for pod in (*sight.pods, *sight.strays) if pod.digest == digest or pod.released_by in uids]
    return sum(pod.live and not pod.gated for pod in ours)


def about(sight: Sight, digest: str) -> tuple[Asked, ...]:
    """The questions about that group which count: another value of the owner's retry makes a refusal one of the past.

    What is open stays so: whoever may write that value must not flood people with questions.
    """
    found = [a for a in sight.asked if a.digest == digest and a.phase is not Phase.SUPERSEDED]
    return tuple(a for a in found if a.retry == sight.owner.retry or a.phase is Phase.RELEASED or is_open(a))


def is_open(asked: Asked) -> bool:
    """Whether people may still answer, or their yes is being carried out."""
    return not is_over(asked.phase, has_effect=True)


def covered(asked: Iterable[Asked]) -> Asked | None:
    """The question whose yes covers the most pods, or None."""
    given = [question for question in asked if question.phase is Phase.RELEASED and question.covered]
    return max(given, key=lambda question: (question.covered, question.name), default=None)


def is_current(sight: Sight, digest: str) -> bool:
    """Whether the owner lives with that template: it is its template now, or pods of it have not ended.

    One that cannot be read for a moment may: what was asked and answered about it stays.
    """
    owner = sight.owner
    if owner.gone or owner.deleting:
        return False
    if not owner.known and owner.why:
        return True
    there = any(pod.digest == digest and pod.live for pod in sight.pods)
    return (
        there
        or any(job.digest == digest and not job.finished for job in sight.jobs)
        or (owner.known and owner.digest == digest)
    )


def is_leftover(sight: Sight, asked: Asked) -> bool:
    """Whether a question is about an earlier template of which nothing runs: a controller keeps a pod of it for a while.

    Of one that nobody was asked yet (`asked` is 0) it is not known whether it is about odd pods.
    """
    owner = sight.owner
    past = owner.known and asked.digest != owner.digest and not asked.odd and bool(asked.asked)
    return past and not any(pod.digest == asked.digest and pod.live and not pod.gated for pod in sight.pods)
