"""Rollouts and Gates on a real API server: what makes no sense is refused early, with a sentence that helps."""
# ruff: noqa: E501 (a row is a line, so that rows can be read down)

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from controlplane import Cluster, wait_until
from playground import install_kinds

Body = dict[str, Any]
Change = Callable[[Body], Any]


@pytest.fixture(scope="module")
def cluster(bare_cluster: Cluster) -> Cluster:
    """The kinds, and nothing else of ours."""
    install_kinds(bare_cluster)
    return bare_cluster


def rollout(change: Change = lambda body: None) -> Body:
    """A Rollout with a change."""
    body: Body = {
        "apiVersion": "gatehold.dev/v1alpha1",
        "kind": "Rollout",
        "metadata": {"name": "web", "namespace": "default"},
        "spec": {
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "web", "image": "web:1", "ports": [{"containerPort": 80}]}]},
            },
        },
    }
    change(body)
    return body


def spec(**members: Any) -> Body:
    return rollout(lambda body: body["spec"].update(members))


def steps(*given: Body) -> Body:
    return spec(strategy={"canary": {"steps": list(given)}})


def template(**members: Any) -> Body:
    return rollout(lambda body: body["spec"]["template"]["spec"].update(members))


def pods(**members: Any) -> Body:
    return rollout(lambda body: body["spec"]["template"]["metadata"].update(members))


def gate(name: str = "prod", **members: Any) -> Body:
    given = {"type": "Rollouts", "policyRef": {"name": "change"}} | members
    return {"apiVersion": "gatehold.dev/v1alpha1", "kind": "Gate", "metadata": {"name": name}, "spec": given}


ASK = {
    "approval": {"policyRef": {"name": "prod"}, "timeoutSeconds": 60, "links": [{"title": "board", "url": "https://x/y"}]}
}
GOOD: dict[str, Body] = {
    "the least": rollout(),
    "without a strategy that says anything": spec(strategy={"canary": {}}),
    "all kinds of steps": steps(
        {"setWeight": 20}, {"pause": {"durationSeconds": 60}}, ASK, {"setWeight": 20}, {"setWeight": 100}
    ),
    "a restart": spec(restartedAt="2026-03-01T12:00:00Z"),
    "no replicas": spec(replicas=0),
    "the longest name": rollout(lambda body: body["metadata"].update(name="w" * 52)),
    "a template that says Always": template(restartPolicy="Always", initContainers=[{"name": "init", "image": "init:1"}]),
    "ready for as long as there is time for": spec(minReadySeconds=599),
    "a gate": gate(),
    "a gate that asks before anything runs": gate(rollouts={"maxWeightBeforeApproval": 0}),
}


def send(cluster: Cluster, body: Body) -> str:
    """Empty where the API server would take it, or its words."""
    done = cluster.kubectl("create", "--dry-run=server", "--validate=ignore", "-f", "-", stdin=json.dumps(body), check=False)
    return done.stderr if done.returncode else ""


@pytest.mark.parametrize("body", GOOD.values(), ids=GOOD)
def test_it_makes_sense(cluster: Cluster, body: Body) -> None:
    assert send(cluster, body) == ""


