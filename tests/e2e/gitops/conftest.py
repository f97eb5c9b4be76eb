"""A namespace of each test's own, in which a GitOps controller acts with its own account beside people."""

import json
from collections.abc import Iterator
from typing import Final

import pytest

from controlplane import Cluster, KubectlError
from tests.e2e.provisioning.depot import Depot, put_prices
from tests.e2e.rights import until_allowed
from tests.e2e.rollouts.shop import Shop
from tests.e2e.stage import Body, Stage

FLUX: Final = "system:serviceaccount:flux-system:kustomize-controller"
ARGO_CD: Final = "system:serviceaccount:argocd:argocd-application-controller"
ARGO_CD_SERVER: Final = "system:serviceaccount:argocd:argocd-server"
_ACCOUNTS: Final = (FLUX, ARGO_CD, ARGO_CD_SERVER)


def let_controllers_in(stage: Stage) -> None:
    """Give the controllers' accounts what they need there: to ask, and to do with requests what a sync does."""
    group, rbac = "gatehold.dev", "rbac.authorization.k8s.io"
    rules = [
        {"apiGroups": [group], "resources": ["approvalpolicies"], "verbs": ["request"]},
        {"apiGroups": [group], "resources": ["approvalrequests"], "verbs": ["*"]},
    ]
    meta = {"name": "syncs", "namespace": stage.namespace}
    subjects = [{"apiGroup": rbac, "kind": "User", "name": name} for name in _ACCOUNTS]
    role = {"apiVersion": f"{rbac}/v1", "kind": "Role", "metadata": meta, "rules": rules}
    ref = {"apiGroup": rbac, "kind": "Role", "name": "syncs"}
    binding = {"apiVersion": f"{rbac}/v1", "kind": "RoleBinding", "metadata": meta, "roleRef": ref, "subjects": subjects}
    body = {"apiVersion": "v1", "kind": "List", "items": [role, binding]}
    stage.cluster.kubectl("apply", "--server-side", "-f", "-", stdin=json.dumps(body))
    for name in _ACCOUNTS:
        stage.cluster.user(name, "system:serviceaccounts")
        until_allowed(stage.api(), name, verb="request", resource="approvalpolicies", namespace=stage.namespace, group=group)


def verdicts(body: Body) -> dict[str, str]:
    """What people said, as it is stored."""
    return {k: v for k, v in body["metadata"].get("annotations", {}).items() if k.startswith("verdict.gatehold.dev/")}


def refused(stage: Stage, user: str, *args: str, stdin: str = "") -> str:
    """Run a command that must not get in; answers what the API server says."""
    with pytest.raises(KubectlError) as caught:
        stage.kubectl(*args, user=user, stdin=stdin)
    return caught.value.stderr


@pytest.fixture
def synced(stage: Stage) -> Stage:
    """A namespace that Flux and Argo CD write to."""
    let_controllers_in(stage)
    return stage


@pytest.fixture
def shop(stage: Stage) -> Shop:
    """The same namespace, for Rollouts."""
    return Shop(stage.cluster, stage.namespace, stage.operator)


@pytest.fixture
def depot(gatehold: Cluster, stage: Stage) -> Iterator[Depot]:
    """A namespace in which pods can be held; what runs there goes with the test."""
    put_prices(gatehold)
    made = Depot(gatehold, stage.namespace, stage.operator)
    yield made
    made.clear()
