"""Opening, changing and deleting requests. Rows of the wall's table."""
# ruff: noqa: E501 (a row is a line, so that rows can be read down)

from collections.abc import Callable
from typing import Any

from tests.wall.api import Call, path
from tests.wall.attempt import RBAC, SCHEMA, STATUS, Attempt, field_is, gone, notes_of
from tests.wall.people import OPERATOR as MANAGER
from tests.wall.people import OTHER, SHOP, SYSTEM, Body
from tests.wall.scene import GROUP, Ask, Scene, notes
from tests.wall.writes import Do, annotate, delete, merged, patch

ALICE_SAID = Ask(policy="prod", said=(("alice", "approve", "sre"),))
SPEC_FIELDS: dict[str, Body] = {
    "the policy": {"policyRef": {"name": "auto"}},
    "the subject": {"subject": {"name": "other"}},
    "the summary": {"summary": "nothing to see here"},
    "the requester": {"requester": {"username": "alice"}},
    "onBehalfOf": {"onBehalfOf": None},
    "the effect": {"effect": None},
    "the undo": {"effect": {"release": {"timeoutSeconds": 5}}},
    "the options": {"options": [{"name": "cheap"}]},
    "timeoutSeconds": {"timeoutSeconds": 31536000},
}
FULL = Ask(policy="choice", release=True, undo=True, options=("cheap", "fast"), on_behalf_of=("frank", "zoe"))


def create(
    by: str,
    spec: Body | None = None,
    *,
    namespace: str = SHOP,
    name: str = "",
    release: str = "",
    undo: str = "",
    **meta: Any,
) -> Do:
    """A creation by `by`: the scene's usual spec with these changes (null removes). {name} in a name is the scene's."""

    def call(scene: Scene) -> Call:
        found = scene.creation(by, name=named(name, scene), **meta)
        body: Body = found.body  # type: ignore[assignment]
        content: Body = dict(spec or {})
        if release:
            content = merged(
                {
                    "subject": {"apiVersion": "batch/v1", "kind": "Job", "name": release, "uid": "u-1"},
                    "effect": {"type": "Release"},
                },
                content,
            )
        if undo:
            content = merged(content, {"effect": {"release": {"undo": {"name": undo, "uid": "u-2"}}}})
        body["spec"] = merged(body["spec"], content)
        return Call(path(GROUP, "approvalrequests", namespace), body, "post")

    return call


def new(name: str = "", namespace: str = SHOP) -> Callable[[Scene], str]:
    """The request that such a creation would leave."""
    return lambda scene: path(GROUP, "approvalrequests", namespace, named(name, scene))


def named(name: str, scene: Scene) -> str:
    return (name or "{name}-new").replace("{name}", scene.name)


def asked_by_gate_web(scene: Scene, after: Body | None) -> bool:
    """It carries the Gate's label; an operator at work may have put its own beside it by now."""
    return after is not None and (after["metadata"].get("labels") or {}).get("gatehold.dev/gate") == "web"


def ends_in(end: str) -> Callable[[Scene, Body | None], bool]:
    return lambda scene, after: after is not None and after["metadata"]["name"].endswith(end)


def opening(says: str, by: str, do: Do, refused: str = "", **more: Any) -> Attempt:
    return Attempt(says, by=by, do=do, refused=refused, ask=Ask(state="nothing"), target=more.pop("target", new()), **more)


