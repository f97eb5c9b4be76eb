"""The command that puts the wall back: by Helm where Helm put it there, since Helm knows what is left out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from gatehold.admission.texts import PART_OF
from gatehold.cli.session import Session
from gatehold.domain.installation import NAMESPACE
from gatehold.kube.errors import Absent, Forbidden
from gatehold.kube.resources import VAP

Json = dict[str, Any]
_FILES = "kubectl apply --server-side --force-conflicts -f manifests/wall/{0} && kubectl replace -f manifests/wall/{0}"
_HELM = f"helm upgrade {{}} CHART -n {NAMESPACE} --reset-then-reuse-values --force-conflicts"
_RELEASE = "meta.helm.sh/release-name"


def command(live: Iterable[Json], file: str = "") -> str:
    """What to type, by what of the wall is there; `file` is where it is amiss, empty for all of it."""
    annotated = [body["metadata"].get("annotations") or {} for body in live]
    release = next((str(found[_RELEASE]) for found in annotated if _RELEASE in found), "")
    return _HELM.format(release) if release else _FILES.format(file)


async def policies(session: Session) -> list[Json]:
    """The validating policies of the wall as they stand; none where one may not read them. Raises ApiError otherwise."""
    try:
        return await session.cluster.list_all(VAP, None, PART_OF)
    except (Absent, Forbidden):
        return []
