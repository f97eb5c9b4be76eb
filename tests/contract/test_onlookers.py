"""Whatever the core can say, Flux and Argo CD read rightly: nothing passes before people have answered, and a no is red.

Both are asked by their own code (hack/tools). Statuses are those that the core decides about random moments, written as the
operator writes them; lives on a real API server are in tests/e2e/gitops.
"""

import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from functools import cache
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings

from gatehold.api import gate, request_status, rollout_status
from gatehold.domain.conditions import with_conditions
from gatehold.domain.decide import decide
from gatehold.domain.gate import GateReason
from gatehold.domain.model import EffectType
from gatehold.domain.phases import Phase, is_refused
from gatehold.domain.plan import Observed
from gatehold.domain.reasons import ConditionType
from gatehold.domain.rollout.conditions import told, unreadable
from gatehold.domain.rollout.course import Note
from gatehold.domain.rollout.reasons import RolloutReason
from gatehold.domain.rollout.record import Record, RolloutPhase
from gatehold.domain.status import Condition, Status
from tests.builders import NOW, approve, approved, concluded, ended, observed, pending
from tests.domain.drain_strategies import drain_observeds, held_observeds
from tests.domain.strategies import instants, observeds
from tests.onlookers import ARGO_CD, CONFIG, FLUX, ROOT, Said, argo_actions, argo_health, argo_patches, flux_health, kstatus

Body = dict[str, Any]
GROUP = "gatehold.dev/v1alpha1"
PASSED, REFUSED = "Healthy", "Degraded"
OF_KSTATUS = {"Healthy": "Current", "Degraded": "Failed", "Suspended": "InProgress", "Progressing": "InProgress"}
CHECKS = FLUX / "kustomization.yaml"
RELEASE = {"effect": {"type": "Release"}}
EXAMPLES = settings(
    max_examples=100, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck)
)


def body(kind: str, status: Body | None, **more: Any) -> Body:
    """An object of one of our kinds in generation 3; where a status does not say otherwise, it was looked at in that one."""
    meta = {"name": "x", "namespace": "shop", "generation": 3, **more.pop("meta", {})}
    found = {"apiVersion": GROUP, "kind": kind, "metadata": meta, "spec": {}, **more}
    return found if status is None else {**found, "status": {"observedGeneration": 3, **status}}


def decided(kind: str, status: Body, spec: Body | None = None) -> Body:
    """An object with a status that the core wrote, in the generation that it says (1 where it has seen none)."""
    return body(kind, status, spec=spec or {}, meta={"generation": max(status.get("observedGeneration", 0), 1)})


def holds(found: Body, kind: str) -> bool:
    return any(c["type"] == kind and c["status"] == "True" for c in found["status"].get("conditions", []))


@cache
def requests() -> tuple[Body, ...]:
    """Requests as they are decided about, of every effect."""
    found: list[Body] = []

    @EXAMPLES
    @given(observeds() | drain_observeds() | held_observeds(), instants)
    def gather(seen: Observed, now: datetime) -> None:
        spec = {"effect": {"type": str(seen.request.effect.type)}}
        status = decide(seen, now).status
        if status.phase is not Phase.UNSET and not status.conditions:
            return  # a beginning that the strategy made up: the operator never wrote it
        found.append(decided("ApprovalRequest", request_status.render_status(status), spec))

    gather()
    found += [decided("ApprovalRequest", request_status.render_status(status), RELEASE) for status in each_phase()]
    yes = decide(observed(pending(), verdicts=(approve(0, "alice"), approve(1, "bob"))), NOW).status
    return (*found, decided("ApprovalRequest", request_status.render_status(yes)))


def each_phase() -> list[Status]:
    """A status of each phase of a request with an effect, so that none is left to luck."""
    over = (phase for phase in Phase if is_refused(phase))
    released = with_conditions(replace(approved(), phase=Phase.RELEASED), None, None, NOW)
    return [decide(observed(pending()), NOW).status, approved(), released, *(concluded(ended(phase)) for phase in over)]


def rollouts() -> list[Body]:
    """A Rollout for each phase and all that its conditions are made of, as the core tells it; and one that is unreadable."""
    base = Record(observed_generation=3)
    notes = [
        Note(phase, RolloutReason.PODS_NOT_READY, "why", held=held, stalled=stalled)
        for phase in RolloutPhase
        for held in (False, True)
        for stalled in (False, True)
        if phase is not RolloutPhase.UNSET and not (held and phase is RolloutPhase.HEALTHY)  # nothing waits there
    ]
    records = [told(base, note, 3, NOW) for note in notes]
    records.append(replace(base, conditions=unreadable((), "a field is new", 3, NOW)))
    return [body("Rollout", rollout_status.render_status(record, "app=web")) for record in records]


