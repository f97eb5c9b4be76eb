"""Break-glass on gated pods and Jobs: what somebody opened by hand is told, and counted. Nothing is put back.

The annotation is the wall's to guard, and nobody can mark that it was told: an Event of the same name stands once, however
often it is recorded. A notice and the counter are for what this process saw waiting, and for what is young.
"""

from gatehold.api.job import OVERRIDE
from gatehold.controllers.hindsight import LATELY
from gatehold.controllers.tell import Tell
from gatehold.domain.provision.model import JobSeen, PodSeen, Sight
from gatehold.runtime.parts import Runtime

_MOST = 50_000


class Glass:
    """Looks for what was opened by hand."""

    def __init__(self, runtime: Runtime, tell: Tell) -> None:
        """Nothing was seen yet."""
        self._runtime = runtime
        self._tell = tell
        self._waiting = set[str]()
        self._looked = set[str]()

    def look(self, sight: Sight) -> None:
        """Look at the pods and Jobs of one owner."""
        for known in (self._waiting, self._looked):
            if len(known) > _MOST:
                known.clear()
        for pod in sight.pods:
            self._one(pod, waits=pod.gated)
        for job in sight.jobs:
            self._one(job, waits=job.suspended)

    def _one(self, seen: PodSeen | JobSeen, *, waits: bool) -> None:
        if waits:
            self._waiting.add(seen.uid)
        elif not seen.released_by and seen.uid not in self._looked:
            self._looked.add(seen.uid)
            self._opened(seen)

    def _opened(self, seen: PodSeen | JobSeen) -> None:
        cache = self._runtime.pods if isinstance(seen, PodSeen) else self._runtime.gated_jobs
        body = cache.by_uid(seen.uid)
        reason = (body["metadata"].get("annotations") or {}).get(OVERRIDE) if body is not None else None
        if body is None or not reason:
            return
        news = seen.uid in self._waiting or seen.created >= self._runtime.clock.now() - LATELY
        self._waiting.discard(seen.uid)
        self._tell.broken_glass(body, reason, news=news)
