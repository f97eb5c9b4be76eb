"""Drains: who asks, in whose name, and what leads to the webhook. Rows of the wall's table."""
# ruff: noqa: E501 (a row is a line, so that rows can be read down)

from typing import Any

from tests.wall.api import Call, path
from tests.wall.attempt import OPERATOR, RBAC, Attempt, field_is, gone, leaves
from tests.wall.nodes import MANAGER, NOTHING
from tests.wall.people import SYSTEM, Body
from tests.wall.scene import Ask, Scene
from tests.wall.table_places import BECOME
from tests.wall.table_requests import create, ends_in, new, opening
from tests.wall.writes import Do, delete, stored, word

NODE: Body = {"apiVersion": "v1", "kind": "Node", "name": "n1", "uid": "0a1b2c3d-0000-4000-8000-000000000001"}
BY_ALICE: Body = {"username": "alice", "groups": ["sre", "system:authenticated"]}
HELD: Body = {"subject": NODE, "effect": {"type": "Release"}, "requester": BY_ALICE}
NO_UID: Body = {"requester": {**BY_ALICE, "uid": None}}
DRAIN: Body = {"subject": None, "effect": {"type": "Drain", "drain": {"nodes": [{"name": "n1"}]}}}
GATE = {"gatehold.dev/gate": "gpu"}
TWO_KINDS = "the operator asks for two kinds of release, both with label gatehold.dev/gate: that of a Node (apiVersion v1), in the name of whoever evicts its pods, and in its own name that of the pods of an owner, named with its uid, in the namespace of the request"
OWN_NAME = "the operator asks in its own name, and in another's only about a drain that a Gate holds (effect Release on a Node, label gatehold.dev/gate)"
USERS = "you may ask for the release of a Job of this namespace (subject of apiVersion batch/v1, kind Job); other releases are opened by the operator only"
KEPT = "a name that ends as this one does (like -3fa9c1d2-d0) is kept for the operator's own requests about held drains; take another name"


def asks(says: str, body: Body, refused: str = "", *, labels: Any = GATE, **more: Any) -> Attempt:
    """The operator opens a request. No operator runs: it would follow this one."""
    more = {"only": "stopped", **more}
    return opening(f"the operator asks {says}", "operator", create("operator", body, labels=labels), refused, **more)


def held(**changes: Any) -> Body:
    return {**HELD, **changes}


