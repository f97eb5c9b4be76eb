"""Whether Argo CD, where it is, knows how our kinds are. Pure but for `look` and reading package data.

Argo CD takes a kind for done as soon as it is applied, unless its settings (ConfigMap argocd-cm) say how to tell its health:
without ours a sync goes on although nobody has answered.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any, Final

import yaml

from gatehold.admission.texts import folder
from gatehold.cli.doctor.findings import Finding, Level
from gatehold.cli.refusals import sentence
from gatehold.cli.session import Session
from gatehold.kube import errors
from gatehold.kube.resources import CONFIG_MAPS, CRDS

Json = dict[str, Any]
PART: Final = "Argo CD"
_KIND: Final = "applications.argoproj.io"
_LABEL: Final = "app.kubernetes.io/part-of=argocd"
_NAME: Final = "argocd-cm"
_OLD: Final = "resource.customizations"
_HEALTH: Final = f"{_OLD}.health."
_FILE: Final = "manifests/argo-cd/argocd-cm.yaml"


async def look(session: Session) -> list[Finding]:
    """Read and judge; nothing where there is no Argo CD. Raises ApiError."""
    try:
        await session.cluster.get(CRDS, None, _KIND)
    except errors.Absent:
        return []
    except errors.Forbidden as error:
        return [Finding(PART, Level.NOTICE, f"not looked at: {sentence(error)}")]
    found = await session.cluster.list_all(CONFIG_MAPS, label_selector=_LABEL)
    return list(findings([body for body in found if body["metadata"]["name"] == _NAME]))


def findings(settings: list[Json]) -> Iterator[Finding]:
    """What is to be said of each argocd-cm; there may be several Argo CDs."""
    if not settings:
        text = f"Argo CD is installed, and no ConfigMap {_NAME} was found, so it does not wait for our kinds"
        yield Finding(PART, Level.PROBLEM, text, f"kubectl -n argocd create -f {_FILE}")
    for body in settings:
        yield _judged(body)


def _judged(body: Json) -> Finding:
    namespace = str(body["metadata"].get("namespace"))
    live, ours = dict(body.get("data") or {}), shipped()
    missing = [kind for kind in ours if not _script(live, kind)]
    if missing:
        text = f"{namespace}/{_NAME} does not say how {', '.join(missing)} are: a sync does not wait for them"
        return Finding(PART, Level.PROBLEM, text, _patch(namespace))
    other = [kind for kind, script in ours.items() if _script(live, kind).strip() != script.strip()]
    if other:
        text = f"{namespace}/{_NAME} has another health check of {', '.join(other)} than this version ships"
        return Finding(PART, Level.NOTICE, text, _patch(namespace))
    return Finding(PART, Level.OK, f"{namespace}/{_NAME} has the health checks that this version ships")


def _patch(namespace: str) -> str:
    """Adds our keys and touches no other; an apply would take over, and then remove, what others have applied."""
    return f"kubectl -n {namespace} patch configmap {_NAME} --type=merge --patch-file {_FILE}"


def shipped() -> dict[str, str]:
    """The health check of each kind of ours, `gatehold.dev/KIND`; the wheel carries a copy of manifests/argo-cd."""
    data = yaml.safe_load((folder("argo-cd") / "argocd-cm.yaml").read_text(encoding="utf-8"))["data"]
    return {_kind(key): str(script) for key, script in data.items() if key.startswith(_HEALTH)}


def _kind(key: str) -> str:
    return key.removeprefix(_HEALTH).replace("_", "/", 1)


def _script(data: Mapping[str, str], kind: str) -> str:
    """The check that Argo CD would run: one key a kind, the older key for all, then a key with wildcards. Empty: none."""
    exact = data.get(_HEALTH + kind.replace("/", "_", 1)) or _of_old_key(data, kind)
    if exact:
        return exact
    wild = (script for key, script in data.items() if key.startswith(_HEALTH) and fnmatchcase(kind, _kind(key)))
    return next(wild, "")


def _of_old_key(data: Mapping[str, str], kind: str) -> str:
    try:
        known = yaml.safe_load(data.get(_OLD) or "")
    except yaml.YAMLError:
        return ""
    entry = known.get(kind) if isinstance(known, dict) else None
    return str(entry.get("health.lua") or "") if isinstance(entry, dict) else ""
