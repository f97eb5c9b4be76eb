"""What counts of a pod, and what does not. That this is what an API server makes of a template: tests/contract."""

from typing import Any

import pytest

from gatehold.api.common import ParseError
from gatehold.api.pod_digest import digest, normalised

Json = dict[str, Any]
TOKEN: Json = {
    "name": "kube-api-access-x7x7x",
    "projected": {
        "defaultMode": 420,
        "sources": [
            {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
            {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
            {
                "downwardAPI": {
                    "items": [{"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}]
                }
            },
        ],
    },
}
MOUNT: Json = {
    "name": "kube-api-access-x7x7x",
    "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount",
    "readOnly": True,
}
INDEX: Json = {
    "name": "JOB_COMPLETION_INDEX",
    "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['batch.kubernetes.io/job-completion-index']"}},
}
NOT_READY: Json = {
    "key": "node.kubernetes.io/not-ready",
    "operator": "Exists",
    "effect": "NoExecute",
    "tolerationSeconds": 300,
}
CLAIM: Json = {"name": "data", "persistentVolumeClaim": {"claimName": "data-web-3"}}


def container(**members: Any) -> Json:
    return {"name": "c", "image": "example.org/web:1"} | members


def pod(*members: Json, **fields: Any) -> Json:
    """A pod of one container, with other members of that container and of its spec."""
    first = container()
    for member in members:
        first |= member
    return {"containers": [first]} | fields


def projected(*sources: Json, name: str = "kube-api-access-x7x7x") -> Json:
    return {"name": name, "projected": {"sources": list(sources)}}


SAME: dict[str, tuple[Json, Json, str]] = {
    "what a node and a scheduler add": (pod(), pod(nodeName="n1", schedulingGates=[{"name": "x"}]), ""),
    "the class of the cluster": (pod(), pod(priorityClassName="usual", priority=1, preemptionPolicy="Never"), ""),
    "the account's old name": (pod(), pod(serviceAccountName="default", serviceAccount="default"), ""),
    "nothing and null": (pod(), pod(volumes=None, tolerations=[], affinity=None), ""),
    "the token": (pod(), pod({"volumeMounts": [MOUNT]}, volumes=[TOKEN]), ""),
    "nodes in trouble": (pod(), pod(tolerations=[NOT_READY, NOT_READY | {"key": "node.kubernetes.io/unreachable"}]), ""),
    "a limit that is a request": (
        pod({"resources": {"limits": {"cpu": "1"}}}),
        pod({"resources": {"limits": {"cpu": "1000m"}, "requests": {"cpu": 1}}}),
        "",
    ),
    "two forms of one size": (
        pod(volumes=[{"name": "v", "emptyDir": {"sizeLimit": "1Gi"}}]),
        pod(volumes=[{"name": "v", "emptyDir": {"sizeLimit": "1024Mi"}}]),
        "",
    ),
    "a name of its own": (pod(), pod(hostname="web-3", subdomain="web"), "StatefulSet"),
    "a claim of its own": (
        pod(volumes=[CLAIM]),
        pod(volumes=[{"name": "data", "persistentVolumeClaim": {"claimName": "data-web-14"}}]),
        "StatefulSet",
    ),
    "the order of volumes": (
        pod(volumes=[{"name": "b", "emptyDir": {}}, CLAIM]),
        pod(volumes=[CLAIM, {"name": "b", "emptyDir": {}}]),
        "",
    ),
    "an index of its own": (pod(), pod({"env": [INDEX]}, hostname="train-3"), "Job"),
    "a port of the host": (
        pod({"ports": [{"containerPort": 80}]}, hostNetwork=True),
        pod({"ports": [{"containerPort": 80, "hostPort": 80, "protocol": "TCP"}]}, hostNetwork=True),
        "",
    ),
    "how the newest is pulled": (pod({"image": "web"}), pod({"image": "web", "imagePullPolicy": "Always"}), ""),
    "how the latest is pulled": (
        pod({"image": "h:5000/web:latest"}),
        pod({"image": "h:5000/web:latest", "imagePullPolicy": "Always"}),
        "",
    ),
    "how a version is pulled": (pod(), pod({"imagePullPolicy": "IfNotPresent"}), ""),
    "how a digest is pulled": (
        pod({"image": "h:5000/web@sha256:1"}),
        pod({"image": "h:5000/web@sha256:1", "imagePullPolicy": "IfNotPresent"}),
        "",
    ),
    "how a volume is pulled": (
        pod(volumes=[{"name": "v", "image": {"reference": "x:1"}}]),
        pod(volumes=[{"name": "v", "image": {"reference": "x:1", "pullPolicy": "IfNotPresent"}}]),
        "",
    ),
    "a resize that needs nothing": (
        pod(),
        pod({"resizePolicy": [{"resourceName": "cpu", "restartPolicy": "NotRequired"}]}),
        "",
    ),
    "what a runtime class adds": (
        pod(runtimeClassName="sandbox"),
        pod(runtimeClassName="sandbox", overhead={"cpu": "250m"}),
        "",
    ),
    "what a whole pod requests": (
        pod(
            {"resources": {"requests": {"cpu": "100m", "hugepages-2Mi": "4Mi"}}},
            resources={"limits": {"cpu": 1, "memory": "1Gi"}},
        ),
        pod(
            {"resources": {"requests": {"cpu": "0.1", "hugepages-2Mi": "4Mi"}}},
            resources={
                "limits": {"cpu": "1", "memory": "1Gi", "hugepages-2Mi": "4Mi"},
                "requests": {"cpu": "100m", "memory": "1Gi", "hugepages-2Mi": "4Mi"},
            },
        ),
        "",
    ),
    "debugging": (pod(), pod(ephemeralContainers=[container()]), ""),
}


@pytest.mark.parametrize(("one", "other", "kind"), SAME.values(), ids=SAME)
def test_this_does_not_count(one: Json, other: Json, kind: str) -> None:
    assert normalised(one, kind) == normalised(other, kind)
    assert digest(one, kind) == digest(other, kind)


OTHER: dict[str, tuple[Json, Json, str]] = {
    "another image": (pod(), pod({"image": "example.org/web:2"}), ""),
    "more": (pod({"resources": {"requests": {"cpu": "1"}}}), pod({"resources": {"requests": {"cpu": "1001m"}}}), ""),
    "a limit beyond the request": (
        pod({"resources": {"limits": {"cpu": "2"}, "requests": {"cpu": "1"}}}),
        pod({"resources": {"limits": {"cpu": "2"}}}),
        "",
    ),
    "no size at all": (
        pod({"resources": {"requests": {"cpu": "much"}}}),
        pod({"resources": {"requests": {"cpu": "more"}}}),
        "",
    ),
    "one and true": (
        pod({"resources": {"requests": {"cpu": 1}}}),
        pod({"resources": {"requests": {"cpu": True}}}),
        "",
    ),
    "another node": (pod(), pod(nodeSelector={"pool": "gpu"}), ""),
    "a toleration": (pod(), pod(tolerations=[{"key": "gpu", "operator": "Exists"}]), ""),
    "five minutes of another trouble": (pod(), pod(tolerations=[NOT_READY | {"key": "gpu"}]), ""),
    "ten minutes": (pod(), pod(tolerations=[NOT_READY | {"tolerationSeconds": 600}]), ""),
    "one more container": (pod(), pod(initContainers=[container(name="init")]), ""),
    "an account": (pod(), pod(serviceAccountName="root"), ""),
    "a volume": (pod(), pod(volumes=[{"name": "v", "emptyDir": {}}]), ""),
    "a volume called like the token": (pod(), pod(volumes=[{"name": "kube-api-access-x7x7x", "emptyDir": {}}]), ""),
    "secrets called like the token": (pod(), pod(volumes=[projected({"secret": {"name": "s"}})]), ""),
    "maps called like the token": (pod(), pod(volumes=[projected({"configMap": {"name": "m"}})]), ""),
    "a token for others": (
        pod(),
        pod(volumes=[projected({"serviceAccountToken": {"path": "t", "audience": "others"}})]),
        "",
    ),
    "a token of another name": (pod(), pod(volumes=[projected(*TOKEN["projected"]["sources"], name="mine")]), ""),
    "the token somewhere else": (
        pod(),
        pod({"volumeMounts": [MOUNT | {"mountPath": "/token"}]}, volumes=[TOKEN]),
        "",
    ),
    "a name of its own": (pod(), pod(hostname="web-3"), "ReplicaSet"),
    "the claim of somebody else": (
        pod(volumes=[CLAIM]),
        pod(volumes=[CLAIM | {"persistentVolumeClaim": {"claimName": "x"}}]),
        "",
    ),
    "an index that nobody gave": (pod(), pod({"env": [INDEX]}), "ReplicaSet"),
    "an index of one's own": (pod(), pod({"env": [{"name": "JOB_COMPLETION_INDEX", "value": "1"}]}), "Job"),
    "a variable": (pod(), pod({"env": [{"name": "A"}]}), "Job"),
    "a port of the host": (
        pod({"ports": [{"containerPort": 80}]}),
        pod({"ports": [{"containerPort": 80, "hostPort": 80}]}),
        "",
    ),
    "the host's own namespace": (pod(), pod(hostPID=True), ""),
    "an overhead without a class": (pod(), pod(overhead={"cpu": "1"}), ""),
    "a resize that restarts": (
        pod(),
        pod({"resizePolicy": [{"resourceName": "cpu", "restartPolicy": "RestartContainer"}]}),
        "",
    ),
    "always pulled": (pod(), pod({"imagePullPolicy": "Always"}), ""),
    "a whole that takes more": (
        pod(resources={"limits": {"cpu": 2}}),
        pod(resources={"limits": {"cpu": 2}, "requests": {"cpu": 1}}),
        "",
    ),
    "a whole without limits": (pod(), pod(resources={"requests": {"cpu": 1}}), ""),
    "zero seconds": (pod(), pod(terminationGracePeriodSeconds=0), ""),
    "a zero that is a default as a word": (pod(hostNetwork=0), pod(hostNetwork=False), ""),
}


@pytest.mark.parametrize(("one", "other", "kind"), OTHER.values(), ids=OTHER)
def test_this_counts(one: Json, other: Json, kind: str) -> None:
    assert digest(one, kind) != digest(other, kind)


def deep(levels: int) -> Json:
    found: Json = {}
    for _ in range(levels):
        found = {"a": found}
    return found


NONE: dict[str, tuple[Any, str]] = {
    "containers in words": (pod(containers="many"), ""),
    "a container in a word": (pod(containers=["c"]), ""),
    "volumes without a name": (pod(volumes=[{"emptyDir": {}}]), ""),
    "a claim without a name": (pod(volumes=[{"name": "v", "persistentVolumeClaim": {}}]), "StatefulSet"),
    "variables without a name": (pod({"env": [{"value": "x"}]}), "Job"),
    "resources in a word": (pod({"resources": "all"}), ""),
    "limits of the whole pod in a word": (pod(resources={"limits": True}), ""),
    "what has no end": (pod(affinity=deep(5000)), ""),
}


@pytest.mark.parametrize(("spec", "kind"), NONE.values(), ids=NONE)
def test_it_is_no_pod_spec_with(spec: Any, kind: str) -> None:
    with pytest.raises(ParseError, match="cannot be read"):
        normalised(spec, kind)


def test_numbers_that_json_cannot_carry_have_no_digest() -> None:
    with pytest.raises(ParseError, match="no exact canonical JSON"):
        digest(pod(terminationGracePeriodSeconds=2**60))
