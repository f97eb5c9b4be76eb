"""What a request of a Gate of type Pods says, as far as the pods of its owner are concerned. Pure."""

from collections.abc import Mapping
from typing import Any

from gatehold.api.approval_request import parse, parse_verdicts
from gatehold.api.common import ParseError
from gatehold.api.request_status import parse_status
from gatehold.domain.effects.release_pods import covered
from gatehold.domain.phases import Phase
from gatehold.domain.provision.decide import request_name
from gatehold.domain.provision.model import Asked, Owner

Body = Mapping[str, Any]


def asked_of(body: Body, owner: Owner) -> Asked:
    """What was asked, and what is covered. One that cannot be read is open, and covers nothing."""
    meta, subject = body["metadata"], (body.get("spec") or {}).get("subject") or {}
    name, digest = str(meta["name"]), str(subject.get("digest") or "")
    retry = owner.retry if _is_of_this_retry(name, owner, digest) else f"not {owner.retry}"
    try:
        request, status = parse(body), parse_status(body)
    except ParseError:
        return Asked(name, str(meta["uid"]), digest, Phase.PENDING, 0, heard=True, retry=retry)
    shown = status.resolved.provision if status.resolved is not None else None
    return Asked(
        name=name,
        uid=request.uid,
        digest=digest,
        phase=status.phase,
        asked=shown.pods if shown is not None else 0,
        covered=covered(status),
        heard=bool(status.verdicts) or bool(parse_verdicts(meta.get("annotations"))),
        retry=retry,
        odd=shown is not None and bool(shown.differences),
    )


def _is_of_this_retry(name: str, owner: Owner, digest: str) -> bool:
    """The name of a request is made from the owner's retry as well, and nothing else keeps it."""
    return name.rpartition("-")[0] == request_name(owner, digest, 0).rpartition("-")[0]
