"""Ways round the gate, through the real operator: none gets version 2 to serve, and none stops an honest answer."""

import itertools
import json
import time
from hashlib import sha256

import pytest

from controlplane import KubectlError
from gatehold.api.digest import rollout_digest
from gatehold.api.rollout import parse
from gatehold.domain.rollout.asking import MOST_QUESTIONS
from tests.e2e.rollouts.shop import Shop
from tests.e2e.rollouts.test_authors import apply, robot
from tests.e2e.stage import Body, connection
from tests.wall.api import Answer, Call

HPA = ("system:serviceaccount:kube-system:horizontal-pod-autoscaler", "system:authenticated")
OPERATOR = ("system:serviceaccount:gatehold-system:gatehold", "system:authenticated")
WORDS = {"Approved": "approve", "Denied": "deny"}
THIRTY = ({"setWeight": 30},)


def gated(shop: Shop, weight: int = 20) -> None:
    """Version 1 runs, and from now on two of sre are asked."""
    shop.running()
    shop.gate(shop.promotes(), maxWeightBeforeApproval=weight)


def held(shop: Shop) -> str:
    """Version 2 held at 20 %; answers its request."""
    gated(shop)
    shop.rollout(image="2")
    return shop.until_asked()


def served(shop: Shop) -> set[str]:
    """The images of all pods that stable's Service would reach."""
    return {pod["spec"]["containers"][0]["image"] for pod in shop.track_pods("stable")}


def stays(shop: Shop, seconds: float = 3) -> None:
    """Version 1 goes on serving alone."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        assert (shop.image("stable"), served(shop)) == ("1", {"example.org/web:1"})
        time.sleep(0.25)


def promoted(shop: Shop, request: str, image: str = "2") -> None:
    """The honest answer still does what it says."""
    shop.yes(request)
    shop.until_healthy()
    assert shop.image("stable") == image
    assert shop.until_done(request)["status"]["phase"] == "Released"


def coming(shop: Shop, policy: str, attempt: int, image: str = "2") -> tuple[str, Body]:
    """Name and subject of the question that this version will bring, as anybody can work them out."""
    body = json.dumps(shop.rollout_body(image=image))
    seen = parse(json.loads(shop.kubectl("apply", "--dry-run=server", "-o", "json", "-f", "-", user="ci", stdin=body)))
    digest = rollout_digest(seen.uid, seen.template, seen.strategy, ())
    subject = {"apiVersion": "gatehold.dev/v1alpha1", "kind": "Rollout", "name": "web", "uid": seen.uid, "digest": digest}
    return name_of(policy, attempt, subject), subject


def name_of(policy: str, attempt: int, subject: Body) -> str:
    """What the operator will call its question about that."""
    mark = sha256(f"{policy}\n{subject['uid']}\n{attempt}".encode()).hexdigest()[:4]
    return f"web-{subject['digest'].removeprefix('sha256:')[:8]}-q{mark}"


def got_in(shop: Shop, name: str, policy: str, **spec: object) -> None:
    """A request that met no wall: written with the operator's own token, and not as it writes its questions."""
    body = shop.question(name, policy, requester={"username": OPERATOR[0]}, **spec)
    shop.as_operator(Call(shop.path("apr"), body, "post"))


# ---- requests that somebody else made


@pytest.mark.parametrize("end", ["Approved", "Denied", "Withdrawn", "Expired"])
def test_a_request_that_got_in_under_the_questions_name_says_nothing(shop: Shop, end: str) -> None:
    gated(shop, 0)
    easy = shop.promotes(
        f"easy-{shop.namespace}", quorum=[{"role": "finance"}], effects=["None"], onUnknownRequester="Allow"
    )
    more: Body = {"timeoutSeconds": 8} if end == "Expired" else {}
    name, subject = coming(shop, f"prod-{shop.namespace}", 1)
    second, _ = coming(shop, f"prod-{shop.namespace}", 2)
    got_in(shop, name, easy, subject=subject, **more)
    got_in(shop, second, easy)
    shop.until_prepared(name)
    shop.rollout(image="2")
    request = shop.until_asked(beside=(name, second))
    assert shop.get("gro", "web")["status"]["attempts"] == 3  # both names were taken
    if end == "Withdrawn":
        notes = {"annotations": {"gatehold.dev/withdraw": "never mind"}}
        shop.as_operator(Call(shop.path("apr", name), {"metadata": notes}))
    elif end in WORDS:
        shop.say("carol", name, WORDS[end])
    shop.until_phase(name, end)
    stays(shop)
    assert shop.get("apr", request)["status"]["phase"] == "Pending"
    promoted(shop, request)


