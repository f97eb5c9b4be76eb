"""JSON schemas for kubeconform, made of what an API server says of its own kinds (/openapi/v3)."""

import json
from pathlib import Path
from typing import Any, Final

from controlplane import Cluster

Json = dict[str, Any]
LOCATION: Final = "{{ .ResourceKind }}-{{ .Group }}-{{ .ResourceAPIVersion }}.json"
_KINDS: Final = "x-kubernetes-group-version-kind"
_REF: Final = "#/components/schemas/"


def write(cluster: Cluster, folder: Path, versions: set[str]) -> str:
    """Write a schema for every kind of these group versions; answers kubeconform's --schema-location."""
    for version in sorted(versions):
        schemas: Json = {name: _strict(body) for name, body in _schemas(cluster, version).items()}
        for name, body in schemas.items():
            for kind in _kinds(body, version):
                _write(folder, kind, {"$ref": f"#/definitions/{name}", "definitions": schemas})
    return f"{folder}/{LOCATION}"


def described(cluster: Cluster, version: str) -> set[tuple[str, str]]:
    """Group version and kind of what the API server describes there by now: it comes to one kind after the other."""
    return {(version, kind["kind"]) for body in _schemas(cluster, version).values() for kind in _kinds(body, version)}


def _schemas(cluster: Cluster, version: str) -> Json:
    """All that is described with a group version; nothing where none of its kinds is."""
    root = f"apis/{version}" if "/" in version else f"api/{version}"
    done = cluster.kubectl("get", "--raw", f"/openapi/v3/{root}", check=False)
    return dict(json.loads(done.stdout)["components"]["schemas"]) if done.returncode == 0 else {}


def _kinds(body: Json, version: str) -> list[Json]:
    """The kinds of a group version that a schema is of."""
    group, _, number = version.rpartition("/")
    return [kind for kind in body.get(_KINDS, []) if (kind["group"], kind["version"]) == (group, number)]


def _write(folder: Path, kind: Json, body: Json) -> None:
    group = kind["group"] or kind["version"]  # so kubeconform calls the group that has no name
    file = folder / f"{kind['kind'].lower()}-{group}-{kind['version']}.json"
    file.write_text(json.dumps(body))


def _strict(node: Any) -> Any:
    """The same, with references where kubeconform finds them, and unknown members refused, as the API server does."""
    if isinstance(node, list):
        return [_strict(item) for item in node]
    if not isinstance(node, dict):
        return node
    found = {key: _strict(value) for key, value in node.items()}
    if isinstance(node.get("$ref"), str):
        found["$ref"] = node["$ref"].replace(_REF, "#/definitions/")
    open_ = node.get("x-kubernetes-preserve-unknown-fields") or "additionalProperties" in node
    if "properties" in node and isinstance(node["properties"], dict) and node.get("type") == "object" and not open_:
        found["additionalProperties"] = False
    return found
