"""Rollouts themselves: who changed one is known, and what is the operator's on it stays so. Rows of the wall's table."""
# ruff: noqa: E501 (a row is a line, so that rows can be read down)

from collections.abc import Callable
from typing import Any

from tests.wall.api import Call, path
from tests.wall.attempt import IDENTITY, RBAC, ROLLOUTS, SCHEMA, STATUS, Attempt, Check, field_is, gone, notes_of
from tests.wall.people import GROUP, SHOP, Body
from tests.wall.rollouts import AUTHORS, asked, by, pod_template, rollout, scale_of, the_rollout, then
from tests.wall.scene import Ask, Scene, notes
from tests.wall.writes import Do, joined, merged, write_on

NOTHING = Ask(state="nothing")
STAMPED, UNSTAMPED = "stamped stopped", "unstamped stopped"
IMAGE: Body = {"spec": {"template": pod_template("web:2")}}
STEPS: Body = {"spec": {"strategy": {"canary": {"steps": [{"setWeight": 20}]}}}}
ROBOT = "system:serviceaccount:shop:gitops"


def change(body: Any, how: str = "merge", sub: str = "", **query: str) -> Do:
    return write_on(the_rollout(), body, how, sub, **query)


def on_rollout(says: str, who: str, do: Do, refused: str = "", **more: Any) -> Attempt:
    more = {"only": "stopped", "before": asked(), "policy": ROLLOUTS, **more}
    return Attempt(f"a Rollout: {says}", by=who, do=do, refused=refused, ask=NOTHING, target=the_rollout(), **more)


def new_rollout(
    says: str, who: str, refused: str = "", *, namespace: str = SHOP, changes: Body | None = None, **more: Any
) -> Attempt:
    """A creation of a Rollout with these changes."""

    def call(scene: Scene) -> Call:
        return Call(path(GROUP, "rollouts", namespace), merged(rollout(scene.name), changes or {}), "post")

    more = {"only": "stopped", "policy": ROLLOUTS, **more}
    return Attempt(
        f"a new Rollout: {says}", by=who, do=call, refused=refused, ask=NOTHING, target=the_rollout(namespace), **more
    )


def authors(text: str | None) -> Check:
    """Who changed it, as it stands there afterwards."""
    return lambda scene, after: notes_of(after).get(AUTHORS) == text


def named(text: str) -> Body:
    return notes({AUTHORS: text})


def scale(replicas: int) -> Do:
    return write_on(scale_of(the_rollout()), {"spec": {"replicas": replicas}}, "put")


def both(*checks: Check) -> Check:
    return lambda scene, after: all(check(scene, after) for check in checks)


def replaced(scene: Scene) -> Body:
    """The manifest as its author has it, with a new image and nothing of ours: kubectl replace."""
    found = scene.people["admin"].get(the_rollout()(scene)) or {}
    body = merged(rollout(scene.name), IMAGE)
    body["metadata"]["resourceVersion"] = found["metadata"]["resourceVersion"]
    return body


def replaced_with(finalizers: list[str] | None) -> Callable[[Scene], Body]:
    """The same, with these finalizers in Git."""
    return lambda scene: joined(replaced(scene), {"metadata": {"finalizers": finalizers}})


def put(body: Callable[[Scene], Body] = replaced) -> Do:
    """kubectl replace: what the body leaves out is gone."""
    return lambda scene: Call(the_rollout()(scene), body(scene), "put")


def read_and_stripped(scene: Scene) -> Body:
    """The Rollout as it stands in the cluster, without its finalizers: what a cleaning script puts back."""
    found = scene.people["admin"].get(the_rollout()(scene)) or {}
    return {**found, "metadata": {key: value for key, value in found["metadata"].items() if key != "finalizers"}}


def sixteen(scene: Scene) -> None:
    """Sixteen people change it, one after the other."""
    asked(by="odd,*%")(scene)
    for number in range(15):
        person = scene.people["admin"].impersonating(f"author-{number}", "authors")
        person.must(Call(the_rollout()(scene), {"spec": {"template": pod_template(f"web:{number + 10}")}}))


