"""The operator's own hand behind a Gate of pods: what a stolen token of it could not do. Rows of the wall's table."""
# ruff: noqa: E501 (a row is a line, so that rows can be read down)

from typing import Any

from tests.wall.api import Call, path
from tests.wall.attempt import CHILDREN, JOBS, PROVISION, ROLLOUTS, SCHEMA, Attempt, field_is, gone
from tests.wall.gated import (
    APPROVAL,
    CRON_JOB,
    GO,
    JOB,
    LABEL,
    LET_GO,
    NOTHING,
    OPEN,
    POD,
    RESUME,
    SIGN,
    SUSPENDED,
    TEMPLATE,
    elsewhere,
    job,
    job_runs,
    job_waits,
    made,
    marked,
    on_job,
    on_pod,
    pod,
    removed,
    waits,
    went,
)
from tests.wall.nodes import MANAGER
from tests.wall.people import SHOP, Body
from tests.wall.places import PRICED
from tests.wall.rollouts import APPS, Before, Target, asked, at, the_rollout, then, wait
from tests.wall.scene import Scene, notes
from tests.wall.table_requests import create, opening
from tests.wall.writes import joined, write_on

ONLY_GATED = "the operator changes pods and their owners in namespaces behind a Gate of type Pods only"
ONLY_WAITING = "of pods the operator opens or deletes those that wait for their gate: it takes gatehold.dev/approval off, no other gate, and touches no other pod"
BY_THE_WAY = "it changes no label, owner, finalizer or other annotation by the way"
DOWN_ONLY = "the operator scales down only, back to what was approved"
NO_OTHER = "the operator changes no Deployment, StatefulSet or the like of others: it scales it back, or deletes one of which nothing ever ran"
SUSPENDS = "the operator suspends and resumes Jobs and CronJobs, and changes nothing else of them"
NOT_RESUMES = "the operator suspends CronJobs; who resumes one is not the operator"
RAN = "the operator deletes nothing of which a pod is ready, or was"
WAITING_JOBS = "the operator deletes Jobs that wait for the gate of their namespace, and none with label gatehold.dev/hold"
EITHER = f"gatehold-pods|{PROVISION}"
OR_CHILDREN = f"{CHILDREN}|{PROVISION}"
SIGNED_JOB = joined(GO, SIGN)

DEPLOYMENT = at("deployments", namespace=PRICED)
STATEFUL_SET = at("statefulsets", namespace=PRICED)
REPLICA_SET = at("replicasets", namespace=PRICED)
CONTROLLER = at("replicationcontrollers", namespace=PRICED, version="v1")
DAEMON_SET = at("daemonsets", namespace=PRICED)
RUN: Body = {**TEMPLATE, "spec": {**TEMPLATE["spec"], "restartPolicy": "Always"}}
KINDS = {"deployments": "Deployment", "statefulsets": "StatefulSet", "replicasets": "ReplicaSet"}
OPENED = {**OPEN, **SIGN}


def sized(plural: str, size: int = 3, place: str = PRICED) -> Before:
    """An owner of so many pods, whose template brings gate and label itself."""

    def body(scene: Scene) -> Body:
        chosen = {"set": scene.name}
        run = joined(RUN, {"metadata": {"labels": chosen}, "spec": {"schedulingGates": [{"name": APPROVAL}]}})
        run = joined(run, {"metadata": {"labels": LABEL}}) if place == PRICED else run
        spec: Body = {"replicas": size, "selector": {"matchLabels": chosen}, "template": run}
        return {"apiVersion": APPS, "kind": KINDS[plural], "metadata": {"name": scene.name}, "spec": spec}

    return made("dora", body, APPS, plural, place)


def controller(size: int = 3) -> Before:
    """The oldest of such owners, which selects by labels alone."""

    def body(scene: Scene) -> Body:
        chosen = {"set": scene.name}
        run = joined(RUN, {"metadata": {"labels": {**chosen, **LABEL}}, "spec": {"schedulingGates": [{"name": APPROVAL}]}})
        spec: Body = {"replicas": size, "selector": chosen, "template": run}
        return {"apiVersion": "v1", "kind": "ReplicationController", "metadata": {"name": scene.name}, "spec": spec}

    return made("dora", body, "v1", "replicationcontrollers")


