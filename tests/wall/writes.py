"""The writes of an attempt, as data: each is a function of the scene, so that digests, numbers and names fit."""

import re
from collections.abc import Callable
from typing import Any

from tests.wall.api import Call
from tests.wall.people import Body
from tests.wall.scene import VERDICT, Scene, notes, username

Do = Callable[[Scene], Call]


def fill(scene: Scene, value: Any) -> Any:
    """Put the scene's facts into a template: {digest}, {next}, {job}, {uid}, {name}, {other} (another digest)."""
    if isinstance(value, str):
        facts: dict[str, Callable[[], object]] = {
            "digest": scene.digest,
            "next": scene.next,
            "name": lambda: scene.name,
            "job": lambda: scene.job,
            "undo": lambda: scene.undo,
            "job-uid": lambda: scene.uids[scene.job],
            "other": lambda: "sha256:" + "b" * 64,
            "short": lambda: scene.digest().removeprefix("sha256:")[:8],
        }
        return re.sub(r"\{([a-z-]+)\}", lambda m: str(facts[m[1]]()) if m[1] in facts else m[0], value)
    if isinstance(value, dict):
        return {fill(scene, key): fill(scene, item) for key, item in value.items()}
    return [fill(scene, item) for item in value] if isinstance(value, list) else value


def word(say: str, comment: str, *, by: str, option: str = "", role: str = "", holds: str = "sre", digest: str = "") -> Do:
    """One word, as `kubectl annotate` sends it; without stamping the stored form, as the CLI writes it."""

    def call(scene: Scene) -> Call:
        if scene.stamped:
            more = {"option": option, "role": role, "digest": digest}
            found = {f"gatehold.dev/{say}": comment, **{f"gatehold.dev/{k}": v for k, v in more.items() if v}}
            return Call(scene.target, fill(scene, notes(found)))
        name = username(by).replace("%", "%25").replace("|", "%7C")
        stands = role or (holds if say in ("approve", "deny") else "")
        value = f"{say}|{'{digest}'}|{stands}|{name}|{option}|{comment}"
        return Call(scene.target, fill(scene, notes({VERDICT + "{next}": value})))

    return call


def annotate(how: str = "merge", **unused: object) -> Callable[[Body], Do]:
    """Annotations as they are, by one of the ways that an API server takes."""
    return lambda found: patch(notes(found), how)


def patch(body: Any, how: str = "merge", sub: str = "", **query: str) -> Do:
    """A patch of the request (or a subresource). With `apply` the body becomes an apply configuration; with `put` it is
    merged into the object as read."""

    def call(scene: Scene) -> Call:
        return Call(
            scene.target + (f"/{sub}" if sub else ""), _whole(scene.read, fill(scene, body), how), how, _query(how, query)
        )

    return call


def job_patch(body: Any, how: str = "merge", sub: str = "", **query: str) -> Do:
    """The same on the request's Job."""

    def call(scene: Scene) -> Call:
        def read() -> Body:
            found = scene.people["admin"].get(scene.job_target)
            assert found is not None
            return found

        return Call(
            scene.job_target + (f"/{sub}" if sub else ""), _whole(read, fill(scene, body), how), how, _query(how, query)
        )

    return call


def write_on(target: Callable[[Scene], str], body: Any, how: str = "merge", sub: str = "", **query: str) -> Do:
    """The same on any object; a callable body is computed from the scene."""

    def call(scene: Scene) -> Call:
        def read() -> Body:
            found = scene.people["admin"].get(target(scene))
            assert found is not None
            return found

        content = body(scene) if callable(body) else fill(scene, body)
        return Call(target(scene) + (f"/{sub}" if sub else ""), _whole(read, content, how), how, _query(how, query))

    return call


def _query(how: str, query: dict[str, str]) -> dict[str, str]:
    return {"fieldManager": "attacker", "force": "true", **query} if how == "apply" else query


def _whole(read: Callable[[], Body], body: Any, how: str) -> Any:
    if how == "apply":
        current = read()
        head = {"apiVersion": current["apiVersion"], "kind": current["kind"]}
        meta = {key: current["metadata"][key] for key in ("name", "namespace") if key in current["metadata"]}
        return {**body, **head, "metadata": {**body.get("metadata", {}), **meta}}
    if how == "put":
        current = read()
        current["metadata"].pop("managedFields", None)
        if not current["apiVersion"].startswith(("gatehold.dev/", "argoproj.io/")):  # its controller writes at any time
            current["metadata"].pop("resourceVersion")
        return merged(current, body)
    return body


def merged(into: Body, body: Body) -> Body:
    """JSON merge patch: null removes, lists are replaced."""
    found = dict(into)
    for key, value in body.items():
        if value is None:
            found.pop(key, None)
        elif isinstance(value, dict):
            found[key] = merged(found.get(key) or {}, value)
        else:
            found[key] = value
    return found


def joined(into: Body, body: Body) -> Body:
    """Two patches as one: null stays, as it removes."""
    found = dict(into)
    for key, value in body.items():
        found[key] = joined(found.get(key) or {}, value) if isinstance(value, dict) else value
    return found


def status(body: Any, how: str = "merge") -> Do:
    """A status write; a callable body is computed from the scene."""

    def call(scene: Scene) -> Call:
        content = body(scene) if callable(body) else body
        return patch({"status": content}, how, "status")(scene)

    return call


def stored(value: str, number: str = "{next}", how: str = "merge") -> Do:
    """A verdict in the stored form, as somebody writes it by hand."""
    return patch(notes({VERDICT + number: value}), how)


def delete() -> Do:
    return lambda scene: Call(scene.target, how="delete")