OPEN = [
    opening("a pipeline opens a request", "ci", create("ci"), leaves=field_is("spec.requester.username", "ci")),
    opening("a service account opens a request", "robot", create("robot"), leaves=field_is("spec.requester.username", "system:serviceaccount:shop:robot")),
    opening("the requester is stamped", "ci", create("ci", {"requester": None}), leaves=field_is("spec.requester.username", "ci"), only="stamped"),
    opening("no requester where stamping is not installed", "ci", create("ci", {"requester": None}), "spec.requester: Required value", policy=SCHEMA, only="unstamped"),
    opening("the release of a Job that one may patch", "ci", create("ci", release="some-job"), leaves=field_is("spec.effect.type", "Release")),
    opening("the release of the one Job that one may patch", "half", create("half", release="mine"), leaves=field_is("spec.subject.name", "mine")),
    opening("a drain by a holder of verb drain", "drainer", create("drainer", {"subject": None, "effect": {"type": "Drain", "drain": {"nodes": [{"name": "n1"}]}}}), leaves=field_is("spec.effect.type", "Drain")),
    opening("the operator names authors", "operator", create("operator", {"authors": ["grace"], "requester": {"username": MANAGER}}), leaves=field_is("spec.authors", ["grace"])),
    opening("the operator asks for a promotion, with the Gate's label", "operator", create("operator", {"subject": {"apiVersion": GROUP, "kind": "Rollout", "uid": "u"}, "effect": {"type": "Promote"}, "requester": {"username": MANAGER}}, labels={"gatehold.dev/gate": "web"}), leaves=asked_by_gate_web),
    opening("labels of one's own tools", "ci", create("ci", labels={"team": "web"}), leaves=field_is("metadata.labels.team", "web")),
    opening("no verb request", "nora", create("nora"), 'cannot create resource "approvalrequests"', policy=RBAC),
    opening("edit in the namespace, but no verb request", "editor", create("editor"), "you may not open requests under policy solo: ask for verb request on approvalpolicies with resourceName solo in namespace shop"),
    opening("verb request on another policy", "half", create("half", {"policyRef": {"name": "prod"}}), "you may not open requests under policy prod: ask for verb request"),
    opening("a policy that does not exist", "ci", create("ci", {"policyRef": {"name": "nothing"}}), "you may not open requests under policy nothing"),
    opening("in another's name", "ci", create("ci", {"requester": {"username": "alice"}}), "spec.requester must be you: username=ci"),
    opening("in the name of a service account", "ci", create("ci", {"requester": {"username": "system:serviceaccount:shop:robot"}}), "spec.requester must be you: username=ci"),
    opening("with a uid that one does not have", "ci", create("ci", {"requester": {"username": "ci", "uid": "u-1"}}), "spec.requester must be you: username=ci"),
    opening("a service account without its uid", "robot", create("robot", {"requester": {"username": "system:serviceaccount:shop:robot", "uid": None}}), "spec.requester must be you: username=system:serviceaccount:shop:robot, uid=", only="unstamped"),
    opening("with groups that one does not have", "ci", create("ci", {"requester": {"username": "ci", "groups": ["sre"]}}), "spec.requester must be you"),
    opening("authors named by a user", "ci", create("ci", {"authors": ["alice"]}), "spec.authors is written by the operator only, from what the API server stamped; leave it out"),
    opening("authors named by a cluster admin", "admin", create("admin", {"authors": ["alice"]}), "spec.authors is written by the operator only"),
    opening("about another namespace", "ci", create("ci", {"subject": {"namespace": OTHER}}), "open this request in namespace other: a request is decided by the people of the place it is about"),
    opening("the release of a Job of another namespace", "ci", create("ci", {"subject": {"namespace": OTHER}}, release="some-job"), "open this request in namespace other"),
    opening("a promotion by a user", "ci", create("ci", {"subject": {"apiVersion": GROUP, "kind": "Rollout", "uid": "u"}, "effect": {"type": "Promote"}}), "requests with effect Promote are opened by the operator only: change the Rollout and it asks by itself"),
    opening("a promotion by a cluster admin", "admin", create("admin", {"subject": {"apiVersion": GROUP, "kind": "Rollout", "uid": "u"}, "effect": {"type": "Promote"}}), "requests with effect Promote are opened by the operator only"),
    opening("the release of a Pod", "ci", create("ci", {"subject": {"apiVersion": "v1", "kind": "Pod"}}, release="p"), "you may ask for the release of a Job of this namespace (subject of apiVersion batch/v1, kind Job); other releases are opened by the operator only"),
    opening("the release of a Node", "ci", create("ci", {"subject": {"apiVersion": "v1", "kind": "Node"}}, release="n1"), "you may ask for the release of a Job of this namespace"),
    opening("the release of a Job of another group", "ci", create("ci", {"subject": {"apiVersion": "batch.volcano.sh/v1"}}, release="j"), "you may ask for the release of a Job of this namespace"),
    opening("the release of a Job that one may not patch", "half", create("half", release="yours"), "to ask for the release of Job yours you need verb patch on jobs.batch with that resourceName in namespace shop"),
    opening("an undo Job that one may not patch", "half", create("half", release="mine", undo="yours"), "to name Job yours as the undo you need verb patch on jobs.batch with that resourceName in namespace shop"),
    opening("a drain without verb drain", "ci", create("ci", {"subject": None, "effect": {"type": "Drain", "drain": {"nodes": [{"name": "n1"}]}}}), "you may not ask for drains: it takes verb drain on nodes (cluster-wide)"),
    opening("born with a verdict", "ci", create("ci", annotations={"verdict.gatehold.dev/0": "approve||sre|alice||ok"}), "a request cannot carry verdicts or gatehold.dev/approve, deny, withdraw or override when it is created; decide it once it is Pending"),
    opening("born with a word", "ci", create("ci", annotations={"gatehold.dev/approve": "ok"}), "a request cannot carry verdicts"),
    opening("born with the bookkeeping annotation", "ci", create("ci", annotations={"gatehold.dev/prepared-by": "1"}), "annotation gatehold.dev/prepared-by is written by the operator only"),
    opening("born with the Gate's label", "ci", create("ci", labels={"gatehold.dev/gate": "web"}), "label gatehold.dev/gate is set by the operator only; leave it out"),
    opening("born done", "ci", create("ci", labels={"gatehold.dev/done": "true"}), "label gatehold.dev/done is set by the operator only"),
    opening("born with a label of our domain in capitals", "ci", create("ci", labels={"gatehold.dev/Done": "true"}), "label gatehold.dev/Done is set by the operator only"),
    opening("born with a finalizer", "ci", create("ci", finalizers=["example.com/mine"]), "finalizers and ownerReferences are set by the operator only: the record of a decision outlives its subject; leave them out"),
    opening("born with an owner", "ci", create("ci", ownerReferences=[{"apiVersion": "v1", "kind": "ConfigMap", "name": "x", "uid": "y"}]), "finalizers and ownerReferences are set by the operator only"),
    opening("under a name that only the operator's questions have", "ci", create("ci", name="{name}-5d0c6f6e-q91ab"), "a name that ends as this one does (like -5d0c6f6e-q91ab) is kept for the operator's own questions; take another name", target=new("{name}-5d0c6f6e-q91ab")),
    opening("under such a name by a cluster admin", "admin", create("admin", name="{name}-00000000-q0000"), "a name that ends as this one does", target=new("{name}-00000000-q0000")),
    opening("under such a name by the operator", "operator", create("operator", name="{name}-5d0c6f6e-qffff", labels={"gatehold.dev/gate": "web"}), leaves=asked_by_gate_web, target=new("{name}-5d0c6f6e-qffff")),
    *(opening(f"under a name that ends in {end}", "ci", create("ci", name="{name}" + end), leaves=ends_in(end), target=new("{name}" + end)) for end in ("-20261128-1200", "-5d0c6f6e-91ab", "-5d0c6f6e-q91ab2", "-5d0c6f6e-q91ab-2")),
    opening("born with 97 annotations", "ci", create("ci", annotations={f"example.com/{n}": "x" for n in range(97)}), "annotations of other tools may not exceed 32 KiB or 96 keys in total"),
    opening("born with 33 KiB of annotations", "ci", create("ci", annotations={"example.com/big": "x" * 33000}), "annotations of other tools may not exceed 32 KiB"),
    opening("born with 65 labels", "ci", create("ci", labels={f"l{n}": "x" for n in range(65)}), "a request may not carry more than 64 labels (room is kept for verdicts)"),
    opening("the probe's request by a cluster admin", "admin", create("admin", namespace=SYSTEM, name="gatehold-probe"), "gatehold-probe is the operator's own request, by which it tests this wall; take another name", target=new("gatehold-probe", SYSTEM)),
]  # fmt: skip

