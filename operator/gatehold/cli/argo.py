"""The parts of a question about a pause of an Argo Rollout: which revision, how far it is, what a no brings. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from gatehold.cli.text import plain
from gatehold.cli.times import clock
from gatehold.domain.argo.course import asked_of, is_of_argo, name_of
from gatehold.domain.model import EffectType

if TYPE_CHECKING:
    from gatehold.cli.view import View


def is_argo(view: View) -> bool:
    """Whether it is asked about a Rollout of Argo."""
    return view.request.effect.type is EffectType.PROMOTE and is_of_argo(view.request)


def effect_words(view: View) -> str:
    """What happens once it is approved."""
    name, argo = _name(view), asked_of(view.status)
    if argo is None:
        return f"Promote: Argo Rollout {name} goes on from its pause"
    if argo.step_index is None:
        return f"Promote: the active Service of Argo Rollout {name} selects revision {plain(argo.pod_hash)}"
    return f"Promote: the canary of Argo Rollout {name} goes on from step {argo.step_index + 1} of {argo.steps}"


def nothing_ran(view: View) -> str:
    """What becomes of it without a yes."""
    argo = asked_of(view.status)
    back = f" and runs {plain(argo.stable_hash)} again" if argo is not None and argo.stable_hash else ""
    return f"Argo Rollout {_name(view)} is aborted{back}; Git still holds the rejected revision then"


def read_rows(view: View) -> Iterator[tuple[str, str]]:
    """What the operator found when it asked; part of the digest."""
    argo = asked_of(view.status)
    if argo is None:
        return
    yield "Revision", plain(f"{argo.pod_hash}, stable is {argo.stable_hash or 'none'}")
    if argo.step_index is not None:
        yield "Step", f"{argo.step_index + 1} of {argo.steps}, weight {argo.weight} %"
    yield "Paused since", clock(argo.paused_at)
    for image in argo.images:
        yield "  image", plain(image)
    for image in argo.stable_images:
        yield "  stable", plain(image)


def next_command(view: View) -> str:
    """Where to look at it."""
    return f"kubectl argo rollouts get rollout {_name(view)} -n {plain(view.request.namespace)}"


def _name(view: View) -> str:
    return plain(name_of(view.request))
