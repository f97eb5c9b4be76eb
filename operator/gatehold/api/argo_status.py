"""What a question about an Argo Rollout was resolved to, in the status of its request, both ways."""

from typing import Any

from gatehold.api.common import sparse, stamp, time
from gatehold.domain.status import ResolvedArgo

Json = dict[str, Any]


def parse_argo(wire: Json | None) -> ResolvedArgo | None:
    """The pause that was asked about, or None. Raises KeyError, TypeError or ValueError where it is none of ours."""
    if wire is None:
        return None
    return ResolvedArgo(
        pod_hash=wire["podHash"],
        stable_hash=wire.get("stableHash", ""),
        step_index=wire.get("stepIndex"),
        steps=wire.get("steps", 0),
        weight=wire.get("weight", 0),
        paused_at=time(wire["pausedAt"]),
        images=tuple(wire.get("images", ())),
        stable_images=tuple(wire.get("stableImages", ())),
    )


def render_argo(argo: ResolvedArgo | None) -> Json:
    """For the status, and for the digest of the request."""
    if argo is None:
        return {}
    place = {} if argo.step_index is None else {"stepIndex": argo.step_index, "steps": argo.steps, "weight": argo.weight}
    return place | sparse(
        podHash=argo.pod_hash,
        stableHash=argo.stable_hash,
        pausedAt=stamp(argo.paused_at),
        images=list(argo.images),
        stableImages=list(argo.stable_images),
    )