HIDDEN = "flat\u200bline"
BAD_SPECS: dict[str, tuple[Body, str]] = {
    "without a subject": ({"subject": None}, "name the subject of the request"),
    "a drain with a subject": (
        {"effect": {"type": "Drain", "drain": {"nodes": [{"name": "n"}]}}},
        "only with effect Drain leave it out",
    ),
    "a release without uid": (
        {"subject": {"apiVersion": "batch/v1", "kind": "Job", "name": "j"}, "effect": {"type": "Release"}},
        "it needs apiVersion and uid",
    ),
    "a release without apiVersion": (
        {"subject": {"kind": "Job", "name": "j", "uid": "u"}, "effect": {"type": "Release"}},
        "it needs apiVersion and uid",
    ),
    "a promotion without uid": (
        {"subject": {"apiVersion": GROUP, "kind": "Rollout", "name": "j"}, "effect": {"type": "Promote"}},
        "it needs apiVersion and uid",
    ),
    "an undo that is the subject": (
        {
            "subject": {"apiVersion": "batch/v1", "kind": "Job", "name": "j", "uid": "u"},
            "effect": {"type": "Release", "release": {"undo": {"name": "j", "uid": "v"}}},
        },
        "the undo Job is another Job than the subject",
    ),
    "an undo without uid": (
        {
            "subject": {"apiVersion": "batch/v1", "kind": "Job", "name": "j", "uid": "u"},
            "effect": {"type": "Release", "release": {"undo": {"name": "k"}}},
        },
        "undo.uid: Required value",
    ),
    "effect None with a drain": (
        {"effect": {"type": "None", "drain": {"nodes": [{"name": "n"}]}}},
        "give the member that type names, and no other",
    ),
    "effect None with a release": (
        {"effect": {"type": "None", "release": {"timeoutSeconds": 5}}},
        "give the member that type names, and no other",
    ),
    "a drain without its member": (
        {"subject": None, "effect": {"type": "Drain"}},
        "give the member that type names, and no other",
    ),
    "a drain of nodes and a selector": (
        {
            "subject": None,
            "effect": {"type": "Drain", "drain": {"nodes": [{"name": "n"}], "selector": {"matchLabels": {"a": "b"}}}},
        },
        "name the nodes or select them, not both",
    ),
    "a selector whose key is none": (
        {"subject": None, "effect": {"type": "Drain", "drain": {"selector": {"matchLabels": {"a b": "c"}}}}},
        "not a label key",
    ),
    "an unknown effect": ({"effect": {"type": "Delete"}}, "Unsupported value"),
    "an effect without type": ({"effect": {}}, "effect.type: Required value"),
    "a link by http": ({"links": [{"url": "http://example.com/"}]}, "spec.links[0].url"),
    "a link with a user name before the host": (
        {"links": [{"url": "https://grafana.example.com@evil.example/"}]},
        "spec.links[0].url",
    ),
    "a link to a script": ({"links": [{"url": "javascript:alert(1)"}]}, "spec.links[0].url"),
    "a link with a host in other letters": ({"links": [{"url": "https://ex\u0430mple.com/"}]}, "spec.links[0].url"),
    "hidden text in the summary": (
        {"summary": HIDDEN},
        "no line breaks, control characters, invisible characters or direction marks",
    ),
    "a line break in the summary": ({"summary": "one\ntwo"}, "no line breaks"),
    "escape codes in the description": ({"description": "\u001b[2Jgone"}, "no control characters other than line feeds"),
    "hidden text in evidence": ({"evidence": [{"name": "errors", "value": HIDDEN}]}, "no line breaks"),
    "hidden text in an option": ({"options": [{"name": "a", "summary": HIDDEN}]}, "no line breaks"),
    "hidden text in onBehalfOf": ({"onBehalfOf": ["al\u200bice"]}, "no line breaks"),
    "two options of one name": ({"options": [{"name": "a"}, {"name": "a"}]}, "Duplicate value"),
    "nine options": ({"options": [{"name": f"o{n}"} for n in range(9)]}, "must have at most 8 items"),
    "nine people on whose behalf it is": ({"onBehalfOf": [f"p{n}" for n in range(9)]}, "must have at most 8 items"),
    "the same person twice in onBehalfOf": ({"onBehalfOf": ["a", "a"]}, "Duplicate value"),
    "a negative cost": ({"cost": {"amount": "-1"}}, "spec.cost.amount"),
    "a cost with an exponent": ({"cost": {"amount": "1e3"}}, "spec.cost.amount"),
    "a cost as a number": ({"cost": {"amount": 3}}, "must be of type string"),
    "a risk above 100": ({"risk": {"score": 101}}, "less than or equal to 100"),
    "no time at all": ({"timeoutSeconds": 0}, "greater than or equal to 1"),
    "more than a year": ({"timeoutSeconds": 31536001}, "less than or equal to 31536000"),
    "an empty policy name": ({"policyRef": {"name": ""}}, "spec.policyRef.name"),
    "a policy name in capitals": ({"policyRef": {"name": "Prod"}}, "spec.policyRef.name"),
}
MALFORMED = [
    opening(f"a request {says}", "ci", create("ci", spec), text, policy=SCHEMA) for says, (spec, text) in BAD_SPECS.items()
]

