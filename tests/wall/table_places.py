"""The operator's own namespace, its tokens and its name: nobody becomes the operator. Rows of the wall's table."""
# ruff: noqa: E501 (a row is a line, so that rows can be read down)

from typing import Any

from tests.wall.api import Call, path
from tests.wall.attempt import IDENTITY, OPERATOR, RBAC, STATUS, TOKEN, Attempt, field_is
from tests.wall.people import SYSTEM, Body
from tests.wall.scene import Ask, Scene, notes
from tests.wall.writes import Do, patch

NOTHING = Ask(state="nothing")
BECOME = ": whoever does this could become the operator, so it takes verb patch on validatingadmissionpolicies with resourceName gatehold-requests"
POD: Body = {"containers": [{"name": "main", "image": "busybox"}]}
RUN_AS: Body = {**POD, "serviceAccountName": "gatehold"}
TEMPLATE: Body = {"metadata": {"labels": {"app": "x"}}, "spec": RUN_AS}
SELECTOR: Body = {"matchLabels": {"app": "x"}}


def obj(version: str, kind: str, scene: Scene, **content: Any) -> Body:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": f"{kind.lower()}-{scene.name}"}, **content}


def make(
    version: str, plural: str, kind: str, *, namespace: str = SYSTEM, sub: str = "", on: str = "", **content: Any
) -> Do:
    """A creation of such an object in the operator's namespace."""
    return lambda scene: Call(
        path(version, plural, namespace, on or None, sub), obj(version, kind, scene, **content), "post"
    )


def at(
    version: str, plural: str, name: str, body: Body, how: str = "merge", *, namespace: str | None = SYSTEM, sub: str = ""
) -> Do:
    """A write on an object that is there."""
    return lambda scene: Call(path(version, plural, namespace, name, sub), body, how)


def there(version: str, plural: str, name: str = "", kind: str = "") -> Any:
    """What is compared: the object of that name, or the one that the row would have made."""
    return lambda scene: path(version, plural, SYSTEM, name or f"{kind.lower()}-{scene.name}")


def place(says: str, by: str, do: Do, refused: str = "", *, target: Any, policy: str = OPERATOR, **more: Any) -> Attempt:
    return Attempt(
        f"the operator's place: {says}", by=by, do=do, refused=refused, policy=policy, ask=NOTHING, target=target, **more
    )


def pod_path(sub: str) -> Do:
    return lambda scene: Call(
        path("v1", "pods", SYSTEM, scene.operator_pod, sub),
        None,
        "post",
        {"command": "sh", "stdin": "true"} if sub in ("exec", "attach") else {"ports": "8080"},
    )


def the_pod(scene: Scene) -> str:
    return path("v1", "pods", SYSTEM, scene.operator_pod)


def debug(scene: Scene) -> Call:
    return Call(
        path("v1", "pods", SYSTEM, scene.operator_pod, "ephemeralcontainers"),
        {"spec": {"ephemeralContainers": [{"name": "debug", "image": "busybox"}]}},
        "strategic",
    )


