"""While the wall has a gap nothing passes; it is noticed and said, and everything goes on when it is mended."""

import time
from contextlib import ExitStack

import pytest

from controlplane import ControlPlane, wait_until
from playground import OperatorProcess, install
from playground.operator_process import PATIENT
from tests.e2e.gaps import (
    Body,
    Change,
    gap,
    jam,
    put,
    recorded,
    removed,
    shipped,
    until_enforced,
    write_verdict,
)
from tests.e2e.operators import metric, site, until_acting
from tests.e2e.rights import allowed
from tests.e2e.stage import Stage, condition, new_stage
from tests.prometheus import Scrape, firing, sees, spec
from tests.wall.api import Call

VAP, BINDING = "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"
REQUESTS = "gatehold-requests"


@pytest.fixture
def stage(world: OperatorProcess) -> Stage:
    """A namespace of the test's own in a control plane of this file's own, since everybody in it is affected."""
    return new_stage(world.cluster, world)


def audit(body: Body) -> Body:
    """Only told in the audit log, no longer denied."""
    body["spec"]["validationActions"] = ["Audit"]
    return body


def excluding(body: Body) -> Body:
    """Bound again, with an exclusion that covers everything that matters."""
    rule = {"apiGroups": ["gatehold.dev"], "apiVersions": ["*"], "operations": ["*"], "resources": ["*"]}
    body["spec"]["matchResources"] = {"excludeResourceRules": [rule]}
    return body


def lax(body: Body) -> Body:
    """The same name, another text."""
    body["spec"]["validations"] = [{"expression": "true"}]
    return body


def ignoring(body: Body) -> Body:
    """What cannot be evaluated passes."""
    body["spec"]["failurePolicy"] = "Ignore"
    return body


GAPS: list[tuple[str, str, Change]] = [
    (VAP, REQUESTS, removed),
    (BINDING, REQUESTS, removed),
    (BINDING, REQUESTS, audit),
    (BINDING, REQUESTS, excluding),
    (VAP, REQUESTS, lax),
]
OTHERS: list[tuple[str, str, Change]] = [
    (VAP, "gatehold-status", removed),
    (BINDING, "gatehold-jobs", audit),
    (VAP, "gatehold-token", lax),
    (BINDING, "gatehold-operator", excluding),
    ("MutatingAdmissionPolicy", "gatehold-stamp", ignoring),
]


@pytest.mark.parametrize(("kind", "name", "change"), GAPS, ids=["deleted", "unbound", "audit", "excluded", "lax"])
def test_nothing_passes_a_gap_and_everything_goes_on_afterwards(stage: Stage, kind: str, name: str, change: Change) -> None:
    policy = stage.policy()
    jobs = {title: stage.job(title, policy) for title in ("waits", "second", "fresh")}
    for title in ("waits", "second"):
        stage.request(f"{title}-1", policy, job=jobs[title])
        stage.until_prepared(f"{title}-1")
        stage.say("alice", f"{title}-1", "approve")
        stage.until(f"{title}-1", lambda body: body["status"]["approvals"] == "1/2", "1/2")

    with gap(stage, kind, name, change):
        wait_until(lambda: until_enforced(stage.cluster, "False")["reason"] == "TextDiffers", "the reason", 60)
        assert f"{kind} {name}" in until_enforced(stage.cluster, "False")["message"]
        assert metric(stage.operator, "gatehold_wall_enforced") == 0
        write_verdict(stage, "waits-1", 1, "bob")
        write_verdict(stage, "waits-1", 2, "dana", word="override", role="")
        write_verdict(stage, "second-1", 1, "bob")
        stage.request("fresh-1", policy, job=jobs["fresh"])
        held = stage.until_held("fresh-1", "WallNotProven")
        assert "requestDigest" not in held["status"]
        waits = stage.until("waits-1", lambda body: len(body["status"]["verdicts"]) == 3, "all recorded")
        assert recorded(waits) == [
            ("approve", "alice", True, ""),
            ("approve", "bob", False, "Unproven"),
            ("override", "dana", False, "Unproven"),
        ]
        assert (waits["status"]["phase"], waits["status"]["approvals"]) == ("Pending", "1/2")
        assert all(stage.get("job", title)["spec"]["suspend"] is True for title in jobs)

    assert metric(stage.operator, "gatehold_wall_enforced") == 1
    stage.until_prepared("fresh-1")
    for person in ("alice", "bob"):
        stage.say(person, "fresh-1", "approve")
    for title in ("waits", "second"):
        stage.say("bob", f"{title}-1", "approve", "this time it is me")
    for title, job in jobs.items():
        done = stage.until_done(f"{title}-1")
        assert done["status"]["phase"] == "Released"
        assert len(stage.pods_of(job)) == 1
    assert stage.get("apr", "waits-1")["status"]["decision"]["by"] == "People"