def daemon_set(scene: Scene) -> None:
    """One that selects no node; a cluster admin made it."""
    chosen = {"set": scene.name}
    run = joined(RUN, {"metadata": {"labels": chosen}, "spec": {"nodeSelector": {"no": "node"}}})
    body = {"apiVersion": APPS, "kind": "DaemonSet", "metadata": {"name": scene.name}}
    spec: Body = {"selector": {"matchLabels": chosen}, "template": run}
    scene.people["admin"].must(Call(path(APPS, "daemonsets", PRICED), {**body, "spec": spec}, "post"))


def scaled_to(size: int) -> Body:
    return {"spec": {"replicas": size}}


def hand(says: str, body: Any, refused: str = "", *, target: Target, before: Before, sub: str = "", **more: Any) -> Attempt:
    """A write of the operator's."""
    more = {"policy": PROVISION, "only": "stopped", "target": target, "before": before, **more}
    do = write_on(target, body, sub=sub)
    return Attempt(f"the operator's hand behind a gate: {says}", by="operator", do=do, refused=refused, ask=NOTHING, **more)


def deletes(says: str, refused: str = "", *, target: Target, before: Before, **more: Any) -> Attempt:
    more = {"policy": PROVISION, "only": "stopped", "target": target, "before": before, **more}
    more |= {} if refused else {"leaves": gone}
    do = removed(target)
    return Attempt(
        f"the operator's hand behind a gate: deletes {says}", by="operator", do=do, refused=refused, ask=NOTHING, **more
    )