CHANGE = [
    *(Attempt(f"somebody changes {says} by merge patch", ask=FULL, by="ci", do=patch({"spec": change}), refused="spec is immutable; open a new request instead", policy=SCHEMA) for says, change in SPEC_FIELDS.items()),
    Attempt("the requester changes spec by PUT", ask=FULL, by="ci", do=patch({"spec": {"summary": "x"}}, "put"), refused="spec is immutable", policy=SCHEMA),
    Attempt("the requester changes spec by server-side apply with force", ask=FULL, by="ci", do=patch({"spec": {"summary": "x"}}, "apply"), refused="spec is immutable", policy=SCHEMA),
    Attempt("the operator changes spec", ask=FULL, by="operator", do=patch({"spec": {"summary": "x"}}), refused="spec is immutable", policy=SCHEMA),
    Attempt("a cluster admin changes spec", ask=FULL, by="admin", do=patch({"spec": {"summary": "x"}}), refused="spec is immutable", policy=SCHEMA),
    # the schema compares sets and maps without their order, the digest does not
    Attempt("the requester turns the options round", ask=FULL, by="ci", do=patch({"spec": {"options": [{"name": "fast"}, {"name": "cheap"}]}}), refused="spec is immutable; open a new request instead"),
    Attempt("the requester turns onBehalfOf round", ask=FULL, by="ci", do=patch({"spec": {"onBehalfOf": ["zoe", "frank"]}}), refused="spec is immutable; open a new request instead"),
    Attempt("the requester writes status through the main resource: ignored", by="ci", do=patch({"status": {"phase": "Approved"}}), leaves=field_is("status.phase", "Pending")),
    Attempt("the requester changes labels of other tools", by="ci", do=patch({"metadata": {"labels": {"team": "web"}}}), leaves=field_is("metadata.labels.team", "web")),
    Attempt("the requester changes annotations of other tools", by="ci", do=annotate()({"example.com/run": "7"}), leaves=lambda scene, after: notes_of(after)["example.com/run"] == "7"),
    Attempt("a reviewer changes labels of other tools", by="alice", do=patch({"metadata": {"labels": {"team": "web"}}}), refused="label team may be changed by the operator or the requester only"),
    Attempt("a cluster admin changes labels of other tools", by="admin", do=patch({"metadata": {"labels": {"team": "web"}}}), refused="label team may be changed by the operator or the requester only"),
    Attempt("a reviewer changes annotations of other tools", by="alice", do=annotate()({"example.com/run": "7"}), refused="annotation example.com/run may be changed by the operator or the requester only"),
    Attempt("a reviewer removes another tool's annotation", ask=Ask(annotations={"example.com/run": "7"}), by="alice", do=annotate()({"example.com/run": None}), refused="annotation example.com/run may be changed by the operator or the requester only"),
    Attempt("a word and another tool's annotation in one write", by="alice", do=annotate()({"gatehold.dev/approve": "ok", "example.com/run": "7"}), refused="annotation example.com/run may be changed", only="stamped"),
    Attempt("the requester says that it is done", by="ci", do=patch({"metadata": {"labels": {"gatehold.dev/done": "true"}}}), refused="label gatehold.dev/done is set by the operator only"),
    Attempt("the requester puts the Gate's label on", by="ci", do=patch({"metadata": {"labels": {"gatehold.dev/gate": "web"}}}), refused="label gatehold.dev/gate is set by the operator only"),
    Attempt("a cluster admin says that it is done", by="admin", do=patch({"metadata": {"labels": {"gatehold.dev/done": "true"}}}), refused="label gatehold.dev/done is set by the operator only"),
    Attempt("the done label through /status", by="mallory", do=patch({"metadata": {"labels": {"gatehold.dev/done": "true"}}}, sub="status"), refused="status is written by the operator only; decide with gatehold.dev/approve", policy=STATUS),
    Attempt("a verdict through /status", by="alice", do=patch(notes({"verdict.gatehold.dev/0": "approve|{digest}|sre|alice||ok"}), sub="status"), refused="status is written by the operator only", policy=STATUS),
    Attempt("the operator says that it is done", by="operator", do=patch({"metadata": {"labels": {"gatehold.dev/done": "true"}}}), leaves=field_is("metadata.labels", {"gatehold.dev/done": "true"})),
    Attempt("the operator writes its bookkeeping annotation", by="operator", do=annotate()({"gatehold.dev/prepared-by": "1"}), leaves=lambda scene, after: notes_of(after)["gatehold.dev/prepared-by"] == "1"),
    Attempt("the requester puts a finalizer on", by="ci", do=patch({"metadata": {"finalizers": ["example.com/mine"]}}), refused="finalizers and ownerReferences are changed by the operator only"),
    Attempt("the requester puts an owner on", by="ci", do=patch({"metadata": {"ownerReferences": [{"apiVersion": "v1", "kind": "ConfigMap", "name": "x", "uid": "y"}]}}), refused="finalizers and ownerReferences are changed by the operator only"),
    Attempt("a cluster admin puts an owner on", by="admin", do=patch({"metadata": {"ownerReferences": [{"apiVersion": "v1", "kind": "ConfigMap", "name": "x", "uid": "y"}]}}), refused="finalizers and ownerReferences are changed by the operator only"),
    Attempt("the requester fills the annotations up", by="ci", do=annotate()({f"example.com/{n}": "x" for n in range(97)}), refused="annotations of other tools may not exceed 32 KiB or 96 keys"),
    Attempt("the requester fills the labels up while the effect runs", ask=Ask(state="running", release=True), by="ci", do=patch({"metadata": {"labels": {f"l{n}": "x" for n in range(65)}}}), refused="a request may not carry more than 64 labels"),
    Attempt("the manifest applied again by kubectl's way", ask=ALICE_SAID, by="ci", do=lambda scene: Call(scene.target, {"apiVersion": GROUP, "kind": "ApprovalRequest", "metadata": {"name": scene.name, "namespace": SHOP}, "spec": scene.spec()}, "apply", {"fieldManager": "gitops", "force": "true"}), leaves=lambda scene, after: "verdict.gatehold.dev/0" in (after or {})["metadata"]["annotations"]),
]  # fmt: skip

