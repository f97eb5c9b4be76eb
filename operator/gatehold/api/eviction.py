"""What the API server says to an eviction that it does not do now: what holds it up, in words."""

import re
from collections.abc import Iterable
from typing import Final

from gatehold.api.common import shortened
from gatehold.api.refusal import shown
from gatehold.domain.nodes import Block

MOST_TEXT: Final = 512  # of status.effect.nodes[].blockedBy, as in the CRD
_MOST_NAMES: Final = 400
_BUDGET: Final = "DisruptionBudget"
_ENDING: Final = "NamespaceTerminating"
_TWO: Final = "more than one PodDisruptionBudget"
_SAYS: Final = re.compile(r"The disruption budget (\S+) (.+)", re.DOTALL)
_NEEDS: Final = re.compile(r"needs (\d+) healthy pods and has (\d+) currently")


def block(
    code: int, message: str, causes: Iterable[tuple[str, str]], namespace: str, covering: tuple[str, ...] = ()
) -> tuple[Block, str] | None:
    """What to wait for and in words, None where the answer means something else. `causes` are pairs of reason and message.

    `covering` are the budgets that select the pod, as namespace/name: where two do, the API server names neither.
    """
    listed = tuple(causes)
    if code == 429:
        told = next((text for reason, text in listed if reason == _BUDGET), None)
        return Block.BUDGET, _cut(
            f"the API server: {shown(message)}" if told is None else _budget(told, namespace, covering)
        )
    if code == 500 and _TWO in message:
        return Block.TWO_BUDGETS, _cut(_both(covering))
    if code == 403 and any(reason == _ENDING for reason, _ in listed):
        return Block.NAMESPACE, f"namespace {namespace} (it is being deleted)"
    return None


def _budget(told: str, namespace: str, covering: tuple[str, ...]) -> str:
    found = _SAYS.fullmatch(told)
    if found is None:
        return f"budget {covering[0]}" if covering else f"a budget: {shown(told)}"
    needs = _NEEDS.fullmatch(found[2])
    why = f"needs {needs[1]} healthy pods and has {needs[2]}" if needs else shown(found[2])
    return f"budget {namespace}/{found[1]} ({why})"


def _both(covering: tuple[str, ...]) -> str:
    named = f"budgets {' and '.join(covering)}" if len(covering) > 1 else "more than one budget"
    return f"{shortened(named, _MOST_NAMES)} (the API server evicts no pod that two budgets cover)"


def _cut(text: str) -> str:
    return shortened(text, MOST_TEXT)
