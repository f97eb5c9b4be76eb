"""The configurations of the webhooks that hold evictions and mark pods: nobody opens them. Rows of the wall's table."""
# ruff: noqa: E501 (a row is a line, so that rows can be read down)

from typing import Any

from gatehold.admission.texts import eviction_webhook, pod_webhook
from tests.wall.api import Call, path
from tests.wall.attempt import RBAC, WEBHOOK, Attempt, Check, gone
from tests.wall.nodes import NOTHING
from tests.wall.people import Body
from tests.wall.scene import Scene
from tests.wall.writes import Do, write_on

HOOKS = path("admissionregistration.k8s.io/v1", "validatingwebhookconfigurations")
SHIPPED: Body = dict(eviction_webhook())
THE_HOOK: Body = SHIPPED["webhooks"][0]
OPENS = "webhook gatehold-evictions holds the drains of gated nodes: whoever changes it could open it, so it takes verb patch on validatingadmissionpolicies with resourceName gatehold-requests"
CANNOT = 'resource "validatingwebhookconfigurations"'


def target(scene: Scene) -> str:
    return HOOKS + "/gatehold-evictions"


def away(scene: Scene) -> None:
    for name in ("gatehold-evictions", "another"):
        scene.people["admin"].send(Call(f"{HOOKS}/{name}", None, "delete"))


def there(scene: Scene) -> None:
    """As it is shipped, put there by who may change the wall. It selects no namespace, so that it holds up no other row."""
    away(scene)
    scene.people["admin"].must(Call(HOOKS, {**SHIPPED, "webhooks": [{**THE_HOOK, **NOWHERE}]}, "post"))


NOWHERE: Body = {"namespaceSelector": {"matchLabels": {"example.com/nowhere": "true"}}}


def hook(**changes: Any) -> Body:
    """The one webhook in it, changed; None takes a member off."""
    found = {**THE_HOOK, **NOWHERE, **changes}
    return {"webhooks": [{key: value for key, value in found.items() if value is not None}]}


def client(**changes: Any) -> Body:
    found = {**THE_HOOK["clientConfig"], **changes}
    return hook(clientConfig={key: value for key, value in found.items() if value is not None})


def has_bundle(scene: Scene, after: Body | None) -> bool:
    return (after or {})["webhooks"][0]["clientConfig"].get("caBundle") == BUNDLE


def row(says: str, who: str, do: Do, refused: str = "", **more: Any) -> Attempt:
    more = {"policy": WEBHOOK, "only": "stopped", "before": there, "target": target, **more}
    return Attempt(f"the webhook: {says}", by=who, do=do, refused=refused, ask=NOTHING, **more)


def change(says: str, who: str, body: Any, refused: str = "", *, how: str = "merge", **more: Any) -> Attempt:
    return row(says, who, write_on(target, body, how), refused, **more)


def removal(says: str, who: str, refused: str = "", *, all_of_them: bool = False, **more: Any) -> Attempt:
    do = lambda scene: Call(HOOKS if all_of_them else target(scene), None, "delete")  # noqa: E731
    return row(says, who, do, refused, **more)


def made(says: str, who: str, name: str, refused: str = "", **more: Any) -> Attempt:
    body = {**SHIPPED, "metadata": {"name": name}, "webhooks": [{**THE_HOOK, **NOWHERE}]}
    where = lambda scene: f"{HOOKS}/{name}"  # noqa: E731
    return row(says, who, lambda scene: Call(HOOKS, body, "post"), refused, **{"before": away, "target": where, **more})


BUNDLE = "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCk1JSUJPakNCNGFBREFnRUNBZ0VCTUFvR0NDcUdTTTQ5QkFNQ01CSXhFREFPQmdOVkJBTU1CMlY0WVcxd2JHVXcKSGhjTk1qWXhNVEk1TURBd01EQXdXaGNOTXpZeE1USTVNREF3TURBd1dqQVNNUkF3RGdZRFZRUUREQWRsZUdGdApjR3hsTUZrd0V3WUhLb1pJemowQ0FRWUlLb1pJemowREFRY0RRZ0FFCi0tLS0tRU5EIENFUlRJRklDQVRFLS0tLS0K"
IS_LAX: Check = lambda scene, after: (after or {})["webhooks"][0]["failurePolicy"] == "Ignore"  # noqa: E731
RULE: Body = THE_HOOK["rules"][0]

