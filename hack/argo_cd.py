"""Writes manifests/argo-cd/argocd-cm.yaml from the Lua files beside it: what Argo CD has to be told of our kinds.

`python hack/argo_cd.py` writes; with `--check` it changes nothing and fails where the file is not as generated.
"""

import sys
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).resolve().parent.parent / "manifests" / "argo-cd"
FILE: Final = FOLDER / "argocd-cm.yaml"
_HEAD: Final = """\
# What Argo CD has to know of Gatehold's kinds: without it they have no health, so a sync does not wait for them.
# Written by `make generate` from health/*.lua and actions/*.lua. A merge patch adds these keys and leaves all others alone:
#   kubectl -n argocd patch configmap argocd-cm --type=merge --patch-file manifests/argo-cd/argocd-cm.yaml
# Not `kubectl apply`: with --server-side it takes over what was applied without it, and removes what is not here.
apiVersion: v1
kind: ConfigMap
metadata:
  name: argocd-cm
  labels: {app.kubernetes.io/name: argocd-cm, app.kubernetes.io/part-of: argocd}
data:
"""


def text() -> str:
    """The whole file."""
    health = [
        f"  resource.customizations.health.gatehold.dev_{path.stem}: |\n{_indented(path, 4)}"
        for path in sorted((FOLDER / "health").glob("*.lua"))
    ]
    actions = (
        "  resource.customizations.actions.gatehold.dev_ApprovalRequest: |\n"
        f"    discovery.lua: |\n{_indented(FOLDER / 'actions' / 'discovery.lua', 6)}"
        f"    definitions:\n    - name: withdraw\n      action.lua: |\n{_indented(FOLDER / 'actions' / 'withdraw.lua', 8)}"
    )
    return _HEAD + "".join([*health, actions])


def _indented(path: Path, by: int) -> str:
    lines = path.read_text(encoding="utf-8").splitlines()
    return "".join(" " * by + line + "\n" if line else "\n" for line in lines)


def main(args: list[str]) -> int:
    """Write, or check; answers the exit code."""
    if "--check" not in args:
        FILE.write_text(text(), encoding="utf-8")
        return 0
    if FILE.exists() and FILE.read_text(encoding="utf-8") == text():
        return 0
    print(f"{FILE.relative_to(FOLDER.parents[1])} is not as generated: run `make generate`")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
