"""Pods and Jobs of gated namespaces are held by the operator's webhook, and refused where it cannot answer."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from controlplane import ControlPlane, wait_until
from gatehold.admission.certificates import facts, issue, make_authority
from playground import OperatorProcess
from playground.install import ROOT
from tests.e2e.held_drains.doors import served, until_ready
from tests.e2e.held_drains.hall import certs_init
from tests.e2e.held_drains.test_certificates import LEAF, authority, put_pair, secret
from tests.e2e.marked_pods.conftest import url
from tests.e2e.operators import metric
from tests.e2e.provisioning.depot import CHEAP, Depot
from tests.e2e.rights import until_allowed
from tests.e2e.stage import Body, condition
from tests.wall.api import Answer

DOWN = 'failed calling webhook "pods.gatehold.dev"'
CONFIGURATION = ("mutatingwebhookconfiguration", "gatehold-pods")
BACK_OFF = 200
"""Seconds until a controller that was refused has tried again: up to as long again as it was refused."""
NOBODY_MARKS = "and nothing here adds the gate for you"


def test_a_deployment_is_held_asked_about_and_runs(mill: Depot) -> None:
    mill.gate()
    mill.deployment()
    mill.until_waits("web", 3)
    pod = mill.pods_named("web")[0]
    assert pod["metadata"]["labels"]["gatehold.dev/pods"] == f"gate-{mill.namespace}"
    assert pod["spec"]["schedulingGates"] == [{"name": "gatehold.dev/approval"}]
    mill.approve("web")
    mill.until_runs("web", 3)
    assert metric(mill.operator, 'gatehold_stamps_total{answer="stamped"}')


def test_a_job_is_suspended_and_its_run_asked_about_once(mill: Depot) -> None:
    mill.gate()
    job = mill.batch()
    assert job["spec"]["suspend"] is True
    assert job["metadata"]["labels"]["gatehold.dev/pods"] == f"gate-{mill.namespace}"
    mill.approve("train")
    wait_until(lambda: condition(mill.get("job", "train"), "Complete")[0] == "True", "the Job is complete", 120)
    assert len(mill.questions()) == 1


def test_other_gates_and_labels_of_the_pod_stay(mill: Depot) -> None:
    mill.gate()
    pod = mill.pod("solo", labels={"team": "a"}, schedulingGates=[{"name": "example.org/other"}])
    assert [gate["name"] for gate in pod["spec"]["schedulingGates"]] == ["example.org/other", "gatehold.dev/approval"]
    assert pod["metadata"]["labels"]["team"] == "a"
    assert pod["metadata"]["labels"]["gatehold.dev/pods"] == f"gate-{mill.namespace}"


def test_what_the_template_marks_already_stays_as_it_is(mill: Depot) -> None:
    gate = mill.gate()
    marked = [{"name": "gatehold.dev/approval"}]
    pod = mill.pod("solo", labels={"gatehold.dev/pods": gate}, schedulingGates=marked)
    assert pod["spec"]["schedulingGates"] == marked
    other = mill.send_pod("other", labels={"gatehold.dev/pods": "another-gate"})
    assert other.code == 403 and f"which is {gate}" in other.message


def test_a_node_name_is_refused_by_the_wall_by_name(mill: Depot) -> None:
    mill.gate()
    answer = mill.send_pod("placed", nodeName="node-0")
    assert answer.code == 403
    assert "spec.nodeName may not be set here" in answer.message


def test_an_exempt_account_is_left_alone_and_one_of_the_namespace_is_not(mill: Depot) -> None:
    gate = mill.gate()
    builder = f"system:serviceaccount:{mill.namespace}-ci:builder"
    own = f"system:serviceaccount:{mill.namespace}:own"
    mill.gated(gate, exempt=f"{builder}, {own}")
    for account, name in ((builder, "theirs"), (own, "own")):
        space, short = account.split(":")[2:]
        mill.cluster.kubectl(
            *("create", "rolebinding", f"edit-{name}", "-n", mill.namespace, "--clusterrole=edit"),
            f"--serviceaccount={space}:{short}",
        )
        until_allowed(mill.api(), account, verb="create", resource="pods", namespace=mill.namespace)
    wait_until(lambda: "schedulingGates" not in created_as(mill, builder, "theirs")["spec"], "it is exempt", 60)
    assert created_as(mill, own, "own")["spec"]["schedulingGates"] == [{"name": "gatehold.dev/approval"}]


def created_as(mill: Depot, account: str, name: str) -> Body:
    """What would be created by that service account: a dry run."""
    groups = [f"--as-group=system:serviceaccounts{more}" for more in ("", f":{account.split(':')[2]}")]
    argv = (
        "create",
        "--dry-run=server",
        f"--as={account}",
        *groups,
        "--as-group=system:authenticated",
        "-o",
        "json",
        "-f",
        "-",
    )
    made: Body = json.loads(mill.cluster.kubectl(*argv, stdin=json.dumps(mill.pod_body(name))).stdout)
    return made


def test_pods_of_a_daemon_set_run_without_a_question_with_the_webhook_down(mill: Depot) -> None:
    mill.gate()
    spec = {"selector": {"matchLabels": {"app": "agent"}}, "template": mill.template(labels={"app": "agent"})}
    meta = {"name": "agent", "namespace": mill.namespace}
    with down(mill.operator):
        mill.create({"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": meta, "spec": spec}, user="admin")
        mill.until_runs("agent", 2)
    mill.cluster.kubectl("-n", mill.namespace, "delete", "daemonset", "agent")
    assert mill.questions() == []


def test_with_the_webhook_down_nothing_is_created_and_it_says_why(mill: Depot) -> None:
    mill.gate()
    with down(mill.operator):
        refused = mill.send_pod("solo")
        assert not refused.ok and DOWN in refused.message
        mill.deployment()
        _until_refused(mill, DOWN)
        assert mill.pods_named("web") == []
    mill.until_waits("web", 3, BACK_OFF)
    mill.approve("web")
    mill.until_runs("web", 3)


def test_without_the_webhook_the_wall_refuses_and_says_what_to_put_in(mill: Depot, mill_port: int) -> None:
    gate = mill.gate()
    mill.cluster.kubectl("delete", *CONFIGURATION)
    try:
        dry = {"dryRun": "All"}
        wait_until(lambda: NOBODY_MARKS in mill.send_pod("solo", query=dry).message, "the wall refuses", 60)
        said = mill.send_pod("solo").message
        assert f"label gatehold.dev/pods: {gate}" in said and "schedulingGates: [{name: gatehold.dev/approval}]" in said
        mill.deployment()
        _until_refused(mill, NOBODY_MARKS)
        found = doctor(mill.cluster)
        assert f"namespace {mill.namespace}: nothing marks pods and Jobs" in found
    finally:
        certs_init(mill.cluster, url(mill_port), "--pods")
    mill.until_waits("web", 3, BACK_OFF)
    assert f"namespace {mill.namespace}: the webhook of the operator marks pods and Jobs" in doctor(mill.cluster)


def test_a_second_run_of_certs_init_changes_nothing(mill: Depot, mill_plane: ControlPlane, mill_port: int) -> None:
    mill.gate()
    before = mill_plane.kubectl("get", *CONFIGURATION, "-o", "json").stdout
    said = certs_init(mill_plane, url(mill_port), "--pods")
    assert "gatehold-pods: as it should be" in said
    assert "the webhook answers" in said
    assert mill_plane.kubectl("get", *CONFIGURATION, "-o", "json").stdout == before


def test_a_wrong_certificate_lets_nothing_be_created(mill: Depot, mill_plane: ControlPlane, mill_port: int) -> None:
    mill.gate()
    good, before, now = secret(mill_plane, LEAF), served(mill_port), datetime.now(UTC)
    strange = make_authority(now)
    try:
        put_pair(mill_plane, issue(strange, ["127.0.0.1"], now), strange.certificate)
        wait_until(lambda: served(mill_port) != before, "the strange certificate is served", 60)
        # connections that are open stay good: only new ones meet the strange certificate
        assert mill.operator.stop() == 0
        mill.operator.start()
        until_ready(mill.operator)
        refused = mill.send_pod("solo")
        assert not refused.ok
        assert DOWN in refused.message and "certificate signed by unknown authority" in refused.message
        assert "the webhook's certificate is not of the CA that the API server trusts" in doctor(mill_plane)
    finally:
        body = secret(mill_plane, LEAF)
        body["data"] = good["data"]
        mill_plane.kubectl("replace", "-f", "-", stdin=json.dumps(body))
    wait_until(lambda: served(mill_port) == before, "the good one is served again", 60)
    wait_until(lambda: mill.send_pod("solo").ok, "a pod is created again", 60)
    mill.until_waits("solo")


def test_a_new_certificate_is_taken_up_without_a_failed_creation(
    mill: Depot, mill_plane: ControlPlane, mill_port: int
) -> None:
    mill.gate()
    ca = authority(mill_plane)
    with creations(mill) as answers:
        for turn in range(3):
            fresh = issue(ca, ["127.0.0.1"], datetime.now(UTC))
            digest = facts(fresh.certificate).digest
            before = len(answers)
            put_pair(mill_plane, fresh, ca.certificate)
            wait_until(lambda digest=digest: served(mill_port) == digest, "the new one is served", 60)  # type: ignore[misc]
            wait_until(lambda before=before: len(answers) > before + 1, "pods are created meanwhile", 60)  # type: ignore[misc]
            assert mill.send_pod(f"after-{turn}", CHEAP).ok
    assert [answer.message for answer in answers if not answer.ok] == []


@contextmanager
def creations(mill: Depot) -> Iterator[list[Answer]]:
    """Pods are created without a pause meanwhile, as dry runs; what was answered."""
    answers: list[Answer] = []
    over = threading.Event()

    def create() -> None:
        while not over.is_set():
            answers.append(mill.send_pod(f"during-{len(answers)}", query={"dryRun": "All"}))

    thread = threading.Thread(target=create)
    thread.start()
    try:
        yield answers
    finally:
        over.set()
        thread.join(60)


@contextmanager
def down(operator: OperatorProcess) -> Iterator[None]:
    """Nobody serves the webhook meanwhile."""
    assert operator.stop() == 0
    try:
        yield
    finally:
        operator.start()
        until_ready(operator)


def _until_refused(mill: Depot, text: str) -> None:
    """Wait until the Deployment says that its pods are refused, in these words."""

    def says() -> bool:
        sets = json.loads(mill.kubectl("get", "replicasets", "-o", "json"))["items"]
        return any(text in c.get("message", "") for body in sets for c in body.get("status", {}).get("conditions", []))

    wait_until(says, f"the ReplicaSet says {text}", 120)


def doctor(cluster: ControlPlane) -> str:
    """What the installer reads."""
    environment = {**cluster.environment(), "PYTHONPATH": str(ROOT / "operator"), "NO_COLOR": "1", "COLUMNS": "1000"}
    argv = [sys.executable, "-m", "gatehold", "doctor"]
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=90, check=False)
    assert done.returncode in (0, 1), done.stderr
    return done.stdout
