"""Whatever JSON comes from an API server: it is read, or it is a ParseError. Nothing else may reach a controller."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehold.api import (
    approval_request,
    argo_rollout,
    budgets,
    child_pods,
    deployment,
    drain_pods,
    gate,
    gated,
    maintenance,
    node,
    pod_digest,
    promotion,
    request_status,
    revision,
    rollout,
    rollout_status,
    workloads,
)
from gatehold.api.common import ParseError
from gatehold.domain.rollout.model import Child
from gatehold.domain.rollout.plan import Ask
from gatehold.domain.rollout.record import Question, Track, Wanted
from tests.api import drains
from tests.api.rollouts import TEMPLATE, body
from tests.api.test_approval_request import drain
from tests.api.test_argo_rollout import BLUE_GREEN, OWNER, SWITCH
from tests.api.test_argo_rollout import TEMPLATE as ARGO_TEMPLATE
from tests.api.test_argo_rollout import body as argo_body
from tests.api.test_child_pods import CRASHING
from tests.api.test_deployment import child
from tests.api.test_gate import EVERYTHING
from tests.api.test_gate import argo as argo_gate
from tests.api.test_gate import body as gate_body
from tests.api.test_gate import drains as drains_gate
from tests.api.test_gate import pods as pods_gate
from tests.api.test_gated import job as gated_job
from tests.api.test_gated import pod as gated_pod
from tests.api.test_maintenance import stored as lease
from tests.api.test_pod_digest import CLAIM, INDEX, MOUNT, NOT_READY, TOKEN, pod
from tests.api.test_request_status import GOOD as GOOD_REQUEST
from tests.api.test_revision import stored
from tests.api.test_rollout_status import GOOD
from tests.api.test_workloads import body as owner_body
from tests.api.test_workloads import cron
from tests.api.test_workloads import rollout as owning_rollout

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
DIGEST = "sha256:" + "1" * 64
WANTED = Wanted(DIGEST, 1)
ASK = Ask(Question("prod", "web-1", DIGEST, 1, "rollouts", ("web=1",)))
CHILD = Child("web-canary", "u", "1", 1)
RICH: dict[str, Any] = pod(
    {"volumeMounts": [MOUNT], "env": [INDEX], "ports": [{"containerPort": 80}], "resources": {"limits": {"cpu": "1"}}},
    volumes=[TOKEN, CLAIM, {"name": "i", "image": {"reference": "x"}}, {"name": "s", "emptyDir": {"sizeLimit": "1Gi"}}],
    tolerations=[NOT_READY],
    hostNetwork=True,
    resources={"limits": {"cpu": "2"}},
)


def argo_set() -> dict[str, Any]:
    """A ReplicaSet as Argo makes it."""
    return {"metadata": {"name": "web-old", "ownerReferences": [OWNER]}, "spec": ARGO_TEMPLATE}


Reader = Callable[[dict[str, Any]], object]
READERS: dict[str, tuple[dict[str, Any], Reader]] = {
    "a Rollout": (body(), rollout.parse),
    "its template": (body(), rollout.template),
    "its labels": (body(), rollout.pod_labels),
    "its status": ({"status": GOOD}, rollout_status.parse_status),
    "a Gate": (gate_body(), gate.parse),
    "a Gate of drains": (drains_gate(mode="Hold", namespace="ops", cooldownSeconds=60), gate.parse_drains),
    "a Gate of pods": (pods_gate(**EVERYTHING), gate.parse_pods),
    "a Gate of Argo Rollouts": (argo_gate(timeoutSeconds=60), gate.parse_argo),
    "a Rollout of Argo": (argo_body(status={"canary": {"weights": {"canary": {"weight": 5}}}}), argo_rollout.parse),
    "a blue-green Rollout of Argo": (argo_body({"strategy": BLUE_GREEN}, SWITCH), argo_rollout.parse),
    "a revision of Argo": (argo_set(), lambda wire: argo_rollout.images_of(wire, "argo-uid")),
    "a pod that waits": (gated_pod(), gated.pod),
    "a Job that waits": (gated_job({"conditions": [{"type": "Complete", "status": "True"}]}), gated.job),
    "what a pod runs": (RICH, pod_digest.digest),
    "what a pod of a set runs": (RICH, lambda wire: pod_digest.digest(wire, "StatefulSet")),
    "an owner of pods": (owner_body(replicas=3, strategy={"rollingUpdate": {"maxSurge": "25%"}}), workloads.owner),
    "a CronJob": (cron(parallelism=2), workloads.owner),
    "a StatefulSet": (owner_body("StatefulSet", volumeClaimTemplates=[{"metadata": {"name": "d"}}]), workloads.owner),
    "a Rollout that owns pods": (owning_rollout({"setWeight": 10}, {"pause": {}}), workloads.owner),
    "the type of a Gate": (gate_body(), gate.type_of),
    "a request to drain": (drain(nodes=[{"name": "n1", "uid": "u"}], parallelPods=3), approval_request.parse),
    "its status, too": ({"status": GOOD_REQUEST}, request_status.parse_status),
    "a node": (drains.node(annotations={}, taints=[{"key": "a", "value": "b", "effect": "NoSchedule"}]), node.facts),
    "the gate of a node": (drains.node({}), node.gate_of),
    "a pod to evict": (drains.pod(), lambda wire: drain_pods.facts([wire])),
    "a budget": (drains.budget(selector={"matchExpressions": [{"key": "a", "operator": "Exists"}]}), budgets.parse),
    "a lease": (lease(), maintenance.read),
    "a namespace": ({"metadata": {"name": "shop", "labels": {}}}, gate.of_namespace),
    "a child": (child(), deployment.facts),
    "a child of a Rollout": (body(), lambda wire: deployment.whole(wire, Track.STABLE, WANTED, TEMPLATE)),
    "a child as it was": (child(), lambda wire: deployment.whole(body(), Track.STABLE, WANTED, TEMPLATE, wire)),
    "a child to set free": (child(), lambda wire: deployment.freed(wire, "u")),
    "a template to run": (TEMPLATE, lambda wire: deployment.whole(body(), Track.STABLE, WANTED, wire)),
    "a pod": (CRASHING, lambda wire: child_pods.with_pods(CHILD, [wire], TEMPLATE)),
    "a template of pods": (TEMPLATE, lambda wire: child_pods.with_pods(CHILD, [CRASHING], wire)),
    "a revision": (stored(), revision.facts),
    "a template that is kept": (stored(), revision.template),
    "an owner": (stored(), revision.owner),
    "a template to keep": (TEMPLATE, lambda wire: revision.render(body(), wire, 1)),
    "a Rollout to ask about": (body(), lambda wire: promotion.request(wire, ASK, promotion.Seen(TEMPLATE), "me")),
    "a template before": (TEMPLATE, lambda wire: promotion.request(body(), ASK, promotion.Seen(wire), "me")),
}


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place of a value."""
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, member in members for place in places(member, (*path, key)))]


def with_other(value: Any, path: tuple[Any, ...], other: Any) -> Any:
    """The value with something else in one place."""
    if not path:
        return other
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = with_other(value[path[0]], path[1:], other)
    return copy


@pytest.mark.parametrize(("good", "read"), READERS.values(), ids=READERS)
@given(data=st.data())
def test_it_is_read_or_it_is_a_parse_error(good: dict[str, Any], read: Reader, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from([place for place in places(good) if place]))
    wire = with_other(good, path, data.draw(JSON))
    with suppress(ParseError):
        read(wire)


@pytest.mark.parametrize(("good", "read"), READERS.values(), ids=READERS)
def test_the_good_ones_are_read(good: dict[str, Any], read: Reader) -> None:
    read(good)


@pytest.mark.parametrize(("good", "read"), READERS.values(), ids=READERS)
@given(wire=st.dictionaries(st.sampled_from(["metadata", "spec", "status", "data"]), JSON))
def test_nonsense_is_read_or_it_is_a_parse_error(good: dict[str, Any], read: Reader, wire: dict[str, Any]) -> None:
    with suppress(ParseError):
        read(wire)
