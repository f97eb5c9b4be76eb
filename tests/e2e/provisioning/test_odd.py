"""What does not fit: unknown accelerators, quantities out of all bounds, forged owners, pods adopted, edited or lost."""

import json

import pytest

from controlplane import wait_until
from tests.e2e.drains.yard import is_ready
from tests.e2e.operators import crash, until_acting
from tests.e2e.provisioning.depot import Depot, is_gated, released_by
from tests.e2e.stage import PATIENCE, Body
from tests.wall.api import Call, path

LOST = {"key": "example.org/lost", "value": "yes", "effect": "NoExecute"}
TINY = {"cpu": "10m", "memory": "16Mi"}


def test_a_gpu_of_unknown_price_always_asks_and_never_counts_as_nothing(depot: Depot) -> None:
    depot.gate(threshold={"hourly": "100000", "monthly": "100000000"})
    depot.pod("solo", TINY)
    depot.until_runs("solo", 1)  # the threshold lets everything go that has a price
    _gpu(depot, "train")
    asked = depot.asked("train")
    price = asked["status"]["resolved"]["price"]
    assert any("nvidia.com/gpu" in line for line in price["unknown"]), price
    assert "price unknown" in asked["spec"]["summary"]
    depot.approve("train")
    wait_until(lambda: depot.held("train") == [], "the pod was let go", PATIENCE)


def test_a_gpu_of_a_known_product_has_its_price(depot: Depot) -> None:
    depot.gate()
    _gpu(depot, "train", nodeSelector={"nvidia.com/gpu.product": "NVIDIA-A100"})
    price = depot.asked("train")["status"]["resolved"]["price"]
    assert "unknown" not in price
    assert float(price["amount"]) > 3.5


@pytest.mark.parametrize(
    ("cpu", "becomes"),
    [("0", "let go"), ("1e18", "asked"), ("-1", "refused"), ("1e", "refused"), ("one", "refused")],
)
def test_odd_quantities(depot: Depot, cpu: str, becomes: str) -> None:
    depot.gate()
    answer = depot.send_pod("solo", {"cpu": cpu, "memory": "16Mi"})
    assert answer.ok == (becomes != "refused"), answer.message
    if becomes == "let go":  # it asks for no processor time, so it costs the floor of the Gate, which is under the threshold
        depot.until_runs("solo", 1)
        assert released_by(depot.get("pods", "solo")).startswith("gate/")
    if becomes == "asked":
        assert depot.asked("solo")["status"]["resolved"]["price"]["unknown"]
        assert depot.held("solo") == ["solo"]


def test_without_requests_each_pod_costs_the_floor(depot: Depot) -> None:
    depot.gate()
    depot.deployment("web", 3, {})  # three times 0.01 is over the threshold
    price = depot.asked("web")["status"]["resolved"]["price"]
    assert price["amount"] == "0.03"
    assert any("floor" in part for part in price["parts"]), price


def test_a_forged_owner_reference_to_an_approved_replica_set_is_refused(depot: Depot) -> None:
    depot.gate()
    owner = _approved_replica_set(depot)
    forged = {**owner, "controller": True}
    answer = depot.send_pod("twin", labels={"app": "elsewhere"}, owners=[forged])
    assert not answer.ok
    assert "ReplicaSet" in answer.message or "owner" in answer.message
    mine = depot.pod("mine", labels={"app": "mine"})
    change = {"metadata": {"ownerReferences": [forged]}}
    assert not depot.api("ci").send(Call(depot.path("pods", "mine"), change)).ok
    asked = depot.asked("mine")
    assert asked["spec"]["subject"]["uid"] == mine["metadata"]["uid"]  # nobody's pod: a question of its own


