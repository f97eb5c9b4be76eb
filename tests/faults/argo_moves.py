"""The moves that stories of Argo Rollouts are made of; `argo_stories` has the table.

Argo's controller is one of those who move: a Rollout reaches its pauses, goes on and goes back when the story says so.
"""

from collections.abc import Callable
from typing import Any, Final

from controlplane import wait_until
from tests.e2e.stage import GROUP, Body, condition
from tests.faults.argo_story import ArgoLife
from tests.wall.api import Call, path

Look = Callable[[Any], bool]
Act = Callable[[Any], object]
SECONDS: Final = 600

# ---- settings


def paused(*, seconds: int = SECONDS, strategy: Body | None = None) -> Callable[[ArgoLife], None]:
    """A Rollout whose second version stands at its first pause, behind a Gate that asks for so long."""

    def setting(life: ArgoLife) -> None:
        _gate(life, seconds)
        life.dock.rollout(life.name, strategy)
        life.dock.push(2, life.name)
        pauses("new", None if strategy else 1)(life)

    return setting


def _gate(life: ArgoLife, seconds: int) -> None:
    """The Gate of the namespace, which all lives share: it asks for so long, and the operator knows."""
    api, where = life.stage.api(), path(GROUP, "gates", None, f"gate-{life.stage.namespace}")
    if api.get(where) is None:
        life.dock.gate(timeoutSeconds=seconds)
    body = api.must(Call(where, {"spec": {"argoRollouts": {"timeoutSeconds": seconds}}}))

    def known() -> bool:
        found = api.must(Call(where, how="get"))
        seen = found["status"]["observedGeneration"] == body["metadata"]["generation"]
        return bool(seen and condition(found, "Ready")[0] == "True")

    wait_until(known, "the operator knows how long the Gate asks", 120)


# ---- what is waited for


def is_asked(question: str) -> Look:
    """It is there; perhaps nobody has looked at it."""
    return lambda life: question in life.asked


def answerable(question: str) -> Look:
    """People can answer it, and that is told."""

    def look(life: ArgoLife) -> bool:
        status = life.question(question)
        if status.get("phase") != "Pending" or "requestDigest" not in status:
            return False
        return any(f"request {life.object(question)} asks" in event["note"] for event in life.events())

    return look


def is_closed(question: str) -> Look:
    """Nothing is left to do about it."""
    return lambda life: "gatehold.dev/done" in life.asked.get(question, {}).get("metadata", {}).get("labels", {})


def at_once(life: ArgoLife) -> bool:
    """Nothing is waited for."""
    return True


def is_at(question: str, phase: str) -> Look:
    """It is in that phase."""
    return lambda life: life.question(question).get("phase") == phase


def passed(pause: str) -> Look:
    """The operator has taken that pause away."""
    return lambda life: pause in life.passed


def has_abort(life: ArgoLife) -> bool:
    """Somebody has aborted it."""
    return life.status().get("abort") is True


def aborting(question: str) -> Look:
    """The operator has aborted it, and recorded that it saw so."""

    def look(life: ArgoLife) -> bool:
        return has_abort(life) and "stoppedAt" in life.question(question).get("effect", {})

    return look


# ---- what people do, and Argo's controller


def says(word: str, question: str) -> Look:
    """Alice's word on a question. It counts as said once it stands there."""

    def act(life: ArgoLife) -> bool:
        if life.has_heard(question, "alice", word):
            return True
        let_in, life.refusal = life.stage.word("alice", life.object(question), word, "so be it")
        return let_in

    return act


def argo(act: Act, pause: str = "") -> Look:
    """Its controller does that, and stands at that pause then."""

    def done(life: ArgoLife) -> bool:
        act(life)
        life.pause = pause
        return True

    return done


def pauses(revision: str, step: int | None, seconds: float = 0) -> Look:
    """It reaches the pause at that step, or before the switch of a blue-green Rollout."""
    place = "switch" if step is None else str(step)
    return argo(lambda life: life.dock.pauses(revision, step, life.name, seconds), f"{revision}-{place}")


def serves(**status: Any) -> Look:
    """The new revision has everything."""
    whole = {"controllerPause": None, "stableRS": "new", "phase": "Healthy", "updatedReplicas": 3, **status}
    return argo(lambda life: life.dock.writes(life.name, **whole))


def sends(version: int) -> Look:
    """The pipeline sends that version."""
    return lambda life: life.dock.push(version, life.name) is None


def stops(life: ArgoLife) -> bool:
    """Somebody aborts it."""
    return life.dock.status_as("admin", {"abort": True}, life.name).ok


def retries(life: ArgoLife) -> bool:
    """Somebody sends it on its way once more."""
    return life.dock.status_as("admin", {"abort": False}, life.name).ok
