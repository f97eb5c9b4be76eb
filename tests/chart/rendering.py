"""Runs Helm's own `template` on the chart, and answers objects."""

import json
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import Any, Final

import yaml

import bundles
from controlplane.tools import tool
from gatehold.settings import GATE_TYPES

Body = dict[str, Any]
CHART: Final = bundles.CHART
OLD: Final = "1.30.0"
NEW: Final = "1.36.0"
VALUES: Final = {"ArgoRollouts": "argoRollouts", "Drains": "drains", "Pods": "pods", "Rollouts": "rollouts"}
"""Type of Gate -> its name among the values."""
EVERYTHING: Final[Mapping[str, Any]] = {
    "autoApprove": ["small-changes", {"policy": "night", "namespaces": ["shop", "bank"]}],
    "starterPolicies": {"enabled": True},
    "webhook": {"enabled": True, "certificates": "cert-manager", "exempt": ["system:serviceaccount:kube-system:autoscaler"]},
    "monitoring": {"podMonitor": {"enabled": True, "labels": {"prometheus": "main"}}, "rules": {"enabled": True}},
    "networkPolicy": {"enabled": True, "metricsFrom": [{"namespaceSelector": {"matchLabels": {"name": "monitoring"}}}]},
    "namespace": {"create": True},
    "notices": {"secretName": "chat"},
    "priorityClassName": "system-cluster-critical",
    "imagePullSecrets": [{"name": "registry"}],
    "settings": {"robotUsers": ["argo", "flux"], "leaseSeconds": 12.5, "maxPendingPerPolicy": 2_000_000},
    "tolerations": [{"key": "control", "operator": "Exists"}],
    "nodeSelector": {"kubernetes.io/os": "linux"},
    "extraEnv": [{"name": "TZ", "value": "UTC"}],
    "podAnnotations": {"a": "b"},
    "podLabels": {"team": "platform"},
    "annotations": {"c": "d"},
}
"""Every part of the chart at once."""


def template(values: Mapping[str, Any] | None = None, *, kubernetes: str = NEW, namespace: str = "gatehold-system") -> str:
    """What Helm renders. Raises `RefusedError`."""
    return _template(json.dumps(values or {}), kubernetes, namespace)


@cache
def _template(values: str, kubernetes: str, namespace: str) -> str:
    command = [
        tool("helm"),
        "template",
        "gatehold",
        CHART,
        "--namespace",
        namespace,
        f"--kube-version={kubernetes}",
        "-f",
        "-",
    ]
    done = subprocess.run(command, input=values, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RefusedError(done.stderr)
    return done.stdout


def notes(values: Mapping[str, Any]) -> str:
    """What Helm says after an install with these values. No cluster is asked."""
    told = ["--namespace=gatehold-system", "--dry-run=client", "-f", "-"]
    argv = [tool("helm"), "install", "gatehold", CHART, *told]
    done = subprocess.run(argv, input=json.dumps(values), capture_output=True, text=True, check=True)
    return done.stdout.partition("NOTES:")[2]


class RefusedError(Exception):
    """Helm renders nothing, and says why."""


def render(values: Mapping[str, Any] | None = None, **told: str) -> list[Body]:
    """The same as objects."""
    return list(parsed(template(values, **told)))


def parsed(text: str) -> Iterator[Body]:
    """The objects of a YAML file, by the parser that is written in C: some of these files are 350 KB."""
    return (body for body in yaml.load_all(text, Loader=yaml.CSafeLoader) if body)


def named(bodies: Iterable[Body], kind: str, name: str = "gatehold") -> Body:
    """The one object of that kind and name."""
    (found,) = [body for body in bodies if (body["kind"], body["metadata"]["name"]) == (kind, name)]
    return found


def left_out(gates: Iterable[str]) -> Body:
    """The values that leave these gates out."""
    return {"gates": {VALUES[gate]: {"enabled": False} for gate in gates}}


def choices() -> list[tuple[str, ...]]:
    """All gates, none, and each one left out."""
    return [GATE_TYPES, (), *combinations(GATE_TYPES, len(GATE_TYPES) - 1)]


def environment(bodies: Iterable[Body]) -> dict[str, str]:
    """What the operator's container reads, but for what comes from elsewhere."""
    (container,) = named(bodies, "Deployment")["spec"]["template"]["spec"]["containers"]
    return {entry["name"]: entry["value"] for entry in container["env"] if "value" in entry}


def files(folder: Path) -> list[Body]:
    """Every object in the YAML files of a folder."""
    return [body for path in sorted(folder.glob("*.yaml")) for body in parsed(path.read_text())]