def test_a_dearer_pod_that_an_approved_owner_adopts_is_a_question_of_its_own(depot: Depot) -> None:
    depot.gate()
    _gpu(depot, "web-gpu", app="web")
    depot.until_waits("web", 1)
    depot.apply(_replica_set(depot, 2), user="ci")
    wait_until(lambda: _owners(depot.get("pods", "web-gpu")) == ["ReplicaSet"], "it was adopted", PATIENCE)
    wait_until(lambda: len(depot.questions("web")) == 2, "two questions about the ReplicaSet", PATIENCE)
    by_odd = {bool(_provision(depot, body).get("differences")): body for body in depot.questions("web")}
    assert _provision(depot, by_odd[True])["pods"] == 1
    depot.say("alice", by_odd[False]["metadata"]["name"], "approve")
    depot.until_runs("web", 1)
    assert depot.held("web") == ["web-gpu"]


def test_a_pod_that_waits_is_as_it_was_when_it_was_priced(depot: Depot) -> None:
    depot.gate()
    depot.pod("solo")
    depot.asked("solo")
    changes: list[Body] = [
        {"spec": {"nodeSelector": {"nvidia.com/gpu.product": "NVIDIA-A100"}}},
        {"spec": {"containers": [{"name": "main", "image": "example.org/miner:1"}]}},
        {"spec": {"tolerations": [{"operator": "Exists"}]}},
        {"spec": {"schedulingGates": None}},
        {"metadata": {"labels": {"gatehold.dev/pods": "another"}}},
        {"metadata": {"annotations": {"gatehold.dev/released-by": "gate/mine"}}},
    ]
    for user in ("ci", "admin"):
        for change in changes:
            answer = depot.api(user).send(Call(depot.path("pods", "solo"), change, "strategic"))
            assert not answer.ok, f"{user} may write {change}"
    depot.approve("solo")
    depot.until_runs("solo", 1)


def test_pods_of_a_lost_node_come_back_without_a_question(depot: Depot) -> None:
    depot.gate()
    lost, spare = _node(depot, "lost"), _node(depot, "spare", unschedulable=True)
    pool = {"nodeSelector": {"example.org/pool": depot.namespace}}
    depot.deployment(replicas=3, **pool)
    depot.approve("web")
    depot.until_runs("web", 3)
    depot.api().must(Call(path("v1", "nodes", None, spare), {"spec": {"unschedulable": None}}))
    wait_until(lambda: _is_free(depot, spare), "the spare node takes pods", PATIENCE)
    depot.api().must(Call(path("v1", "nodes", None, lost), {"spec": {"taints": [LOST]}}))
    wait_until(lambda: _places(depot) == {spare}, "all run on the other node", PATIENCE)
    assert len(depot.questions()) == 1
    depot.cluster.kubectl("delete", "node", lost, spare, "--wait=false")


def test_pods_that_never_go_from_a_lost_node_keep_nobody_waiting_for_ever(depot: Depot) -> None:
    """A kubelet that is gone never says that they ended; once their grace is over they count no more."""
    depot.gate()
    lost = _node(depot, "lost", played=False, pods="2")  # those that never go fill it, whatever the scheduler has heard
    lifeless = [{"key": f"node.kubernetes.io/{key}", "operator": "Exists"} for key in ("not-ready", "unreachable")]
    pool = {"nodeSelector": {"example.org/pool": depot.namespace}, "tolerations": lifeless}
    depot.deployment(replicas=2, **pool)
    depot.approve("web")
    wait_until(
        lambda: [pod["spec"].get("nodeName") for pod in depot.pods_named("web")] == [lost] * 2, "they have a node", PATIENCE
    )
    gone = [pod["metadata"]["name"] for pod in depot.pods_named("web")]
    depot.api().must(Call(path("v1", "nodes", None, lost), {"spec": {"unschedulable": True}}))
    spare = _node(depot, "spare")
    wait_until(lambda: _is_free(depot, spare), "the spare node takes pods", PATIENCE)
    depot.kubectl("delete", "pod", *gone, "--wait=false")
    try:
        depot.until_runs("web", 2)
        assert {pod["metadata"]["name"] for pod in depot.all("pods", labelSelector="app=web")} > set(gone)  # still there
        assert len(depot.questions()) == 1
    finally:
        depot.cluster.kubectl("delete", "node", lost, spare, "--wait=false")
        depot.kubectl("delete", "pod", *gone, "--force", "--grace-period=0", "--wait=false", "--ignore-not-found")