def cron_job(scene: Scene, suspended: bool = False) -> Body:
    spec = {"schedule": "0 0 1 1 *", "suspend": suspended, "jobTemplate": {"spec": {"template": TEMPLATE}}}
    return {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": scene.name}, "spec": spec}


def is_ready(plural: str) -> Before:
    """A pod of it was let go, runs, and is ready, as its kubelet would say."""

    def make(scene: Scene) -> None:
        admin, chosen = scene.people["admin"], {"labelSelector": f"set={scene.name}"}
        where = path("v1", "pods", PRICED)
        wait(lambda: bool(admin.must(Call(where, None, "get", chosen))["items"]))
        (pod,) = admin.must(Call(where, None, "get", chosen))["items"]
        there = f"{where}/{pod['metadata']['name']}"
        scene.people["operator"].must(Call(there, LET_GO))
        ready = {"type": "Ready", "status": "True"}
        admin.must(Call(there + "/status", {"status": {"phase": "Running", "conditions": [ready]}}))
        found = at(plural, namespace=PRICED)(scene)
        wait(lambda: (admin.get(found) or {})["status"].get("readyReplicas") == 1)

    return make


MORE: Body = {"spec": {"containers": [{"name": "main", "resources": {"requests": {"cpu": "2"}, "limits": {"cpu": "2"}}}]}}
ELSE: Body = {"spec": {"schedulingGates": [{"name": "example.com/quota"}, {"name": APPROVAL}]}}
PODS = [
    on_pod("a stolen operator opens it unsigned", "operator", OPEN, "the operator lets a pod go with annotation gatehold.dev/released-by in the same write"),
    on_pod("a stolen operator opens it with an empty signature", "operator", joined(OPEN, notes({"gatehold.dev/released-by": ""})), "the operator lets a pod go with annotation gatehold.dev/released-by in the same write"),
    on_pod("a stolen operator opens it and changes its image", "operator", [{"op": "remove", "path": "/spec/schedulingGates"}, {"op": "add", "path": "/metadata/annotations", "value": SIGN["metadata"]["annotations"]}, {"op": "replace", "path": "/spec/containers/0/image", "value": "dearer:1"}], "cannot be changed (containers)", how="json"),
    on_pod("a stolen operator opens it and adds a deadline", "operator", joined(OPENED, {"spec": {"activeDeadlineSeconds": 60}}), "cannot be changed (activeDeadlineSeconds)"),
    on_pod("a stolen operator opens it and takes another gate off", "operator", OPENED, ONLY_WAITING, before=waits(ELSE), policy=PROVISION),
    on_pod("a stolen operator opens it and labels it", "operator", joined(OPENED, {"metadata": {"labels": {"app": "web"}}}), BY_THE_WAY, policy=PROVISION),
    on_pod("a stolen operator opens it and annotates it", "operator", joined(OPENED, notes({"example.com/x": "y"})), BY_THE_WAY, policy=PROVISION),
    on_pod("a stolen operator opens it and pins it", "operator", joined(OPENED, {"metadata": {"finalizers": ["example.com/x"]}}), BY_THE_WAY, policy=PROVISION),
    on_pod("a stolen operator opens it and gives it to an owner", "operator", joined(OPENED, {"metadata": {"ownerReferences": [{"apiVersion": "v1", "kind": "ConfigMap", "name": "x", "uid": "x"}]}}), "denied request: ", policy=EITHER),
    on_pod("a stolen operator opens it and moves its label", "operator", joined(OPENED, {"metadata": {"labels": {"gatehold.dev/pods": "web"}}}), "denied request: ", policy=EITHER),
    on_pod("a stolen operator changes its words for its author", "operator", notes({"gatehold.dev/retry": "2"}), ONLY_WAITING, policy=PROVISION),
    on_pod("a stolen operator takes another gate off", "operator", {"spec": {"schedulingGates": [{"name": APPROVAL}]}}, ONLY_WAITING, before=waits(ELSE), policy=PROVISION),
    on_pod("a stolen operator annotates one that was let go", "operator", notes({"example.com/x": "y"}), ONLY_WAITING, before=went(), policy=PROVISION),
    on_pod("a stolen operator signs one over to another request", "operator", notes({"gatehold.dev/released-by": "request-2"}), "denied request: ", before=went(), policy=EITHER),
    on_pod("a stolen operator changes its image after it was let go", "operator", [{"op": "replace", "path": "/spec/containers/0/image", "value": "evil:1"}], ONLY_WAITING, how="json", before=went(), policy=PROVISION),
    on_pod("a stolen operator writes its status", "operator", {"status": {"phase": "Succeeded"}}, ONLY_WAITING, sub="status", policy=PROVISION),
    on_pod("a stolen operator puts a debug container in", "operator", {"spec": {"ephemeralContainers": [{"name": "debug", "image": "busybox"}]}}, ONLY_WAITING, sub="ephemeralcontainers", how="strategic", policy=PROVISION),
    on_pod("the operator's name without its pod opens it", "pretender", LET_GO, "denied request: ", policy="gatehold-identity|gatehold-pods|gatehold-provision"),
    deletes("a pod that waits", target=POD, before=waits()),
    deletes("a pod that was let go", ONLY_WAITING, target=POD, before=went()),
    deletes("a pod of an exempt account", ONLY_WAITING, target=POD, before=made("launcher", pod)),
    *(
        Attempt(f"the operator's hand without a gate: {says}", by="operator", do=do, refused=ONLY_GATED, policy=PROVISION, only="stopped", ask=NOTHING, target=elsewhere(POD), before=made("dora", marked, place=SHOP))
        for says, do in {
            "opens a pod": write_on(elsewhere(POD), LET_GO), "annotates a pod": write_on(elsewhere(POD), notes({"example.com/x": "y"})),
            "deletes a pod": lambda scene: Call(elsewhere(POD)(scene), None, "delete", {"gracePeriodSeconds": "0"}),
        }.items()
    ),
    Attempt("the operator's hand behind a gate: binds a pod", by="operator", do=lambda scene: Call(POD(scene) + "/binding", {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": scene.name}, "target": {"apiVersion": "v1", "kind": "Node", "name": "nowhere"}}, "post"), refused=ONLY_WAITING, policy=PROVISION, only="stopped", ask=NOTHING, target=POD, before=went()),
    Attempt("the operator's hand behind a gate: binds a pod by a Binding", by="operator", do=lambda scene: Call(path("v1", "bindings", PRICED), {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": scene.name}, "target": {"apiVersion": "v1", "kind": "Node", "name": "nowhere"}}, "post"), refused=NO_OTHER, policy=PROVISION, only="stopped", ask=NOTHING, target=POD, before=went()),
    Attempt("the operator's hand without a gate: resizes a pod", by="operator", do=write_on(elsewhere(POD), MORE, "strategic", "resize"), refused=ONLY_GATED, policy=PROVISION, only="stopped", ask=NOTHING, target=elsewhere(POD), before=made("dora", pod, place=SHOP), since=(1, 33)),
    Attempt("the operator's hand behind a gate: deletes all pods at once", by="operator", do=lambda scene: Call(path("v1", "pods", PRICED), None, "delete", {"fieldSelector": f"metadata.name={scene.name}"}), refused=ONLY_WAITING, policy=PROVISION, only="stopped", ask=NOTHING, target=POD, before=went()),
]  # fmt: skip

OWNERS = [
    *(hand(f"scales a {KINDS[plural]} down", scaled_to(1), target=at(plural, namespace=PRICED), before=sized(plural), sub="scale", leaves=field_is("spec.replicas", 1)) for plural in KINDS),
    hand("scales a Deployment to nothing", scaled_to(0), target=DEPLOYMENT, before=sized("deployments"), sub="scale", leaves=field_is("spec.replicas", 0)),
    *(hand(f"scales a {KINDS[plural]} up", scaled_to(4), DOWN_ONLY, target=at(plural, namespace=PRICED), before=sized(plural), sub="scale") for plural in KINDS),
    hand("scales a Deployment to what it is", scaled_to(3), DOWN_ONLY, target=DEPLOYMENT, before=sized("deployments"), sub="scale"),
    hand("scales a Deployment without a gate", scaled_to(1), "denied request: ", target=elsewhere(DEPLOYMENT), before=sized("deployments", place=SHOP), sub="scale", policy=OR_CHILDREN),
    hand("scales a StatefulSet without a gate", scaled_to(1), ONLY_GATED, target=elsewhere(STATEFUL_SET), before=sized("statefulsets", place=SHOP), sub="scale"),
    hand("scales a Rollout down", scaled_to(1), target=the_rollout(PRICED), before=asked(PRICED, replicas=3), sub="scale", leaves=field_is("spec.replicas", 1)),
    hand("scales a Rollout up", scaled_to(4), DOWN_ONLY, target=the_rollout(PRICED), before=asked(PRICED, replicas=3), sub="scale"),
    hand("scales a Rollout without a gate", scaled_to(1), "denied request: ", target=the_rollout(), before=asked(replicas=3), sub="scale", policy=f"{ROLLOUTS}|{PROVISION}"),
    hand("writes the size of a Rollout", scaled_to(1), "the operator never creates, changes or scales a Rollout", target=the_rollout(PRICED), before=asked(PRICED, replicas=3), policy=ROLLOUTS),
    hand("writes the size of a Deployment", scaled_to(1), "denied request: ", target=DEPLOYMENT, before=sized("deployments"), policy=OR_CHILDREN),
    hand("writes the size of a StatefulSet", scaled_to(1), NO_OTHER, target=STATEFUL_SET, before=sized("statefulsets")),
    hand("changes what a StatefulSet runs", {"spec": {"template": {"spec": {"serviceAccountName": "evil"}}}}, NO_OTHER, target=STATEFUL_SET, before=sized("statefulsets")),
    hand("changes what a ReplicaSet runs", {"spec": {"template": {"spec": {"serviceAccountName": "evil"}}}}, "denied request: ", target=REPLICA_SET, before=sized("replicasets"), policy=OR_CHILDREN),
    hand("scales a ReplicationController down", scaled_to(1), target=CONTROLLER, before=controller(), sub="scale", leaves=field_is("spec.replicas", 1)),
    hand("scales a ReplicationController up", scaled_to(4), DOWN_ONLY, target=CONTROLLER, before=controller(), sub="scale"),
    hand("changes what a ReplicationController runs", {"spec": {"template": {"spec": {"serviceAccountName": "evil"}}}}, NO_OTHER, target=CONTROLLER, before=controller()),
    hand("changes a DaemonSet", {"spec": {"minReadySeconds": 5}}, NO_OTHER, target=DAEMON_SET, before=daemon_set),
    deletes("a DaemonSet", NO_OTHER, target=DAEMON_SET, before=daemon_set),
    deletes("a Deployment of which nothing ran", target=DEPLOYMENT, before=sized("deployments")),
    deletes("a StatefulSet of which nothing ran", target=STATEFUL_SET, before=sized("statefulsets")),
    deletes("a Deployment of which a pod is ready", RAN, target=DEPLOYMENT, before=then(sized("deployments", 1), is_ready("deployments"))),
    deletes("a StatefulSet of which a pod is ready", RAN, target=STATEFUL_SET, before=then(sized("statefulsets", 1), is_ready("statefulsets"))),
    deletes("a ReplicaSet", "denied request: ", target=REPLICA_SET, before=sized("replicasets"), policy=OR_CHILDREN),
    deletes("a Deployment without a gate", "denied request: ", target=elsewhere(DEPLOYMENT), before=sized("deployments", 0, place=SHOP), policy=OR_CHILDREN),
    deletes("a StatefulSet without a gate", ONLY_GATED, target=elsewhere(STATEFUL_SET), before=sized("statefulsets", 0, place=SHOP)),
    hand("suspends a CronJob", {"spec": {"suspend": True}}, target=CRON_JOB, before=made("dora", cron_job, "batch/v1", "cronjobs"), leaves=field_is("spec.suspend", True)),
    hand("resumes a CronJob", {"spec": {"suspend": False}}, NOT_RESUMES, target=CRON_JOB, before=made("dora", lambda scene: cron_job(scene, True), "batch/v1", "cronjobs")),
    hand("changes when a CronJob runs", {"spec": {"suspend": True, "schedule": "* * * * *"}}, SUSPENDS, target=CRON_JOB, before=made("dora", cron_job, "batch/v1", "cronjobs")),
    hand("signs a CronJob", {"spec": {"suspend": True}, **SIGN}, BY_THE_WAY, target=CRON_JOB, before=made("dora", cron_job, "batch/v1", "cronjobs")),
    hand("suspends a CronJob without a gate", {"spec": {"suspend": True}}, ONLY_GATED, target=elsewhere(CRON_JOB), before=made("dora", cron_job, "batch/v1", "cronjobs", SHOP)),
    hand("labels a CronJob through /status", {"metadata": {"labels": {"team": "web"}}}, BY_THE_WAY, target=CRON_JOB, before=made("dora", cron_job, "batch/v1", "cronjobs"), sub="status"),
    deletes("a CronJob that never ran", target=CRON_JOB, before=made("dora", cron_job, "batch/v1", "cronjobs")),
    deletes("a CronJob that ran", RAN, target=CRON_JOB, before=then(made("dora", cron_job, "batch/v1", "cronjobs"), lambda scene: scene.people["admin"].must(Call(CRON_JOB(scene) + "/status", {"status": {"lastSuccessfulTime": "2026-01-01T00:00:00Z", "lastScheduleTime": "2026-01-01T00:00:00Z"}})) and None)),
    deletes("a CronJob without a gate", ONLY_GATED, target=elsewhere(CRON_JOB), before=made("dora", cron_job, "batch/v1", "cronjobs", SHOP)),
]  # fmt: skip

HELD: Body = {"metadata": {"labels": {**LABEL, "gatehold.dev/hold": "solo"}}}
OWN_JOBS = [
    on_job("a stolen operator resumes it and widens it", "operator", joined(RESUME, {"spec": {"parallelism": 5}}), "denied request: ", policy=f"gatehold-gated-jobs|{PROVISION}"),
    on_job("a stolen operator widens it while it runs", "operator", {"spec": {"parallelism": 5}}, SUSPENDS, before=job_runs(), policy=PROVISION),
    on_job("a stolen operator resumes it and annotates it", "operator", joined(RESUME, notes({"example.com/x": "y"})), BY_THE_WAY, policy=PROVISION),
    on_job("a stolen operator resumes it and labels it", "operator", joined(RESUME, {"metadata": {"labels": {"team": "web"}}}), BY_THE_WAY, policy=PROVISION),
    on_job("a stolen operator labels it through /status", "operator", {"metadata": {"labels": {"team": "web"}}}, BY_THE_WAY, sub="status", policy=PROVISION),
    on_job("a stolen operator resumes it and pins it", "operator", joined(RESUME, {"metadata": {"finalizers": ["example.com/x"]}}), BY_THE_WAY, policy=PROVISION),
    on_job("a stolen operator signs it while it waits", "operator", SIGN, "gatehold.dev/released-by of a Job that waits for a gate is written by the operator only"),
    on_job("a stolen operator suspends one of an exempt account", "operator", {"spec": {"suspend": True}}, "the operator changes Jobs that carry label gatehold.dev/hold or gatehold.dev/pods, and no others", before=made("launcher", job, "batch/v1", "jobs"), policy=JOBS),
    hand("resumes a Job with our label, without a gate", SIGNED_JOB, ONLY_GATED, target=elsewhere(JOB), before=made("dora", lambda scene: job(scene, SUSPENDED), "batch/v1", "jobs", SHOP)),
    deletes("a Job that waits", target=JOB, before=job_waits()),
    deletes("a Job of an exempt account", WAITING_JOBS, target=JOB, before=made("launcher", lambda scene: job(scene, {"spec": {"suspend": True}}), "batch/v1", "jobs")),
    deletes("a Job with label hold", WAITING_JOBS, target=JOB, before=job_waits(HELD)),
    deletes("a Job with our label, without a gate", ONLY_GATED, target=elsewhere(JOB), before=made("dora", lambda scene: job(scene, SUSPENDED), "batch/v1", "jobs", SHOP)),
]  # fmt: skip

GATE = {"gatehold.dev/gate": "dear"}
TWO_KINDS = "the operator asks for two kinds of release, both with label gatehold.dev/gate"
OWNER: Body = {
    "apiVersion": APPS,
    "kind": "Deployment",
    "name": "web",
    "uid": "0a1b2c3d-0000-4000-8000-00000000000b",
    "namespace": SHOP,
}
ASKS: Body = {"subject": OWNER, "effect": {"type": "Release"}, "requester": {"username": MANAGER}}


def asks(says: str, body: Body, refused: str = "", *, labels: Any = GATE, **more: Any) -> Attempt:
    return opening(
        f"the operator asks about pods {says}",
        "operator",
        create("operator", body, labels=labels),
        refused,
        only="stopped",
        **more,
    )


ASKED = [
    asks("of a Deployment, in its own name", ASKS, leaves=field_is("spec.subject.kind", "Deployment")),
    asks("of an owner of a kind that it does not know", {**ASKS, "subject": {**OWNER, "apiVersion": "example.com/v1", "kind": "Train"}}, leaves=field_is("spec.subject.kind", "Train")),
    asks("of a Job, in its own name", {**ASKS, "subject": {**OWNER, "apiVersion": "batch/v1", "kind": "Job"}}, leaves=field_is("spec.subject.kind", "Job")),
    asks("without saying which Gate", ASKS, TWO_KINDS, labels={}),
    asks("in another's name", {**ASKS, "requester": {"username": "ci"}}, TWO_KINDS),
    asks("of an owner without its uid", {**ASKS, "subject": {**OWNER, "uid": None}}, "so it needs apiVersion and uid", policy=SCHEMA),
    asks("of an owner without a namespace", {**ASKS, "subject": {**OWNER, "namespace": None}}, TWO_KINDS),
    asks("of an owner in another namespace", {**ASKS, "subject": {**OWNER, "namespace": "other"}}, TWO_KINDS),
    opening("the pods of a Deployment by a requester", "ci", create("ci", {"subject": OWNER, "effect": {"type": "Release"}}), "you may ask for the release of a Job of this namespace"),
    opening("the pods of a Deployment by a requester, with a Gate's label", "ci", create("ci", {"subject": OWNER, "effect": {"type": "Release"}}, labels=GATE), "you may ask for the release of a Job of this namespace"),
    opening("under a name of the operator's questions about pods", "ci", create("ci", name="{name}-5d0c6f6e-p1"), "a name that ends as this one does", target=lambda scene: scene.target + "-5d0c6f6e-p1"),
]  # fmt: skip

PROVISION_ROWS = [*PODS, *OWNERS, *OWN_JOBS, *ASKED]
