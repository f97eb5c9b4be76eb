"""Somebody else's admission refuses what the operator writes on a Job: the request says so, once, and goes on by itself."""

import contextlib
from collections.abc import Iterator

from controlplane import wait_until
from tests.e2e.gaps import ADMISSION, jam
from tests.e2e.operators import metric
from tests.e2e.stage import Stage, condition, message
from tests.wall.api import Call, path


def asked(stage: Stage, name: str, fake: str = "") -> str:
    """A prepared request NAME-1 for a held Job of that name, which one person decides."""
    policy = stage.policy(quorum=[{"role": "sre"}])
    job, undo = stage.job(name, policy, fake=fake), stage.job(f"{name}-back", policy)
    stage.request(f"{name}-1", policy, job=job, undo=undo)
    stage.until_prepared(f"{name}-1")
    return f"{name}-1"


def tries(stage: Stage) -> float:
    """How often a write was refused so far."""
    name = 'gatehold_reconcile_errors_total{kind="ApprovalRequest",reason="RefusedError"}'
    return metric(stage.operator, name) or 0.0


@contextlib.contextmanager
def dead_webhook(stage: Stage) -> Iterator[None]:
    """A webhook for Jobs of this namespace at an address where nobody listens, installed to fail closed."""
    name, admin = f"dead-{stage.namespace}.example.org", stage.api()
    hook = {
        "name": name,
        "clientConfig": {"url": "https://127.0.0.1:1/validate"},
        "rules": [{"apiGroups": ["batch"], "apiVersions": ["v1"], "operations": ["UPDATE"], "resources": ["jobs"]}],
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": stage.namespace}},
        "failurePolicy": "Fail",
        "sideEffects": "None",
        "timeoutSeconds": 1,
        "admissionReviewVersions": ["v1"],
    }
    plural = "validatingwebhookconfigurations"
    admin.must(Call(path(ADMISSION, plural), {"metadata": {"name": name}, "webhooks": [hook]}, "post"))
    stage.job("probe-of-the-hook", "nobody")
    change = Call(stage.path("job", "probe-of-the-hook"), {"metadata": {"annotations": {"a": "b"}}}, query={"dryRun": "All"})
    try:
        wait_until(lambda: not admin.send(change).ok, "the webhook is in force", 60)
        yield
    finally:
        admin.must(Call(path(ADMISSION, plural, None, name), how="delete"))


def test_a_release_that_is_refused_is_told_once_and_made_once_it_passes(stage: Stage) -> None:
    name = asked(stage, "calm")
    with jam(stage):
        stage.say("alice", name, "approve")
        held = stage.until_held(name, "WriteRefused")
        assert condition(held, "Approved") == ("True", "QuorumMet")
        assert condition(held, "Reconciling")[0] == "True"
        assert message(held, "Held").startswith("the API server refuses to release Job calm: ")
        assert f"ValidatingAdmissionPolicy 'jam-{stage.namespace}'" in message(held, "Held")
        stage.until_told(name, "WriteRefused")
        begun = tries(stage)
        wait_until(lambda: tries(stage) >= begun + 3, "it tries on", 90)
        assert stage.get("apr", name)["metadata"]["resourceVersion"] == held["metadata"]["resourceVersion"]
    done = stage.until_done(name)
    assert (done["status"]["phase"], condition(done, "Held")) == ("Released", ("False", "EffectComplete"))
    assert stage.events(name).count(("WriteRefused", "Warning")) == 1


def test_a_stop_that_is_refused_stalls_the_undo_and_it_goes_on_once_it_passes(stage: Stage) -> None:
    name = asked(stage, "busy", fake="runs")
    stage.say("alice", name, "approve")
    stage.until(name, lambda body: body["status"].get("effect", {}).get("state") == "Running", "Running")
    with jam(stage):
        stage.say("bob", name, "deny", "stop it")
        stuck = stage.until(name, lambda body: condition(body, "Stalled") == ("True", "WriteRefused"), "stalled")
        assert condition(stuck, "RolledBack") == ("False", "WriteRefused")
        assert condition(stuck, "Reconciling")[0] == "False"
        assert message(stuck, "Stalled").startswith("the API server refuses to stop Job busy: ")
        stage.until_told(name, "Denied", "WriteRefused")
    done = stage.until_done(name)
    assert condition(done, "RolledBack") == ("True", "UndoCompleted")
    assert condition(done, "Stalled") == ("True", "DeniedByReviewer")


def test_a_webhook_that_nobody_answers_for_is_a_refusal_too(stage: Stage) -> None:
    name = asked(stage, "lost")
    with dead_webhook(stage):
        stage.say("alice", name, "approve")
        held = stage.until_held(name, "WriteRefused")
        assert "failed calling webhook" in message(held, "Held")
        assert "?timeout" not in message(held, "Held")
    assert stage.until_done(name)["status"]["phase"] == "Released"
