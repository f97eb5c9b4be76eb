"""The stage of the rows on Rollouts: one Rollout with its children, as the operator would leave them, made by hand.

No operator runs. Everything is written through the same wall, so each row begins with honest writes that pass.
"""

import time
from collections.abc import Callable
from typing import Any

from tests.wall.api import Call, path
from tests.wall.people import GROUP, SHOP, Body
from tests.wall.scene import Scene

AUTHORS = "gatehold.dev/authors"
APPS = "apps/v1"
Target = Callable[[Scene], str]
Before = Callable[[Scene], None]


def pod_template(image: str = "web:1", **labels: str) -> Body:
    return {"metadata": {"labels": {"app": "web", **labels}}, "spec": {"containers": [{"name": "main", "image": image}]}}


def rollout(name: str, **spec: Any) -> Body:
    base = {"replicas": 1, "selector": {"matchLabels": {"app": "web"}}, "template": pod_template()}
    return {"apiVersion": GROUP, "kind": "Rollout", "metadata": {"name": name}, "spec": {**base, **spec}}


def marks(name: str, track: str) -> dict[str, str]:
    return {"gatehold.dev/rollout": name, "gatehold.dev/track": track}


def owned_by(name: str, uid: str, **more: Any) -> list[Body]:
    owner = {
        "apiVersion": GROUP,
        "kind": "Rollout",
        "name": name,
        "uid": uid,
        "controller": True,
        "blockOwnerDeletion": True,
    }
    return [{**owner, **more}]


def child(name: str, track: str, uid: str, *, image: str = "web:1", replicas: int = 0) -> Body:
    """A child as the operator writes it."""
    labels = marks(name, track)
    meta: Body = {"name": f"{name}-{track}", "labels": labels, "annotations": {"gatehold.dev/template-digest": "sha256:1"}}
    meta["ownerReferences"] = owned_by(name, uid)
    spec = {
        "replicas": replicas,
        "selector": {"matchLabels": {"app": "web", **labels}},
        "template": pod_template(image, **labels),
    }
    return {"apiVersion": APPS, "kind": "Deployment", "metadata": meta, "spec": spec}


def revision(name: str, uid: str) -> Body:
    meta: Body = {"name": f"{name}-abc", "labels": {"gatehold.dev/rollout": name}, "ownerReferences": owned_by(name, uid)}
    body = {"apiVersion": APPS, "kind": "ControllerRevision", "metadata": meta, "revision": 1}
    return {**body, "data": {"template": pod_template()}}


def deployment(name: str, image: str = "other:1", replicas: int = 0) -> Body:
    """One that is nobody's but its author's."""
    labels = {"app": name}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "main", "image": image}]}}
    spec = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template}
    return {"apiVersion": APPS, "kind": "Deployment", "metadata": {"name": name}, "spec": spec}


# ---- where things are


def at(plural: str, name: str = "{name}", *, namespace: str = SHOP, version: str = APPS) -> Target:
    """An object by its name, in which {name} is the scene's."""
    return lambda scene: path(version, plural, namespace or None, name.replace("{name}", scene.name))


def the_rollout(namespace: str = SHOP) -> Target:
    return at("rollouts", namespace=namespace, version=GROUP)


def stable(namespace: str = SHOP) -> Target:
    return at("deployments", "{name}-stable", namespace=namespace)


def canary(namespace: str = SHOP) -> Target:
    return at("deployments", "{name}-canary", namespace=namespace)


def replica_set(namespace: str = SHOP) -> Target:
    """The ReplicaSet that the Deployment controller made for the stable child."""
    return lambda scene: path(APPS, "replicasets", namespace, _made(scene, namespace, APPS, "replicasets"))


def pod(namespace: str = SHOP) -> Target:
    """A pod of the stable child."""
    return lambda scene: path("v1", "pods", namespace, _made(scene, namespace, "v1", "pods"))


def _made(scene: Scene, namespace: str, version: str, plural: str) -> str:
    chosen = f"gatehold.dev/rollout={scene.name},gatehold.dev/track=stable"
    found = scene.people["admin"].must(Call(path(version, plural, namespace), None, "get", {"labelSelector": chosen}))
    return str(next((item["metadata"]["name"] for item in found["items"]), "not-there-yet"))


def scale_of(target: Target) -> Target:
    """The Scale of a Rollout or Deployment, which is an object of its own."""
    return lambda scene: target(scene) + "/scale"


# ---- how things come to be


def asked(namespace: str = SHOP, by: str = "ada", **spec: Any) -> Before:
    """The Rollout alone, as somebody makes it."""

    def make(scene: Scene) -> None:
        body = rollout(scene.name, **spec)
        scene.uids["rollout"] = scene.people[by].must(Call(path(GROUP, "rollouts", namespace), body, "post"))["metadata"][
            "uid"
        ]

    return make


def stands(namespace: str = SHOP, replicas: int = 0) -> Before:
    """The Rollout with both children and a kept template; its controllers have seen them."""

    def make(scene: Scene) -> None:
        asked(namespace)(scene)
        hand, uid = scene.people["operator"], scene.uids["rollout"]
        hand.must(Call(path(APPS, "controllerrevisions", namespace), revision(scene.name, uid), "post"))
        for track, size in (("canary", 0), ("stable", replicas)):
            body = child(scene.name, track, uid, replicas=size)
            hand.must(Call(path(APPS, "deployments", namespace), body, "post"))
        wait(lambda: bool(scene.people["admin"].get(replica_set(namespace)(scene))))
        if replicas:
            wait(lambda: _runs(scene.people["admin"].get(pod(namespace)(scene)) or {}))
        for target in (stable(namespace), canary(namespace)):
            wait(lambda target=target: _settled(scene.people["admin"].get(target(scene)) or {}))  # type: ignore[misc]

    return make


def _settled(found: Body) -> bool:
    return bool(found.get("status", {}).get("observedGeneration") == found["metadata"]["generation"])


def _runs(found: Body) -> bool:
    return bool(found.get("status", {}).get("phase") == "Running")


def then(*steps: Before) -> Before:
    """One after the other."""

    def make(scene: Scene) -> None:
        for step in steps:
            step(scene)

    return make


def by(who: str, do: Callable[[Scene], Call]) -> Before:
    """A write that has to go through."""
    return lambda scene: scene.people[who].must(do(scene)) and None


def freed(scene: Scene) -> Body:
    """What the operator writes to set the stable child free."""
    found = scene.people["admin"].get(stable()(scene))
    assert found is not None
    meta = {key: found["metadata"][key] for key in ("name", "namespace", "uid")}
    return {"apiVersion": APPS, "kind": "Deployment", "metadata": meta, "spec": found["spec"]}


def left_behind(scene: Scene) -> None:
    """The Rollout was orphaned: the collector let its children go, the operator set the stable free."""
    stands()(scene)
    for target in (stable(), canary(), at("controllerrevisions", "{name}-abc")):
        scene.people["collector"].must(Call(target(scene), {"metadata": {"ownerReferences": None}}))
    scene.people["operator"].must(Call(stable()(scene), freed(scene), "put"))


def wait(done: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, "the controllers did not do their part"
        time.sleep(0.03)
