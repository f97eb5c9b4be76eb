"""The other way to set the scene: a real operator runs, and brings the request into its state by itself."""

import time
from collections.abc import Callable
from dataclasses import replace

from tests.wall.api import Call
from tests.wall.people import Body
from tests.wall.scene import Ask, Scene

UNREACHABLE = ("new", "Lapsed")
"""A running operator looks at once, and begins what is approved at once."""

YES = {"solo": (("alice", "sre"),), "choice": (("alice", "sre"), ("bob", "sre"))}


class Running:
    """The operator is a process; here people only say what leads to the state, and wait."""

    still = False

    def adapt(self, ask: Ask) -> Ask:
        match ask.state:
            case "unprepared":
                return replace(ask, policy="absent")
            case "Expired":
                return replace(ask, spec={**ask.spec, "timeoutSeconds": 1})
            case "Failed":
                return replace(ask, spec={**ask.spec, "timeoutSeconds": 86401})
            case "Superseded":
                return replace(ask, release=True)
        return ask

    def bring(self, scene: Scene, state: str) -> None:
        if state == "unprepared":
            _until(scene, lambda found: phase(found) == "Pending")
            return
        _until(scene, lambda found: bool(found.get("status", {}).get("requestDigest")) or phase(found) == "Failed")
        for word in scene.ask.said:
            scene.say(*word)
        self._lead(scene, state)
        known = len(scene.verdicts())
        _until(scene, lambda found: len(found["status"].get("verdicts", [])) == known)
        if is_over(scene):
            _until(scene, lambda found: (found["metadata"].get("labels") or {}).get("gatehold.dev/done") == "true")

    def _lead(self, scene: Scene, state: str) -> None:
        """Do what leads to the state, and wait for it."""
        match state:
            case "Approved" | "running" | "Released":
                for who, role in YES[scene.ask.policy]:
                    if not any(word[:2] == (who, "approve") for word in scene.ask.said):
                        scene.say(who, "approve", role, scene.ask.options[0] if scene.ask.options else "")
            case "Denied":
                scene.say("vic", "deny", "security")
            case "Withdrawn":
                scene.say(scene.ask.requester, "withdraw")
            case "Superseded":
                scene.people["ci"].must(Call(scene.job_target, None, "delete", {"propagationPolicy": "Background"}))
        if scene.ask.release and state in ("Approved", "running"):
            _until(scene, lambda found: found["status"].get("effect", {}).get("state") == "Running")
        elif state != "pending":
            _until(scene, lambda found: phase(found) == state)


def phase(found: Body) -> str:
    return str(found.get("status", {}).get("phase", ""))


def is_over(scene: Scene) -> bool:
    """Whether the operator has nothing left to do but to say so."""
    now = phase(scene.read())
    return now not in ("Pending", "Approved") or (now == "Approved" and not scene.ask.release)


def _until(scene: Scene, done: Callable[[Body], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not done(found := scene.read()):
        assert time.monotonic() < end, f"the operator did not bring it to {scene.ask.state}: {found.get('status')}"
        time.sleep(0.02)
