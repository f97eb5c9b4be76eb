"""How rows on what is behind a Rollout are written: a write, a creation, a deletion, each on a scene of its own."""
# ruff: noqa: E501 (a row is a line, so that rows can be read down)

from collections.abc import Callable
from typing import Any

from tests.wall.api import Call, path
from tests.wall.attempt import CHILDREN, Attempt, Check, gone
from tests.wall.people import SHOP, Body
from tests.wall.rollouts import (
    APPS,
    Before,
    Target,
    at,
    by,
    deployment,
    scale_of,
    stable,
    stands,
)
from tests.wall.scene import Ask, Scene, notes
from tests.wall.writes import Do, write_on

NOTHING = Ask(state="nothing")
WHY = "INC-4711: site down, sre asleep"
IMAGE: Body = {"spec": {"template": {"spec": {"containers": [{"name": "main", "image": "evil:1"}]}}}}
JSON_IMAGE = [{"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": "evil:1"}]
OVERRIDE: Body = {**IMAGE, **notes({"gatehold.dev/override": WHY})}
STANDS = stands()
KEPT = at("controllerrevisions", "{name}-abc")
FOREIGN = at("deployments", "{name}-other")


def image_is(value: str) -> Check:
    return lambda scene, after: (after or {})["spec"]["template"]["spec"]["containers"][0]["image"] == value


def row(
    says: str, who: str, do: Do, refused: str = "", *, target: Target, before: Before | None = STANDS, **more: Any
) -> Attempt:
    more = {"policy": CHILDREN, "only": "stopped", **more}
    return Attempt(
        f"behind a Rollout: {says}", by=who, do=do, refused=refused, ask=NOTHING, before=before, target=target, **more
    )


def write(
    says: str,
    who: str,
    body: Any,
    refused: str = "",
    *,
    target: Target | None = None,
    how: str = "merge",
    sub: str = "",
    **more: Any,
) -> Attempt:
    """A write on a child that stands, the stable one unless it is said."""
    found = target or stable()
    return row(says, who, write_on(found, body, how, sub), refused, target=found, **more)


def scaled(says: str, who: str, refused: str = "", *, target: Target | None = None, **more: Any) -> Attempt:
    """A write of its Scale, as kubectl scale and an HPA make it."""
    found = target or stable()
    return row(says, who, write_on(scale_of(found), SIZE, "put"), refused, target=found, **more)


def delete(says: str, who: str, refused: str = "", *, target: Target | None = None, **more: Any) -> Attempt:
    found = target or stable()
    more = {"leaves": gone, **more} if not refused else more
    return row(
        says,
        who,
        lambda scene: Call(found(scene), None, "delete", {"propagationPolicy": "Background"}),
        refused,
        target=found,
        **more,
    )


def make(
    says: str,
    who: str,
    body: Callable[[Scene], Body],
    refused: str = "",
    *,
    plural: str = "deployments",
    version: str = APPS,
    namespace: str = SHOP,
    before: Before | None = None,
    **more: Any,
) -> Attempt:
    """A creation."""

    def there(scene: Scene) -> str:
        return path(version, plural, namespace, body(scene)["metadata"]["name"])

    return row(
        says,
        who,
        lambda scene: Call(path(version, plural, namespace), body(scene), "post"),
        refused,
        target=there,
        before=before,
        **more,
    )


def other(scene: Scene) -> Body:
    return deployment(f"{scene.name}-other")


SIZE: Body = {"spec": {"replicas": 5}}

EDIT = ": change the Rollout instead (kubectl edit gro/"
ONLY_OPERATOR = "only the operator makes objects with the labels gatehold.dev/rollout and gatehold.dev/track: leave them out, and make a Rollout instead"
TEMPLATE_OURS = "only a Rollout makes pods with the labels gatehold.dev/rollout and gatehold.dev/track: take them out of the pod template"
OWN = "the operator writes the Deployments and ControllerRevisions of Rollouts, and no others"
BROKEN = by("oona", write_on(stable(), OVERRIDE))
OTHER = by("dora", lambda scene: Call(path(APPS, "deployments", SHOP), other(scene), "post"))
