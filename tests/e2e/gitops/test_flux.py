"""A request that lives in Git under Flux: its own apply, again and again around what people do with kubectl, loses none."""

from pathlib import Path
from typing import Any

import yaml

from tests.e2e.gitops.conftest import FLUX, refused, verdicts
from tests.e2e.stage import Body, Stage, condition
from tests.onlookers import FLUX as EXAMPLES
from tests.onlookers import Said, ended, flux_apply, flux_waits, kstatus

SSA, PRUNE = "kustomize.toolkit.fluxcd.io/ssa", "kustomize.toolkit.fluxcd.io/prune"
FORCE = "kustomize.toolkit.fluxcd.io/force"
NO_DELETION = "only the operator deletes a request"
ALICE = "the graph is flat"


def in_git(stage: Stage, name: str, policy: str, **notes: str) -> Body:
    """The example of the page, for this namespace and policy; `notes` take the place of its annotations."""
    body: Body = yaml.safe_load(Path(EXAMPLES / "approval.yaml").read_text())
    spec = {**body["spec"], "policyRef": {"name": policy}}
    meta = {"name": name, "namespace": stage.namespace, "annotations": notes}
    return {**body, "metadata": meta, "spec": spec}


def reconcile(stage: Stage, body: Body) -> Said:
    """One reconciliation by the kustomize-controller's account."""
    (said,) = flux_apply([body], stage.cluster.environment(FLUX)["KUBECONFIG"])
    return said


def managers(body: Body) -> set[str]:
    return {entry["manager"] for entry in body["metadata"]["managedFields"] if entry.get("subresource") is None}


def test_a_forced_apply_after_a_verdict_by_kubectl_loses_nothing(synced: Stage) -> None:
    """Flux takes over what kubectl wrote, by its manager's name, and applies the manifest again: with force, as always."""
    body = in_git(synced, "web-2-4-1", synced.policy(effects=["None"]))  # two of sre
    assert reconcile(synced, body) == Said("created")
    synced.until_prepared("web-2-4-1")
    assert reconcile(synced, body) == Said("unchanged")
    with flux_waits([body], synced.cluster.environment(FLUX)["KUBECONFIG"], 240) as waits:
        synced.say("alice", "web-2-4-1", "approve", ALICE)
        for _ in range(2):  # whatever the first one took over is Flux's own for the second
            assert not reconcile(synced, body).error
        seen = synced.get("apr", "web-2-4-1")
        (stored,) = verdicts(seen).values()
        assert stored.startswith("approve|") and ALICE in stored
        assert "kustomize-controller" in managers(seen)
        assert seen["metadata"]["labels"]["kustomize.toolkit.fluxcd.io/name"] == "apps"

        another_spec_is_refused(synced, body)
        assert verdicts(synced.get("apr", "web-2-4-1")) == verdicts(seen)
        synced.say("bob", "web-2-4-1", "approve")
        end = synced.until_phase("web-2-4-1", "Approved")
        assert ended(waits) == (0, "")
    assert end["status"]["approvals"] == "2/2"
    assert {v["username"] for v in end["status"]["verdicts"]} == {"alice", "bob"}
    assert not reconcile(synced, body).error
    assert kstatus([synced.get("apr", "web-2-4-1")])[0].status == "Current"


def another_spec_is_refused(stage: Stage, body: Body) -> None:
    """Nor may the request be deleted: neither to be made anew, nor as pruning does."""
    changed: dict[str, Any] = {**body, "spec": {**body["spec"], "summary": "Something else"}}
    assert "immutable" in reconcile(stage, changed).error
    forced = {**changed, "metadata": {**body["metadata"], "annotations": {FORCE: "Enabled"}}}
    assert NO_DELETION in reconcile(stage, forced).error
    assert NO_DELETION in refused(stage, FLUX, "delete", f"apr/{body['metadata']['name']}")


def test_a_verdict_in_its_stored_form_is_kept_too_and_the_annotation_of_the_page_keeps_the_sync_green(synced: Stage) -> None:
    """kubectl writes it below 1.36. Flux would take that annotation away, and the API server does not let it."""
    policy = synced.policy(effects=["None"])
    plain, kept = in_git(synced, "plain", policy), in_git(synced, "kept", policy, **{SSA: "IfNotPresent", PRUNE: "disabled"})
    merged = in_git(synced, "merged", policy, **{SSA: "Merge"})
    for body in (plain, kept, merged):
        assert reconcile(synced, body) == Said("created")
        name = body["metadata"]["name"]
        digest = synced.until_prepared(name)["status"]["requestDigest"]
        word = f"verdict.gatehold.dev/0=approve|{digest}|sre|alice||because it is right"
        synced.kubectl("annotate", f"apr/{name}", word, user="alice")
    assert "write-once" in reconcile(synced, plain).error
    assert reconcile(synced, kept) == Said("skipped")
    assert not reconcile(synced, merged).error
    for body in (plain, kept, merged):
        name = body["metadata"]["name"]
        assert len(verdicts(synced.get("apr", name))) == 1
        synced.say("bob", name, "approve")
        synced.until_phase(name, "Approved")


def test_what_was_denied_fails_at_once_and_pruning_takes_only_what_nobody_decided(synced: Stage) -> None:
    policy = synced.policy(effects=["None"])
    for name in ("no", "unanswered"):
        assert reconcile(synced, in_git(synced, name, policy)) == Said("created")
        synced.until_prepared(name)
    synced.say("alice", "no", "deny", "p99 doubled")
    seen = synced.until_phase("no", "Denied")
    assert condition(seen, "Stalled")[0] == "True"
    with flux_waits([in_git(synced, "no", policy)], synced.cluster.environment(FLUX)["KUBECONFIG"], 120) as waits:
        code, said = ended(waits)
        assert (code, "Failed" in said) == (1, True), said
    assert NO_DELETION in refused(synced, FLUX, "delete", "apr/no")
    synced.kubectl("delete", "apr/unanswered", user=FLUX)
