"""Whether one of our webhooks answers: what it is asked about is tried, as a dry run, until it was asked and has answered.

An API server takes a new configuration up a moment late. Until then it asks nobody, and what it says by itself is no answer.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Any

from gatehold.admission.creations import place
from gatehold.cli.exits import Exit, Leave
from gatehold.cli.session import Session
from gatehold.cli.terminal import err
from gatehold.cli.text import plain
from gatehold.domain.evictions import PROBE_NAMESPACE, PROBE_POD
from gatehold.domain.installation import NAMESPACE
from gatehold.domain.stamping import APPROVAL, PODS_LABEL
from gatehold.kube import errors
from gatehold.kube.resources import NAMESPACES, PODS

Json = dict[str, Any]
_DOWN = "failed calling webhook"
_ASKED = "admission webhook"
_UNMARKED = "ValidatingAdmissionPolicy"
_PROBE = (PROBE_NAMESPACE, PROBE_POD)
_NOBODY = "00000000-0000-0000-0000-000000000000"
_POD: Json = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": PROBE_POD},
    "spec": {"containers": [{"name": "main", "image": PROBE_POD}]},
}
_OPENS = {
    False: "kubectl delete validatingwebhookconfiguration gatehold-evictions",
    True: "kubectl delete mutatingwebhookconfiguration gatehold-pods",
}
_SILENT = {
    False: "installed, but the webhook does not answer: until it does, evictions are refused in the whole cluster, "
    "kube-system and gatehold-system aside. Is an operator running that has GATEHOLD_WEBHOOK_PORT set?",
    True: "installed, but the webhook does not answer: until it does, no pod and no Job can be created in gated namespaces. "
    "Is an operator running that has GATEHOLD_WEBHOOK_PORT set?",
}
_THEN = {
    False: "a gate with drains.mode Hold is Ready once the operator has proven it",
    True: "pods and Jobs of gated namespaces wait from now on, whatever their templates say",
}
_LOOK_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Question:
    """Which webhook, whom it never holds, and how many seconds it has."""

    pods: bool
    exempt: tuple[str, ...]
    timeout: int


async def until_it_answers(session: Session, question: Question) -> None:
    """Try until it has answered; ends by Leave where it does not. Who is never held cannot see it, and is told so."""
    until = time.monotonic() + question.timeout
    me = (await session.me()).username
    space = await _gated(session, me) if question.pods else ""
    if question.pods and not space:
        err().print("no namespace is behind a gate for pods yet: whether the webhook answers shows there (gatehold doctor)")
        return
    if me in question.exempt:
        err().print(f"{plain(me)} is never held: whether the webhook answers shows to others (gatehold doctor)")
        return
    while not await (_marks(session, space) if question.pods else _holds(session)):
        if time.monotonic() >= until:
            by_hand = f"kubectl -n {NAMESPACE} get pods; to open it by hand: {_OPENS[question.pods]}"
            raise Leave(Exit.TIMEOUT, _SILENT[question.pods], by_hand)
        await asyncio.sleep(_LOOK_SECONDS)
    err().print(f"[green]the webhook answers[/green]; {_THEN[question.pods]}", soft_wrap=True)


async def _gated(session: Session, me: str) -> str:
    """A namespace where the webhook is asked about pods of this user; empty where there is none."""
    for body in await session.cluster.list_all(NAMESPACES, None, PODS_LABEL):
        found = place(body)
        if found is not None and me not in found.exempt:
            return str(body["metadata"]["name"])
    return ""


async def _holds(session: Session) -> bool:
    """Evict a reserved pod, which does not exist: who says so is the webhook, or an API server that has not asked it."""
    try:
        await session.cluster.evict(*_PROBE, uid=_NOBODY, dry_run=True)
    except errors.ApiError as error:
        return _is_answer(error) and (_ASKED in error.message or not isinstance(error, errors.Absent))
    return True


async def _marks(session: Session, space: str) -> bool:
    """Create a pod in a gated namespace: it comes back marked, or it is refused because it is not."""
    try:
        made = await session.cluster.create(PODS, space, _POD, dry_run=True)
    except errors.ApiError as error:
        return _is_answer(error) and _UNMARKED not in error.message
    return any(gate.get("name") == APPROVAL for gate in made["spec"].get("schedulingGates") or ())


def _is_answer(error: errors.ApiError) -> bool:
    """Whether somebody was there to say it. Raises what leaves open whether anybody is."""
    if _DOWN in error.message:
        return False
    if isinstance(error, errors.Unavailable):
        raise error
    return True
