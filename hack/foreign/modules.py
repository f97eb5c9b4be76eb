"""Which module holds which project's CRDs, at which version and with which content; and how they get here."""

import hashlib
import json
import os
import re
import subprocess
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from controlplane.build import SETTINGS, find_go
from controlplane.errors import ControlPlaneError


class ForeignError(ControlPlaneError):
    """A module could not be had, or is not the one that is pinned here."""


@dataclass(frozen=True, slots=True)
class Module:
    """A Go module at one version, and where in it the CRDs stand."""

    path: str
    version: str
    content: str
    """Go's own checksum of the module's zip, as go.sum writes it."""
    files: str
    """Regular expression of the paths inside the module."""


MODULES: Final[Mapping[str, Module]] = MappingProxyType(
    {
        "argo-cd": Module(
            "github.com/argoproj/argo-cd/v3",
            "v3.5.7",
            "h1:Xm1BF+I5OgDKUG3SDK49vn2/Y5AMyaNVko+/JT08gj0=",
            r"manifests/crds/.*-crd\.yaml",
        ),
        "argo-rollouts": Module(
            "github.com/argoproj/argo-rollouts",
            "v1.10.1",
            "h1:6oyVPGiHHxu3ixkT6mngemh88HLPDoTX1IwO6KNR1Y4=",
            r"manifests/crds/.*-crd\.yaml",
        ),
        "argo-workflows": Module(
            "github.com/argoproj/argo-workflows/v4",
            "v4.0.5",
            "h1:/1lru5oXUd+k6KEDUps6rLX5OKfi1jTfabgXTly/VFU=",
            r"manifests/base/crds/full/argoproj\.io_(workflows|workflowtemplates|cronworkflows)\.yaml",
        ),
        "cert-manager": Module(
            "github.com/cert-manager/cert-manager",
            "v1.21.2",
            "h1:UWgoYM+KLNtRlqmoWOKjKBOBUPVHeepQ6/ac3ERJW68=",
            r"deploy/crds/cert-manager\.io_.*\.yaml",
        ),
        "flux-kustomize": Module(
            "github.com/fluxcd/kustomize-controller",
            "v1.10.1",
            "h1:IjTnrkIy0ULJoTNC2ZKuMb32vkqj7dJ6zt6UqbTFxKA=",
            r"config/crd/bases/.*\.yaml",
        ),
        "flux-source": Module(
            "github.com/fluxcd/source-controller",
            "v1.10.1",
            "h1:vkYpgpLZu20LQ2UN4lPBdWH7sqTNdQ8FjcZD/HogN2E=",
            r"config/crd/bases/.*\.yaml",
        ),
        "prometheus-operator": Module(
            "github.com/prometheus-operator/prometheus-operator",
            "v0.85.0",
            "h1:M5xLCLEoaW2IJfnuCwFzzpL+jSVQu3KGT84Pye+fW8s=",
            r"example/prometheus-operator-crd/.*_(podmonitors|servicemonitors|prometheusrules)\.yaml",
        ),
        "tekton": Module(
            "github.com/tektoncd/pipeline",
            "v1.9.0",
            "h1:f/5Vwq1bF4eQQk3hiE7Y5fMvq1nJRTxqqhq5E9YZBeQ=",
            r"config/300-crds/300-(task|taskrun|pipeline|pipelinerun)\.yaml",
        ),
    }
)
"""The names that `crds` takes."""


def crds(name: str) -> list[Path]:
    """Return the CRD files of a project, sorted; they are fetched the first time. Raises ForeignError."""
    module = MODULES[name]
    folder = _cache(module)
    if not folder.is_dir():
        _unpack(module, _fetch(module), folder)
    return sorted(folder.glob("*.yaml"))


def _cache(module: Module) -> Path:
    """Where they are kept: a folder named after all that decides about its content."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    root = Path(os.environ.get("GATEHOLD_CACHE") or Path(home) / "gatehold")
    key = hashlib.sha256("\n".join([module.path, module.version, module.content, module.files]).encode()).hexdigest()
    return root.absolute() / "foreign" / key


def _fetch(module: Module) -> Path:
    """Let Go fetch the module, and compare its content. Go says so with code 1 where the module is for a newer Go."""
    named = f"{module.path}@{module.version}"
    with tempfile.TemporaryDirectory() as nowhere:  # outside of any module
        done = subprocess.run(
            [find_go(), "mod", "download", "-json", named],
            cwd=nowhere,
            env={**os.environ, **SETTINGS},
            capture_output=True,
            text=True,
            check=False,
        )
    said = json.loads(done.stdout or "{}")
    if not said.get("Zip"):
        raise ForeignError(
            f"{named} cannot be had: {said.get('Error') or done.stderr.strip()}\nNext: go mod download {named}"
        )
    if said.get("Sum") != module.content:
        raise ForeignError(f"{named} is {said.get('Sum')}, and pinned is {module.content}: mend hack/foreign/modules.py.")
    return Path(said["Zip"])


def _unpack(module: Module, archive: Path, folder: Path) -> None:
    """Take the files out beside their place and move them there whole."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    prefix = f"{module.path}@{module.version}/"
    with tempfile.TemporaryDirectory(dir=folder.parent) as draft, zipfile.ZipFile(archive) as packed:
        inside = {name: name.removeprefix(prefix) for name in packed.namelist()}
        wanted = [name for name, path in inside.items() if re.fullmatch(module.files, path)]
        if not wanted:
            raise ForeignError(f"{module.path}@{module.version} has no {module.files}: mend hack/foreign/modules.py.")
        ready = Path(draft) / "ready"
        ready.mkdir()
        for name in wanted:
            (ready / Path(name).name).write_bytes(packed.read(name))
        try:
            ready.rename(folder)
        except OSError:  # another process was faster
            if not folder.is_dir():
                raise