OPENED = [
    asks("about a drain by alice, which a Gate holds", {**HELD, **NO_UID}, leaves=field_is("spec.requester", BY_ALICE)),
    asks("about a drain by a robot", held(requester={"username": "system:serviceaccount:shop:robot", "uid": "u-1"}), leaves=field_is("spec.requester.uid", "u-1")),
    asks("about a drain by alice without saying which Gate", HELD, TWO_KINDS, labels={}),
    asks("about a drain by alice of an empty Gate", HELD, TWO_KINDS, labels={"gatehold.dev/gate": ""}),
    asks("about a drain in its own name", held(requester={"username": MANAGER}), TWO_KINDS),
    asks("for the release of a Pod in another's name", held(subject={"apiVersion": "v1", "kind": "Pod", "name": "p", "uid": "u"}), TWO_KINDS),
    asks("for the release of a Node of another group", held(subject={**NODE, "apiVersion": "metal.example.com/v1"}), TWO_KINDS),
    asks("for the release of a Job in another's name", held(subject={"apiVersion": "batch/v1", "kind": "Job", "name": "j", "uid": "u"}), TWO_KINDS),
    asks("for the release of a Job in its own name", held(subject={"apiVersion": "batch/v1", "kind": "Job", "name": "j", "uid": "u"}, requester={"username": MANAGER}), TWO_KINDS),
    asks("about nothing in another's name", {"requester": {"username": "ci"}}, OWN_NAME),
    asks("about a Node in another's name, without an effect", {"subject": NODE, "requester": BY_ALICE}, OWN_NAME),
    asks("for a promotion in another's name", {"subject": {"apiVersion": "gatehold.dev/v1alpha1", "kind": "Rollout", "uid": "u"}, "effect": {"type": "Promote"}, "requester": {"username": "ci"}}, OWN_NAME),
    asks("for a drain in another's name", {**DRAIN, "requester": {"username": "drainer"}}, OWN_NAME),
    asks("for a drain in its own name", {**DRAIN, "requester": {"username": MANAGER}}, "you may not ask for drains: it takes verb drain on nodes (cluster-wide)"),
    opening("a held drain by who evicts", "alice", create("alice", {"subject": NODE, "effect": {"type": "Release"}}, labels=GATE), 'cannot create resource "approvalrequests"', policy=RBAC),
    opening("a held drain by a requester", "ci", create("ci", {"subject": NODE, "effect": {"type": "Release"}}), USERS),
    opening("a held drain by a holder of verb drain", "drainer", create("drainer", {"subject": NODE, "effect": {"type": "Release"}}), USERS),
    opening("a held drain by a holder of verb drain, with the Gate's label", "drainer", create("drainer", {"subject": NODE, "effect": {"type": "Release"}}, labels=GATE), USERS),
    opening("a held drain by a cluster admin", "admin", create("admin", {"subject": NODE, "effect": {"type": "Release"}}, labels=GATE), USERS),
    opening("a held drain in another's name by a cluster admin", "admin", create("admin", HELD, labels=GATE), "spec.requester must be you: username=admin"),
    opening("a drain with a Gate's label by a holder of verb drain", "drainer", create("drainer", DRAIN, labels=GATE), "label gatehold.dev/gate is set by the operator only; leave it out"),
    opening("a drain in another's name by a holder of verb drain", "drainer", create("drainer", {**DRAIN, "requester": {"username": "ci"}}), "spec.requester must be you: username=drainer"),
    opening("a drain by an editor of the namespace", "editor", create("editor", DRAIN), "you may not open requests under policy solo"),
    opening("a drain by who works on nodes", "wanda", create("wanda", DRAIN), 'cannot create resource "approvalrequests"', policy=RBAC),
    opening("under the next name of a held drain", "ci", create("ci", name="{name}-3fa9c1d2-d0"), KEPT, target=new("{name}-3fa9c1d2-d0")),
    opening("under a late name of a held drain, by a cluster admin", "admin", create("admin", name="{name}-3fa9c1d2-d9999"), KEPT, target=new("{name}-3fa9c1d2-d9999")),
    *(opening(f"under a name that ends in {end}", "ci", create("ci", name="{name}" + end), leaves=ends_in(end), target=new("{name}" + end)) for end in ("-3fa9c1d2-0", "-3fa9c1d2-d", "-3fa9c1d2-dx", "-3fa9c1d-d0")),
]  # fmt: skip

STANDS = Ask(opened_by="operator", requester="alice", spec=HELD, labels=GATE)
MINE = Ask(
    opened_by="operator",
    requester="robot",
    spec=held(requester={"username": "system:serviceaccount:shop:robot"}),
    labels=GATE,
)
NAMESAKE = Ask(
    opened_by="operator",
    requester="robot",
    spec=held(requester={"username": "system:serviceaccount:shop:robot", "uid": "of-another"}),
    labels=GATE,
)
UNDER_WAY = Ask(state="running", opened_by="operator", requester="ci", spec=held(requester={"username": "ci"}), labels=GATE)
OWN_DRAIN = Ask(requester="drainer", spec=DRAIN)


def says(what: str, who: str, do: Do, refused: str = "", *, ask: Ask = STANDS, **more: Any) -> Attempt:
    return Attempt(f"a held drain: {what}", by=who, do=do, ask=ask, refused=refused, only="stopped", **more)


