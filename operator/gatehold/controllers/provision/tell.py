"""Telling: Events on owners, and figures. Never in the way of a decision."""

from gatehold.domain.phases import Phase
from gatehold.domain.plan import Finding
from gatehold.domain.provision.model import JobSeen, LetGo, Owner, PodSeen, Sight
from gatehold.domain.reasons import Reason
from gatehold.runtime.parts import Runtime
from gatehold.telemetry.events import Event, Regarding

LET_GO = "PodsLetGo"
HELD = "PodsHeld"
_CALM = (Reason.AWAITING_APPROVAL,)
_MOST_TOLD = 20_000


class TellProvision:
    """Tells for the owners of one operator. Events have deterministic names, so what is told twice stands once."""

    def __init__(self, runtime: Runtime) -> None:
        """Use the runtime's recorder and metrics."""
        self._runtime = runtime
        self._told: dict[str, str] = {}
        self._unsure: dict[str, list[LetGo]] = {}

    def let_go(self, sight: Sight, wave: LetGo, count: int) -> None:
        """Tell that pods went since they cost less than the Gate asks about; what a request lets go, that request tells."""
        self._went(sight, wave, count, _running(sight) + count)

    def unsure(self, sight: Sight, wave: LetGo) -> None:
        """Some of it was refused or not answered: what of it went all the same, the next sight shows."""
        if len(self._unsure) > _MOST_TOLD:
            self._unsure.clear()
        self._unsure.setdefault(sight.owner.uid, []).append(wave)

    def look(self, sight: Sight) -> None:
        """Tell what went of that. Whatever waits still goes with another wave, which tells of it."""
        for wave in self._unsure.pop(sight.owner.uid, ()):
            uids = {pod.uid for pod in wave.pods} | {job.uid for job in wave.jobs}
            opened = [one for one in _opened(sight) if one.uid in uids and one.released_by == wave.released_by]
            self._went(sight, wave, len(opened), _running(sight))

    def _went(self, sight: Sight, wave: LetGo, count: int, total: int) -> None:
        if wave.released_by.startswith("gate/") and count:
            what = "pods" if wave.pods else "Jobs"
            gate = wave.released_by.removeprefix("gate/")
            text = f"{count} {what} were let go without a question: their price is under the threshold of gate {gate}"
            digest = wave.pods[0].digest if wave.pods else wave.jobs[0].digest
            self._event(sight.owner, LET_GO, text, f"{digest}/{total}")

    def held(self, sight: Sight, held: Finding | None) -> None:
        """Tell why what waits waits, once for each reason; a Warning where it is not for people alone.

        That people are asked is told once they can answer.
        """
        asked = any(question.asked and question.phase is Phase.PENDING for question in sight.asked)
        if held is None or (held.reason in _CALM and not asked):
            return
        mark = f"{held.reason}: {held.message}"  # its Event is named by this, in every process the same
        if self._told.get(sight.owner.uid) == mark:
            return
        if len(self._told) > _MOST_TOLD:
            self._told.clear()
        self._told[sight.owner.uid] = mark
        self._event(sight.owner, HELD, mark, mark, warning=held.reason not in _CALM)

    def _event(self, owner: Owner, reason: str, text: str, key: str, *, warning: bool = False) -> None:
        about = Regarding(owner.api_version, owner.kind, owner.namespace, owner.name, owner.uid)
        self._runtime.events.record(Event(about, reason, reason, text, "Warning" if warning else "Normal", key))


def _opened(sight: Sight) -> tuple[PodSeen | JobSeen, ...]:
    """What does not wait any more."""
    return (*(pod for pod in sight.pods if not pod.gated), *(job for job in sight.jobs if not job.suspended))


def _running(sight: Sight) -> int:
    return sum(pod.live and not pod.gated for pod in sight.pods)