@pytest.mark.parametrize(("kind", "name", "change"), OTHERS, ids=[name for _, name, _ in OTHERS])
def test_any_part_of_the_wall_that_is_not_as_shipped_is_named_and_holds_everything(
    stage: Stage, kind: str, name: str, change: Change
) -> None:
    policy = stage.policy(quorum=[{"role": "sre"}])
    stage.request("held", policy)
    stage.until_prepared("held")
    with gap(stage, kind, name, change):
        wait_until(lambda: until_enforced(stage.cluster, "False")["reason"] == "TextDiffers", "the reason", 60)
        assert f"{kind} {name}" in until_enforced(stage.cluster, "False")["message"]
        if kind in (VAP, BINDING):
            stage.say("alice", "held", "approve", "an honest one, at the wrong moment")
            body = stage.until("held", lambda body: body["status"].get("verdicts"), "recorded")
            assert recorded(body) == [("approve", "alice", False, "Unproven")]
            assert body["status"]["phase"] == "Pending"
    stage.say("alice", "held", "approve", "again, now that it counts")
    assert stage.until_done("held")["status"]["phase"] == "Approved"


DUE = [*GAPS, (BINDING, "gatehold-jobs", audit)]


@pytest.mark.parametrize(("kind", "name", "change"), DUE, ids=["deleted", "unbound", "audit", "excluded", "lax", "jobs"])
def test_a_release_that_is_due_waits_until_the_wall_is_proven_again(
    stage: Stage, kind: str, name: str, change: Change
) -> None:
    policy = stage.policy(quorum=[{"role": "sre"}], validitySeconds=300)
    job = stage.job("due", policy)
    stage.request("due-1", policy, job=job)
    stage.until_prepared("due-1")
    with ExitStack() as mended:
        with jam(stage):  # approved, and not released before the wall has its gap
            stage.say("alice", "due-1", "approve")
            stage.until_phase("due-1", "Approved")
            stage.until_held("due-1", "WriteRefused")  # so its yes has met the wall, and is known to have
            mended.enter_context(gap(stage, kind, name, change))
        held = stage.until_held("due-1", "WallNotProven")
        assert (held["status"]["phase"], held["status"]["effect"]["state"]) == ("Approved", "Waiting")
        proofs = 'gatehold_wall_proofs_total{result="TextDiffers"}'
        tried = metric(stage.operator, proofs) or 0
        wait_until(lambda: (metric(stage.operator, proofs) or 0) >= tried + 2, "the operator has looked twice more", 90)
        assert stage.get("job", "due")["spec"]["suspend"] is True
    done = stage.until_done("due-1")
    assert done["status"]["phase"] == "Released"
    assert recorded(done) == [("approve", "alice", True, "")]
    assert len(stage.pods_of(job)) == 1


def test_what_was_approved_while_the_operator_was_down_and_the_wall_open_counts_for_nothing(stage: Stage) -> None:
    policy = stage.policy(quorum=[{"role": "sre"}])
    job = stage.job("blind", policy)
    stage.request("blind-1", policy, job=job)
    stage.until_prepared("blind-1")
    stage.operator.stop()
    put(stage.cluster, shipped(VAP, REQUESTS), None)
    try:
        write_verdict(stage, "blind-1", 0, "bob")
        stage.operator.start()
        body = stage.until("blind-1", lambda body: body["status"].get("verdicts"), "recorded")
        assert recorded(body) == [("approve", "bob", False, "Unproven")]
        assert body["status"]["phase"] == "Pending"
    finally:
        put(stage.cluster, shipped(VAP, REQUESTS), shipped(VAP, REQUESTS))
        until_acting(stage.operator)
    assert stage.get("job", "blind")["spec"]["suspend"] is True
    stage.say("bob", "blind-1", "approve", "really me")
    assert stage.until_done("blind-1")["status"]["phase"] == "Released"


