"""What stands on the nodes: what is skipped, what needs a consent, what holds a drain up, and what never ends."""

from controlplane import wait_until
from tests.e2e.drains.yard import EVERYTHING, POOL, Yard, is_cordoned, row
from tests.e2e.stage import PATIENCE, Body, condition, failure
from tests.wall.api import Call

MIRROR = {"annotations": {"kubernetes.io/config.mirror": "abc"}}
SCRATCH = {"volumes": [{"name": "scratch", "emptyDir": {}}]}


def daemon_set(yard: Yard) -> None:
    """One pod on each node of the yard, whatever its taints."""
    labels = {"app": "agent"}
    spec = {
        "nodeSelector": {POOL: yard.namespace},
        "tolerations": EVERYTHING,
        "containers": [{"name": "main", "image": "example.org/agent:1"}],
    }
    body = {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": "agent", "namespace": yard.namespace},
        "spec": {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": spec}},
    }
    yard.apply(body)
    yard.until_running("agent", 1)


def names_on(yard: Yard, node: str) -> set[str]:
    """The pods of a node by name."""
    return {pod["metadata"]["name"] for pod in yard.pods_on(node)}


def test_mirror_pods_and_those_of_daemon_sets_stay(yard: Yard) -> None:
    (node,) = yard.gated()
    daemon_set(yard)
    agents = names_on(yard, "n")
    yard.pod("static", "n", metadata=MIRROR)
    yard.service(replicas=2)
    yard.drain(node)
    asked = yard.until_prepared("drain")
    assert (asked["status"]["resolved"]["drain"]["pods"], asked["status"]["resolved"]["drain"]["skipped"]) == (2, 2)
    yard.yes()
    assert yard.until_done("drain")["status"]["phase"] == "Released"
    assert names_on(yard, "n") == agents | {"static"}


def test_a_pod_without_a_controller_stands_in_the_way_unless_it_is_said(yard: Yard) -> None:
    (node,) = yard.gated()
    yard.pod("mine", "n")
    yard.drain(node, name="first")
    first = yard.until_phase("first", "Failed")
    assert failure(first) == "PodsInTheWay"
    assert f"{yard.namespace}/mine" in first["status"]["decision"]["message"]
    assert "evictUnmanagedPods" in first["status"]["decision"]["message"]
    yard.drain(node, name="second", evictUnmanagedPods=True)
    asked = yard.until_prepared("second")
    assert asked["status"]["resolved"]["drain"]["losses"] == [f"{yard.namespace}/mine has no controller"]
    yard.yes("second")
    assert yard.until_done("second")["status"]["phase"] == "Released"
    assert names_on(yard, "n") == set()


def test_a_pod_with_an_empty_dir_stands_in_the_way_unless_it_is_said(yard: Yard) -> None:
    (node,) = yard.gated()
    yard.service("cache", replicas=1, node="n", **SCRATCH)
    yard.drain(node, name="first")
    first = yard.until_phase("first", "Failed")
    assert failure(first) == "PodsInTheWay"
    assert "deleteEmptyDirData" in first["status"]["decision"]["message"]
    yard.drain(node, name="second", deleteEmptyDirData=True)
    yard.yes("second")
    assert yard.until_done("second")["status"]["phase"] == "Released"


def test_a_pod_that_appears_and_may_not_be_evicted_is_said_and_stalls(yard: Yard) -> None:
    (node,) = yard.gated()
    yard.service("stuck", replicas=1, node="n")
    yard.budget("stuck")
    yard.drain(node, timeoutSeconds=30)
    yard.yes()
    yard.until_state("n", "Draining")
    yard.pod("late", "n")
    body = yard.until("drain", lambda body: condition(body, "Stalled")[0] == "True", "Stalled")
    assert condition(body, "Stalled")[1] == "PodsInTheWay"
    assert "late" in row(body, node)["blockedBy"]
    ended = yard.until_done("drain")
    assert (ended["status"]["phase"], failure(ended)) == ("Failed", "EffectTimedOut")
    assert names_on(yard, "n") >= {"late"}
    assert not is_cordoned(yard.node_of("n"))


def test_a_budget_that_blocks_and_then_frees(yard: Yard) -> None:
    (node,) = yard.gated()
    yard.service(replicas=2)
    yard.budget()
    yard.drain(node)
    yard.yes()
    blocked = yard.until_row("n", lambda found: found.get("blockedBy"), "blocked")
    assert blocked["blockedBy"] == f"budget {yard.namespace}/web (needs 2 healthy pods and has 2)"
    assert "blockedSince" in blocked
    yard.budget(maxUnavailable="100%")
    done = yard.until_done("drain")
    assert done["status"]["phase"] == "Released"
    assert "blockedBy" not in row(done, node)


def test_two_budgets_on_one_pod_are_named_and_stall(yard: Yard) -> None:
    (node,) = yard.gated()
    yard.service(replicas=1)
    yard.budget("one", of="web", maxUnavailable=1)
    yard.budget("two", of="web", maxUnavailable=1)
    yard.drain(node, timeoutSeconds=20)
    yard.yes()
    body = yard.until("drain", lambda body: condition(body, "Stalled")[0] == "True", "Stalled")
    assert condition(body, "Stalled")[1] == "TwoBudgets"
    assert row(body, node)["blockedBy"].startswith(f"budgets {yard.namespace}/one and {yard.namespace}/two ")
    ended = yard.until_done("drain")
    assert failure(ended) == "EffectTimedOut"
    assert names_on(yard, "n")


def test_all_nodes_of_a_service_with_a_budget(yard: Yard) -> None:
    """Its pods move on to a node that is not drained, one after the other, and never too many are away."""
    nodes = yard.gated("a", "b")
    yard.service(replicas=4)
    yard.budget(maxUnavailable=1)
    yard.node("spare")
    yard.drain(*nodes, parallelNodes=2)
    yard.yes()
    least = [4]

    def over() -> bool:
        running = sum(_is_up(pod) for pod in yard.all("pods", labelSelector="app=web"))
        least[0] = min(least[0], running)
        return yard.get("apr", "drain")["status"]["phase"] == "Released"

    wait_until(over, "drained", PATIENCE)
    assert least[0] >= 3
    assert names_on(yard, "a") | names_on(yard, "b") == set()
    yard.until_running("web", 4)


def test_a_pod_that_never_ends_is_waited_for_and_not_evicted_again(yard: Yard) -> None:
    gate = yard.gate()
    node = str(yard.node("n", gate=gate, played=False)["metadata"]["name"])
    yard.pod("stays", "n", terminationGracePeriodSeconds=600)
    yard.drain(node, evictUnmanagedPods=True, timeoutSeconds=20)
    yard.yes()
    wait_until(lambda: "deletionTimestamp" in yard.get("pods", "stays")["metadata"], "it was told to end", PATIENCE)
    told = yard.get("pods", "stays")["metadata"]["resourceVersion"]
    found = yard.until_state("n", "Draining")
    assert found["podsLeft"] == 1
    ended = yard.until_done("drain")
    assert (ended["status"]["phase"], failure(ended)) == ("Failed", "EffectTimedOut")
    assert yard.get("pods", "stays")["metadata"]["resourceVersion"] == told
    assert not is_cordoned(yard.node_of("n"))
    assert row(ended, node)["state"] == "Uncordoned"


def test_the_grace_period_of_the_request_is_what_pods_get(yard: Yard) -> None:
    gate = yard.gate()
    node = str(yard.node("n", gate=gate, played=False)["metadata"]["name"])
    yard.pod("slow", "n", terminationGracePeriodSeconds=600)
    yard.drain(node, evictUnmanagedPods=True, gracePeriodSeconds=77)
    yard.yes()
    wait_until(lambda: "deletionTimestamp" in yard.get("pods", "slow")["metadata"], "it was told to end", PATIENCE)
    assert yard.get("pods", "slow")["metadata"]["deletionGracePeriodSeconds"] == 77
    gone = Call(yard.path("pods", "slow"), {"gracePeriodSeconds": 0}, "delete")
    yard.api().must(gone)
    assert yard.until_done("drain")["status"]["phase"] == "Released"


def test_ended_pods_go_without_being_asked_about(yard: Yard) -> None:
    (node,) = yard.gated()
    yard.pod("over", "n", **SCRATCH)
    wait_until(lambda: _is_up(yard.get("pods", "over")), "it runs", PATIENCE)
    ended: Body = {"status": {"phase": "Succeeded"}}
    yard.api().must(Call(f"{yard.path('pods', 'over')}/status", ended))
    yard.drain(node)
    yard.yes()
    assert yard.until_done("drain")["status"]["phase"] == "Released"
    assert names_on(yard, "n") == set()


def _is_up(pod: Body) -> bool:
    return pod.get("status", {}).get("phase") == "Running" and "deletionTimestamp" not in pod["metadata"]
