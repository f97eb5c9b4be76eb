"""Rights that were just given: the authorizer learns of roles and bindings by watching, so they count a moment later."""

from collections.abc import Iterable
from typing import Any

from controlplane import wait_until
from tests.wall.api import Api, Call, path

_REVIEWS = path("authorization.k8s.io/v1", "subjectaccessreviews")


def allowed(admin: Api, user: str, groups: Iterable[str] = (), **attributes: str) -> bool:
    """Whether the authorizer lets them; `attributes` as in a SubjectAccessReview: verb, group, resource, namespace..."""
    spec = {"user": user, "groups": list(groups), "resourceAttributes": attributes}
    body = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": spec}
    status: dict[str, Any] = admin.must(Call(_REVIEWS, body, "post"))["status"]
    return bool(status["allowed"])


def until_allowed(admin: Api, user: str, groups: Iterable[str] = (), **attributes: str) -> None:
    """Wait until the authorizer lets them."""
    wait_until(lambda: allowed(admin, user, groups, **attributes), f"{user} may {attributes}", 60)


def until_people_are_bound(admin: Api, namespace: str, *, controllers: bool = True) -> None:
    """Wait for what `bind_people` gives: the last Role, the last RoleBinding and the ClusterRoleBinding of its list.

    Each kind is watched by itself, and in order. What they may by ClusterRole `edit` a controller puts into it, from `view`
    what reads: without `controllers` that never comes.
    """
    own = {"group": "gatehold.dev", "resource": "approvalpolicies"}
    until_allowed(admin, "dana", ["duty"], verb="override", namespace=namespace, **own)
    until_allowed(admin, "ci", ["pipelines"], verb="request", namespace=namespace, **own)
    until_allowed(admin, "alice", ["sre", "system:authenticated"], verb="get", **own)
    for verb in ("create", "get") if controllers else ():
        until_allowed(admin, "ci", ["pipelines"], verb=verb, namespace=namespace, **own | {"resource": "approvalrequests"})