def gates() -> list[Body]:
    """A Gate for each reason that there is."""

    def ready(reason: GateReason) -> Condition:
        return Condition(ConditionType.READY, str(reason is GateReason.POLICY_FOUND), reason, "why", NOW, 3)

    return [body("Gate", gate.render_status(3, (ready(reason),))) for reason in GateReason]


def policies() -> list[tuple[Body, str]]:
    """An ApprovalPolicy for each state of its two conditions that count, and what it is to be in Argo CD."""
    expected = {
        ("True", "True"): "Healthy",
        ("True", "False"): "Progressing",
        ("False", "True"): "Degraded",
        ("False", "False"): "Degraded",
    }
    return [
        (
            body(
                "ApprovalPolicy",
                {"conditions": [fact("Enforced", enforced), fact("Ready", ready), fact("Consistent", "False")]},
            ),
            word,
        )
        for (ready, enforced), word in expected.items()
    ]


def fact(kind: str, status: str) -> Body:
    return {"type": kind, "status": status, "reason": "Why", "message": f"about {kind}"}


def agree(objects: Iterable[Body]) -> list[Said]:
    """What Argo CD says, which must not be more than what Flux says."""
    objects = list(objects)
    argo = argo_health(objects)
    for seen, said, flux in zip(objects, argo, kstatus(objects), strict=True):
        assert not said.error, said
        assert OF_KSTATUS[said.status] == flux.status, (seen["status"], said, flux)
    return argo


def test_a_request_reads_as_passed_only_where_people_or_their_policy_let_it_pass() -> None:
    phases: Counter[str] = Counter()
    for seen, said in zip(requests(), agree(requests()), strict=True):
        phase = seen["status"].get("phase", "")
        phases[phase] += 1
        passed = phase == Phase.RELEASED or (
            phase == Phase.APPROVED and seen["spec"].get("effect", {}).get("type", "None") == "None"
        )
        assert (said.status == PASSED) == passed, (seen, said)
        assert (said.status == REFUSED) == holds(seen, "Stalled"), (seen, said)
        assert phase != Phase.PENDING or said.status == "Suspended", (seen, said)
    assert set(phases) >= set(Phase) - {Phase.UNSET}, phases


def test_a_rollout_reads_as_passed_only_where_its_spec_runs() -> None:
    for seen, said in zip(rollouts(), agree(rollouts()), strict=True):
        assert (said.status == PASSED) == holds(seen, "Ready"), (seen, said)
        assert said.status != PASSED or seen["status"].get("phase") == RolloutPhase.HEALTHY, (seen, said)
        assert (said.status == REFUSED) == holds(seen, "Stalled"), (seen, said)
        assert (said.status == "Suspended") == (holds(seen, "Held") and not holds(seen, "Stalled")), (seen, said)


def test_a_gate_and_a_policy_that_are_of_no_use_are_red_in_argo_cd_and_hold_up_flux() -> None:
    argo, flux = argo_health(gates()), kstatus(gates())
    for seen, said, waits in zip(gates(), argo, flux, strict=True):
        ready = holds(seen, "Ready")
        assert (said.status, waits.status) == (("Healthy", "Current") if ready else ("Degraded", "InProgress")), (seen, said)
    found, expected = zip(*policies(), strict=True)
    assert [said.status for said in argo_health(found)] == list(expected)
    assert [said.status for said in kstatus(found)] == ["Current", "Current", "InProgress", "InProgress"]


STRANGE: dict[str, Body | None] = {
    "no status": None,
    "an empty status": {},
    "no conditions": {"conditions": []},
    "conditions of a newer operator": {"conditions": [fact("Blessed", "True")]},
    "nothing known": {
        "conditions": [fact(kind, "Unknown") for kind in ("Ready", "Reconciling", "Stalled", "Held", "Enforced")]
    },
    "a condition without words": {"conditions": [{"type": "Held", "status": "True"}]},
    "ready and yet under way": {
        "conditions": [fact("Reconciling", "True"), fact("Ready", "True"), fact("Enforced", "False")]
    },
}


@pytest.mark.parametrize("kind", ["ApprovalRequest", "ApprovalPolicy", "Rollout", "Gate"])
def test_what_nobody_has_looked_at_or_nobody_understands_is_never_healthy_in_argo_cd(kind: str) -> None:
    seen = [body(kind, status) for status in STRANGE.values()]
    stale = body(kind, {"conditions": [fact("Ready", "True"), fact("Enforced", "True")]}, meta={"generation": 4})
    new = {**body(kind, {}), "status": {"observedGeneration": -1}}
    for which, said in zip([*STRANGE, "older generation", "just created"], argo_health([*seen, stale, new]), strict=True):
        if which == "ready and yet under way" and kind == "Gate":  # it has no other condition
            assert said.status == "Healthy"
            continue
        assert not said.error, (which, said)
        assert said.status in ("Progressing", "Suspended", "Degraded"), (which, said)
    assert [said.status for said in kstatus([stale, new])] == ["InProgress", "InProgress"]