def test_nobody_takes_the_names_of_the_questions_that_are_to_come(shop: Shop) -> None:
    policy, request = f"prod-{shop.namespace}", held(shop)
    easy = shop.promotes(f"easy-{shop.namespace}", quorum=[{"role": "finance"}], effects=["None"])
    now, (_, bare) = shop.get("apr", request)["spec"]["subject"], coming(shop, policy, 1, "3")
    for attempt, subject in itertools.product(range(1, MOST_QUESTIONS + 2), (now, bare)):
        body = shop.question(name_of(policy, attempt, subject), easy)
        answer = shop.api("ci").send(Call(shop.path("apr"), body, "post"))
        assert "is kept for the operator's own questions; take another name" in answer.message
    shop.rollout(image="3")
    second = shop.until_asked(beside=(request,))
    assert {body["metadata"]["name"] for body in shop.all("apr")} == {request, second}
    assert shop.get("gro", "web")["status"]["attempts"] == 2
    promoted(shop, second, "3")


def test_nobody_makes_a_question_of_the_operators_kind(shop: Shop) -> None:
    gated(shop, 0)
    policy = f"prod-{shop.namespace}"
    name, subject = coming(shop, policy, 1)
    with pytest.raises(KubectlError, match="requests with effect Promote are opened by the operator only"):
        shop.request(name, policy, subject=subject, effect={"type": "Promote"})
    for label in ("gate", "rollout"):
        body = shop.question(name, policy, subject=subject)
        body["metadata"]["labels"] = {f"gatehold.dev/{label}": "web"}
        with pytest.raises(KubectlError, match=f"label gatehold.dev/{label} is set by the operator only"):
            shop.create(body, user="ci")


# ---- answers to something else


@pytest.mark.parametrize("change", [{"image": "3"}, {"image": "2", "steps": THIRTY}], ids=["template", "steps"])
def test_the_answer_to_something_older_does_not_count(shop: Shop, change: Body) -> None:
    first = held(shop)
    shop.yes(first, "alice")
    shop.rollout(**change)
    shop.word("bob", first, "approve")  # it is let in or refused, as the moment has it
    second = shop.until_asked(beside=(first,))
    assert shop.until_done(first)["status"]["phase"] in {"Superseded", "Failed"}
    shop.yes(second, "bob")
    shop.until(second, lambda body: body["status"].get("approvals") == "1/2", "1/2")
    stays(shop)
    shop.yes(second, "alice")
    shop.until_healthy()
    assert shop.image("stable") == change["image"]


def test_an_approval_that_was_not_used_goes_with_its_template(shop: Shop) -> None:
    policy, first = f"prod-{shop.namespace}", held(shop)
    shop.cluster.kubectl("delete", f"gate/gate-{shop.namespace}")
    shop.until_rollout(lambda body: body["status"]["phase"] == "Held" and body["status"]["waitingFor"] == "Gate", "Gate")
    shop.yes(first)
    shop.until_phase(first, "Approved")
    shop.rollout(image="3")
    shop.gate(policy, label=False)
    second = shop.until_asked(beside=(first,))
    stays(shop)
    promoted(shop, second, "3")


# ---- other hands


def test_rights_on_deployments_and_pods_do_not_get_it_to_serve(shop: Shop) -> None:
    request = held(shop)
    verbs = "--verb=get,list,create,update,patch,delete"
    shop.kubectl("create", "role", "runs", verbs, "--resource=deployments.apps,replicasets.apps,pods,services")
    shop.kubectl("create", "role", "scales", verbs, "--resource=deployments.apps/scale,replicasets.apps/scale")
    for role in ("runs", "scales"):
        shop.kubectl("create", "rolebinding", role, f"--role={role}", "--user=dana")
    shop.until_may("dana", "patch", "deployments", "apps")
    shop.until_may("dana", "patch", "replicasets", "apps", subresource="scale")
    pod = shop.track_pods("stable")[0]["metadata"]["name"]
    canary = shop.track_pods("canary")[0]
    owner = canary["metadata"]["ownerReferences"][0]["name"]
    for words in (
        ("set", "image", "deploy/web-stable", "web=example.org/web:2"),
        ("set", "image", f"pod/{pod}", "web=example.org/web:2"),
        ("scale", "deploy/web-canary", "--replicas=9"),
        ("scale", f"rs/{owner}", "--replicas=9"),
        ("scale", "deploy/web-stable", "--replicas=0"),
        ("label", "--overwrite", f"pod/{canary['metadata']['name']}", "gatehold.dev/track=stable"),
        ("label", "--overwrite", "deploy/web-canary", "gatehold.dev/track=stable"),
        ("delete", "deploy/web-stable", "--cascade=orphan"),
        ("rollout", "restart", "deploy/web-canary"),
        ("run", "evil", "--image=example.org/web:2", "--labels=app=web,gatehold.dev/rollout=web,gatehold.dev/track=stable"),
    ):
        with pytest.raises(KubectlError, match="ValidatingAdmissionPolicy 'gatehold-"):
            shop.kubectl(*words, user="dana")
    stays(shop)
    assert shop.sizes() == (5, 1)
    promoted(shop, request)


