"""A request that lives in Git under Argo CD: what its sync does, with each option, and what its one action does."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from controlplane import wait_until
from tests.e2e.gitops.conftest import ARGO_CD, ARGO_CD_SERVER, refused, verdicts
from tests.e2e.stage import Body, Stage
from tests.onlookers import ROOT, argo_actions, argo_health, argo_patches
from tests.wall.api import Call

Process = subprocess.Popen[str]
EXAMPLES = ROOT / "manifests" / "examples" / "argo-cd"
TRACKING, INSTANCE = "argocd.argoproj.io/tracking-id", "app.kubernetes.io/instance"
APPLY = ("apply", "-f", "-")
SERVER_SIDE = ("apply", "--server-side", "--force-conflicts", "--field-manager=argocd-controller", "-f", "-")


def in_git(stage: Stage, name: str, policy: str, **meta: Any) -> Body:
    """The example of the page as Argo CD applies it: tracked by an annotation."""
    body: Body = yaml.safe_load((EXAMPLES / "approval.yaml").read_text())
    notes = {**body["metadata"]["annotations"], TRACKING: f"web:gatehold.dev/ApprovalRequest:{stage.namespace}/{name}"}
    spec = {**body["spec"], "policyRef": {"name": policy}}
    return {**body, "metadata": {"name": name, "namespace": stage.namespace, "annotations": notes, **meta}, "spec": spec}


def sync(stage: Stage, body: Body, how: tuple[str, ...] = SERVER_SIDE) -> None:
    stage.kubectl(*how, user=ARGO_CD, stdin=json.dumps(body))


def opened(stage: Stage, name: str, policy: str) -> Body:
    """A request that Argo CD made, and that people can answer."""
    body = in_git(stage, name, policy)
    sync(stage, body)
    stage.until_prepared(name)
    return body


def test_each_way_of_a_sync_keeps_what_people_said(synced: Stage) -> None:
    policy = synced.policy(effects=["None"])  # two of sre
    body = opened(synced, "web-2-4-1", policy)
    (waiting,) = argo_health([synced.get("apr", "web-2-4-1")])
    assert (waiting.status, waiting.message[:20]) == ("Suspended", "waiting for 2 of sre")
    synced.say("alice", "web-2-4-1", "approve")
    said = verdicts(synced.get("apr", "web-2-4-1"))
    assert len(said) == 1

    sync(synced, body)
    sync(synced, body, APPLY)
    labelled = in_git(synced, "web-2-4-1", policy, labels={INSTANCE: "web"})  # the other way of tracking
    sync(synced, labelled)
    sync(synced, {**labelled, "metadata": {**labelled["metadata"], "labels": {INSTANCE: "web-renamed"}}})
    sync(synced, body)  # and back
    as_text = json.dumps(body)
    assert "write-once" in refused(synced, ARGO_CD, "replace", "-f", "-", stdin=as_text)  # Replace=true
    forced = refused(synced, ARGO_CD, "replace", "--force", "-f", "-", stdin=as_text)  # Replace=true,Force=true
    assert "only the operator deletes a request" in forced
    assert "only the operator deletes a request" in refused(synced, ARGO_CD, "delete", "apr/web-2-4-1")  # Prune
    assert verdicts(synced.get("apr", "web-2-4-1")) == said

    synced.say("bob", "web-2-4-1", "approve")
    assert argo_health([synced.until_phase("web-2-4-1", "Approved")])[0].status == "Healthy"
    sync(synced, body)
    assert synced.get("apr", "web-2-4-1")["status"]["approvals"] == "2/2"


def test_a_request_is_no_hook_and_pruning_takes_only_what_nobody_decided(synced: Stage) -> None:
    policy = synced.policy(effects=["None"])
    hook = in_git(synced, "as-hook", policy, finalizers=["argocd.argoproj.io/hook-finalizer"])
    said = refused(synced, ARGO_CD, *SERVER_SIDE, stdin=json.dumps(hook))
    assert "finalizers and ownerReferences are set by the operator only" in said
    opened(synced, "unanswered", policy)
    synced.kubectl("delete", "apr/unanswered", user=ARGO_CD)
    opened(synced, "no", policy)
    synced.say("alice", "no", "deny", "p99 doubled")
    found = argo_health([synced.until_phase("no", "Denied")])[0]
    assert (found.status, "p99 doubled" in found.message) == ("Degraded", True), found


def test_only_the_account_that_asked_withdraws_by_the_action(synced: Stage) -> None:
    """Argo CD's server runs actions. Where it has another account than the controller that syncs, nothing is withdrawn."""
    policy = synced.policy(effects=["None"])
    opened(synced, "web-2-4-1", policy)
    seen = synced.get("apr", "web-2-4-1")
    assert argo_actions([seen]) == [{"withdraw": True}]
    (patch,) = argo_patches(seen, "withdraw")
    call = Call(synced.path("apr", "web-2-4-1"), patch)
    stranger = synced.api(ARGO_CD_SERVER).send(call)
    assert not stranger.ok
    assert f"only {ARGO_CD}, who opened this request, may withdraw it" in stranger.message
    approving = {"metadata": {"annotations": {"gatehold.dev/approve": "it looks fine in the UI"}}}
    tried = synced.api(ARGO_CD).send(Call(synced.path("apr", "web-2-4-1"), approving))
    assert not tried.ok
    assert "system accounts and service accounts cannot decide" in tried.message
    synced.api(ARGO_CD).must(call)
    over = synced.until_phase("web-2-4-1", "Withdrawn")
    assert argo_actions([over]) == [{"withdraw": False}]
    assert argo_health([over])[0].status == "Degraded"