YOURS = 'you opened this request, so somebody else has to decide it (gatehold.dev/withdraw="why" takes it back)'
DECIDED = [
    says("who evicts approves", "alice", word("approve", "go", by="alice"), YOURS),
    says("who evicts denies", "alice", word("deny", "no", by="alice"), YOURS),
    says("who evicts takes it back", "alice", word("withdraw", "not today", by="alice"), leaves=leaves(v0="withdraw|{digest}||alice||not today")),
    says("a robot that evicts takes it back", "robot", word("withdraw", "not today", by="robot"), ask=MINE, leaves=leaves(v0="withdraw|{digest}||system:serviceaccount:shop:robot||not today")),
    says("an account of that name and another uid takes it back", "robot", word("withdraw", "mine", by="robot"), "only system:serviceaccount:shop:robot, who opened this request, may withdraw it", ask=NAMESAKE),
    says("somebody else takes it back", "bob", word("withdraw", "not today", by="bob"), "only alice, who opened this request, may withdraw it; a reviewer stops it with gatehold.dev/deny"),
    says("the operator takes it back", "operator", word("withdraw", "not today", by=MANAGER), "who opened this request, may withdraw it"),
    says("somebody else approves", "bob", word("approve", "go", by="bob"), leaves=leaves(v0="approve|{digest}|sre|bob||go")),
    says("somebody without the role approves", "nora", word("approve", "go", by="nora"), "you hold none of the roles this request needs", unstamped="you do not hold role sre"),
    says("an editor of the namespace approves", "editor", stored("approve|{digest}|sre|editor||go"), "you do not hold role sre: it takes verb approve on approvalpolicies/sre"),
    says("an editor of the namespace deletes it", "editor", delete(), "only the operator deletes a request, when its retention is over"),
    says("who evicts is written down anew", "operator", lambda scene: Call(scene.target, {"spec": {"requester": {"username": "bob"}}}), "spec is immutable", policy="schema"),
    says("its Gate is written down anew by who evicts", "alice", lambda scene: Call(scene.target, {"metadata": {"labels": {"gatehold.dev/gate": "mine"}}}), "label gatehold.dev/gate is set by the operator only"),
    says("it is denied while it goes on", "vic", word("deny", "stop", by="vic", role="security"), ask=UNDER_WAY, leaves=lambda scene, after: "deny|" in str((after or {})["metadata"]["annotations"].values())),
    says("it is approved again while it goes on, by who evicts", "ci", word("approve", "go", by="ci"), "this request is Approved already", ask=UNDER_WAY),
    says("the requester of a drain approves it", "drainer", word("approve", "go", by="drainer"), YOURS, ask=OWN_DRAIN),
]  # fmt: skip

TLS, CA, LEASE, KEEPER = "gatehold-webhook-tls", "gatehold-webhook-ca", "gatehold-node-n1-5d0c6f6e", "gatehold-operator"
LEASES = "coordination.k8s.io/v1"


def in_place(version: str, plural: str, name: str) -> Any:
    return lambda scene: path(version, plural, SYSTEM, name)


def secret(name: str, kind: str = "kubernetes.io/tls", value: str = "eA==") -> Body:
    body = {"apiVersion": "v1", "kind": "Secret", "type": kind, "metadata": {"name": name}}
    return {**body, "data": {"tls.crt": value, "tls.key": value}}


def lease(name: str, holder: str = "u") -> Body:
    return {"apiVersion": LEASES, "kind": "Lease", "metadata": {"name": name}, "spec": {"holderIdentity": holder}}


def there(body: Body) -> Any:
    """The object, made by the platform's own hand unless it is there already; or not there, where `body` names it only."""

    def make(scene: Scene) -> None:
        version, plural = body["apiVersion"], body["kind"].lower() + "s"
        scene.people["admin"].send(Call(path(version, plural, SYSTEM), body, "post"))

    return make


def away(version: str, plural: str, name: str) -> Any:
    def make(scene: Scene) -> None:
        scene.people["admin"].send(Call(path(version, plural, SYSTEM, name), None, "delete"))

    return make


def way(says: str, who: str, do: Do, refused: str = "", **more: Any) -> Attempt:
    more = {"policy": OPERATOR, "only": "stopped", "ask": NOTHING, **more}
    return Attempt(f"the way to the webhook: {says}", by=who, do=do, refused=refused, **more)


def makes(says: str, who: str, body: Body, refused: str = "", **more: Any) -> Attempt:
    version, plural, name = body["apiVersion"], body["kind"].lower() + "s", body["metadata"]["name"]
    do = lambda scene: Call(path(version, plural, SYSTEM), body, "post")  # noqa: E731
    more = {"leaves": field_is("metadata.name", name), **more} if not refused else more
    return way(says, who, do, refused, before=away(version, plural, name), target=in_place(version, plural, name), **more)


