"""The digest of a pod, the same for every pod of one template: what people approve, and what later pods are compared by.

Taken of the pod *as created*, so what a webhook or a LimitRange puts in is part of it. Left out is what the API server puts
in by itself, and what differs from one pod of a template to the next.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from gatehold.api.common import ParseError
from gatehold.api.digest import digest as canonical
from gatehold.api.pod_defaults import bare
from gatehold.api.pod_shape import shape
from gatehold.domain.pricing.pod import CPU, HUGE_PAGES, MEMORY, needs

POD_SCHEME: Final = "gatehold.dev/pod/v1"
_LEFT_OUT: Final = (
    "nodeName",
    "schedulingGates",
    "serviceAccount",  # the old name of serviceAccountName, always the same
    "ephemeralContainers",  # they take nothing of a node
    "priority",
    "preemptionPolicy",
    "priorityClassName",  # the cluster's default class is put in; a class costs nothing
    "imagePullSecrets",  # those of the account are put in; they start nothing
)
_OF_ITS_OWN: Final = ("hostname", "subdomain")
_ACCOUNT_MOUNT: Final = "/var/run/secrets/kubernetes.io/serviceaccount"
_TOKEN_VOLUME: Final = re.compile(r"kube-api-access-[a-z0-9]{5}")
_TOKEN_MAPS: Final = ("kube-root-ca.crt", "openshift-service-ca.crt")
_ON_TROUBLE: Final = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")
_ORDINAL: Final = re.compile(r"-[0-9]+$")
_NUMBERED: Final = ("StatefulSet", "Job")
_INDEX: Final = "JOB_COMPLETION_INDEX"
_INDEX_FROM: Final = "batch.kubernetes.io/job-completion-index"

Json = dict[str, Any]
Part = Mapping[str, Any]


def digest(spec: Part, owner_kind: str = "") -> str:
    """`sha256:` and 64 hex digits of a pod spec, or of a template's, of an owner of that kind. Raises ParseError."""
    return canonical({"scheme": POD_SCHEME, "spec": normalised(spec, owner_kind)}, nulls=False)


def normalised(spec: Part, owner_kind: str = "") -> Json:
    """The spec without what does not count. Raises ParseError where it is no pod spec."""
    left_out = (*_LEFT_OUT, *(_OF_ITS_OWN if owner_kind in _NUMBERED else ()))
    try:
        found = bare({key: value for key, value in spec.items() if key not in left_out})
        tokens = {str(v["name"]) for v in found.get("volumes", ()) if _is_token(v)}
        volumes = [_volume(v, owner_kind) for v in found.get("volumes", ()) if str(v["name"]) not in tokens]
        found["volumes"] = sorted(volumes, key=lambda volume: str(volume["name"]))
        found["tolerations"] = [t for t in found.get("tolerations", ()) if not _is_default(t)]
        for part in ("containers", "initContainers"):
            found[part] = [_container(c, tokens, owner_kind, found) for c in found.get(part, ())]
        found |= _of_whole_pod(spec, found)
    except (TypeError, KeyError, AttributeError, RecursionError):
        raise ParseError("the pod spec cannot be read") from None
    if found.get("runtimeClassName"):  # the class says how much that is, and nobody else may
        found.pop("overhead", None)
    return {key: value for key, value in found.items() if value != []}


def _is_token(volume: Part) -> bool:
    """The account's token, as the API server mounts it; a name alone would hide a volume of somebody's own."""
    sources = (volume.get("projected") or {}).get("sources") or ()
    named = _TOKEN_VOLUME.fullmatch(str(volume["name"])) is not None and bool(sources)
    return named and all(_is_of_token(source) for source in sources)


def _is_of_token(source: Part) -> bool:
    if set(source) == {"serviceAccountToken"}:
        return "audience" not in source["serviceAccountToken"]
    if set(source) == {"configMap"}:
        return source["configMap"].get("name") in _TOKEN_MAPS
    return set(source) == {"downwardAPI"}


def _volume(volume: Part, owner_kind: str) -> Part:
    """A claim of a StatefulSet's pod has the pod's own number, which counts for nothing."""
    claim = volume.get("persistentVolumeClaim")
    if owner_kind == "StatefulSet" and claim is not None:
        return {**volume, "persistentVolumeClaim": {**claim, "claimName": _ORDINAL.sub("", str(claim["claimName"]))}}
    return {**volume, "image": _pulled(volume["image"], "reference", "pullPolicy")} if "image" in volume else volume


def _is_default(toleration: Part) -> bool:
    """What the API server adds to every pod: five minutes on a node in trouble."""
    key, rest = toleration.get("key"), {name: value for name, value in toleration.items() if name != "key"}
    return key in _ON_TROUBLE and rest == {"operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}


def _container(container: Part, tokens: set[str], owner_kind: str, pod: Part) -> Json:
    """A container as it counts, whatever was filled in for a pod and not for a template."""
    mounts = [m for m in container.get("volumeMounts", ()) if not (m["name"] in tokens and m["mountPath"] == _ACCOUNT_MOUNT)]
    env = [variable for variable in container.get("env", ()) if owner_kind != "Job" or not _is_index(variable)]
    ports = [_port(port) if pod.get("hostNetwork") else port for port in container.get("ports", ())]
    policies = [policy for policy in container.get("resizePolicy", ()) if policy.get("restartPolicy") != "NotRequired"]
    found = _pulled(container, "image", "imagePullPolicy")
    found |= {"volumeMounts": mounts, "env": env, "ports": ports, "resizePolicy": policies}
    found |= {"resources": dict(_filled(container.get("resources", {})))}
    return {key: value for key, value in found.items() if value not in ([], {})}


def _is_index(variable: Part) -> bool:
    """What the Job controller tells the containers of an indexed Job; a variable of somebody's own counts."""
    path = str(((variable.get("valueFrom") or {}).get("fieldRef") or {}).get("fieldPath"))
    return variable["name"] == _INDEX and _INDEX_FROM in path


def _port(port: Part) -> Json:
    """On the network of the host a port is the host's, whether it says so or not."""
    return {key: value for key, value in port.items() if key != "hostPort" or value != port.get("containerPort")}


def _pulled(of: Part, image: str, policy: str) -> Json:
    """Without the policy that follows from the image."""
    name = str(of.get(image, "")).rpartition("/")[2].partition("@")
    tag = name[0].partition(":")[2]
    usual = "Always" if tag == "latest" or not (tag or name[2]) else "IfNotPresent"
    return {key: value for key, value in of.items() if key != policy or value != usual}


def _filled(resources: Part) -> Iterator[tuple[str, Any]]:
    """Where a container names a limit and no request, the limit is its request."""
    for key, value in resources.items():
        if key != "requests":
            yield key, value
    requests = {**(resources.get("limits") or {}), **(resources.get("requests") or {})}
    if requests:
        yield "requests", requests


def _of_whole_pod(spec: Part, found: Part) -> Json:
    """Where the pod as a whole has limits, what it requests as a whole is filled in from its containers, or from them."""
    resources = found.get("resources")
    if not isinstance(resources, Mapping) or not resources.get("limits"):
        return {}
    taken = needs(replace(shape(spec), overhead=None))
    whole = {name: f"{amount.normalize():f}" for name, amount in taken.items() if _is_of_whole(name)}
    pages = {name: amount for name, amount in whole.items() if name.startswith(HUGE_PAGES)}
    return {"resources": {**resources, "limits": {**pages, **resources["limits"]}, "requests": whole}}


def _is_of_whole(name: str) -> bool:
    return name in (CPU, MEMORY) or name.startswith(HUGE_PAGES)
