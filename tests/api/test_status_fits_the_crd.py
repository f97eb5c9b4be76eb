"""Whatever is decided fits the CRD: a status that the API server refuses, or prunes, would hang its request for good."""

from dataclasses import replace
from datetime import datetime

import pytest
from hypothesis import given

from gatehold.api.request_status import parse_status, render_status
from gatehold.domain.decide import decide
from gatehold.domain.effects.drain_evidence import resolved as resolved_drain
from gatehold.domain.nodes import Block, Blocked, BudgetFacts, DrainFacts, GateOfNode
from gatehold.domain.phases import Phase
from gatehold.domain.plan import Observed
from gatehold.domain.rollout.record import Outcome
from gatehold.domain.status import EffectState, EscalationStep, NodeState, Progress, Resolved, Status
from tests.api.schema import misfits, schema
from tests.builders import (
    NOW,
    after,
    approve,
    approved,
    deny,
    effect,
    ended,
    entry,
    facts,
    job,
    observed,
    ours,
    override,
    pending,
    release_observed,
    undo_job,
    undo_status,
)
from tests.domain.drain_strategies import drain_observeds, held_observeds
from tests.domain.strategies import instants, observeds
from tests.drains import (
    asked,
    closed,
    cordoned,
    drain_observed,
    going,
    held_observed,
    lease,
    let_go,
    node,
    pod,
    row,
    there,
)
from tests.promotions import accepted, at_rest, last_run, promote_observed, rollout

STATUS = schema("approvalrequests", "status")


@given(observeds(), instants)
def test_every_status_that_is_decided_fits(seen: Observed, now: datetime) -> None:
    assert list(misfits(render_status(decide(seen, now).status), STATUS)) == []


@given(drain_observeds() | held_observeds(), instants)
def test_every_status_of_a_drain_fits_and_reads_back(seen: Observed, now: datetime) -> None:
    status = decide(seen, now).status
    wire = render_status(status)

    assert list(misfits(wire, STATUS)) == []
    assert parse_status({"status": wire}) == status


LONG = "x" * 1024
LONG_NAMES = tuple(f"{n:03}".ljust(60, "n") for n in range(256))
CROWD = (
    *(pod(f"{n}".ljust(253, "p"), owner="") for n in range(9)),
    *(pod(f"{n}b", blocked=Blocked(Block.BUDGET, "b" * 512, NOW, after(5))) for n in range(9)),
)
TAINTS = tuple(f"{n:02}".ljust(253, "d") + "/" + "k" * 63 + "=" + "v" * 63 + ":PreferNoSchedule" for n in range(99))
EVERYBODY = DrainFacts(
    (
        node(
            "n1",
            *(
                pod(f"{n}".ljust(253, "p"), owner=f"{'K' * 63} {'n' * 63}/{n}".ljust(381, "o"), budgets=(f"shop/{n}",))
                for n in range(99)
            ),
            *(pod(f"{n}".ljust(253, "q"), owner="", empty_dir=True) for n in range(99)),
            gate=GateOfNode("g" * 63),
        ),
    ),
    budgets=tuple(BudgetFacts("shop", str(n)) for n in range(99)),
)
HUGE: dict[str, Status] = {
    "32 verdicts of four-byte characters": decide(
        observed(pending(), verdicts=tuple(approve(n, f"p{n}" + "n" * 1000, comment="🚀" * 1024) for n in range(40))), NOW
    ).status,
    "an override with all the words that it may have": decide(
        observed(pending(), verdicts=(override(0, LONG, comment=LONG),)), NOW
    ).status,
    "a deny with all the words that it may have": decide(
        observed(pending(), verdicts=(deny(0, LONG, comment=LONG),)), NOW
    ).status,
    "sixteen people with long names": decide(
        observed(
            pending(quorum=(entry("sre", 8), entry("finance", 8))),
            verdicts=tuple(approve(n, f"{n}".ljust(1024, "n"), role="sre" if n < 8 else "finance") for n in range(16)),
        ),
        NOW,
    ).status,
    "a break-glass with a long reason": decide(
        release_observed(approved(), facts=facts(job(suspended=False, overridden="y" * 5000), undo_job())), NOW
    ).status,
    "a Job controller with many words": decide(
        release_observed(approved(), facts=facts(ours(job(), failed=True, failure="y" * 5000), undo_job())), NOW
    ).status,
    "everything that an effect records": ended(
        effect=effect(EffectState.UNDOING, progress=Progress(NOW, 1, 2, 3), undo=undo_status(finished_at=NOW, message=LONG)),
        escalations=(EscalationStep(60, after(60), ("duty",), opened_at=NOW),),
    ),
    "a canary with as many image ids as a Rollout's status holds": pending(
        resolved=Resolved(image_ids=tuple(f"{n}=".ljust(1100, "i") for n in range(256)))
    ),
    "a Rollout with many words": decide(
        promote_observed(accepted(), at_rest(over=last_run(Outcome.FAILED, message="y" * 5000))), NOW
    ).status,
    "a Rollout that is stuck with many words": decide(
        promote_observed(accepted(phase=Phase.DENIED), rollout(stuck="y" * 5000)), NOW
    ).status,
    "256 nodes with long names that cannot be drained": decide(
        drain_observed(
            going(*(row(name, NodeState.DRAINING) for name in LONG_NAMES)),
            there(*(cordoned(name, *CROWD) for name in LONG_NAMES), leases=tuple(map(lease, LONG_NAMES))),
        ),
        after(3600),
    ).status,
    "nodes with many taints, before they are drained": decide(
        drain_observed(
            asked(*LONG_NAMES[:20]),
            there(*(node(name, *CROWD, taints=TAINTS) for name in LONG_NAMES[:20])),
            verdicts=(approve(),),
        ),
        NOW,
    ).status,
    "evidence of everybody's pods": pending(resolved=resolved_drain(EVERYBODY)),
    "a held drain with many words": decide(
        held_observed(let_go(), closed(gate=GateOfNode("gpu", why="y" * 5000), unschedulable=False)), NOW
    ).status,
    "nothing": Status(),
}


@pytest.mark.parametrize("status", HUGE.values(), ids=HUGE)
def test_it_fits_with(status: Status) -> None:
    assert list(misfits(render_status(status), STATUS)) == []


def test_the_schema_of_this_test_has_teeth() -> None:
    wire = render_status(replace(approved(), approvals="many", request_digest="sha256:" + "D" * 64))
    wire |= {"newer": 1, "phase": "Maybe", "observedGeneration": True, "quorum": [], "deadline": "soon", "effect": []}
    wire["verdicts"] = [*wire["verdicts"], wire["verdicts"][0] | {"id": -1}, wire["verdicts"][0]]
    del wire["conditions"][0]["reason"]
    found = "; ".join(misfits(wire, STATUS))

    for text in (
        "approvals does not match",
        "requestDigest does not match",
        "newer is not known",
        "phase is none of",
        "observedGeneration is no integer",
        "quorum has 0 entries",
        "deadline is no time",
        "effect is no object",
        "verdicts has two entries of one key",
        "verdicts[1].id is out of its bounds",
        "conditions[0].reason is missing",
    ):
        assert f"status.{text}" in found