DOING = {"exec": "exec", "attach": "attach", "portforward": "port-forward", "proxy": "proxy"}
INSIDE = [
    *(place(f"{who} with {role} in its namespace: {word} into the operator's pod", who, pod_path(sub), f"pods/{sub} in gatehold-system{BECOME}", target=the_pod) for who, role in (("eve", "edit"), ("adam", "admin")) for sub, word in DOING.items()),
    place("a debug container in the operator's pod by somebody with that right alone", "debugger", debug, f"pods/ephemeralcontainers in gatehold-system{BECOME}", target=the_pod),
    *(place(f"a pod of the operator's account by {who}", who, make("v1", "pods", "Pod", spec=RUN_AS), "pods of service account gatehold are made by the controllers of the operator's Deployment only", target=there("v1", "pods", kind="Pod")) for who in ("eve", "adam", "admin")),
    place("another pod", "eve", make("v1", "pods", "Pod", spec=POD), f"pods in gatehold-system{BECOME}", target=there("v1", "pods", kind="Pod")),
    place("another image in the operator's pod", "eve", lambda scene: Call(the_pod(scene), [{"op": "replace", "path": "/spec/containers/0/image", "value": "evil"}], "json"), f"pods in gatehold-system{BECOME}", target=the_pod),
    place("a Deployment", "eve", make("apps/v1", "deployments", "Deployment", spec={"selector": SELECTOR, "template": TEMPLATE}), f"deployments in gatehold-system{BECOME}", target=there("apps/v1", "deployments", kind="Deployment")),
    place("a ReplicaSet", "adam", make("apps/v1", "replicasets", "ReplicaSet", spec={"selector": SELECTOR, "template": TEMPLATE}), f"replicasets in gatehold-system{BECOME}", target=there("apps/v1", "replicasets", kind="ReplicaSet")),
    place("a StatefulSet", "adam", make("apps/v1", "statefulsets", "StatefulSet", spec={"serviceName": "x", "selector": SELECTOR, "template": TEMPLATE}), f"statefulsets in gatehold-system{BECOME}", target=there("apps/v1", "statefulsets", kind="StatefulSet")),
    place("a DaemonSet", "adam", make("apps/v1", "daemonsets", "DaemonSet", spec={"selector": SELECTOR, "template": TEMPLATE}), f"daemonsets in gatehold-system{BECOME}", target=there("apps/v1", "daemonsets", kind="DaemonSet")),
    place("a ReplicationController", "adam", make("v1", "replicationcontrollers", "ReplicationController", spec={"selector": {"app": "x"}, "template": TEMPLATE}), f"replicationcontrollers in gatehold-system{BECOME}", target=there("v1", "replicationcontrollers", kind="ReplicationController")),
    place("a Job", "eve", make("batch/v1", "jobs", "Job", spec={"template": {"spec": {**RUN_AS, "restartPolicy": "Never"}}}), f"jobs in gatehold-system{BECOME}", target=there("batch/v1", "jobs", kind="Job")),
    place("a CronJob", "eve", make("batch/v1", "cronjobs", "CronJob", spec={"schedule": "* * * * *", "jobTemplate": {"spec": {"template": {"spec": {**RUN_AS, "restartPolicy": "Never"}}}}}), f"cronjobs in gatehold-system{BECOME}", target=there("batch/v1", "cronjobs", kind="CronJob")),
    place("a Service that sends the operator's callers elsewhere", "eve", make("v1", "services", "Service", spec={"type": "ExternalName", "externalName": "evil.example"}), f"services in gatehold-system{BECOME}", target=there("v1", "services", kind="Service")),
    place("a long-lived token for the operator's account", "adam", lambda scene: Call(path("v1", "secrets", SYSTEM), {"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/service-account-token", "metadata": {"name": f"secret-{scene.name}", "annotations": {"kubernetes.io/service-account.name": "gatehold"}}}, "post"), "no long-lived tokens for the service account gatehold", target=there("v1", "secrets", kind="Secret")),
    place("a long-lived token for the operator's account by a cluster admin", "admin", lambda scene: Call(path("v1", "secrets", SYSTEM), {"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/service-account-token", "metadata": {"name": f"secret-{scene.name}", "annotations": {"kubernetes.io/service-account.name": "gatehold"}}}, "post"), "no long-lived tokens for the service account gatehold", target=there("v1", "secrets", kind="Secret")),
    place("the operator's account changed", "eve", at("v1", "serviceaccounts", "gatehold", {"imagePullSecrets": [{"name": "x"}]}), f"serviceaccounts in gatehold-system{BECOME}", target=there("v1", "serviceaccounts", "gatehold")),
    place("the operator's account deleted", "adam", lambda scene: Call(path("v1", "serviceaccounts", SYSTEM, "gatehold"), None, "delete"), f"serviceaccounts in gatehold-system{BECOME}", target=there("v1", "serviceaccounts", "gatehold")),
    place("somebody else's ConfigMap", "eve", make("v1", "configmaps", "ConfigMap", data={"a": "b"}), target=there("v1", "configmaps", kind="ConfigMap"), leaves=field_is("data.a", "b")),
    place("a ConfigMap of the operator's", "eve", lambda scene: Call(path("v1", "configmaps", SYSTEM), {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "gatehold-prices"}}, "post"), f"configmaps in gatehold-system{BECOME}", target=there("v1", "configmaps", "gatehold-prices")),
    place("a platform team's Deployment", "admin", make("apps/v1", "deployments", "Deployment", spec={"replicas": 0, "selector": SELECTOR, "template": TEMPLATE}), target=there("apps/v1", "deployments", kind="Deployment"), leaves=field_is("spec.replicas", 0)),
]  # fmt: skip

MINT: Body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 600}}


