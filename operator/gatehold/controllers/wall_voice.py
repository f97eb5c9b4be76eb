"""What follows when the wall turns: it is said on each policy and told once, and what waits for it is looked at again."""

from gatehold.controllers.tell import Tell
from gatehold.controllers.wall import Wall
from gatehold.domain.installation import PROBE
from gatehold.runtime.parts import POLICY, REQUEST, Key, Runtime


class WallVoice:
    """Speaks for the wall of one operator."""

    def __init__(self, runtime: Runtime, wall: Wall, tell: Tell) -> None:
        """Nothing was said yet."""
        self._runtime = runtime
        self._wall = wall
        self._tell = tell
        self._fell = False

    def turned(self) -> None:
        """The wall turned, or the reason why it is not proven did."""
        self._told()
        for item in self._runtime.policies:
            self._runtime.enqueue(Key(POLICY, "", item.name, item.uid), False)
        for record in self._runtime.requests:
            if record.summary.urgent or not record.summary.prepared:
                self._runtime.enqueue(Key(REQUEST, record.namespace, record.name, record.uid), record.summary.urgent)

    def _told(self) -> None:
        """An outage of the API server is no fall, and so no news of the wall."""
        probe = self._runtime.policies.get("", PROBE)
        if probe is None or not self._runtime.is_leader():
            return
        fell, stands = self._wall.fell(), self._wall.proven()
        if fell is not self._fell and (fell or stands):
            conditions = (probe.get("status") or {}).get("conditions") or []
            since = next((c["lastTransitionTime"] for c in conditions if c["type"] == "Enforced"), "")
            self._tell.wall_turned(probe, since, stands=stands)
            self._fell = fell
