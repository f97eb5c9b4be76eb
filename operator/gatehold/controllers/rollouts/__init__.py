"""The gated Rollout's shell: gather a Sight, let `gatehold.domain.rollout` decide, apply its plan.

`controller` is the cycle; `gather` reads (with `children` and `revisions`), `apply` writes (by its `hands`, with `question`
for what people are asked), `tell` says what happened.
"""

from gatehold.controllers.rollouts.apply import Apply
from gatehold.controllers.rollouts.children import ChildReader
from gatehold.controllers.rollouts.controller import RolloutController
from gatehold.controllers.rollouts.gather import Gather, IsGenuine
from gatehold.controllers.rollouts.hands import Hands
from gatehold.controllers.rollouts.question import Questions
from gatehold.controllers.rollouts.revisions import Revisions
from gatehold.controllers.rollouts.tell import TellRollout
from gatehold.controllers.wall import Wall
from gatehold.runtime.parts import Runtime

__all__ = ["rollout_controller"]


def rollout_controller(runtime: Runtime, wall: Wall, is_genuine: IsGenuine) -> RolloutController:
    """Make the cycle with all its parts; `is_genuine` says of a request whether its yes met the wall."""
    children, revisions = ChildReader(runtime), Revisions(runtime)
    hands = Hands(runtime, children, revisions, Questions(runtime, children, revisions))
    gather = Gather(runtime, wall, is_genuine, children, revisions)
    apply = Apply(runtime, wall, hands, TellRollout(runtime))
    return RolloutController(runtime, gather, apply, children, revisions)
