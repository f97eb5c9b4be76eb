"""The question that the operator asks about the pause of an Argo Rollout."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehold.api import argo_request
from gatehold.api.approval_request import parse
from gatehold.domain.argo.decide import decide_argo
from gatehold.domain.argo.model import ArgoQuestion, ArgoRollout
from gatehold.domain.model import Effect, EffectType
from tests.api.schema import misfits, schema
from tests.argo import GATE, NAME, PAUSE, SUBJECT, paused, sight
from tests.promotions import OPERATOR

SPEC = schema("approvalrequests", "spec")


def asked(rollout: ArgoRollout, *stable: str, **gate: Any) -> dict[str, Any]:
    """The request about it."""
    question = decide_argo(sight(rollout, **gate)).ask
    assert question is not None
    return argo_request.request(question, stable, OPERATOR, "key")


def test_the_question() -> None:
    found = asked(paused(images=("web:2", "side:1")), "web:1")

    assert found["metadata"] == {"name": NAME, "namespace": "shop", "labels": {"gatehold.dev/gate": "tide"}}
    assert found["spec"]["summary"] == "let canary new of web go on from step 2 of 4"
    assert "aborted and runs old again" in found["spec"]["description"]
    assert found["spec"]["evidence"] == [
        {"name": "revision", "value": "new", "baseline": "old", "source": "pod template hash"},
        {"name": "step", "value": "2 of 4"},
        {"name": "weight", "value": "20", "unit": "%"},
        {"name": "pods available", "value": "3 of 3 wanted"},
        {"name": "pods of the new revision", "value": "1"},
        {"name": "image", "value": "web:2", "baseline": "web:1"},
        {"name": "image", "value": "side:1"},
    ]
    assert "timeoutSeconds" not in found["spec"]
    body = found | {"metadata": found["metadata"] | {"uid": "u", "creationTimestamp": "2026-03-01T12:00:00Z"}}
    request = parse(body)
    assert (request.subject, request.effect, request.gate) == (SUBJECT, Effect(EffectType.PROMOTE), "tide")
    assert request.subject is not None
    assert request.subject.digest == PAUSE


def test_the_question_about_a_switch_with_what_was_measured() -> None:
    rollout = paused(
        step=None,
        steps=0,
        blue_green=True,
        workload="Deployment/web",
        analyses=(("analysis before the switch", "web-1: Failed: password=hunter2"),),
        other_pauses=("InconclusiveAnalysisRun",),
    )
    found = asked(rollout, gate=replace(GATE, timeout_seconds=300))
    rows = {row["name"]: row["value"] for row in found["spec"]["evidence"]}

    assert found["spec"]["summary"] == "switch web to revision new"
    assert "its active Service selects the new revision" in found["spec"]["description"]
    assert found["spec"]["timeoutSeconds"] == 300
    assert "step" not in rows
    assert rows["template of"] == "Deployment/web"
    assert rows["paused besides"] == "InconclusiveAnalysisRun"
    assert "hunter2" not in rows["analysis before the switch"]


texts = st.text(max_size=300)


@pytest.mark.parametrize("step", [1, None])
@given(images=st.lists(texts, max_size=12), said=texts, name=st.sampled_from(["web", "w" * 253]))
def test_it_fits_the_kind_of_requests(step: int | None, images: list[str], said: str, name: str) -> None:
    rollout = paused(
        name=name, step=step, images=tuple(images), analyses=(("analysis", said),) * 3, other_pauses=(said[:64],) * 40
    )
    found = argo_request.request(ArgoQuestion("web-new-1-a0", GATE, rollout), tuple(images), OPERATOR, "key")

    assert list(misfits(found["spec"], SPEC)) == []