WEBHOOK_ROWS = [
    change("failures are ignored", "smith", hook(failurePolicy="Ignore"), OPENS),
    change("failures are ignored, by apply", "smith", hook(failurePolicy="Ignore"), OPENS, how="apply"),
    change("failures are ignored, by JSON patch", "smith", [{"op": "replace", "path": "/webhooks/0/failurePolicy", "value": "Ignore"}], OPENS, how="json"),
    change("it selects other namespaces", "smith", hook(namespaceSelector={"matchLabels": {"held": "please"}}), OPENS),
    change("it selects pods by a label", "smith", hook(objectSelector={"matchLabels": {"held": "please"}}), OPENS),
    change("it asks about something else", "smith", hook(rules=[{**RULE, "resources": ["pods/log"]}]), OPENS),
    change("a condition lets one account pass", "smith", hook(matchConditions=[{"name": "not-me", "expression": "request.userInfo.username != 'smith'"}]), OPENS),
    change("its conditions are taken off", "smith", hook(matchConditions=None), OPENS),
    change("it is asked elsewhere", "smith", hook(clientConfig={"url": "https://evil.example/evict"}), OPENS),
    change("it is asked at another Service", "smith", client(service={"namespace": "shop", "name": "evil", "path": "/evict", "port": 443}), OPENS),
    change("it trusts another authority", "smith", client(caBundle=BUNDLE), OPENS),
    change("no webhook is left in it", "smith", {"webhooks": []}, OPENS),
    change("a label is put on it", "smith", {"metadata": {"labels": {"a": "b"}}}, OPENS),
    removal("it is taken away", "smith", OPENS),
    removal("it is taken away with all others", "smith", OPENS, all_of_them=True),
    made("another of that name, before it is installed", "smith", "gatehold-evictions", OPENS),
    made("one of another name", "smith", "another", leaves=lambda scene, after: after is not None),
    removal("the operator takes it away", "operator", "cannot delete " + CANNOT, policy=RBAC),
    change("cert-manager's injector puts another authority in", "renewer", client(caBundle=BUNDLE), leaves=has_bundle),
    change("cert-manager's injector opens it with that", "renewer", {**client(caBundle=BUNDLE), **hook(failurePolicy="Ignore")}, OPENS),
    change("cert-manager's injector leads it elsewhere", "renewer", hook(clientConfig={"url": "https://evil.example/evict", "caBundle": BUNDLE}), OPENS),
    change("cert-manager's injector lets one account pass", "renewer", hook(matchConditions=[*THE_HOOK["matchConditions"], {"name": "not-me", "expression": "request.userInfo.username != 'x'"}]), OPENS),
    change("cert-manager's injector asks a second webhook", "renewer", {"webhooks": [{**THE_HOOK, **NOWHERE}, {**THE_HOOK, **NOWHERE, "name": "more.gatehold.dev"}]}, OPENS),
    removal("cert-manager's injector takes it away", "renewer", OPENS),
    change("who may change the wall opens it", "admin", hook(failurePolicy="Ignore"), leaves=IS_LAX),
    removal("who may change the wall takes it away", "admin", leaves=gone),
    *(change(f"opened by {who}", who, hook(failurePolicy="Ignore"), "cannot patch " + CANNOT, policy=RBAC) for who in ("operator", "gatehold-probe", "eve", "adam", "wanda", "binder")),
    removal("taken away by a holder of every right in a namespace", "wild", "cannot delete " + CANNOT, policy=RBAC),
]  # fmt: skip


# ---- the webhook that marks pods: the same rule on the other kind

