"""Gaps in the wall: a cluster admin takes parts of it away, or weakens them, and puts them back as shipped."""

import contextlib
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any, Final

import yaml

from controlplane import Cluster, ControlPlane, wait_until
from playground import Launch, OperatorProcess, install, wait_enforced
from playground.install import WALL
from playground.operator_process import PATIENT
from tests.e2e.stage import PATIENCE, Stage, connection
from tests.wall.api import Call, path

Body = dict[str, Any]
Change = Callable[[Body], Body | None]
"""From an object as shipped to what an admin makes of it; None deletes it."""

ADMISSION: Final = "admissionregistration.k8s.io/v1"
KINDS: Final = {
    "ValidatingAdmissionPolicy": "validatingadmissionpolicies",
    "ValidatingAdmissionPolicyBinding": "validatingadmissionpolicybindings",
    "MutatingAdmissionPolicy": "mutatingadmissionpolicies",
    "MutatingAdmissionPolicyBinding": "mutatingadmissionpolicybindings",
}


def shipped(kind: str, name: str) -> Body:
    """One object of the wall, as a user applies it."""
    bodies = (body for file in sorted(WALL.glob("*.yaml")) for body in yaml.safe_load_all(file.read_text()))
    return next(body for body in bodies if body and (body["kind"], body["metadata"]["name"]) == (kind, name))


@contextlib.contextmanager
def world_of_its_own(launch: Launch | None = None, **settings: str) -> Iterator[OperatorProcess]:
    """A control plane and an operator for one file, since everybody in it is affected by a gap."""
    with ControlPlane.start(nodes=2) as cluster:
        install(cluster)
        process = OperatorProcess(cluster, launch=launch, **PATIENT, **settings)
        process.start()
        wait_enforced(cluster)
        yield process
        assert "Traceback" not in process.log(100_000), process.log(400)


@contextlib.contextmanager
def gap(stage: Stage, kind: str, name: str, change: Change) -> Iterator[None]:
    """The wall without this object as shipped; noticed by the operator at the beginning, proven again at the end."""
    put(stage.cluster, shipped(kind, name), change(deepcopy(shipped(kind, name))))
    try:
        until_enforced(stage.cluster, "False")
        yield
    finally:
        put(stage.cluster, shipped(kind, name), shipped(kind, name))
        until_enforced(stage.cluster, "True")


@contextlib.contextmanager
def jam(stage: Stage) -> Iterator[None]:
    """Something of the platform's own refuses every change of Jobs in the namespace: what is approved cannot land yet."""
    name, admin = f"jam-{stage.namespace}", stage.api()
    rule = {"apiGroups": ["batch"], "apiVersions": ["v1"], "operations": ["UPDATE"], "resources": ["jobs"]}
    spec = {
        "matchConstraints": {"resourceRules": [rule]},
        "validations": [{"expression": f"request.namespace != '{stage.namespace}'", "message": "jammed"}],
    }
    binding = {"policyName": name, "validationActions": ["Deny"]}
    for kind, body in (("ValidatingAdmissionPolicy", spec), ("ValidatingAdmissionPolicyBinding", binding)):
        admin.must(Call(path(ADMISSION, KINDS[kind]), {"metadata": {"name": name}, "spec": body}, "post"))
    stage.job("probe-of-the-jam", "nobody")
    change = Call(stage.path("job", "probe-of-the-jam"), {"metadata": {"annotations": {"a": "b"}}}, query={"dryRun": "All"})
    try:
        wait_until(lambda: not stage.api().send(change).ok, "the jam is in force", 60)
        yield
    finally:
        for kind in ("ValidatingAdmissionPolicyBinding", "ValidatingAdmissionPolicy"):
            admin.must(Call(path(ADMISSION, KINDS[kind], None, name), how="delete"))


def removed(_: Body) -> None:
    """The change that deletes it."""
    return


def put(cluster: Cluster, body: Body, wanted: Body | None) -> None:
    """Make an object of the wall what is wanted, whatever it is now; its controller may write its status meanwhile."""
    wait_until(lambda: _put(cluster, body, wanted), f"{body['kind']} {body['metadata']['name']} is put", 60)


def _put(cluster: Cluster, body: Body, wanted: Body | None) -> bool:
    """Try once; False where somebody else wrote between the look and the write."""
    admin = connection(cluster.admin_kubeconfig)
    plural, name = KINDS[body["kind"]], body["metadata"]["name"]
    live = admin.get(path(ADMISSION, plural, None, name))
    if wanted is None:
        admin.must(Call(path(ADMISSION, plural, None, name), how="delete"))
    elif live is None:
        admin.must(Call(path(ADMISSION, plural), wanted, "post"))
    else:
        version = {"resourceVersion": live["metadata"]["resourceVersion"]}
        whole = {**wanted, "metadata": {**wanted["metadata"], **version}}
        answer = admin.send(Call(path(ADMISSION, plural, None, name), whole, "put"))
        assert answer.ok or answer.code == 409, answer.message
        return answer.ok
    return True


def write_verdict(stage: Stage, name: str, number: int, user: str, *, word: str = "approve", role: str = "sre") -> None:
    """Mallory, who decides nothing, writes somebody else's verdict; she gets in as soon as the wall is open."""
    digest = stage.get("apr", name)["status"]["requestDigest"]
    line = f"{word}|{digest}|{role}|{user}||forged by mallory, at length"
    call = Call(stage.path("apr", name), {"metadata": {"annotations": {f"verdict.gatehold.dev/{number}": line}}})
    wait_until(lambda: stage.api("mallory").send(call).ok, f"a forgery on {name} gets in", 60)


def recorded(body: Body) -> list[tuple[str, str, bool, str]]:
    """Word, person, whether it counts, and why not."""
    found = body["status"].get("verdicts", [])
    return [(v["verdict"], v["username"], v.get("counted", True), v.get("reason", "")) for v in found]


def until_enforced(cluster: Cluster, status: str, seconds: float = PATIENCE) -> Body:
    """Wait until every policy says so; answers the condition of the probe's policy."""
    admin = connection(cluster.admin_kubeconfig)
    found: dict[str, Body] = {}

    def said() -> bool:
        items = admin.must(Call(path("gatehold.dev/v1alpha1", "approvalpolicies"), how="get"))["items"]
        found.clear()
        for item in items:
            conditions = item.get("status", {}).get("conditions", [])
            found[item["metadata"]["name"]] = next((c for c in conditions if c["type"] == "Enforced"), {})
        return all(condition.get("status") == status for condition in found.values())

    wait_until(said, f"Enforced={status} on every policy", seconds)
    return found["gatehold-probe"]
