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
        root = f"apis/{version}" if "/" in version else f"api/{version}"
        document = json.loads(cluster.kubectl("get", "--raw", f"/openapi/v3/{root}").stdout)
        schemas: Json = {name: _strict(body) for name, body in document["components"]["schemas"].items()}
        for name, body in schemas.items():
            for kind in body.get(_KINDS, []):
                group = f"{kind['group']}/{kind['version']}" if kind["group"] else kind["version"]
                if group == version:
                    _write(folder, kind, {"$ref": f"#/definitions/{name}", "definitions": schemas})
    return f"{folder}/{LOCATION}"


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
