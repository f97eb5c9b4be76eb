"""The pods of a node: whose they are, what stands in the way of an eviction."""

from dataclasses import replace
from typing import Any

import pytest

from gatehold.api import budgets, drain_pods
from gatehold.api.common import ParseError
from gatehold.domain.nodes import Block, Blocked, PodToEvict
from tests.api.drains import Body, budget, owner, pod
from tests.builders import NOW, after

WEB = PodToEvict("shop", "web-1", "web-1-uid", "n1", "Deployment shop/web")
DAEMON = owner("DaemonSet", "log")


def with_volumes(*volumes: Body) -> Body:
    wire = pod()
    wire["spec"]["volumes"] = list(volumes)
    return wire


def on_no_node() -> Body:
    wire = pod()
    del wire["spec"]["nodeName"]
    return wire


ROWS: dict[str, tuple[Body, dict[str, Any]]] = {
    "of a Deployment": (pod(), {}),
    "of a ReplicaSet of its own": (pod(owners=[owner(name="web")]), {"owner": "ReplicaSet shop/web"}),
    "of a ReplicaSet of another hash": (pod(owners=[owner(name="web-5d90")]), {"owner": "ReplicaSet shop/web-5d90"}),
    "without labels": (pod(labels=None), {"owner": "ReplicaSet shop/web-5d9f"}),
    "of a StatefulSet that ends with the hash": (
        pod(owners=[owner("StatefulSet", "db-5d9f")]),
        {"owner": "StatefulSet shop/db-5d9f"},
    ),
    "of a DaemonSet": (pod(owners=[DAEMON]), {"owner": "DaemonSet shop/log", "daemon_set": True}),
    "of somebody's DaemonSet": (
        pod(owners=[DAEMON | {"apiVersion": "example.org/v1"}]),
        {"owner": "DaemonSet shop/log"},
    ),
    "that a DaemonSet owns and does not control": (pod(owners=[DAEMON | {"controller": None}]), {"owner": ""}),
    "with two owners": (
        pod(owners=[owner("Job", "a", controller=False), owner("Job", "b")]),
        {"owner": "Job shop/b"},
    ),
    "without owners": (pod(owners=[]), {"owner": ""}),
    "whose owners an apply has emptied": (pod(ownerReferences=None), {"owner": ""}),
    "of an owner that would hide its name": (
        pod(owners=[owner("Job\u202e\n", "a\u200bb")]),
        {"owner": "Job shop/a b"},
    ),
    "of an owner with a long name": (
        pod(owners=[owner("K" * 100, "n" * 999)]),
        {"owner": f"{'K' * 62}… shop/{'n' * 252}…"},
    ),
    "of the kubelet": (pod(annotations={"kubernetes.io/config.mirror": ""}), {"mirror": True}),
    "that is done": (pod(phase="Succeeded"), {"ended": True}),
    "that failed": (pod(phase="Failed"), {"ended": True}),
    "that waits": (pod(phase="Pending"), {}),
    "that nobody has looked at": (pod() | {"status": {}}, {}),
    "on its way out": (pod(deletionTimestamp="2026-03-01T12:00:00Z"), {"terminating": True}),
    "with an emptyDir": (with_volumes({"name": "a"}, {"name": "b", "emptyDir": {}}), {"empty_dir": True}),
    "with an emptyDir in memory": (with_volumes({"name": "b", "emptyDir": {"medium": "Memory"}}), {"empty_dir": True}),
    "without volumes": (pod() | {"spec": {"nodeName": "n1"}}, {}),
    "on no node": (on_no_node(), {"node": ""}),
}


@pytest.mark.parametrize(("wire", "changes"), ROWS.values(), ids=ROWS)
def test_a_pod(wire: Body, changes: dict[str, Any]) -> None:
    assert drain_pods.facts([wire]) == (replace(WEB, **changes),)


def test_pods_come_in_order_with_what_holds_them_up() -> None:
    blocked = Blocked(Block.BUDGET, "budget shop/web", NOW, after(5))
    known = [budgets.parse(budget("web")), budgets.parse(budget("all", selector={})), budgets.parse(budget("web", "dev"))]
    found = drain_pods.facts([pod("b"), pod("a", labels={}), pod("z", namespace="dev")], known, {"b-uid": blocked})

    assert [(p.namespace, p.name, p.budgets, p.blocked) for p in found] == [
        ("dev", "z", ("dev/web",), None),
        ("shop", "a", ("shop/all",), None),
        ("shop", "b", ("shop/all", "shop/web"), blocked),
    ]


BROKEN: dict[str, tuple[Body, str]] = {
    "no metadata": (pod() | {"metadata": None}, "pod.metadata: model_type"),
    "no uid": (pod(uid=None), "pod.metadata.uid: string_type"),
    "no spec": (pod() | {"spec": None}, "pod.spec: model_type"),
    "an owner without a kind": (pod(owners=[{"apiVersion": "v1", "name": "x"}]), "ownerReferences.0.kind: missing"),
    "volumes that are one": (pod() | {"spec": {"volumes": {}}}, "pod.spec.volumes: list_type"),
    "an emptyDir that is none": (with_volumes({"emptyDir": "x"}), "emptyDir: dict_type"),
}


@pytest.mark.parametrize(("wire", "text"), BROKEN.values(), ids=BROKEN)
def test_it_is_no_pod_with(wire: Body, text: str) -> None:
    with pytest.raises(ParseError, match=text):
        drain_pods.facts([wire])
