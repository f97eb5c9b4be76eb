"""One request in every phase, and in every state of an effect, for the moment in which one release takes another's place."""

from collections.abc import Iterable
from typing import Final

from gatehold.domain.phases import Phase
from gatehold.domain.status import EffectState
from tests.e2e.gaps import jam
from tests.e2e.stage import Body, Stage
from tests.install.asked import ONE

ENDS: Final = {
    "accepted": (Phase.APPROVED, None),
    "released": (Phase.RELEASED, EffectState.DONE),
    "undone": (Phase.DENIED, EffectState.UNDONE),
    "stopped": (Phase.DENIED, EffectState.FAILED),
    "expired": (Phase.EXPIRED, None),
    "lapsed": (Phase.LAPSED, EffectState.UNDONE),
    "superseded": (Phase.SUPERSEDED, None),
    "withdrawn": (Phase.WITHDRAWN, None),
    "failed": (Phase.FAILED, None),
}
"""What `ended` leaves, by name. `stopped` ran and names no undo, so it failed for good."""
UNDER_WAY: Final = {
    "unseen": (Phase.UNSET, None),
    "unprepared": (Phase.PENDING, None),
    "asked": (Phase.PENDING, None),
    "half": (Phase.PENDING, None),
    "waiting": (Phase.APPROVED, EffectState.WAITING),
    "running": (Phase.APPROVED, EffectState.RUNNING),
    "undoing": (Phase.DENIED, EffectState.UNDOING),
}
"""What `tests.e2e.test_wall_upgrade.build` leaves, and one that came while no operator acted."""
_JOBS: Final = ("released", "undone", "stopped", "lapsed", "superseded")


def ended(stage: Stage) -> dict[str, Body]:
    """The records of requests that are over, by name: nobody changes them any more."""
    one = stage.policy(quorum=ONE, validitySeconds=600)
    brief = stage.policy(f"brief-{stage.namespace}", quorum=ONE, validitySeconds=1)
    fakes = {"undone": "runs", "stopped": "runs"}
    jobs = {name: stage.job(name, brief if name == "lapsed" else one, fake=fakes.get(name, "")) for name in _JOBS}
    for name in ("released", "stopped", "superseded"):
        stage.request(name, one, job=jobs[name])
    stage.request("undone", one, job=jobs["undone"], undo=stage.job("undo", one))
    stage.request("lapsed", brief, job=jobs["lapsed"])
    stage.request("failed", one, job={"metadata": {"name": "nowhere", "uid": "of-nothing"}})
    stage.request("expired", one, timeoutSeconds=1)
    for name in ("accepted", "withdrawn"):
        stage.request(name, one)
    for name in ("released", "stopped", "superseded", "undone", "lapsed", "accepted", "withdrawn"):
        stage.until_prepared(name)
    _answer(stage)
    return {name: stage.until_done(name) for name in ENDS}


def _answer(stage: Stage) -> None:
    for name in ("released", "stopped", "undone", "accepted"):
        stage.say("alice", name, "approve")
    stage.say("ci", "withdrawn", "withdraw")
    stage.kubectl("delete", "job", "superseded", "--wait=false")
    for name in ("stopped", "undone"):
        stage.until(name, lambda body: body["status"].get("effect", {}).get("state") == "Running", "it runs")
        stage.say("bob", name, "deny", "it goes wrong")
    for name in ("released", "stopped", "undone"):
        stage.until_done(name)
    with jam(stage):  # what is approved cannot begin, so its time passes
        stage.say("alice", "lapsed", "approve")
        stage.until_phase("lapsed", "Lapsed")


def seen(bodies: Iterable[Body]) -> dict[str, tuple[Phase, EffectState | None]]:
    """How they stand, by name."""
    return {body["metadata"]["name"]: _seen(body.get("status", {})) for body in bodies}


def _seen(status: Body) -> tuple[Phase, EffectState | None]:
    phase, effect = Phase(status.get("phase", "")), status.get("effect")
    return phase, EffectState(effect["state"]) if effect else None