MARKERS = path("admissionregistration.k8s.io/v1", "mutatingwebhookconfigurations")
MARKS: Body = dict(pod_webhook())
MARKER: Body = MARKS["webhooks"][0]
STOPS = "webhook gatehold-pods marks every pod of gated namespaces: whoever changes it could stop or rewrite them, so it takes verb patch on validatingadmissionpolicies with resourceName gatehold-requests"
CANNOT_MARK = 'resource "mutatingwebhookconfigurations"'


def marker(scene: Scene) -> str:
    return MARKERS + "/gatehold-pods"


def unmarked(scene: Scene) -> None:
    for name in ("gatehold-pods", "gatehold-evictions"):
        scene.people["admin"].send(Call(f"{MARKERS}/{name}", None, "delete"))


def marked(scene: Scene) -> None:
    unmarked(scene)
    scene.people["admin"].must(Call(MARKERS, {**MARKS, "webhooks": [{**MARKER, **NOWHERE}]}, "post"))


def marking(**changes: Any) -> Body:
    found = {**MARKER, **NOWHERE, **changes}
    return {"webhooks": [{key: value for key, value in found.items() if value is not None}]}


def remark(says: str, who: str, body: Any, refused: str = "", *, how: str = "merge", **more: Any) -> Attempt:
    return row(f"pods: {says}", who, write_on(marker, body, how), refused, **{"before": marked, "target": marker, **more})


def unmark(says: str, who: str, refused: str = "", **more: Any) -> Attempt:
    do = lambda scene: Call(marker(scene), None, "delete")  # noqa: E731
    return row(f"pods: {says}", who, do, refused, **{"before": marked, "target": marker, **more})


def new_marker(says: str, who: str, name: str, refused: str = "", **more: Any) -> Attempt:
    body = {**MARKS, "metadata": {"name": name}, "webhooks": [{**MARKER, **NOWHERE}]}
    where = lambda scene: f"{MARKERS}/{name}"  # noqa: E731
    return row(
        f"pods: {says}",
        who,
        lambda scene: Call(MARKERS, body, "post"),
        refused,
        **{"before": unmarked, "target": where, **more},
    )


BUNDLED = marking(clientConfig={**MARKER["clientConfig"], "caBundle": BUNDLE})

WEBHOOK_ROWS += [
    remark("failures are ignored", "smith", marking(failurePolicy="Ignore"), STOPS),
    remark("failures are ignored, by apply", "smith", marking(failurePolicy="Ignore"), STOPS, how="apply"),
    remark("it selects other namespaces", "smith", marking(namespaceSelector={"matchLabels": {"held": "please"}}), STOPS),
    remark("it is asked elsewhere", "smith", marking(clientConfig={"url": "https://evil.example/pods"}), STOPS),
    remark("it is asked about Secrets too", "smith", marking(rules=[{**MARKER["rules"][0], "resources": ["secrets"]}]), STOPS),
    remark("its conditions are taken off", "smith", marking(matchConditions=None), STOPS),
    remark("it trusts another authority", "smith", BUNDLED, STOPS),
    unmark("it is taken away", "smith", STOPS),
    new_marker("another of that name, before it is installed", "smith", "gatehold-pods", STOPS),
    new_marker("one of the other webhook's name", "smith", "gatehold-evictions", leaves=lambda scene, after: after is not None),
    remark("cert-manager's injector puts another authority in", "renewer", BUNDLED, leaves=has_bundle),
    remark("cert-manager's injector opens it with that", "renewer", {**BUNDLED, **marking(failurePolicy="Ignore")}, STOPS),
    unmark("cert-manager's injector takes it away", "renewer", STOPS),
    remark("who may change the wall changes it", "admin", marking(failurePolicy="Ignore"), leaves=IS_LAX),
    unmark("who may change the wall takes it away", "admin", leaves=gone),
    *(remark(f"changed by {who}", who, marking(failurePolicy="Ignore"), "cannot patch " + CANNOT_MARK, policy=RBAC) for who in ("operator", "gatehold-probe", "eve", "adam")),
]  # fmt: skip
