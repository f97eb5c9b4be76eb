"""Installed by Helm, the operator does each of its main jobs, by the rights that the chart gives it and by no others.

Every right is taken apart into verbs on resources, and every one of them must have been used, or stand in UNSEEN with the
reason why no audit log shows it here. Nothing may have been asked beyond them.
"""

import contextlib
from collections.abc import Iterable
from typing import Final

from controlplane import wait_until
from controlplane.errors import TimeIsUpError
from tests.e2e.operators import metric, site
from tests.e2e.stage import PATIENCE, condition, failure
from tests.install import audit
from tests.install.world import SCALED, World

UNSEEN: Final = {
    "ClusterRole gatehold-operator: request approvalpolicies.gatehold.dev": (
        "the wall asks the authorizer for it whenever the operator opens a request, inside the API server"
    ),
    "ClusterRole gatehold-operator-rollouts-sight: update rollouts/finalizers.gatehold.dev": (
        "admission plugin OwnerReferencesPermissionEnforcement, which is on here, asks for it inside the API server"
    ),
    "Role gatehold-operator-webhook: update secrets gatehold-webhook-tls": (
        "the certificate is renewed after two thirds of its life: tests/e2e/held_drains/test_certificates.py"
    ),
}
"""Rights that no audit log shows here, and why each is needed all the same."""


def test_the_notes_say_what_to_type_next(world: World) -> None:
    assert "kubectl wait approvalpolicy/gatehold-probe --for=condition=Enforced" in world.notes
    assert "gatehold certs init" in world.notes
    assert "docs/how-to/uninstall.md" in world.notes


def test_both_replicas_live_and_one_acts(world: World) -> None:
    wait_until(lambda: [site(replica, "/healthz")[0] for replica in world.replicas] == [200, 200], "both live", PATIENCE)
    wait_until(lambda: [metric(replica, "gatehold_leader") for replica in world.replicas] == [1, 0], "one acts", PATIENCE)


def test_a_job_is_released_and_undone_by_a_late_no(world: World) -> None:
    assert world.job.get("job", "load")["spec"]["suspend"] is True
    assert world.job.find("apr", "load") is None


def test_a_canary_is_promoted_and_the_next_one_left_to_itself(world: World) -> None:
    assert world.canary.image("stable") == "3"
    assert world.canary.find("deploy", "web-canary") is None


def test_nodes_are_drained_on_request_and_by_hand(world: World) -> None:
    hall = world.drains
    assert hall.get("apr", "drain")["status"]["phase"] == "Released"
    assert [body["status"]["phase"] for body in hall.questions()] == ["Released"]
    assert hall.pods_on("held") == hall.pods_on("asked") == []


def test_priced_pods_run_once_they_are_approved(world: World) -> None:
    assert [body["spec"]["subject"]["name"] for body in world.priced.questions()] == ["web"]


def test_a_pause_of_an_argo_rollout_is_promoted_by_a_yes_and_aborted_by_a_no(world: World) -> None:
    rollout = world.argo.get("argo", "web")
    assert (rollout["status"]["abort"], rollout["status"]["currentPodHash"]) == (True, "new")
    assert sorted(body["status"]["phase"] for body in world.argo.all("apr")) == ["Denied", "Released"]


def test_what_was_denied_is_taken_back_by_each_word(world: World) -> None:
    for word, depot in world.taken_back.items():
        for question in depot.questions():
            about = f"{word} {question['spec']['subject']}: {failure(question)}"
            assert condition(question, "RolledBack")[0] == "True", about
    assert len(world.taken_back["ScaleBack"].questions()) == len(SCALED)


def test_every_right_is_used_and_nothing_is_asked_beyond_them(world: World) -> None:
    _ = (world.job, world.canary, world.drains, world.argo, world.priced, world.taken_back)
    for account, unseen in ((audit.OPERATOR, UNSEEN), (audit.PROBE, {})):
        granted = audit.rights(world.plane, account)
        assert granted, account
        _until_all_is_used(world, account, granted, unseen)
        assert audit.uncovered(granted, audit.uses(world.plane, account)) == []


def _until_all_is_used(world: World, account: str, granted: list[audit.Right], unseen: Iterable[str]) -> None:
    """What comes last comes after what was waited for: Events, marks, what is tidied up; and is logged after its answer."""

    def unused() -> list[str]:
        return audit.unused(granted, audit.uses(world.plane, account))

    with contextlib.suppress(TimeIsUpError):
        wait_until(lambda: unused() == sorted(unseen), f"every right of {account} is used", PATIENCE)
    assert unused() == sorted(unseen)


def test_with_every_gate_left_out_nothing_is_done_beyond_the_rights_that_are_left(world: World) -> None:
    stage = world.without_gates
    granted = audit.rights(world.plane, audit.OPERATOR)
    assert {right.role for right in granted} == {"ClusterRole gatehold-operator", "Role gatehold-operator"}
    asked = audit.uses(world.plane, audit.OPERATOR, stage.operator.name)
    assert asked
    assert audit.uncovered(granted, asked) == []
    assert stage.get("job", "load")["spec"]["suspend"] is True


def test_with_the_gates_again_everything_goes_on_and_nothing_is_asked_twice(world: World) -> None:
    earlier = world.priced
    asked = world.with_gates_again
    assert [stage.get("apr", name)["status"]["phase"] for stage, name, _ in asked.questions] == ["Released"] * 4
    earlier.kubectl("delete", "pods", "-l", "app=web", "--wait=false")
    earlier.until_runs("web", 2)
    assert [body["status"]["phase"] for body in earlier.questions()] == ["Released"]
