"""Turns the pinned go.mod of a Kubernetes version into the programs of a control plane, once a machine; see `compiling`."""

import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from controlplane import compiling, pins
from controlplane.compiling import SETTINGS, Module, find_go
from controlplane.pins import Pin

__all__ = ["PROGRAMS", "SETTINGS", "cache", "find_go", "of_kubernetes", "programs"]

PROGRAMS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "etcd": "go.etcd.io/etcd/server/v3",
        "kube-apiserver": "k8s.io/kubernetes/cmd/kube-apiserver",
        "kube-controller-manager": "k8s.io/kubernetes/cmd/kube-controller-manager",
        "kube-scheduler": "k8s.io/kubernetes/cmd/kube-scheduler",
        "kubectl": "k8s.io/kubernetes/cmd/kubectl",
        "kwok": "sigs.k8s.io/kwok/cmd/kwok",
    }
)
"""Program name to Go package. The order is the order of building; later ones reuse compiled parts of earlier ones."""


def programs() -> Mapping[str, Path]:
    """Return where each program of the chosen version lies, building those that are missing; slow the first time only."""
    sources = _sources()
    paths = {name: _found(name, pin) for name, pin in sources.items()}
    for pin in dict.fromkeys(sources.values()):
        missing = [name for name, path in paths.items() if path is None and sources[name] == pin]
        if missing:
            about = "about 6 minutes on two cores the first time"
            compiling.build(_module(pin), missing, f"Building {len(missing)} programs of Kubernetes {pin.version}: {about}")
    return {name: path or cache(sources[name]) / name for name, path in paths.items()}


def of_kubernetes() -> list[str]:
    """Return the programs that each version has of its own."""
    return [name for name, package in PROGRAMS.items() if package.startswith("k8s.io/kubernetes/")]


def cache(pin: Pin) -> Path:
    """Return the folder of the programs that belong to this go.mod, go.sum and these flags."""
    return _module(pin).cache


def _sources() -> dict[str, Pin]:
    """Say which version each program is taken from."""
    default, own = pins.default(), of_kubernetes()
    chosen = pins.chosen()
    return {name: chosen if name in own else default for name in PROGRAMS}


def _found(name: str, pin: Pin) -> Path | None:
    """Prefer the folder a person named (as envtest does; it holds the default version), then the cache."""
    folders = [cache(pin)]
    named = os.environ.get("GATEHOLD_CONTROLPLANE_BIN")
    if named and pin == pins.default():
        folders.insert(0, Path(named).expanduser().absolute())
    candidates = (folder / name for folder in folders)
    return next((path for path in candidates if os.access(path, os.X_OK)), None)


def _module(pin: Pin) -> Module:
    """Say how a version is built: with the stamp that kubectl and the CEL environments read."""
    major, minor = pin.number
    stamp = {
        "gitVersion": f"v{pin.version}",
        "gitMajor": str(major),
        "gitMinor": str(minor),
        "gitCommit": "unknown",
        "gitTreeState": "clean",
        "buildDate": "1970-01-01T00:00:00Z",
    }
    places = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
    defines = [f"-X {place}.{key}={value}" for place in places for key, value in stamp.items()]
    return Module(pin.folder, "controlplane", PROGRAMS, ("-s", "-w", *defines))