def changes(says: str, who: str, body: Body, change: Body | None, refused: str = "", **more: Any) -> Attempt:
    """A merge patch of it, or its deletion where there is no change."""
    version, plural, name = body["apiVersion"], body["kind"].lower() + "s", body["metadata"]["name"]
    target = in_place(version, plural, name)
    do = lambda scene: Call(target(scene), change, "merge" if change else "delete")  # noqa: E731
    return way(says, who, do, refused, before=there(body), target=target, **more)


NEW: Body = {"data": {"tls.crt": "eQ=="}}
IS_NEW = field_is("data.tls.crt", "eQ==")
SECRETS, LEASES_OF = f"secrets in gatehold-system{BECOME}", f"leases in gatehold-system{BECOME}"
SERVICE: Body = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "gatehold"},
    "spec": {"ports": [{"port": 443}], "selector": {"app": "gatehold"}},
}
ENDPOINTS: Body = {
    "apiVersion": "discovery.k8s.io/v1",
    "kind": "EndpointSlice",
    "addressType": "IPv4",
    "metadata": {"name": "evil", "labels": {"kubernetes.io/service-name": "gatehold"}},
    "endpoints": [{"addresses": ["10.0.0.1"]}],
    "ports": [{"port": 443}],
}
WAYS = [
    makes("a certificate before anybody made one", "smith", secret(TLS), SECRETS),
    makes("an authority before anybody made one", "smith", secret(CA), SECRETS),
    changes("another certificate", "smith", secret(TLS), NEW, SECRETS),
    changes("the certificate is taken away", "eve", secret(TLS), None, SECRETS),
    changes("another authority", "adam", secret(CA), NEW, SECRETS),
    changes("the authority is taken away", "smith", secret(CA), None, SECRETS),
    changes("the operator changes the certificate", "operator", secret(TLS), NEW, leaves=lambda scene, after: (after or {})["data"]["tls.crt"] == "eQ=="),
    makes("the operator makes a certificate", "operator", secret(TLS), SECRETS),
    changes("the operator takes the certificate away", "operator", secret(TLS), None, SECRETS),
    changes("the operator changes the authority", "operator", secret(CA), NEW, SECRETS),
    makes("the operator makes a Secret of another name of ours", "operator", secret("gatehold-other"), SECRETS),
    makes("cert-manager makes the certificate", "renewer", secret(TLS)),
    changes("cert-manager renews the certificate", "renewer", secret(TLS), NEW, leaves=lambda scene, after: (after or {})["data"]["tls.crt"] == "eQ=="),
    changes("cert-manager takes the certificate away", "renewer", secret(TLS), None, SECRETS),
    makes("cert-manager makes a Secret of another kind", "renewer", secret(TLS, "Opaque"), SECRETS),
    changes("cert-manager changes the authority", "renewer", secret(CA), NEW, SECRETS),
    makes("somebody else's certificate", "smith", secret("other-tls")),
    changes("the Service leads elsewhere", "smith", SERVICE, {"spec": {"type": "ExternalName", "externalName": "evil.example"}}, f"services in gatehold-system{BECOME}"),
    changes("the Service selects other pods", "eve", SERVICE, {"spec": {"selector": {"app": "evil"}}}, f"services in gatehold-system{BECOME}"),
    makes("endpoints of the Service", "smith", ENDPOINTS, f"endpointslices in gatehold-system{BECOME}"),
    makes("the Lease of a node is taken before anybody drains it", "smith", lease(LEASE), LEASES_OF),
    makes("the Lease of a node is taken by an editor there", "eve", lease(LEASE), LEASES_OF),
    changes("the Lease of a node is handed to another request", "smith", lease(LEASE), {"spec": {"holderIdentity": "mine"}}, LEASES_OF),
    changes("the Lease of a node is dropped, so that two work on it", "adam", lease(LEASE), None, LEASES_OF),
    makes("the operator takes the Lease of a node", "operator", lease(LEASE)),
    changes("the operator drops the Lease of a node", "operator", lease(LEASE), None, leaves=gone),
    changes("the operator hands the Lease of a node on", "operator", lease(LEASE), {"spec": {"holderIdentity": "mine"}}, 'cannot patch resource "leases"', policy=RBAC),
    makes("somebody else's Lease", "smith", lease("another")),
]  # fmt: skip

HELD_ROWS = [*OPENED, *DECIDED, *WAYS]
