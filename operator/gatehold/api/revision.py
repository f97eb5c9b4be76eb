"""Templates that are kept, as ControllerRevisions: to the API server and back."""

from typing import Any, Final

from gatehold.api.common import API_VERSION, Body, Wire, read
from gatehold.api.digest import template_digest
from gatehold.api.rollout import ROLLOUT_LABEL
from gatehold.domain.rollout.model import Revision

_HEX: Final = 10

Json = dict[str, Any]


class _Parent(Wire):
    name: str
    namespace: str
    uid: str


class _Owner(Wire):
    uid: str
    controller: bool = False


class _Metadata(Wire):
    name: str
    uid: str = ""
    resource_version: str = ""
    owner_references: list[_Owner] | None = None


class _Data(Wire):
    template: dict[str, Any]


class _Revision(Wire):
    metadata: _Metadata
    data: _Data
    revision: int = 0


def name(rollout: str, template: str) -> str:
    """The name under which the template of that digest is kept."""
    return f"{rollout}-{template.removeprefix('sha256:')[:_HEX]}"


def render(rollout: Body, template: Body, number: int) -> Json:
    """A ControllerRevision that keeps this template, for a Rollout that owns it. Raises ParseError."""
    parent = read(_Parent, rollout.get("metadata"), "metadata")
    owner = {"apiVersion": API_VERSION, "kind": "Rollout", "name": parent.name, "uid": parent.uid}
    return {
        "apiVersion": "apps/v1",
        "kind": "ControllerRevision",
        "metadata": {
            "name": name(parent.name, template_digest(template)),
            "namespace": parent.namespace,
            "labels": {ROLLOUT_LABEL: parent.name},
            "ownerReferences": [owner | {"controller": True, "blockOwnerDeletion": True}],
        },
        "data": {"template": dict(template)},
        "revision": number,
    }


def facts(body: Body) -> Revision:
    """What is kept there. Its digest is computed from what is kept, never read from a name or a mark. Raises ParseError."""
    found = read(_Revision, body, "revision")
    meta = found.metadata
    return Revision(meta.name, template_digest(found.data.template), found.revision, meta.uid, meta.resource_version)


def template(body: Body) -> Json:
    """The template that is kept. Raises ParseError."""
    return read(_Revision, body, "revision").data.template


def owner(body: Body) -> str:
    """The uid of the Rollout that it belongs to, empty where nothing controls it. Raises ParseError."""
    owners = read(_Revision, body, "revision").metadata.owner_references or []
    return next((found.uid for found in owners if found.controller), "")