def test_a_gitops_robot_that_applies_by_force_loses_nothing(shop: Shop) -> None:
    request = held(shop)
    account, before = robot(shop), shop.get("gro", "web")
    for _ in range(20):
        apply(shop, account, "2", "argocd-controller")
        time.sleep(0.1)
    after = shop.get("gro", "web")
    for part in ("annotations", "finalizers", "generation", "uid"):
        assert after["metadata"][part] == before["metadata"][part]
    assert [body["metadata"]["name"] for body in shop.requests()] == [request]
    assert shop.sizes() == (5, 1)
    promoted(shop, request)


def test_a_manifest_from_git_that_replaces_it_loses_nothing(shop: Shop) -> None:
    request = held(shop)
    shop.until_said()  # kubectl replaces what it has read a moment before: nobody may write in between
    before = shop.get("gro", "web")
    shop.kubectl("replace", "-f", "-", user="ci", stdin=json.dumps(shop.rollout_body(image="2")))
    after = shop.get("gro", "web")
    for part in ("finalizers", "generation", "uid"):
        assert after["metadata"][part] == before["metadata"][part]
    shop.kubectl("replace", "-f", "-", user="ci", stdin=json.dumps(shop.rollout_body(image="3")))
    second = shop.until_asked(beside=(request,))
    assert shop.get("gro", "web")["metadata"]["finalizers"] == before["metadata"]["finalizers"]
    promoted(shop, second, "3")


def test_the_finalizer_stays_whoever_edits(shop: Shop) -> None:
    request = held(shop)
    for change, how in (
        ({"metadata": {"finalizers": None}}, "merge"),
        ({"metadata": {"finalizers": ["example.org/mine"]}}, "merge"),
        ([{"op": "remove", "path": "/metadata/finalizers"}], "json"),
    ):
        answer = shop.api("mallory").send(Call(shop.path("gro", "web"), change, how))
        assert "finalizer gatehold.dev/rollout of a Rollout is changed by the operator only" in answer.message
    promoted(shop, request)


def test_an_autoscaler_scales_the_rollout_and_not_its_children(shop: Shop) -> None:
    request = held(shop)
    hpa = shop.api().impersonating(*HPA)

    def scale(kind: str, name: str, replicas: int) -> Answer:
        where = f"{shop.path(kind, name)}/scale"
        scale = hpa.must(Call(where, how="get"))
        scale["metadata"].pop("resourceVersion")
        return hpa.send(Call(where, {**scale, "spec": {"replicas": replicas}}, "put"))

    for track in ("stable", "canary"):
        answer = scale("deploy", f"web-{track}", 9)
        assert (answer.ok, "gatehold-children" in answer.message, "Rollout web" in answer.message) == (False, True, True)
    assert scale("gro", "web", 10).ok
    shop.until_sizes(10, 2)
    assert shop.get("apr", request)["status"]["phase"] == "Pending"
    promoted(shop, request)


# ---- a stolen operator token


def test_the_operators_name_without_its_pod_writes_no_status(shop: Shop) -> None:
    request = held(shop)
    for api in (shop.api("mallory"), shop.api().impersonating(*OPERATOR), shop.api()):
        for kind, name in (("gro", "web"), ("apr", request)):
            answer = api.send(Call(f"{shop.path(kind, name)}/status", {"status": {"observedGeneration": 7}}))
            assert answer.code == 403
    promoted(shop, request)


def test_a_stolen_token_says_no_yes_and_changes_no_spec(shop: Shop) -> None:
    request = held(shop)
    thief = connection(shop.operator.identity.kubeconfig)
    at = "2026-11-28T10:00:00Z"
    decision = {"outcome": "Approved", "by": "People", "at": at, "reason": "QuorumReached", "message": "so it is"}
    said = {"status": {"phase": "Approved", "decision": decision, "validUntil": "2099-01-01T00:00:00Z"}}
    answer = thief.send(Call(f"{shop.path('apr', request)}/status", said))
    assert (answer.ok, "Approved by People needs" in answer.message) == (False, True), answer.message
    changed = thief.send(Call(shop.path("gro", "web"), {"spec": {"strategy": {"canary": {"steps": []}}}}))
    assert "the operator never creates, changes or scales a Rollout" in changed.message
    promoted(shop, request)


def test_lies_about_a_run_are_found_out(shop: Shop) -> None:
    first = held(shop)
    thief, where = connection(shop.operator.identity.kubeconfig), f"{shop.path('gro', 'web')}/status"
    run = shop.get("gro", "web")["status"]["run"]
    thief.must(Call(where, {"status": {"run": {**run, "stage": "Promoting", "written": True}}}))
    stays(shop)
    shop.until_rollout(lambda body: body["status"]["run"]["stage"] == "Canary", "the lie is found out")
    thief.must(Call(where, {"status": {"run": None}}))
    second = shop.until_asked(beside=(first,))
    stays(shop)
    assert thief.send(Call(where, {"status": {"attempts": 0}})).code == 422
    promoted(shop, second)
