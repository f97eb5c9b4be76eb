"""Every version of our objects that a watch ever sees, from the first moment to the end, as Flux and Argo CD read it."""

import json
from collections.abc import Iterator
from typing import Any, Final

import pytest

from controlplane import wait_until
from tests.e2e.rollouts.shop import Shop
from tests.e2e.stage import GROUP, Body, Stage
from tests.e2e.witness import watched
from tests.onlookers import FLUX, Said, argo_health, flux_health, kstatus
from tests.wall.api import path

CHECKS: Final = FLUX / "kustomization.yaml"
OF_KSTATUS: Final = {"Healthy": "Current", "Degraded": "Failed", "Suspended": "InProgress", "Progressing": "InProgress"}


@pytest.fixture
def seen_so_far(stage: Stage) -> Iterator[list[Body]]:
    """Every version of all four kinds from now on, before anything is there."""
    cluster_wide = [path(GROUP, plural) for plural in ("approvalpolicies", "gates")]
    with watched(stage.api(), stage.path("apr"), stage.path("gro"), *cluster_wide) as seen:
        yield seen


def just_created(stage: Stage, body: Body) -> Body:
    """What the API server answers to a creation: before anybody can have looked."""
    plural = {"ApprovalRequest": "apr", "Rollout": "gro"}.get(body["kind"], "")
    user = "ci" if plural else "admin"
    found: Body = json.loads(stage.kubectl("create", "-o", "json", "-f", "-", user=user, stdin=json.dumps(body)))
    return found


def test_the_first_moment_of_each_kind_is_in_progress_everywhere(stage: Stage) -> None:
    shop = Shop(stage.cluster, stage.namespace, stage.operator)
    name = stage.namespace
    spec: Body = {"quorum": [{"role": "sre", "count": 1}], "effects": ["None", "Promote"]}
    new = [
        {"apiVersion": GROUP, "kind": "ApprovalPolicy", "metadata": {"name": name}, "spec": spec},
        {
            "apiVersion": GROUP,
            "kind": "Gate",
            "metadata": {"name": name},
            "spec": {"type": "Rollouts", "policyRef": {"name": name}},
        },
        stage.question("first", name),
        shop.rollout_body(),
    ]
    seen = [just_created(stage, body) for body in new]
    assert [body["status"]["observedGeneration"] for body in seen] == [-1] * len(new)
    assert {said.status for said in [*kstatus(seen), *flux_health(seen), *flux_health(seen, CHECKS)]} == {"InProgress"}
    assert {said.status for said in argo_health(seen)} == {"Progressing"}


def live_through_requests(stage: Stage, policy: str) -> dict[str, str]:
    """One request for each end; answers name -> phase."""
    quick = stage.policy(f"quick-{stage.namespace}", effects=["None"], timeoutSeconds={"default": 2, "max": 10})
    ends = {"yes": "Approved", "no": "Denied", "late": "Expired", "back": "Withdrawn", "wrong": "Failed", "run": "Released"}
    job = stage.job("work", policy)
    for name in ("yes", "no", "back"):
        stage.request(name, policy)
    stage.request("late", quick)
    stage.request("wrong", quick, timeoutSeconds=999)
    stage.request("run", policy, job=job)
    for name in ("yes", "no", "back", "run"):
        stage.until_prepared(name)
    stage.say("alice", "yes", "approve")
    stage.say("alice", "no", "deny")
    stage.say("ci", "back", "withdraw")
    stage.say("alice", "run", "approve")
    for name, phase in ends.items():
        stage.until_phase(name, phase)
    return ends


def open_question(shop: Shop) -> str:
    """The request about the Rollout that nobody has answered yet; it may come after the word that people are asked."""
    wait_until(lambda: bool(_unanswered(shop)), "a question is open", 120)
    return str(_unanswered(shop)[0]["metadata"]["name"])


def _unanswered(shop: Shop) -> list[Body]:
    return [body for body in shop.requests() if not body.get("status", {}).get("decision")]


def live_through_a_rollout(shop: Shop, policy: str) -> None:
    """A first version, one that is promoted after a yes, one that is refused."""
    shop.running()
    shop.gate(policy)
    for image, word, phase in (("2", "approve", "Healthy"), ("3", "deny", "Degraded")):
        shop.rollout(image=image)
        shop.until_phase_of("Held")
        asked = open_question(shop)
        shop.until_prepared(asked)
        shop.say("alice", asked, word)
        shop.until_phase_of(phase)


def agree(seen: list[Body]) -> list[Said]:
    """What Argo CD says; Flux must say the same, with its own checks and with ours."""
    argo = argo_health(seen)
    for body, one, plain, checked in zip(seen, argo, kstatus(seen), flux_health(seen, CHECKS), strict=True):
        if body["kind"] in ("ApprovalRequest", "Rollout"):
            assert {plain.status, checked.status} == {OF_KSTATUS[one.status]}, (body["status"], one, plain, checked)
    return argo


def states(seen: list[Body], said: list[Said], kind: str, name: str) -> list[str]:
    """What an object went through, without repetitions."""
    mine = [
        one.status for body, one in zip(seen, said, strict=True) if (body["kind"], body["metadata"]["name"]) == (kind, name)
    ]
    return [word for word, before in zip(mine, ["", *mine], strict=False) if word != before]


def test_every_version_that_a_watch_sees_is_read_rightly(stage: Stage, seen_so_far: list[Body]) -> None:
    one: Any = [{"role": "sre", "count": 1}]
    policy = stage.policy(effects=["None", "Release", "Promote"], quorum=one)
    shop = Shop(stage.cluster, stage.namespace, stage.operator)
    ends = live_through_requests(stage, policy)
    live_through_a_rollout(shop, policy)
    names = {*ends, *(body["metadata"]["name"] for body in stage.all("apr"))}

    def ended() -> bool:
        last = {(b["kind"], b["metadata"]["name"]): b.get("status", {}).get("phase", "") for b in tuple(seen_so_far)}
        return all(last.get(("ApprovalRequest", name)) == phase for name, phase in ends.items()) and (
            last.get(("Rollout", "web")) == "Degraded"
        )

    wait_until(ended, "the watches have seen the ends", 120)
    seen = [
        b for b in tuple(seen_so_far) if b["kind"] in ("ApprovalPolicy", "Gate", "Rollout") or b["metadata"]["name"] in names
    ]
    said = agree(seen)
    assert not any(one.error for one in said)
    for name, phase in ends.items():
        went = states(seen, said, "ApprovalRequest", name)
        assert went[0] == "Progressing"
        assert went[-1] == ("Healthy" if phase in ("Approved", "Released") else "Degraded"), (name, went)
        assert went.count("Healthy") <= 1, (name, went)
    for body, word in zip(seen, said, strict=True):
        if body["kind"] == "ApprovalRequest" and body.get("status", {}).get("phase") in (None, "", "Pending"):
            assert word.status in ("Progressing", "Suspended"), (body, word)
    went = states(seen, said, "Rollout", "web")
    assert (went[0], went[-1]) == ("Progressing", "Degraded"), went
    assert went.count("Healthy") == 2 and "Suspended" in went, went
    assert states(seen, said, "Gate", f"gate-{stage.namespace}")[-1] == "Healthy"
    assert states(seen, said, "ApprovalPolicy", policy)[-1] == "Healthy"