def test_a_gap_that_opened_and_closed_while_nobody_looked_is_found_out_at_the_start(stage: Stage) -> None:
    policy = stage.policy(quorum=[{"role": "sre"}])
    job = stage.job("unseen", policy)
    stage.request("unseen-1", policy, job=job)
    stage.until_prepared("unseen-1")
    stage.operator.stop()
    put(stage.cluster, shipped(VAP, REQUESTS), None)
    write_verdict(stage, "unseen-1", 0, "bob")
    put(stage.cluster, shipped(VAP, REQUESTS), shipped(VAP, REQUESTS))
    stage.operator.start()
    until_acting(stage.operator)

    body = stage.until("unseen-1", lambda body: body["status"].get("verdicts"), "recorded")
    assert recorded(body) == [("approve", "bob", False, "Unproven")]
    assert stage.get("job", "unseen")["spec"]["suspend"] is True
    stage.say("bob", "unseen-1", "approve", "really me")
    assert stage.until_done("unseen-1")["status"]["phase"] == "Released"


def test_whoever_erases_the_memory_of_the_wall_gains_nothing(stage: Stage) -> None:
    """What the wall was is kept where only the operator may write; a place for it on the probe's request was not."""
    policy = stage.policy(quorum=[{"role": "sre"}])
    job = stage.job("erased", policy)
    stage.request("erased-1", policy, job=job)
    stage.until_prepared("erased-1")
    edit = (
        "-n",
        "gatehold-system",
        "create",
        "rolebinding",
        f"edit-{stage.namespace}",
        "--clusterrole=edit",
        "--user=mallory",
    )
    stage.cluster.kubectl(*edit)
    stage.operator.stop()
    put(stage.cluster, shipped(VAP, REQUESTS), None)
    write_verdict(stage, "erased-1", 0, "bob")
    stage.cluster.kubectl("-n", "gatehold-system", "annotate", "apr/gatehold-probe", "gatehold.dev/wall-", user="mallory")
    status = ("patch", "apol/gatehold-probe", "--subresource=status", "--type=merge", '-p={"status":{"wall":null}}')
    assert stage.cluster.kubectl(*status, user="mallory", check=False).returncode != 0
    put(stage.cluster, shipped(VAP, REQUESTS), shipped(VAP, REQUESTS))
    stage.operator.start()
    until_acting(stage.operator)

    body = stage.until("erased-1", lambda body: body["status"].get("verdicts"), "recorded")
    assert recorded(body) == [("approve", "bob", False, "Unproven")]
    assert stage.get("job", "erased")["spec"]["suspend"] is True


def test_an_upgrade_of_the_wall_costs_nobody_an_approval_that_was_recorded(stage: Stage) -> None:
    policy = stage.policy()
    job = stage.job("upgrade", policy)
    stage.request("upgrade-1", policy, job=job)
    stage.until_prepared("upgrade-1")
    stage.say("alice", "upgrade-1", "approve")
    stage.until("upgrade-1", lambda body: body["status"]["approvals"] == "1/2", "1/2")
    stage.operator.stop()
    put(stage.cluster, shipped(VAP, REQUESTS), None)
    put(stage.cluster, shipped(VAP, REQUESTS), shipped(VAP, REQUESTS))
    stage.operator.start()
    until_acting(stage.operator)
    until_enforced(stage.cluster, "True")

    stage.say("bob", "upgrade-1", "approve")
    done = stage.until_done("upgrade-1")
    assert done["status"]["phase"] == "Released"
    assert recorded(done) == [("approve", "alice", True, ""), ("approve", "bob", True, "")]


def test_a_deny_and_the_clock_do_not_wait_for_the_wall(stage: Stage) -> None:
    policy = stage.policy()
    for name, seconds in (("refused", 600), ("over", 5), ("regretted", 600)):
        stage.request(name, policy, timeoutSeconds=seconds)
        stage.until_prepared(name)
    with gap(stage, BINDING, "gatehold-jobs", audit):
        stage.say("alice", "refused", "deny", "no")
        stage.say("ci", "regretted", "withdraw", "never mind")
        assert stage.until_done("refused")["status"]["phase"] == "Denied"
        assert stage.until_done("regretted")["status"]["phase"] == "Withdrawn"
        assert stage.until_done("over")["status"]["phase"] == "Expired"