FIFTEEN = ",".join(f"author-{number}" for number in range(15))
ODD = "odd%2C%2A%25"
CHANGED = by("ben", change(IMAGE))
EMPTIED = by("operator", change(named("")))

WHO = [
    new_rollout("its creator is its first author", "ada", only=STAMPED, leaves=authors("ada")),
    new_rollout("born in another's name", "ada", only=STAMPED, changes={"metadata": {"annotations": {AUTHORS: "ben"}}}, leaves=authors("ada")),
    new_rollout("a name with commas and stars is one name", "odd,*%", only=STAMPED, leaves=authors(ODD)),
    *(on_rollout(f"another changes the template by {how}", "ben", change(IMAGE, how), only=STAMPED, leaves=both(authors("ada,ben"), field_is("spec.replicas", 1))) for how in ("merge", "put", "apply")),
    on_rollout("another changes the image by JSON patch", "ben", change([{"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": "web:2"}], "json"), only=STAMPED, leaves=authors("ada,ben")),
    on_rollout("another changes the steps", "ben", change(STEPS), only=STAMPED, leaves=authors("ada,ben")),
    on_rollout("the same person changes it again", "ada", change(IMAGE), only=STAMPED, leaves=authors("ada")),
    on_rollout("a robot applies it, as a second field manager, with force", "gitops", change(IMAGE, "apply", fieldManager="flux"), only=STAMPED, leaves=authors(f"ada,{ROBOT}")),
    on_rollout("a robot touches it afterwards", "gitops", change({"metadata": {"labels": {"team": "web"}}}), only=STAMPED, before=then(asked(), CHANGED), leaves=authors("ada,ben")),
    on_rollout("the former template comes back: both changed it", "ben", change({"spec": {"template": pod_template("web:1")}}), only=STAMPED, before=then(asked(), CHANGED), leaves=authors("ada,ben")),
    on_rollout("scaled by spec.replicas", "ben", change({"spec": {"replicas": 7}}), only=STAMPED, leaves=both(authors("ada"), field_is("spec.replicas", 7))),
    on_rollout("scaled through its scale", "ben", scale(7), only=STAMPED, leaves=both(authors("ada"), field_is("spec.replicas", 7))),
    on_rollout("scaled by an HPA", "hpa", scale(7), only=STAMPED, leaves=both(authors("ada"), field_is("spec.replicas", 7))),
    on_rollout("restarted", "ben", change({"spec": {"restartedAt": "2026-01-01T00:00:00Z"}}), only=STAMPED, leaves=authors("ada")),
    on_rollout("an author takes his name off", "ada", change(notes({AUTHORS: None})), only=STAMPED, leaves=authors("ada")),
    on_rollout("all annotations are taken off", "ada", change({"metadata": {"annotations": None}}), only=STAMPED, leaves=authors("ada")),
    on_rollout("an author names another", "ada", change(named("ben")), only=STAMPED, leaves=authors("ada")),
    on_rollout("an author empties it", "ada", change(named("")), only=STAMPED, leaves=authors("ada")),
    on_rollout("a change in another's name", "ben", change(joined(IMAGE, named("ada"))), only=STAMPED, leaves=authors("ada,ben")),
    on_rollout("a change that takes the names off", "ben", change(joined(IMAGE, notes({AUTHORS: None}))), only=STAMPED, leaves=authors("ada,ben")),
    on_rollout("a manifest of which nobody knows", "ben", change(replaced, "put"), only=STAMPED, leaves=both(authors("ada,ben"), field_is("metadata.generation", 2))),
    on_rollout("a robot's manifest names others, and changes nothing", "gitops", change({**rollout("x"), **named("nobody")}, "apply"), only=STAMPED, leaves=authors("ada")),
    on_rollout("the seventeenth author", "seventeenth", change(IMAGE), only=STAMPED, before=sixteen, leaves=authors(f"{ODD},{FIFTEEN},*")),
    on_rollout("an author of sixteen comes again", "odd,*%", change(IMAGE), only=STAMPED, before=sixteen, leaves=authors(f"{ODD},{FIFTEEN}")),
    on_rollout("the operator empties it after a promotion", "operator", change(named("")), only=STAMPED, before=then(asked(), CHANGED), leaves=authors("")),
    on_rollout("the operator takes it off after a promotion", "operator", change(notes({AUTHORS: None})), only=STAMPED, leaves=authors("")),
    on_rollout("the first change after a promotion", "ben", change(IMAGE), only=STAMPED, before=then(asked(), EMPTIED), leaves=authors("ben")),
    on_rollout("a stolen operator names somebody", "operator", change(named("mallory")), only=STAMPED, leaves=authors("ada")),
]  # fmt: skip