BAD: dict[str, tuple[Body, str]] = {
    "no selector": (rollout(lambda body: body["spec"].pop("selector")), "spec.selector: Required value"),
    "a selector of everything": (spec(selector={"matchLabels": {}}), "at least 1 properties"),
    "a selector of expressions": (
        spec(selector={"matchLabels": {"app": "web"}, "matchExpressions": [{"key": "a", "operator": "Exists"}]}),
        "a Rollout selects by matchLabels",
    ),
    "a selector of other pods": (spec(selector={"matchLabels": {"app": "x"}}), "must stand in template.metadata.labels, too"),
    "our label in the selector": (spec(selector={"matchLabels": {"gatehold.dev/track": "x"}}), "set by the operator"),
    "our label on the pods": (pods(labels={"app": "web", "gatehold.dev/track": "stable"}), "set by the operator"),
    "our label in disguise": (pods(labels={"app": "web", "x.gatehold.dev/track": "stable"}), "set by the operator"),
    "our annotation on the pods": (pods(annotations={"gatehold.dev/restarted-at": "x"}), "set by the operator"),
    "our annotation in capitals": (pods(annotations={"Gatehold.dev/restarted-at": "x"}), "set by the operator"),
    "a label key that is none": (pods(labels={"app": "web", "a b": "x"}), "not a label key"),
    "a label value that is none": (pods(labels={"app": "web", "a": "a b"}), "should match"),
    "no labels": (pods(labels={}), "at least 1 properties"),
    "no containers": (template(containers=[]), "at least 1 items"),
    "a container without an image": (template(containers=[{"name": "web"}]), "image: Required value"),
    "an image with a blank": (template(containers=[{"name": "web", "image": " web"}]), "should match"),
    "a container in capitals": (template(containers=[{"name": "Web", "image": "web"}]), "should match"),
    "two containers of one name": (template(containers=[{"name": "web", "image": "a"}, {"name": "web", "image": "b"}]), "Duplicate value"),
    "an init container of that name": (template(initContainers=[{"name": "web", "image": "a"}]), "a container and an init container of one name"),
    "an odd pull policy": (template(containers=[{"name": "web", "image": "a", "imagePullPolicy": "Never ever"}]), "Unsupported value"),
    "pods that end": (template(restartPolicy="Never"), 'supported values: "Always"'),
    "pods that have to end": (template(activeDeadlineSeconds=5), "activeDeadlineSeconds ends pods"),
    "a debugger": (template(ephemeralContainers=[{"name": "debug", "image": "a"}]), "at most 0 items"),
    "a weight of nothing": (steps({"setWeight": 0}), "greater than or equal to 1"),
    "a weight beyond everything": (steps({"setWeight": 101}), "less than or equal to 100"),
    "half a percent": (steps({"setWeight": 0.5}), "must be of type int32"),
    "a weight that falls": (steps({"setWeight": 50}, {"pause": {"durationSeconds": 1}}, {"setWeight": 20}), "weights rise or stay"),
    "a step of two": (steps({"setWeight": 5, "pause": {"durationSeconds": 1}}), "a step is one of setWeight, pause and approval"),
    "a step of none": (steps({}), "a step is one of setWeight, pause and approval"),
    "a step of a version to come": (steps({"analysis": {}}), "a step is one of setWeight, pause and approval"),
    "a pause without end": (steps({"pause": {}}), "durationSeconds: Required value"),
    "an approval by nobody": (steps({"approval": {}}), "policyRef: Required value"),
    "a link without encryption": (steps({"approval": {"policyRef": {"name": "p"}, "links": [{"url": "http://x"}]}}), "should match"),
    "33 steps": (steps(*[{"setWeight": 5}] * 33), "at most 32 items"),
    "a long name": (rollout(lambda body: body["metadata"].update(name="w" * 53)), "at most 52 lower case letters"),
    "a name with dots": (rollout(lambda body: body["metadata"].update(name="w.w")), "at most 52 lower case letters"),
    "ready for too long": (spec(minReadySeconds=600), "never come up in time"),
    "fewer than no pods": (spec(replicas=-1), "greater than or equal to 0"),
    "a restart some time": (spec(restartedAt="now"), "must be of type date-time"),
    "a gate of a version to come": (gate(type="HttpRoutes"), "Unsupported value"),
    "a gate without a policy": (gate(policyRef={}), "policyRef.name: Required value"),
    "a gate that lets more than everything through": (gate(rollouts={"maxWeightBeforeApproval": 101}), "less than or equal to 100"),
    "a gate with a long name": (gate("g" * 64), "at most 63 lower case letters"),
    "a gate with dots": (gate("g.g"), "at most 63 lower case letters"),
}  # fmt: skip


@pytest.mark.parametrize("body", [body for body, _ in BAD.values()], ids=list(BAD))
def test_it_makes_no_sense(request: pytest.FixtureRequest, cluster: Cluster, body: Body) -> None:
    text = BAD[request.node.callspec.id][1]

    assert text in send(cluster, body)


def test_what_never_changes_and_what_an_hpa_does(cluster: Cluster) -> None:
    wire = rollout(lambda body: body["metadata"].update(name="scaled"))
    cluster.kubectl("create", "-f", "-", stdin=json.dumps(wire))
    other = copy.deepcopy(wire)
    other["spec"]["selector"]["matchLabels"] = other["spec"]["template"]["metadata"]["labels"] = {"app": "other"}
    refused = cluster.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=json.dumps(other), check=False)
    cluster.kubectl("scale", "gro/scaled", "--replicas=4")
    cluster.kubectl("apply", "--server-side", "-f", "-", stdin=json.dumps(wire))
    found = json.loads(cluster.kubectl("get", "gro", "scaled", "-o", "json").stdout)
    place = "/apis/gatehold.dev/v1alpha1/namespaces/default/rollouts/scaled/scale"
    scale = json.loads(cluster.kubectl("get", "--raw", place).stdout)
    cluster.kubectl("delete", "gro", "scaled")

    assert "selector is immutable; make another Rollout" in refused.stderr
    assert (found["spec"]["replicas"], scale["spec"]["replicas"]) == (4, 4)
    assert found["status"] == {"observedGeneration": -1}


def test_the_type_of_a_gate_and_the_place_of_a_status(cluster: Cluster) -> None:
    cluster.kubectl("create", "-f", "-", stdin=json.dumps(gate("kept")))
    found = json.loads(cluster.kubectl("get", "gate", "kept", "-o", "json").stdout)
    cluster.kubectl("delete", "gate", "kept")

    assert found["status"] == {"observedGeneration": -1}


def test_explain_reads_like_documentation(cluster: Cluster) -> None:
    def text() -> str:
        return " ".join(cluster.kubectl("explain", "gro.spec.strategy.canary.steps", check=False).stdout.split())

    wait_until(lambda: bool(text()), "the description of a new kind, which comes after the kind", 60)
    for sentence in (
        "after the last step the canary is promoted",
        "at least one pod and never more than that",
        "Ask reviewers",
    ):
        assert sentence in text()
