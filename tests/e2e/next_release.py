"""The operator of the next release, as far as the wall is concerned: the real `gatehold run`, which ships other texts.

    OperatorProcess(cluster, launch=Launch("tests.e2e.next_release", {TEXTS: str(folder)}))

`write` makes such texts: some policies and bindings say other things, and refuse what they refused before.
"""

import os
from copy import deepcopy
from pathlib import Path
from typing import Any, Final

import yaml

from playground.install import WALL

TEXTS: Final = "NEXT_RELEASE_TEXTS"
Body = dict[str, Any]
CHANGED: Final = frozenset(
    {
        ("ValidatingAdmissionPolicy", "gatehold-requests"),
        ("ValidatingAdmissionPolicy", "gatehold-jobs"),
        ("ValidatingAdmissionPolicy", "gatehold-status"),
        ("ValidatingAdmissionPolicyBinding", "gatehold-requests"),
        ("MutatingAdmissionPolicy", "gatehold-stamp"),
    }
)


def shipped_now() -> list[Body]:
    """The wall of this release."""
    bodies = (body for file in sorted(WALL.glob("*.yaml")) for body in yaml.safe_load_all(file.read_text()))
    kinds = tuple(f"{word}AdmissionPolicy{end}" for word in ("Validating", "Mutating") for end in ("", "Binding"))
    return [body for body in bodies if body and body["kind"] in kinds]


def shipped_next() -> list[Body]:
    """The wall of the next one."""
    return [_other(deepcopy(body)) for body in shipped_now()]


def write(folder: Path) -> None:
    """Write the next texts where the next operator reads them."""
    (folder / "wall.yaml").write_text(yaml.safe_dump_all(shipped_next()))


def _other(body: Body) -> Body:
    if (body["kind"], body["metadata"]["name"]) not in CHANGED:
        return body
    spec = body["spec"]
    if body["kind"].endswith("Binding"):
        spec["validationActions"] = ["Deny", "Audit"]
    elif body["kind"] == "ValidatingAdmissionPolicy":
        spec["validations"].append({"expression": "true", "message": "a rule of the next release"})
    else:
        spec["matchConditions"] = [*spec.get("matchConditions", []), {"name": "next-release", "expression": "true"}]
    return body


def main() -> None:
    """Run it."""
    from gatehold.admission import texts
    from gatehold.cli.main import main as run

    wall, shipped = Path(os.environ[TEXTS]), texts.folder
    texts.folder = lambda name: wall if name == "wall" else shipped(name)
    run()


if __name__ == "__main__":
    main()
