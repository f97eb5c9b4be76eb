"""What `gatehold doctor` says of Rollouts of Argo that were there before their namespace was put behind a Gate."""

import json
from typing import Any

import pytest

from controlplane import wait_until
from gatehold.cli.doctor.argo_rollouts import findings
from gatehold.cli.doctor.findings import Level
from tests.cli.stage import Stage
from tests.wall.argo import blue_green, canary, install_kind
from tests.wall.table_argo import ALLOWED_SPECS, EXPERIMENT

Body = dict[str, Any]
FLAWED: dict[str, Body] = {
    "it has no selector of its own": {**canary(), "selector": None, "workloadRef": {"kind": "Deployment", "name": "web"}},
    "rollbackWindow": {**canary(), "rollbackWindow": {"revisions": 3}},
    "its switch waits for nobody": blue_green(autoPromotionEnabled=None),
    "no step {pause: {}}": canary({"setWeight": 20}, {"pause": {"duration": 60}}),
    "an analysis in the background": canary(analysis={"templates": [{"templateName": "slow"}]}),
    "an experiment with analyses": canary({"pause": {}}, EXPERIMENT),
}


def rollout(spec: Body) -> Body:
    whole = {"selector": {"matchLabels": {"app": "web"}}, **spec}
    return {
        "metadata": {"namespace": "store", "name": "web"},
        "spec": {key: value for key, value in whole.items() if value is not None},
    }


@pytest.mark.parametrize(("flaw", "spec"), FLAWED.items(), ids=FLAWED)
def test_what_would_go_past_people_is_named(flaw: str, spec: Body) -> None:
    (found,) = findings([rollout(spec)])

    assert (found.level, found.next) == (Level.PROBLEM, "kubectl -n store edit rollouts.argoproj.io web")
    assert found.text == f"Rollout web in store would go past people as it stands: {flaw}; its next change is refused"


@pytest.mark.parametrize("spec", ALLOWED_SPECS.values(), ids=ALLOWED_SPECS)
def test_of_what_the_wall_lets_in_nothing_is_said(spec: Body) -> None:
    assert findings([rollout(spec)]) == []


def test_without_the_account_of_its_controller_all_stands_still(stage: Stage) -> None:
    plane = stage.plane
    install_kind(plane)
    plane.kubectl("create", "namespace", "quay")
    plane.kubectl("label", "namespace", "quay", "gatehold.dev/argo-rollouts=tide")
    try:
        wait_until(lambda: _says(stage), "the account is missed", 60)
        plane.kubectl("create", "namespace", "argo-rollouts")
        plane.kubectl("create", "serviceaccount", "argo-rollouts", "-n", "argo-rollouts")
        assert not _says(stage)
    finally:
        plane.kubectl("delete", "crd", *(f"{kind}.argoproj.io" for kind in ("rollouts", "analysisruns", "experiments")))
        plane.kubectl("label", "namespace", "quay", "gatehold.dev/argo-rollouts-")


def _says(stage: Stage) -> bool:
    """Whether doctor misses it. The kind is served a moment after it was made."""
    report = json.loads(stage.cli("admin", "doctor", "-o", "json").out)
    return any("by which Argo's controller is known here" in finding["text"] for finding in report["findings"])


def test_a_timer_is_named_as_well() -> None:
    (found,) = findings([rollout(blue_green(autoPromotionSeconds=60))])

    assert "its switch waits for nobody" in found.text