def mint(account: str, *, bound: bool = False) -> Do:
    def call(scene: Scene) -> Call:
        ref = {"boundObjectRef": {"kind": "Pod", "apiVersion": "v1", "name": scene.operator_pod}} if bound else {}
        return Call(
            path("v1", "serviceaccounts", SYSTEM, account, "token"), {**MINT, "spec": {**MINT["spec"], **ref}}, "post"
        )

    return call


ACCOUNT = there("v1", "serviceaccounts", "gatehold")
NODE = "tokens of the gatehold service account are issued to its node's kubelet only; act as yourself"
NAME = [
    *(place(f"a token of the operator's account by {who}", who, mint("gatehold"), NODE, target=ACCOUNT, policy=TOKEN) for who in ("admin", "eve", "adam")),
    place("a token of the operator's account bound to its pod by a cluster admin", "admin", mint("gatehold", bound=True), NODE, target=ACCOUNT, policy=TOKEN),
    place("a token of the probe's account by the operator", "operator", mint("gatehold-probe"), target=there("v1", "serviceaccounts", "gatehold-probe")),
    place("a token of its own account by the operator", "operator", mint("gatehold"), 'cannot create resource "serviceaccounts/token"', target=ACCOUNT, policy=RBAC),
    *(
        place(f"the operator's name without its pod {says}", "pretender", do, "denied request: ", target=target, policy=f"{IDENTITY}|{other}")
        for says, do, target, other in (
            ("annotates the probe's request", lambda scene: Call(PROBE, notes({"gatehold.dev/prepared-by": "x"})), lambda scene: PROBE, "gatehold-requests"),
            ("opens a request", lambda scene: scene.creation("ci", name=scene.name + "-new"), lambda scene: scene.target + "-new", "gatehold-requests"),
        )
    ),
]  # fmt: skip

PROBE = path("gatehold.dev/v1alpha1", "approvalrequests", SYSTEM, "gatehold-probe")
PROBED = [
    place("the probe forges a verdict on its own request", "gatehold-probe", lambda scene: Call(PROBE, notes({"verdict.gatehold.dev/0": "approve||nobody|alice||forged"})), "a verdict must carry your own user name", target=lambda scene: PROBE, policy="gatehold-requests"),
    place("the probe forges the status of its own request", "gatehold-probe", lambda scene: Call(PROBE + "/status", {"status": {"approvals": "9/9"}}), "status is written by the operator only", target=lambda scene: PROBE, policy=STATUS),
    place("the probe forges a verdict in its own name", "gatehold-probe", lambda scene: Call(PROBE, notes({"verdict.gatehold.dev/0": "approve||nobody|system:serviceaccount:gatehold-system:gatehold-probe||forged"})), "system accounts and service accounts cannot decide", target=lambda scene: PROBE, policy="gatehold-requests"),
    place("the probe labels its own request", "gatehold-probe", lambda scene: Call(PROBE, {"metadata": {"labels": {"a": "b"}}}), "label a may be changed by the operator or the requester only", target=lambda scene: PROBE, policy="gatehold-requests"),
    place("the probe annotates another request", "gatehold-probe", patch(notes({"a": "b"})), 'cannot patch resource "approvalrequests"', target=lambda scene: scene.target, policy=RBAC),
    place("the probe writes the status of another request", "gatehold-probe", patch({"status": {"approvals": "9/9"}}, sub="status"), 'cannot patch resource "approvalrequests/status"', target=lambda scene: scene.target, policy=RBAC),
    place("a viewer annotates", "viewer", patch(notes({"gatehold.dev/approve": "ok"})), 'cannot patch resource "approvalrequests"', target=lambda scene: scene.target, policy=RBAC),
    place("an editor writes a status", "editor", patch({"status": {"approvals": "9/9"}}, sub="status"), 'cannot patch resource "approvalrequests/status"', target=lambda scene: scene.target, policy=RBAC),
    Attempt("an editor approves without a role", by="editor", do=patch(notes({"verdict.gatehold.dev/{next}": "approve|{digest}|sre|editor||ok"})), refused="you do not hold role sre: it takes verb approve on approvalpolicies/sre"),
    Attempt("an editor overrides without the verb", by="editor", do=patch(notes({"verdict.gatehold.dev/{next}": "override|{digest}||editor||INC-4711: site down"})), refused="you may not override policy solo"),
]  # fmt: skip

PLACE_ROWS = [*INSIDE, *NAME, *PROBED]
