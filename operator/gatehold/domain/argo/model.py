"""What the gate of Argo Rollouts looks at, and what it wants done. Gathered by gatehold.controllers.argo in one moment.

A Rollout here is argoproj.io's, whose own controller carries it out. A *pause* is what that controller does at a step
`pause: {}`, or before a blue-green Rollout switches its Service: it goes on when `status.pauseConditions` is taken away.
"""

from dataclasses import dataclass
from datetime import datetime

from gatehold.domain.phases import Phase

STEP_PAUSE = "CanaryPauseStep"
SWITCH_PAUSE = "BlueGreenPause"


@dataclass(frozen=True, slots=True)
class ArgoGate:
    """A Gate of type ArgoRollouts. `timeout_seconds` is how long a question stays open, None: as the policy says."""

    name: str
    policy: str
    timeout_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class ArgoRollout:
    """A Rollout of Argo as it is now. Hashes are Argo's own pod template hashes.

    `asks` is the digest of the question that its pause is (see gatehold.api.argo_rollout), empty where it does not wait
    for a person. `paused_at` is since when. `steps` and `weight` are of a canary: how many there are, and the share that
    it has now, in percent; `step` is None for blue-green. `observed`: its controller has seen its spec.
    """

    namespace: str
    name: str
    uid: str
    resource_version: str
    pod_hash: str
    stable_hash: str
    blue_green: bool = False
    step: int | None = None
    steps: int = 0
    weight: int = 0
    asks: str = ""
    paused_at: datetime | None = None
    resuming: bool = False
    """Its pause was taken away, and its controller has not gone on yet."""
    other_pauses: tuple[str, ...] = ()
    """Reasons for which it is paused besides: an inconclusive analysis."""
    stopped: bool = False
    """`spec.paused`: it stands still by somebody's hand, and would forget that a pause was taken away."""
    observed: bool = False
    deleting: bool = False
    aborted: bool = False
    abort_seen: bool = False
    """Its controller has seen that it is aborted."""
    phase: str = ""
    replicas: int = 1
    updated: int = 0
    available: int = 0
    routed: bool = False
    """A canary with traffic routing: its pods may stay a while after an abort, without traffic."""
    routed_weight: int = 0
    """Percent of the traffic that its canary gets by the router, as last written there."""
    active_hash: str = ""
    """What the active Service of a blue-green Rollout selects."""
    images: tuple[str, ...] = ()
    analyses: tuple[tuple[str, str], ...] = ()
    """Analysis runs of this step and beside it: which, and their phase in words."""
    workload: str = ""
    """The object that holds its template, as Kind/name, where it refers to one."""

    @property
    def promoted(self) -> bool:
        """Whether its newest template is its stable one."""
        return bool(self.pod_hash) and self.pod_hash == self.stable_hash

    @property
    def switched(self) -> bool:
        """Whether the newest template of a blue-green Rollout has the traffic."""
        return self.blue_green and self.active_hash == self.pod_hash

    @property
    def serves_stable(self) -> bool:
        """Whether, aborted, it is back: its stable revision has the pods and the traffic, and its controller says so."""
        if not self.abort_seen or self.available < self.replicas:
            return False
        if self.blue_green:
            return self.active_hash == self.stable_hash
        return self.routed_weight == 0 if self.routed else self.updated == 0


@dataclass(frozen=True, slots=True)
class ArgoAsked:
    """A request about the Rollout that is not done: its phase, the digest of what it asks, and whether people can answer."""

    name: str
    uid: str
    digest: str
    phase: Phase
    prepared: bool = False


@dataclass(frozen=True, slots=True)
class ArgoSight:
    """Everything about one Rollout. `label` is the Gate that its namespace names, empty where it names none.

    `gate` is that Gate, None where nobody can be asked by it, and `why` says why. `unread`: why nothing is known of the
    Rollout though it may be there; then nothing passes, and nothing ends by it.
    """

    label: str
    rollout: ArgoRollout | None
    gate: ArgoGate | None = None
    why: str = ""
    asked: tuple[ArgoAsked, ...] = ()
    stable_images: tuple[str, ...] = ()
    unread: str = ""


@dataclass(frozen=True, slots=True)
class ArgoQuestion:
    """Ask people about the pause of a Rollout; `name` is the first name to try."""

    name: str
    gate: ArgoGate
    rollout: ArgoRollout


@dataclass(frozen=True, slots=True)
class ResumeArgo:
    """Let a paused Rollout go on: its pause is taken away, if it is still that very one."""

    rollout: ArgoRollout


@dataclass(frozen=True, slots=True)
class AbortArgo:
    """Send a Rollout back to its stable revision, if it is still that revision that is under way."""

    rollout: ArgoRollout