LEAVE = "you change template or strategy, so annotation gatehold.dev/authors must be left out or be "
TOGETHER = "annotation gatehold.dev/authors changes together with template or strategy only: leave it as it is"
EMPTIES = "the operator empties annotation gatehold.dev/authors after a promotion, and writes nothing else into it"
SAID = by("ben", change(joined(IMAGE, named("ben,*"))))
BORN = by(
    "ada",
    lambda scene: Call(
        path(GROUP, "rollouts", SHOP), merged(rollout(scene.name), {"metadata": {"annotations": {AUTHORS: "ada"}}}), "post"
    ),
)

UNKNOWN = [
    new_rollout("nobody says who made it", "ada", only=UNSTAMPED, leaves=authors(None)),
    new_rollout("its creator says so", "ada", only=UNSTAMPED, changes={"metadata": {"annotations": {AUTHORS: "ada"}}}, leaves=authors("ada")),
    new_rollout("its creator names another", "ada", LEAVE + "ada", only=UNSTAMPED, changes={"metadata": {"annotations": {AUTHORS: "ben"}}}),
    new_rollout("its creator names nobody", "ada", LEAVE + "ada", only=UNSTAMPED, changes={"metadata": {"annotations": {AUTHORS: ""}}}),
    new_rollout("a name with a comma unescaped is two names", "odd,*%", LEAVE + ODD, only=UNSTAMPED, changes={"metadata": {"annotations": {AUTHORS: "odd,*%"}}}),
    on_rollout("a change of which nobody says who", "ben", change(IMAGE), only=UNSTAMPED, leaves=authors(None)),
    on_rollout("a change of one whose authors are unknown", "ben", change(joined(IMAGE, named("ben,*"))), only=UNSTAMPED, leaves=authors("ben,*")),
    on_rollout("a change of one whose authors are unknown, as if they were known", "ben", change(joined(IMAGE, named("ben"))), LEAVE + "ben,*", only=UNSTAMPED),
    on_rollout("a change that leaves the old names", "ben", change(IMAGE), LEAVE + "ada,ben", only=UNSTAMPED, before=BORN),
    on_rollout("a change of steps that leaves the old names", "ben", change(STEPS), LEAVE + "ada,ben", only=UNSTAMPED, before=BORN),
    on_rollout("a change that drops a name", "ben", change(joined(IMAGE, named("ben"))), LEAVE + "ada,ben", only=UNSTAMPED, before=BORN),
    on_rollout("a change that adds its author", "ben", change(joined(IMAGE, named("ada,ben"))), only=UNSTAMPED, before=BORN, leaves=authors("ada,ben")),
    on_rollout("a change that makes them unknown: the request needs another reviewer", "ben", change(joined(IMAGE, notes({AUTHORS: None}))), only=UNSTAMPED, before=BORN, leaves=authors(None)),
    on_rollout("a name without a change", "ben", change(named("ada,ben")), TOGETHER, only=UNSTAMPED, before=BORN),
    on_rollout("nobody, planted where they are unknown", "ben", change(named("")), TOGETHER, only=UNSTAMPED),
    on_rollout("an author empties it unstamped", "ada", change(named("")), TOGETHER, only=UNSTAMPED, before=BORN),
    on_rollout("a robot touches it", "gitops", change({"metadata": {"labels": {"team": "web"}}}), only=UNSTAMPED, before=then(asked(), SAID), leaves=authors("ben,*")),
    on_rollout("the seventeenth author unstamped", "seventeenth", change(joined(IMAGE, named("seventeenth,*"))), only=UNSTAMPED, before=sixteen, leaves=authors("seventeenth,*")),
    on_rollout("the operator empties it", "operator", change(named("")), only=UNSTAMPED, before=BORN, leaves=authors("")),
    on_rollout("a stolen operator names somebody unstamped", "operator", change(named("mallory")), EMPTIES, only=UNSTAMPED, before=BORN),
    on_rollout("scaled by an HPA, unstamped", "hpa", scale(7), only=UNSTAMPED, before=BORN, leaves=both(authors("ada"), field_is("spec.replicas", 7))),
]  # fmt: skip

