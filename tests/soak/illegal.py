"""Illegal writes, each of which the API server has to refuse. While the wall is open on purpose nobody tries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.soak.cast import FORGED
from tests.soak.door import Call, annotate, path

if TYPE_CHECKING:
    from tests.soak.life import Life

Body = dict[str, Any]


async def attempt(life: Life, what: str) -> None:
    """Try it once; whatever is let in is noted as a violation, unless the wall was opened meanwhile."""
    found = _attempt(life, what)
    if found is None or life.town.gap or not life.body():
        return
    who, call = found
    answer = await life.town.do(who, life.script.name, call, once=True)
    life.town.count["illegal"] += 1
    if answer.ok and not life.town.gap:
        life.town.let_in.append(f"{what} by {who} on {life.script.namespace}/{life.script.name} was let in")


def _attempt(life: Life, what: str) -> tuple[str, Call] | None:
    script, status = life.script, life.status()
    request = path("apr", script.namespace, script.name)
    job = path("job", script.namespace, f"{script.name}-job") if script.job is not None else ""
    words = {
        "approve-own": (script.requester, {"gatehold.dev/approve": f"{FORGED}: mine"}),
        "approve-as-nobody": ("mallory", {"gatehold.dev/approve": f"{FORGED}: nobody"}),
        "override-as-nobody": ("alice", {"gatehold.dev/override": f"{FORGED}: nobody at all"}),
        "withdraw-of-another": ("mallory", {"gatehold.dev/withdraw": f"{FORGED}: another"}),
        "another-digest": ("erin", {"gatehold.dev/approve": f"{FORGED}: other", "gatehold.dev/digest": "0123456789abcdef"}),
    }
    if what in words:
        who, notes = words[what]
        return who, annotate(request, notes)
    if what == "approve-after-the-end":
        over = status.get("phase", "") not in ("", "Pending")
        return ("frank", annotate(request, {"gatehold.dev/approve": f"{FORGED}: late"})) if over else None
    if what in ("let-job-go", "change-job"):
        marks = {"metadata": {"annotations": {"gatehold.dev/released-by": "me"}}, "spec": {"suspend": False}}
        return ("ci", Call("PATCH", job, marks if what == "let-job-go" else {"spec": {"backoffLimit": 7}})) if job else None
    if what == "delete-of-another":
        return "mallory", Call("DELETE", request)
    if what == "write-status":
        return "mallory", Call("PATCH", f"{request}/status", {"status": {"phase": "Approved"}})
    return _metadata(life, what, request)


def _metadata(life: Life, what: str, request: str) -> tuple[str, Call] | None:
    notes = life.body().get("metadata", {}).get("annotations") or {}
    stored = sorted(key for key in notes if key.startswith("verdict.gatehold.dev/"))
    if what == "label-done":
        return "mallory", Call(
            "PATCH", request, {"metadata": {"labels": {"gatehold.dev/done": "true", "gatehold.dev/gate": "x"}}}
        )
    if what == "edit-a-verdict" and stored:
        return "bob", annotate(request, {stored[0]: None})
    digest = life.status().get("requestDigest", "")
    if what == "verdict-of-another" and digest:
        line = f"approve|{digest}|sre|bob||{FORGED}: in the name of another"
        return "alice", annotate(request, {f"verdict.gatehold.dev/{len(stored)}": line})
    return None
