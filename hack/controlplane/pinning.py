"""Writes the go.mod of one more Kubernetes version: `python -m controlplane pin 1.33.13`.

k8s.io/kubernetes asks for its own modules at v0.0.0 and finds them in its source tree. Whoever builds it as a module names
each of them, at v0.33.13, in a `replace`; which they are, its own go.mod says.
"""

import json
import os
import subprocess
from pathlib import Path
from typing import Any, Final

from controlplane import build, pins
from controlplane.errors import BuildError

KUBERNETES: Final = "k8s.io/kubernetes"
_TOOLS: Final = """//go:build tools

// Package tools names the programs of this version, so that `go mod tidy`
// keeps their modules in go.mod. It is never compiled.
package tools

import (
{imports}
)
"""


def write(version: str) -> Path:
    """Pin this version, in the place of another patch of the same minor version; return its folder."""
    go, folder = build.find_go(), pins.VERSIONS / version.rpartition(".")[0]
    loaded = _json(go, "mod", "download", "-json", f"{KUBERNETES}@v{version}")
    theirs = _json(go, "mod", "edit", "-json", loaded["GoMod"])
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "go.sum").unlink(missing_ok=True)
    (folder / "go.mod").write_text(module(version, theirs))
    packages = sorted(build.PROGRAMS[name] for name in build.of_kubernetes())
    (folder / "tools.go").write_text(_TOOLS.format(imports="\n".join(f'\t_ "{package}"' for package in packages)))
    _run(go, "mod", "tidy", cwd=folder)
    return folder


def module(version: str, theirs: dict[str, Any]) -> str:
    """Return the go.mod, given Kubernetes' own as `go mod edit -json` prints it.

    The go line is theirs too: that of the main module, which is ours, decides how the language and its runtime behave.
    """
    low = f"v0.{version.partition('.')[2]}"
    local = sorted(row["Old"]["Path"] for row in theirs["Replace"] if row["New"]["Path"].startswith("./staging/"))
    lines = [f"module gatehold.dev/hack/controlplane/versions/{version.rpartition('.')[0]}", f"go {theirs['Go']}"]
    lines += [
        f"require {KUBERNETES} v{version}",
        "\n".join(["replace (", *(f"\t{path} => {path} {low}" for path in local), ")"]),
    ]
    return "\n\n".join(lines) + "\n"


def _json(go: str, *arguments: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(_run(go, *arguments))
    return found


def _run(go: str, *arguments: str, cwd: Path = pins.HERE) -> str:
    settings = {**os.environ, **build.SETTINGS}
    done = subprocess.run([go, *arguments], cwd=cwd, env=settings, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BuildError(f"`go {' '.join(arguments)}` failed in {cwd}:\n{done.stderr or done.stdout}".rstrip())
    return done.stdout
