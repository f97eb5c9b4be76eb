"""An operator under test has the identity of a real pod, under the policies that guard it."""

import json
from typing import Any

import pytest

from controlplane import ControlPlane, KubectlError, PodIdentity, wait_until

NAMESPACE = "gatehold-system"
ACCOUNT = "system:serviceaccount:gatehold-system:gatehold"
POLICIES = """
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: only-nodes-mint}
spec:
  failurePolicy: Fail
  matchConstraints:
    resourceRules:
    - {apiGroups: [""], apiVersions: ["*"], operations: [CREATE], resources: [serviceaccounts/token]}
  matchConditions:
  - {name: operator, expression: "request.namespace == 'gatehold-system' && request.name == 'gatehold'"}
  validations:
  - {expression: "request.userInfo.username.startsWith('system:node:')", message: only nodes mint}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: only-nodes-mint}
spec: {policyName: only-nodes-mint, validationActions: [Deny]}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: only-controllers-create}
spec:
  failurePolicy: Fail
  matchConstraints:
    resourceRules:
    - {apiGroups: [""], apiVersions: ["*"], operations: [CREATE], resources: [pods]}
  matchConditions:
  - name: operator
    expression: "request.namespace == 'gatehold-system' && object.spec.?serviceAccountName.orValue('') == 'gatehold'"
  validations:
  - message: only controllers create
    expression: "request.userInfo.username == 'system:serviceaccount:kube-system:replicaset-controller'"
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: only-controllers-create}
spec: {policyName: only-controllers-create, validationActions: [Deny]}
"""


@pytest.fixture(scope="module")
def identity(plane: ControlPlane) -> PodIdentity:
    """The operator's identity, minted while the policies are in force, even against the admin."""
    plane.kubectl("create", "namespace", NAMESPACE, "--save-config")
    plane.kubectl("create", "serviceaccount", "gatehold", f"--namespace={NAMESPACE}")
    plane.kubectl("apply", "-f", "-", stdin=POLICIES)
    wait_until(lambda: "only nodes mint" in _minting_as_admin(plane), "the token policy in force", 60)
    wait_until(
        lambda: "only controllers create" in _creating_as_admin(plane),
        "the pod policy in force",
        60,
    )
    return plane.mint_pod_bound_token(NAMESPACE, "gatehold")


def test_it_is_the_service_account_in_its_pod(plane: ControlPlane, identity: PodIdentity) -> None:
    me = _whoami(plane, identity)
    assert me["username"] == ACCOUNT
    assert me["extra"]["authentication.kubernetes.io/pod-name"] == [identity.pod]
    assert me["extra"]["authentication.kubernetes.io/pod-uid"] == [identity.pod_uid]
    assert me["extra"]["authentication.kubernetes.io/node-name"] == ["operator-host"]


def test_a_refreshed_token_is_another_one_for_the_same_pod(plane: ControlPlane, identity: PodIdentity) -> None:
    before = identity.token
    identity.refresh()
    assert identity.token != before
    assert _whoami(plane, identity)["extra"]["authentication.kubernetes.io/pod-name"] == [identity.pod]
    assert json.loads(identity.kubeconfig.read_text())["users"][0]["user"]["token"] == identity.token


def test_the_files_are_those_of_a_pod(identity: PodIdentity) -> None:
    assert (identity.directory / "namespace").read_text() == NAMESPACE
    assert (identity.directory / "ca.crt").read_text().startswith("-----BEGIN CERTIFICATE-----")
    assert (identity.directory / "token").stat().st_mode & 0o077 == 0


def test_two_replicas_are_two_pods(plane: ControlPlane, identity: PodIdentity) -> None:
    second = plane.mint_pod_bound_token(NAMESPACE, "gatehold")
    assert second.pod != identity.pod
    assert _whoami(plane, second)["username"] == _whoami(plane, identity)["username"]


def test_a_deleted_pod_is_nobody(plane: ControlPlane, identity: PodIdentity) -> None:
    gone = plane.mint_pod_bound_token(NAMESPACE, "gatehold")
    gone.delete()
    asked = ("auth", "whoami", "-o", "json")
    wait_until(
        lambda: plane.kubectl(*asked, user=gone.kubeconfig, check=False).returncode != 0,
        "the token refused",
        90,
    )
    with pytest.raises(KubectlError):
        gone.refresh()


def test_nobody_schedules_or_starts_the_pod(plane: ControlPlane, identity: PodIdentity) -> None:
    pod = json.loads(plane.kubectl("get", f"pod/{identity.pod}", "-o", "json", f"--namespace={NAMESPACE}").stdout)
    assert pod["spec"]["nodeName"] == "operator-host"
    assert "containerStatuses" not in pod["status"]


def _whoami(plane: ControlPlane, identity: PodIdentity) -> dict[str, Any]:
    text = plane.kubectl("auth", "whoami", "-o", "json", user=identity.kubeconfig).stdout
    info: dict[str, Any] = json.loads(text)["status"]["userInfo"]
    return info


def _minting_as_admin(plane: ControlPlane) -> str:
    return plane.kubectl("create", "token", "gatehold", f"--namespace={NAMESPACE}", check=False).stderr


def _creating_as_admin(plane: ControlPlane) -> str:
    spec = '{"spec":{"serviceAccountName":"gatehold"}}'
    return plane.kubectl(
        *(
            "run",
            "x",
            "--image=x",
            f"--overrides={spec}",
            "--dry-run=server",
            f"--namespace={NAMESPACE}",
        ),
        check=False,
    ).stderr