REMOVE = [
    Attempt("the requester deletes what nobody has decided", by="ci", do=delete(), leaves=gone),
    Attempt("the requester deletes what nobody has looked at", ask=Ask(state="new"), by="ci", do=delete(), leaves=gone),
    Attempt("the operator deletes what is over", ask=Ask(state="Denied"), by="operator", do=delete(), leaves=gone),
    Attempt("the garbage collector deletes", by="collector", do=delete(), leaves=gone),
    Attempt("the requester deletes what somebody has decided", ask=ALICE_SAID, by="ci", do=delete(), refused='its requester may delete it while it is pending and nobody has decided, and take it back after that with gatehold.dev/withdraw="why"'),
    Attempt("the requester deletes what somebody has decided, not recorded yet", ask=Ask(policy="prod", said=(("alice", "deny", "sre"),), recorded=False), by="ci", do=delete(), refused="only the operator deletes a request, when its retention is over"),
    Attempt("the requester deletes what is denied", ask=Ask(state="Denied"), by="ci", do=delete(), refused="only the operator deletes a request"),
    Attempt("the requester deletes what runs", ask=Ask(state="running", release=True), by="ci", do=delete(), refused="only the operator deletes a request"),
    Attempt("another pipeline deletes", by="mallory", do=delete(), refused="only the operator deletes a request"),
    Attempt("a cluster admin deletes", by="admin", do=delete(), refused="only the operator deletes a request"),
    Attempt("a reviewer deletes", by="alice", do=delete(), refused='cannot delete resource "approvalrequests"', policy=RBAC),
    Attempt("another pipeline deletes the collection", ask=ALICE_SAID, by="mallory", do=lambda scene: Call(path(GROUP, "approvalrequests", SHOP), how="delete", query={"fieldSelector": f"metadata.name={scene.name}"}), refused="only the operator deletes a request"),
]  # fmt: skip

REQUEST_ROWS = [*OPEN, *MALFORMED, *CHANGE, *REMOVE]