def test_without_the_health_checks_that_we_ship_argo_cd_has_no_opinion_and_would_not_wait() -> None:
    seen = [body(kind, None) for kind in ("ApprovalRequest", "ApprovalPolicy", "Rollout", "Gate")]
    assert {said.status for said in argo_health(seen, None)} == {""}


def test_the_checks_for_flux_pass_nothing_that_kstatus_does_not_pass() -> None:
    """They are for people who distrust kstatus; an expression that cannot be evaluated waits until the timeout."""
    seen = [*requests(), *rollouts(), *gates(), *(found for found, _ in policies())]
    by_checks, plain = flux_health(seen, CHECKS), kstatus(seen)
    words = {(one.status, other.status) for one, other in zip(by_checks, plain, strict=True)}
    assert not any(one.error for one in by_checks)
    assert words <= {
        ("Current", "Current"),
        ("Failed", "Failed"),
        ("InProgress", "InProgress"),
        ("Failed", "InProgress"),
        ("InProgress", "Current"),
    }
    for found, one, other in zip(seen, by_checks, plain, strict=True):
        assert one.status == other.status or found["kind"] in ("Gate", "ApprovalPolicy"), (found, one, other)
    new = [
        {**body(kind, {}), "status": {"observedGeneration": -1}}
        for kind in ("ApprovalRequest", "Gate", "ApprovalPolicy", "Rollout")
    ]
    assert {said.status for said in flux_health(new, CHECKS)} == {"InProgress"}


def request_of(requester: str, phase: Phase, effect: EffectType = EffectType.NONE, **more: Any) -> Body:
    notes = (
        {"argocd.argoproj.io/tracking-id": "web:gatehold.dev/ApprovalRequest:shop/x"} if more.get("tracked", True) else {}
    )
    labels = {"gatehold.dev/gate": "prod"} if more.get("gate") else {}
    found = body("ApprovalRequest", {"phase": str(phase)}, meta={"annotations": notes, "labels": labels})
    return {**found, "spec": {"requester": {"username": requester}, "effect": {"type": str(effect)}}}


ARGO = "system:serviceaccount:argocd:argocd-application-controller"


@pytest.mark.parametrize(
    ("seen", "offered"),
    [
        (request_of(ARGO, Phase.PENDING), {"withdraw": True}),
        (request_of(ARGO, Phase.APPROVED, EffectType.RELEASE), {"withdraw": True}),
        (request_of(ARGO, Phase.APPROVED), {"withdraw": False}),
        (request_of(ARGO, Phase.DENIED), {"withdraw": False}),
        (request_of("system:serviceaccountant", Phase.PENDING), {}),
        (request_of("ci", Phase.PENDING), {}),
        (request_of(ARGO, Phase.PENDING, tracked=False), {}),
        (request_of(ARGO, Phase.PENDING, gate=True), {}),
        ({**request_of(ARGO, Phase.PENDING), "spec": {}}, {}),
    ],
    ids=[
        "its own",
        "its own, approved",
        "nothing left to stop",
        "over",
        "a like name",
        "a person's",
        "untracked",
        "a Gate's",
        "nobody's",
    ],
)
def test_argo_cd_offers_to_withdraw_what_argo_cd_opened_and_nothing_else(seen: Body, offered: dict[str, bool]) -> None:
    assert argo_actions([seen]) == [offered]


def test_the_action_writes_one_word_and_nothing_else() -> None:
    (patch,) = argo_patches(request_of(ARGO, Phase.PENDING), "withdraw")
    word = patch["metadata"]["annotations"]["gatehold.dev/withdraw"]
    assert patch == {"metadata": {"annotations": {"gatehold.dev/withdraw": word}}}
    (bare,) = argo_patches({**body("ApprovalRequest", None), "metadata": {"name": "x"}}, "withdraw")
    assert bare == patch


def test_there_is_no_action_that_decides() -> None:
    data = yaml.safe_load(CONFIG.read_text())["data"]
    assert [key for key in data if ".actions." in key] == ["resource.customizations.actions.gatehold.dev_ApprovalRequest"]
    actions = yaml.safe_load(data["resource.customizations.actions.gatehold.dev_ApprovalRequest"])
    assert [one["name"] for one in actions["definitions"]] == ["withdraw"]


def test_the_config_map_holds_the_lua_files_as_they_are() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "hack" / "argo_cd.py", "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    kinds = {path.stem for path in (ARGO_CD / "health").glob("*.lua")}
    assert kinds == {yaml.safe_load(path.read_text())["spec"]["names"]["kind"] for path in (ROOT / "crds").glob("*.yaml")}
