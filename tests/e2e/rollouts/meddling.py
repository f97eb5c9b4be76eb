"""Somebody else's admission in one namespace: pods and Deployments are changed as they are made, as webhooks do."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from controlplane import wait_until
from tests.e2e.rollouts.shop import Shop
from tests.e2e.stage import PATIENCE
from tests.wall.api import Call

Body = dict[str, Any]


@contextmanager
def meddling(shop: Shop, resource: str, change: str, when: str = "true") -> Iterator[None]:
    """`change` is a CEL expression of what is applied over each new object of that resource for which `when` holds."""
    name = f"meddles-{shop.namespace}-{resource}"
    group, operations = ("apps", ["CREATE", "UPDATE"]) if resource == "deployments" else ("", ["CREATE"])
    policy: Body = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingAdmissionPolicy",
        "metadata": {"name": name},
        "spec": {
            "failurePolicy": "Fail",
            "reinvocationPolicy": "Never",
            "matchConstraints": {
                "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": shop.namespace}},
                "resourceRules": [
                    {"apiGroups": [group], "apiVersions": ["v1"], "operations": operations, "resources": [resource]}
                ],
            },
            "matchConditions": [{"name": "when", "expression": when}],
            "mutations": [{"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": change}}],
        },
    }
    binding = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingAdmissionPolicyBinding",
        "metadata": {"name": name},
        "spec": {"policyName": name},
    }
    shop.cluster.kubectl(
        "apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": [policy, binding]})
    )
    try:
        wait_until(lambda: _meddles(shop, resource), f"{name} is in force", PATIENCE)
        yield
    finally:
        shop.cluster.kubectl("delete", f"mutatingadmissionpolicybinding/{name}", f"mutatingadmissionpolicy/{name}")


def _meddles(shop: Shop, resource: str) -> bool:
    """Try with an object that is never stored. `when` lets it pass, too: it is the new version of stable."""
    labels = {"app": "probe", "gatehold.dev/track": "stable", "meddle": "probe"}
    pod = {"containers": [{"name": "web", "image": "example.org/web:2"}]}
    meta = {"name": "probe", "labels": labels}
    body: Body = {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": pod}
    if resource == "deployments":
        template = {"metadata": {"labels": {"app": "probe"}}, "spec": pod}
        spec = {"selector": {"matchLabels": {"app": "probe"}}, "template": template}
        body = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "probe"}, "spec": spec}
        call = Call(shop.path("deploy"), body, "post", {"dryRun": "All"})
    else:
        body["metadata"]["labels"].pop("gatehold.dev/track")
        call = Call(shop.path("pods"), body, "post", {"dryRun": "All"})
    answer = shop.api().send(call)
    return answer.ok and "meddled" in json.dumps(answer.body)
