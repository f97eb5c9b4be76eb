"""What Flux, Helm and Argo CD make of objects: by their own code, built from its pinned modules (hack/tools)."""

import json
import os
import re
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final, NamedTuple

from controlplane.tools import tool

Body = dict[str, Any]
ROOT: Final = Path(__file__).resolve().parents[1]
ARGO_CD: Final = ROOT / "manifests" / "argo-cd"
CONFIG: Final = ARGO_CD / "argocd-cm.yaml"
FLUX: Final = ROOT / "manifests" / "examples" / "flux"


_ASIDE: Final = re.compile(r"^I\d{4} .*\n", re.MULTILINE)
"""A line in which client-go tells that a request of its own had to wait a second, as where the machine stood still."""


class Said(NamedTuple):
    """One answer; `status` is a word of the tool that was asked, empty where it has none."""

    status: str
    message: str = ""
    error: str = ""


def kstatus(objects: Iterable[Body]) -> list[Said]:
    """By the library of that name, as Kubernetes ships it; Flux's own copy must say the same."""
    answers = _asked("kstatus", [], objects)
    for answer in answers:
        assert answer["flux"]["status"] == answer["status"], answer
    return [_said(answer) for answer in answers]


def flux_health(objects: Iterable[Body], kustomization: Path | None = None) -> list[Said]:
    """By the health checks of a Kustomization (spec.healthCheckExprs), else by kstatus."""
    return [_said(answer) for answer in _asked("flux", ["health", str(kustomization or "-")], objects)]


def flux_apply(objects: Iterable[Body], kubeconfig: str, name: str = "apps") -> list[Said]:
    """Apply as the kustomize-controller does for this Kustomization: `status` is created, configured or unchanged."""
    answers = _asked("flux", ["apply", name, "flux-system"], objects, kubeconfig)
    return [Said(answer.get("action", ""), error=answer.get("error", "")) for answer in answers]


def flux_waits(objects: Iterable[Body], kubeconfig: str, seconds: int) -> "subprocess.Popen[str]":
    """Begin to wait for objects as a Kustomization with `wait` does; it ends with 1 where they fail or time is up."""
    return _started("flux", ["wait", "-", str(seconds)], objects, kubeconfig)


def ended(process: "subprocess.Popen[str]") -> tuple[int, str]:
    """Wait for its end: its code, and what it said."""
    out, err = process.communicate(timeout=240)
    return process.returncode, out + _ASIDE.sub("", err or "")


def argo_health(objects: Iterable[Body], config: Path | None = CONFIG) -> list[Said]:
    """By Argo CD, which has this argocd-cm (None: none at all, so only what it knows by itself)."""
    return [_said(answer) for answer in _asked("argolua", ["health", str(config or "-")], objects)]


def argo_actions(objects: Iterable[Body]) -> list[dict[str, bool]]:
    """What a person is offered in Argo CD: the name of each action, and whether it can be run."""
    answers = _asked("argolua", ["actions", str(CONFIG)], objects)
    return [{one["name"]: not one.get("disabled", False) for one in answer["actions"]} for answer in answers]


def argo_patches(body: Body, action: str) -> list[Body]:
    """The merge patches that Argo CD would send where a person runs an action on this object."""
    (answer,) = _asked("argolua", ["run", str(CONFIG), action], [body])
    patches: list[Body] = answer["patches"]
    return patches


def _said(answer: Body) -> Said:
    return Said(answer.get("status", ""), answer.get("message", ""), answer.get("error", ""))


def _asked(name: str, args: list[str], objects: Iterable[Body], kubeconfig: str = "") -> list[Body]:
    process = _started(name, args, objects, kubeconfig)
    out, err = process.communicate(timeout=240)
    assert process.returncode == 0, err
    return [json.loads(line) for line in out.splitlines()]


def _started(name: str, args: list[str], objects: Iterable[Body], kubeconfig: str) -> "subprocess.Popen[str]":
    """Start a program that reads objects, one a line: from a file that nobody else sees, so nobody has to feed a pipe."""
    with tempfile.TemporaryFile("w+") as lines:
        lines.writelines(json.dumps(body) + "\n" for body in objects)
        lines.seek(0)
        pipes: dict[str, Any] = {"stdin": lines, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        return subprocess.Popen([tool(name), *args], env={**os.environ, "KUBECONFIG": kubeconfig}, **pipes)