def test_a_probe_that_may_not_try_proves_nothing(stage: Stage) -> None:
    policy = stage.policy(quorum=[{"role": "sre"}])
    stage.request("unprobed", policy)
    stage.until_prepared("unprobed")
    system = ("-n", "gatehold-system", "rolebinding", "gatehold-probe")
    binding = stage.cluster.kubectl("get", *system, "-o", "json").stdout
    stage.cluster.kubectl("delete", *system)
    probe = ("system:serviceaccount:gatehold-system:gatehold-probe", ["system:serviceaccounts"])
    patches = {"verb": "patch", "group": "gatehold.dev", "resource": "approvalrequests", "name": "gatehold-probe"}
    where = {"namespace": "gatehold-system"}
    wait_until(lambda: not allowed(stage.api(), *probe, **patches, **where), "the probe may not try", 60)
    gone = time.monotonic()
    wait_until(lambda: time.monotonic() > gone + 2, "no earlier proof is fresh enough for a release (1 s)", 60)
    try:
        stage.say("alice", "unprobed", "approve")  # it would be the last one needed, so the wall is proven first
        wait_until(lambda: until_enforced(stage.cluster, "False")["reason"] == "ProbeMissing", "the reason", 60)
        body = stage.until("unprobed", lambda body: body["status"].get("verdicts"), "recorded")
        assert recorded(body) == [("approve", "alice", False, "Unproven")]
        assert body["status"]["phase"] == "Pending"
    finally:
        stage.cluster.kubectl("create", "-f", "-", stdin=binding)
    until_enforced(stage.cluster, "True")
    stage.say("alice", "unprobed", "approve", "again")
    assert stage.until_done("unprobed")["status"]["phase"] == "Approved"


def test_prometheus_tells_of_a_gap_and_of_glass_that_was_broken_while_nobody_looked(stage: Stage) -> None:
    """What the operator serves, as it is, goes through the chart's rules; each text stands for five minutes or more."""
    stage.request("unheard", stage.policy())
    stage.until_prepared("unheard")
    stage.job("lonely", "nobody")
    wait_until(lambda: (metric(stage.operator, "gatehold_oldest_pending_seconds") or 0) > 1, "a second has passed", 60)
    texts = [site(stage.operator, "/metrics")[1]]
    stage.operator.stop()
    letting_go = {"metadata": {"annotations": {"gatehold.dev/override": "INC-4711: site down"}}, "spec": {"suspend": False}}
    stage.api("dana").must(Call(stage.path("job", "lonely"), letting_go))
    stage.operator.start()
    until_acting(stage.operator)
    wait_until(lambda: metric(stage.operator, "gatehold_overrides_total") == 1, "it is counted", 120)
    texts.append(site(stage.operator, "/metrics")[1])
    with gap(stage, VAP, REQUESTS, removed):
        texts.append(site(stage.operator, "/metrics")[1])

    rules = spec({"monitoring": {"rules": {"enabled": True, "oldestPendingSeconds": 1}}})
    well, young, opened = texts
    told = sees(rules, [Scrape(0, "a", well), Scrape(300, "a", ""), Scrape(600, "b", young), Scrape(900, "b", opened)], 25)
    assert firing(told) == {
        "GateholdOldestPending": 0,
        "GateholdLeaderMissing": 420,
        "GateholdOverride": 600,
        "GateholdWallNotEnforced": 1_020,
    }


def test_a_wall_that_is_there_as_shipped_but_never_asked_is_found_out() -> None:
    switched_off = ["--disable-admission-plugins=ValidatingAdmissionPolicy"]
    with ControlPlane.start(nodes=0, apiserver_args=switched_off) as cluster:
        install(cluster, asked=False)
        process = OperatorProcess(cluster, **PATIENT)
        process.start()
        wait_until(lambda: until_enforced(cluster, "False")["reason"] == "ForgeryAccepted", "the reason", 120)
        stage = new_stage(cluster, process)
        stage.request("unsafe", stage.policy())
        assert "requestDigest" not in stage.until_held("unsafe", "WallNotProven")["status"]
        assert condition(stage.get("apr", "unsafe"), "Approved")[0] == "False"
        assert metric(process, "gatehold_wall_enforced") == 0