NEVER = "the operator never creates, changes or scales a Rollout (but for one whose pods wait for a Gate, back to what was approved): its spec is what people ask for"
FINALIZER: Body = {"metadata": {"finalizers": ["gatehold.dev/rollout"]}}
HELD = then(asked(), by("operator", change(FINALIZER)))
OWN_HAND = [
    *(on_rollout(f"a stolen operator changes {says}", "operator", change(body), NEVER) for says, body in {"the template": IMAGE, "the steps": STEPS, "replicas": {"spec": {"replicas": 9}}, "restartedAt": {"spec": {"restartedAt": "2026-01-01T00:00:00Z"}}}.items()),
    on_rollout("a stolen operator changes the template by apply", "operator", change(IMAGE, "apply"), NEVER),
    on_rollout("a stolen operator changes the template while it sets its finalizer", "operator", change(joined(IMAGE, FINALIZER)), NEVER),
    on_rollout("a stolen operator scales it", "operator", scale(9), 'cannot update resource "rollouts/scale"', policy=RBAC),
    new_rollout("a stolen operator makes one", "operator", 'cannot create resource "rollouts"', policy=RBAC),
    on_rollout("a stolen operator deletes it", "operator", lambda scene: Call(the_rollout()(scene), None, "delete"), 'cannot delete resource "rollouts"', policy=RBAC),
    on_rollout("the operator sets its finalizer", "operator", change(FINALIZER), leaves=field_is("metadata.finalizers", ["gatehold.dev/rollout"])),
    on_rollout("the operator takes its finalizer off", "operator", change({"metadata": {"finalizers": None}}), before=HELD, leaves=lambda scene, after: not (after or {})["metadata"].get("finalizers")),
    on_rollout("the operator writes its status", "operator", change({"status": {"observedGeneration": 1}}, sub="status"), leaves=field_is("status.observedGeneration", 1)),
    on_rollout("the operator's name without its pod takes the names off", "pretender", change(named("")), "denied request: ", policy=f"{IDENTITY}|{ROLLOUTS}"),
]  # fmt: skip

OWN = "gatehold.dev/rollout"
SEEN_TO = f"finalizer {OWN} of a Rollout is changed by the operator only, once its children and questions are seen to; use kubectl apply instead of replace"
GOING = then(HELD, by("ada", lambda scene: Call(the_rollout()(scene), None, "delete")))
REPLACED = [
    on_rollout("replaced by a manifest from Git, which knows nothing of our finalizer", "ben", put(), only=STAMPED, before=HELD, leaves=both(field_is("metadata.finalizers", [OWN]), authors("ada,ben"), field_is("metadata.generation", 2))),
    *(on_rollout(f"replaced by a manifest with finalizers {given}", "ben", put(replaced_with(given)), only=STAMPED, before=HELD, leaves=both(field_is("metadata.finalizers", left), field_is("metadata.generation", 2))) for given, left in ((None, [OWN]), ([], [OWN]), ([OWN], [OWN]), (["example.com/mine"], [OWN, "example.com/mine"]), (["example.com/mine", OWN], ["example.com/mine", OWN]))),
    on_rollout("replaced before the operator has looked at it", "ben", put(), only=STAMPED, leaves=lambda scene, after: after is not None and not after["metadata"].get("finalizers")),
    on_rollout("replaced while it is being deleted", "ben", put(), SEEN_TO, only=STAMPED, before=GOING),
    on_rollout("replaced by a manifest from Git, unstamped", "ben", put(), SEEN_TO, only=UNSTAMPED, before=HELD),
    on_rollout("put back as it was read, without its finalizer", "ben", put(read_and_stripped), SEEN_TO, before=HELD),
]  # fmt: skip

