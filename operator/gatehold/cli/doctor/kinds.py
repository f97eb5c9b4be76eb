"""Our kinds as the cluster serves them, against the schemas that this version ships: half of the wall stands there."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from gatehold.cli.differences import differences
from gatehold.cli.doctor.findings import Finding, Level
from gatehold.cli.refusals import sentence
from gatehold.cli.session import Session
from gatehold.kube import errors
from gatehold.kube.resources import CRDS

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

Json = dict[str, Any]
_PART = "Version"
_APPLY = "kubectl apply --server-side -f crds/"


async def kinds(session: Session) -> list[Finding]:
    """One finding for each kind."""
    return [await _kind(session, body) for body in shipped()]


def shipped() -> list[Json]:
    """The kinds of this version; the wheel carries a copy of crds/, a source checkout has the original."""
    packed: Traversable = resources.files("gatehold.admission") / "crds"
    folder = packed if packed.is_dir() else Path(__file__).parents[4] / "crds"
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".yaml")), key=lambda file: file.name)
    return [yaml.safe_load(file.read_text(encoding="utf-8")) for file in files]


async def _kind(session: Session, expected: Json) -> Finding:
    name = expected["metadata"]["name"]
    try:
        live = await session.cluster.get(CRDS, None, name)
    except errors.Absent:
        return Finding(_PART, Level.PROBLEM, f"{name} is not installed", _APPLY)
    except errors.Forbidden as error:
        return Finding(_PART, Level.NOTICE, f"not looked at: {sentence(error)}")
    found = differences(_checked(expected), _checked(live), "spec")
    if found:
        more = f", and {len(found) - 1} more places" if len(found) > 1 else ""
        return Finding(_PART, Level.PROBLEM, f"{name} is not what this version ships: {found[0]}{more}", _APPLY)
    served = ", ".join(version["name"] for version in live["spec"]["versions"] if version.get("served"))
    return Finding(_PART, Level.OK, f"{name} serves {served}, as shipped")


def _checked(body: Json) -> Json:
    """What decides which objects are accepted; columns and descriptions of the kind itself are for readers."""
    spec = body["spec"]
    members = ("name", "served", "storage", "schema", "subresources", "selectableFields")
    versions = [{member: version.get(member) for member in members} for version in spec["versions"]]
    return {"scope": spec["scope"], "versions": versions, "preserveUnknownFields": bool(spec.get("preserveUnknownFields"))}
