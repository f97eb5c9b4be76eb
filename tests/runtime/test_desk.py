"""The answer to an eviction, from memory: what it is worth while nobody hears from the API server."""

from __future__ import annotations

from email.utils import formatdate
from types import SimpleNamespace
from typing import Any

import pytest

from gatehold.admission.desk import Desk, Question
from gatehold.admission.live import Nodes, Rights
from gatehold.admission.pods import Pod
from gatehold.admission.reviews import Review
from gatehold.domain.eviction_sight import Eviction, GateSight, NodeSight, Word
from gatehold.domain.model import Requester
from gatehold.kube.clock import ServerClock
from tests.runtime.support import Ticks

REVIEW = Review("u-1", Eviction("shop", "web-1", Requester("olga")))
FREE = NodeSight("n1", "n1-uid")
DENY = NodeSight("n1", "n1-uid", "gpu", cordoned=True)
HOLD = NodeSight("n1", "n1-uid", "gpu", hold=True, cordoned=True)


def desk(node: NodeSight, ticks: Ticks) -> tuple[Desk, list[Question]]:
    """It knows one pod, and a node and a Gate that it may be on; nobody may drain."""
    memory = {
        "trouble": lambda: "",
        "node": lambda _: node,
        "gate": lambda _: GateSight("gpu", True, "ops", "p"),
        "requests": lambda *_: (),
        "unasked": lambda *_: "",
        "waiting": lambda _: 0,
    }

    async def nobody(*_: Any) -> bool:
        return False

    pods: Any = SimpleNamespace(warm=lambda: True, find=lambda *_: Pod("web-1-uid", "n1"))
    cluster: Any = SimpleNamespace(access_review=nobody)
    clock, asked = ServerClock(ticks), list[Question]()
    clock.on_answer(formatdate(1_800_000_000, usegmt=True), ticks.now)
    return Desk(SimpleNamespace(**memory), pods, (Rights(cluster), Nodes(cluster)), clock, asked.append), asked


@pytest.mark.parametrize(
    ("node", "word"), [(FREE, Word.ALLOWED), (DENY, Word.GUARDED), (HOLD, Word.ASKED)], ids=["free", "deny", "hold"]
)
async def test_after_a_standstill_nothing_counts_until_the_api_server_was_heard(node: NodeSight, word: Word) -> None:
    """Neither is a node known to be free then, nor is a no, which would end a drain that may have been approved by now."""
    ticks = Ticks()
    able, asked = desk(node, ticks)
    assert (await able.answer(REVIEW)).word is word
    asked.clear()
    ticks.now += 25.0
    answer = await able.answer(REVIEW)
    assert (answer.word, answer.code, asked) == (Word.UNSURE, 429, [])