MARKS = [
    on_rollout("its author takes our finalizer off", "ada", change({"metadata": {"finalizers": None}}), "finalizer gatehold.dev/rollout of a Rollout is changed by the operator only, once its children and questions are seen to", before=HELD),
    on_rollout("its author puts our finalizer on", "ada", change(FINALIZER), "finalizer gatehold.dev/rollout of a Rollout is changed by the operator only"),
    on_rollout("its author puts a finalizer of his own on", "ada", change({"metadata": {"finalizers": ["example.com/mine"]}}), leaves=field_is("metadata.finalizers", ["example.com/mine"])),
    on_rollout("its author labels it as ours", "ada", change({"metadata": {"labels": {"gatehold.dev/track": "stable"}}}), "label gatehold.dev/track of a Rollout is set by the operator only"),
    on_rollout("its author labels it", "ada", change({"metadata": {"labels": {"team": "web"}}}), leaves=field_is("metadata.labels.team", "web")),
    on_rollout("an override is written on the Rollout", "oona", change(notes({"gatehold.dev/override": "INC-4711: site down"})), "annotation gatehold.dev/override of a Rollout is written by the operator only; gatehold.dev/retry asks again after a rejection"),
    on_rollout("the names under a key in capitals", "ada", change(notes({"GateHold.dev/authors": ""})), "annotation GateHold.dev/authors of a Rollout is written by the operator only"),
    on_rollout("a cluster admin writes a mark of ours", "admin", change(notes({"gatehold.dev/promoted": "yes"})), "annotation gatehold.dev/promoted of a Rollout is written by the operator only"),
    new_rollout("born with our finalizer", "ada", "finalizer gatehold.dev/rollout of a Rollout is changed by the operator only", changes=FINALIZER),
    new_rollout("born with a label of ours", "ada", "label gatehold.dev/rollout of a Rollout is set by the operator only", changes={"metadata": {"labels": {"gatehold.dev/rollout": "x"}}}),
    new_rollout("pods that would bear our label", "ada", "labels of gatehold.dev are set by the operator; leave them out", policy=SCHEMA, changes={"spec": {"template": pod_template(**{"gatehold.dev/track": "stable"})}}),
    *(on_rollout(f"{who} asks again", who, change(notes({"gatehold.dev/retry": "2026-01-01 once more"})), leaves=lambda scene, after: notes_of(after)["gatehold.dev/retry"] == "2026-01-01 once more") for who in ("ada", "gitops", "ben")),
    on_rollout("somebody without rights on Rollouts asks again", "dora", change(notes({"gatehold.dev/retry": "x"})), 'cannot patch resource "rollouts"', policy=RBAC),
    *(on_rollout(f"a retry that is {says}", "ada", change(notes({"gatehold.dev/retry": text})), "annotation gatehold.dev/retry is any new value of 1 to 253 readable characters") for says, text in {"empty": "", "invisible": "\u200b", "too long": "x" * 254, "two lines": "a\nb"}.items()),
    *(on_rollout(f"{who} writes its status", who, change({"status": {"phase": "Healthy"}}, sub="status"), "status is written by the operator only", policy=STATUS) for who in ("admin", "mallory")),
    on_rollout("its author writes its status", "ada", change({"status": {"phase": "Healthy"}}, sub="status"), 'cannot patch resource "rollouts/status"', policy=RBAC),
    on_rollout("its author deletes it", "ada", lambda scene: Call(the_rollout()(scene), None, "delete"), leaves=gone),
    on_rollout("its author deletes it while it has children: it stays until the operator has seen to them", "ada", lambda scene: Call(the_rollout()(scene), None, "delete"), before=HELD, leaves=lambda scene, after: after is not None and gone(scene, after)),
    *(new_rollout(f"one in {namespace}", "admin", "Rollouts do not run in the cluster's own namespaces: the operator makes no Deployment there", namespace=namespace) for namespace in ("kube-system", "gatehold-system")),
]  # fmt: skip

ROLLOUT_ROWS = [*WHO, *UNKNOWN, *OWN_HAND, *REPLACED, *MARKS]
