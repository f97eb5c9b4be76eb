"""Argo's kind and account on the shared cluster, and a dock of its own for each test."""

import json

import pytest

from controlplane import Cluster
from tests.e2e.argo_pauses.dock import CONTROLLER, Dock
from tests.e2e.stage import Stage
from tests.wall.api import Api
from tests.wall.argo import install_kind


@pytest.fixture(scope="package")
def argo(gatehold: Cluster) -> Api:
    """What Argo's controller writes with: its account, by a token of its pod. The kind comes after the operator."""
    install_kind(gatehold)
    names = {"kind": "ServiceAccount", "name": "argo-rollouts", "namespace": "argo-rollouts"}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"}
    meta = {"name": "test-argo-rollouts"}
    binding = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": meta}
    gatehold.kubectl("create", "namespace", "argo-rollouts", check=False)
    gatehold.kubectl("apply", "--server-side", "-f", "-", stdin=json.dumps(binding | {"roleRef": role, "subjects": [names]}))
    return Api.of(gatehold.mint_pod_bound_token(*CONTROLLER, seconds=7200).kubeconfig)


@pytest.fixture
def dock(argo: Api, gatehold: Cluster, stage: Stage) -> Dock:
    """A namespace of the test's own; call `dock.gate()` to put it behind a Gate."""
    return Dock(gatehold, stage.namespace, stage.operator, argo)