def test_what_is_decided_while_the_operator_is_dead_is_served_after_it(depot: Depot) -> None:
    depot.gate()
    depot.deployment(replicas=3)
    first = str(depot.asked("web")["metadata"]["name"])
    depot.until_waits("web", 3)
    crash(depot.operator)
    try:
        depot.say("alice", first, "approve")
        depot.batch("train", {"cpu": "10m", "memory": "16Mi"})
        depot.pod("solo")
        assert is_gated(depot.get("pods", "solo"))
        assert depot.get("job", "train")["spec"]["suspend"] is True
        assert len(depot.held("web")) == 3
    finally:
        depot.operator.start()
        until_acting(depot.operator)
    depot.until_runs("web", 3)
    depot.until("train", lambda body: body["spec"].get("suspend") is False, "the cheap Job goes", kind="job")
    depot.approve("solo")
    depot.until_runs("solo", 1)
    assert len(depot.questions("web")) == 1


def test_a_pod_taken_out_of_its_owner_by_its_label_still_counts(depot: Depot) -> None:
    depot.gate()
    depot.deployment(replicas=2)
    depot.approve("web")
    depot.until_runs("web", 2)
    away = depot.running("web")[0]
    depot.kubectl("label", "pod", away, "app=away", "--overwrite", user="ci")
    depot.until_waits("web", 1)  # the ReplicaSet makes another, and two run already by this yes
    depot.deployment("other", 1)
    depot.asked("other")
    assert len(depot.running("web")) == 1
    depot.kubectl("delete", "pod", away, "--wait=false")
    depot.until_runs("web", 2)


def _gpu(depot: Depot, name: str, app: str = "", **spec: object) -> None:
    container = {
        "name": "main",
        "image": "example.org/train:1",
        "resources": {"requests": TINY, "limits": {"nvidia.com/gpu": "1"}},
    }
    labels = {"app": app or name}
    depot.pod(name, containers=[container], labels=labels, **spec)


def _replica_set(depot: Depot, replicas: int) -> Body:
    body = depot.deployment_body("web", replicas)
    del body["spec"]["strategy"]
    return {**body, "kind": "ReplicaSet"}


def _approved_replica_set(depot: Depot) -> Body:
    """A reference to one that people approved."""
    depot.apply(_replica_set(depot, 1), user="ci")
    depot.approve("web")
    depot.until_runs("web", 1)
    made = json.loads(depot.kubectl("get", "replicaset/web", "-o", "json"))
    return {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web", "uid": made["metadata"]["uid"]}


def _owners(pod: Body) -> list[str]:
    return [str(ref["kind"]) for ref in pod["metadata"].get("ownerReferences", [])]


def _provision(depot: Depot, body: Body) -> Body:
    return dict(depot.until_prepared(body["metadata"]["name"])["status"]["resolved"]["provision"])


def _node(depot: Depot, name: str, *, played: bool = True, pods: str = "50", **spec: object) -> str:
    """A node that only this test's pods run on."""
    full = f"{depot.namespace}-{name}"
    room = {"cpu": "32", "memory": "256Gi", "pods": pods}
    meta = {
        "name": full,
        "labels": {"example.org/pool": depot.namespace},
        "annotations": {"kwok.x-k8s.io/node": "fake"} if played else {},
    }
    status = {"capacity": room, "allocatable": room}
    depot.api().must(
        Call(
            path("v1", "nodes"),
            {"apiVersion": "v1", "kind": "Node", "metadata": meta, "spec": spec, "status": status},
            "post",
        )
    )
    return full


def _is_free(depot: Depot, node: str) -> bool:
    """Whether nothing keeps pods from that node."""
    found = depot.api().get(path("v1", "nodes", None, node))
    return found is not None and is_ready(found) and not found["spec"].get("taints")


def _places(depot: Depot) -> set[str]:
    """Where the three pods run; nowhere unless all do."""
    running = set(depot.running("web"))
    found = [pod["spec"].get("nodeName", "") for pod in depot.pods_named("web") if pod["metadata"]["name"] in running]
    return set(found) if len(found) == 3 else set()