def policy_of(stage: Stage) -> str:
    """The policy that the hook names, under a name that no other test has."""
    return f"prod-change-{stage.namespace}"


@pytest.fixture
def hook(synced: Stage, tmp_path: Path) -> Callable[[str], Process]:
    """The script of the page's PreSync hook, run as the Job's container would with the rights that the page gives."""
    (container,) = yaml.safe_load((EXAMPLES / "presync.yaml").read_text())["spec"]["template"]["spec"]["containers"]
    (tmp_path / "gatehold").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m gatehold "$@"\n')
    (tmp_path / "gatehold").chmod(0o755)
    environ = {**synced.cluster.environment("ci"), "PYTHONPATH": str(ROOT / "operator")}
    environ["PATH"] = os.pathsep.join([str(tmp_path), environ["PATH"]])
    script = container["args"][0].replace("-n shop", f"-n {synced.namespace}").replace("prod-change", policy_of(synced))

    def start(change: str) -> Process:
        command = [*container["command"], script]
        given = {**environ, **{one["name"]: change for one in container["env"]}}
        return subprocess.Popen(command, env=given, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    return start


def test_the_presync_hook_of_the_page_asks_waits_and_ends_as_people_say(
    synced: Stage, hook: Callable[[str], Process]
) -> None:
    synced.policy(policy_of(synced), effects=["None"], quorum=[{"role": "sre", "count": 1}])
    words = {"web-1": ("approve", 0), "web-2": ("deny", 1)}
    hooks = {change: hook(change) for change in words}
    wait_until(lambda: len(synced.all("apr")) == len(words), "the hooks have asked", 120)
    for body in synced.all("apr"):
        name = body["metadata"]["name"]
        synced.until_prepared(name)
        synced.say("alice", name, words[body["spec"]["subject"]["name"]][0])
    for change, process in hooks.items():
        out, _ = process.communicate(timeout=200)
        assert process.returncode == words[change][1], out
    again = hook("web-1")  # a sync that repeats what was approved
    out, _ = again.communicate(timeout=200)
    assert (again.returncode, len(synced.all("apr"))) == (0, len(words)), out
