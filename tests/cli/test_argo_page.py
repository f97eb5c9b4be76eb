"""What a reviewer reads about the pause of an Argo Rollout, and what `doctor` says of a Gate of that type."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from gatehold.api.request_status import render_resolved
from gatehold.cli import argo
from gatehold.cli.doctor.findings import Level
from gatehold.cli.doctor.gates import Gates, findings
from gatehold.cli.listing import asker
from gatehold.cli.question import question
from gatehold.cli.record import at_the_deadline
from gatehold.cli.session import Session
from gatehold.cli.show import print_request
from gatehold.cli.times import ServerTime
from gatehold.cli.view import View, view_of
from gatehold.domain.status import Resolved, ResolvedArgo
from tests.cli.bodies import Cluster, request
from tests.cli.pages import text
from tests.cli.test_gates import PROMOTE, SHOP_SRE, gate

NOW = datetime(2030, 1, 1, 11, 30, tzinfo=UTC)
SUBJECT = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "name": "web", "uid": "r1"}
ASKED = ResolvedArgo("7bf84f9696", "6d4b75cb6d", NOW, 1, 4, 20, ("example.org/web:2",), ("example.org/web:1",))


def body(argo: ResolvedArgo | None = ASKED) -> dict[str, Any]:
    spec = {"effect": {"type": "Promote"}, "subject": SUBJECT}
    return request(spec=spec, status={"resolved": render_resolved(Resolved(argo=argo))} if argo is not None else None)


def view(argo: ResolvedArgo | None = ASKED) -> View:
    return view_of(body(argo))


def test_it_says_which_revision_waits_where_and_what_runs() -> None:
    said = text(question(view(), NOW))

    for part in (
        "Promote: the canary of Argo Rollout web goes on from step 2 of 4",
        "7bf84f9696, stable is 6d4b75cb6d",
        "2 of 4, weight 20 %",
        "example.org/web:2",
        "example.org/web:1",
    ):
        assert part in said


def test_a_switch_and_one_that_was_not_read_yet() -> None:
    switch = text(question(view(replace(ASKED, step_index=None, stable_hash="")), NOW))

    assert "Promote: the active Service of Argo Rollout web selects revision 7bf84f9696" in switch
    assert "stable is none" in switch
    assert "weight" not in switch
    assert "Promote: Argo Rollout web goes on from its pause" in text(question(view(None), NOW))


@pytest.mark.parametrize(
    ("argo", "says"),
    [
        (ASKED, "Argo Rollout web is aborted and runs 6d4b75cb6d again; Git still holds the rejected revision then"),
        (None, "Argo Rollout web is aborted; Git still holds the rejected revision then"),
    ],
)
def test_it_says_what_time_does(argo: ResolvedArgo | None, says: str) -> None:
    words = dict(at_the_deadline(view(argo), NOW)).values()

    assert any(says in text for text in words)


def test_ours_is_none_of_argo() -> None:
    ours = view_of(
        request(spec={"effect": {"type": "Promote"}, "subject": SUBJECT | {"apiVersion": "gatehold.dev/v1alpha1"}})
    )

    assert not argo.is_argo(ours)
    assert list(argo.read_rows(ours)) == []


async def test_it_names_the_command_that_shows_it(capsys: pytest.CaptureFixture[str]) -> None:
    session = Session(Cluster(body()), "shop", ServerTime())  # type: ignore[arg-type]
    await print_request(session, view(), commands=True)

    said = capsys.readouterr().out
    assert "kubectl argo rollouts get rollout web -n shop" in said
    assert "gatehold rollout show" not in said


def test_doctor_on_a_gate_of_argo_rollouts() -> None:
    tide = gate("tide", type="ArgoRollouts", argoRollouts={"timeoutSeconds": 60})
    bare = [(f.level, f.text, f.next) for f in findings(Gates((tide,), (("shop", "tide"),)), [PROMOTE], SHOP_SRE)]
    behind = Gates((tide,), (), (), (("shop", "tide"), ("lab", "gone")))
    said = [(f.level, f.text) for f in findings(behind, [PROMOTE], SHOP_SRE)]

    command = "kubectl label namespace NAME gatehold.dev/argo-rollouts=tide"
    assert (Level.NOTICE, "gate tide: no namespace is behind it", command) in bare
    assert (Level.OK, "policy prod in shop: 1 of sre (group:sre)") in said
    text = "namespace lab names gate gone, which is not there: every pause of an Argo Rollout in it is held"
    assert (Level.PROBLEM, text) in said


def test_the_list_names_the_gate_that_asks_and_whose_change_it_is() -> None:
    by_gate = body() | {"metadata": {**body()["metadata"], "labels": {"gatehold.dev/gate": "tide"}}}
    changed = {**by_gate, "spec": {**by_gate["spec"], "authors": ["ci"]}}

    assert asker(view_of(body()).request) == "ci"
    assert asker(view_of(by_gate).request) == "gate tide"
    assert asker(view_of(changed).request) == "gate tide for ci"
