"""Rollouts of Argo Rollouts behind a gate: who goes past a pause, and which Rollouts would not pause. Rows of the wall's table."""
# ruff: noqa: E501 (a row is a line, so that rows can be read down)

from typing import Any

from tests.wall.api import Call, path
from tests.wall.argo import (
    ARGOPROJ,
    ELSEWHERE,
    NOTHING,
    PAUSED,
    ROLLOUT,
    STEPS,
    TEMPLATE,
    TIDE,
    WAVES,
    blue_green,
    canary,
    from_before,
    new_rollout,
    on_rollout,
    on_status,
    removed,
    rollout,
    spec_is,
    stands,
    status_is,
)
from tests.wall.attempt import ARGO_HAND, RBAC, Attempt, gone
from tests.wall.people import Body
from tests.wall.rollouts import wait
from tests.wall.scene import Scene
from tests.wall.table_gates import label, labelled, new_place, on_place

ASK_FIRST = f" is behind gate {TIDE} and goes on when its ApprovalRequest is approved (kubectl get apr -n {WAVES}); to stop it: kubectl argo rollouts abort "
NOT_A_PERSON = "system accounts and service accounts cannot override; log in as a person"
ITS_STATUS = " is written by the Argo Rollouts controller only"
ITS_CONTROLLER = "gatehold-argo-rollouts"
ROUND = (
    ", and the first version of a new one is not asked about: deleting it takes verb bind on gates with resourceName tide"
)
IS_UNDER_WAY = " has a version under way, and people are asked by the steps that it has: change its strategy afterwards, or stop it first (kubectl argo rollouts abort "
NO_PAUSE = f"gate {TIDE} asks at pauses without a duration, and this canary has none: put a step {{pause: {{}}}} into spec.strategy.canary.steps"
TOO_LATE = f"gate {TIDE} asks at pauses without a duration, and the first comes too late: put a step {{pause: {{}}}} before setWeight "
NO_AUTO = (
    "a blue-green Rollout behind a gate says spec.strategy.blueGreen.autoPromotionEnabled: false, or nobody would be asked"
)
NO_TIMER = (
    "a blue-green Rollout behind a gate is not promoted by time: take spec.strategy.blueGreen.autoPromotionSeconds out"
)
STILL_RUNS = "scaleDownDelaySeconds and abortScaleDownDelaySeconds of blueGreen are 30 at most behind a gate"
NO_WINDOW = "Argo Rollouts asks nobody about a version within the rollback window: take spec.rollbackWindow out of a Rollout behind a gate"
ONE_STRATEGY = "a Rollout behind a gate has strategy canary, or strategy blueGreen"
OTHER_WAY = "a new activeService, and the way from canary to blueGreen or back, would bring the next version without a question: delete Rollout "

NO_EXPERIMENT = (
    "Argo Rollouts goes past a pause after an inconclusive experiment: behind a gate an experiment has no analyses"
)
BACKGROUND = "Argo Rollouts goes past a pause while its background analysis is inconclusive: behind a gate put analysis steps into spec.strategy.canary.steps"
OWN_SELECTOR = "a Rollout behind a gate has a spec.selector of its own, which never changes: under another one Argo Rollouts takes the next version for the first, and asks nobody"

PROMOTE: Body = {"pauseConditions": None}
FULL: Body = {"promoteFull": True}
SKIP: Body = {"currentStepIndex": 2}
SKIP_PAUSED: Body = {"pauseConditions": None, "currentStepIndex": 2}
INCONCLUSIVE: Body = {"pauseConditions": None, "controllerPause": False, "currentStepIndex": 2}
PATCHES = {"promote": PROMOTE, "promote --full": FULL, "promote --skip-current-step": SKIP, "promote --skip-all-steps": {"currentStepIndex": 4}, "promote in an analysis": SKIP_PAUSED, "promote after an inconclusive analysis": INCONCLUSIVE}  # fmt: skip
"""What the plugin of Argo Rollouts writes."""
ABORT, RETRY = {"abort": True}, {"abort": False}
ABORTED: Body = {
    **PAUSED,
    "abort": True,
    "abortedAt": "2026-01-01T00:00:00Z",
    "currentStepIndex": 0,
    "pauseConditions": None,
    "controllerPause": None,
}
ABORTED = {key: value for key, value in ABORTED.items() if value is not None}
RUNS: Body = {key: value for key, value in PAUSED.items() if key not in ("pauseConditions", "controllerPause")}
SETTLED: Body = {**RUNS, "currentPodHash": "old", "currentStepIndex": 4, "phase": "Healthy"}
EVEN: Body = {"spec": {"strategy": {"canary": {"steps": [*STEPS, {"setWeight": 90}]}}}}
NEXT: Body = {"spec": {"template": {"metadata": {"labels": {"app": "tide", "next": "yes"}}}}}
BLUE: Body = {**RUNS, "blueGreen": {"activeSelector": "old", "previewSelector": "new"}}

STATUS = [
    *(on_status(f"{how}, without the right", "dora", body, ASK_FIRST) for how, body in PATCHES.items()),
    *(on_status(f"{how}, with verb override on the gate", "dana", body, leaves=status_is(**body)) for how, body in PATCHES.items()),
    on_status("promote by a cluster admin who holds every verb", "admin", PROMOTE, leaves=status_is(pauseConditions=None)),
    on_status("promote by a service account that holds verb override", "gitops", PROMOTE, NOT_A_PERSON),
    on_status("promote by the name of its controller, without its pod", "unbound", PROMOTE, ASK_FIRST),
    on_status("promote by its controller", "argo", PROMOTE, leaves=status_is(pauseConditions=None)),
    on_status("skip by its controller", "argo", SKIP, leaves=status_is(currentStepIndex=2)),
    *(on_status(f"promote by {how}", "dora", body, ASK_FIRST, how=how) for how, body in (("put", {"pauseConditions": []}), ("json", [{"op": "remove", "path": "/status/pauseConditions"}]), ("apply", {"promoteFull": True}))),
    on_status("another pause in the place of this one", "dora", [{"op": "replace", "path": "/status/pauseConditions/0/reason", "value": "InconclusiveAnalysis"}], ASK_FIRST, how="json"),
    on_status("promote and abort in one", "dora", {**PROMOTE, **ABORT}, ASK_FIRST),
    on_status("its status is emptied", "dora", [{"op": "replace", "path": "/status", "value": {}}], ITS_STATUS, how="json"),
    *(on_status(f"another {key}, with verb override", "dana", {key: value}, ITS_STATUS) for key, value in {"stableRS": "new", "currentPodHash": "old", "currentStepHash": "other", "observedGeneration": "9", "phase": "Healthy", "collisionCount": 1, "blueGreen": {"activeSelector": "new"}, "canary": {"weights": {"canary": {"weight": 100}}}}.items()),
    on_status("abort", "dora", ABORT, leaves=status_is(abort=True, pauseConditions=PAUSED["pauseConditions"])),
    on_status("abort by a service account", "gitops", ABORT, leaves=status_is(abort=True)),
    on_status("retry", "dora", RETRY, before=stands(status=ABORTED), leaves=status_is(abort=False, currentStepIndex=0)),
    on_status("retry from another step", "dora", {**RETRY, "currentStepIndex": 2}, ASK_FIRST, before=stands(status=ABORTED)),
    on_status("promote before it is paused", "dora", {"currentStepIndex": 1}, ASK_FIRST, before=stands(status={**RUNS, "currentStepIndex": 0})),
    on_status("controllerPause, so that the next pause counts as resumed", "dora", {"controllerPause": True}, ASK_FIRST, before=stands(status={**RUNS, "currentStepIndex": 0})),
    on_status("promote of a blue-green one", "dora", PROMOTE, ASK_FIRST, before=stands(blue_green(), {**PAUSED, **BLUE, "pauseConditions": [{"reason": "BlueGreenPause", "startTime": "2026-01-01T00:00:00Z"}]})),
    on_status("promote in a namespace without a gate", "dora", PROMOTE, target=ELSEWHERE, before=stands(place="other"), leaves=status_is(pauseConditions=None)),
]  # fmt: skip

HAND = [
    on_status("the operator takes the pause off", "operator", PROMOTE, policy=ARGO_HAND, leaves=status_is(pauseConditions=None, controllerPause=True, currentStepIndex=1)),
    on_status("the operator takes the pause off by JSON patch", "operator", [{"op": "test", "path": "/status/currentPodHash", "value": "new"}, {"op": "test", "path": "/status/currentStepIndex", "value": 1}, {"op": "remove", "path": "/status/pauseConditions"}], how="json", policy=ARGO_HAND, leaves=status_is(pauseConditions=None)),
    on_status("the operator aborts", "operator", ABORT, policy=ARGO_HAND, leaves=status_is(abort=True)),
    *(on_status(f"a stolen operator: {how}", "operator", body, "the operator takes the pause off a Rollout that its controller paused, or aborts it", policy=ARGO_HAND) for how, body in {**{key: body for key, body in PATCHES.items() if key != "promote"}, "promote and abort in one": {**PROMOTE, **ABORT}, "another stable version": {"stableRS": "new"}, "a pause less": {"controllerPause": False}}.items()),
    on_status("a stolen operator: retry", "operator", RETRY, "the operator takes the pause off a Rollout", before=stands(status=ABORTED), policy=ARGO_HAND),
    on_status("a stolen operator: promote of one that is aborted", "operator", PROMOTE, "the operator takes the pause off a Rollout", before=stands(status={**PAUSED, "abort": True}), policy=ARGO_HAND),
    on_status("a stolen operator: a pause of its own", "operator", {"pauseConditions": PAUSED["pauseConditions"]}, "the operator takes the pause off a Rollout", before=stands(status=RUNS), policy=ARGO_HAND),
    on_status("a stolen operator: promote without a gate", "operator", PROMOTE, "the operator promotes and aborts Rollouts of Argo Rollouts in namespaces behind a Gate of type ArgoRollouts only", target=ELSEWHERE, before=stands(place="other"), policy=ARGO_HAND),
    on_status("a stolen operator: abort without a gate", "operator", ABORT, "in namespaces behind a Gate of type ArgoRollouts only", target=ELSEWHERE, before=stands(place="other"), policy=ARGO_HAND),
    on_status("the operator's name without its pod takes the pause off", "pretender", PROMOTE, "the operator's service account acts from its own pod only", policy="gatehold-identity"),
    on_rollout("a stolen operator: another template", "operator", NEXT, "of Argo's kinds the operator writes the status of Rollouts, and nothing else", policy=ARGO_HAND),
    on_rollout("a stolen operator: a label", "operator", {"metadata": {"labels": {"a": "b"}}}, "of Argo's kinds the operator writes the status of Rollouts", policy=ARGO_HAND),
    on_rollout("a stolen operator: its size", "operator", {"spec": {"replicas": 0}}, "of Argo's kinds the operator writes the status of Rollouts", sub="scale", policy=ARGO_HAND),
    Attempt("an Argo Rollout: a stolen operator: deletes it", by="operator", do=removed(ROLLOUT), refused="of Argo's kinds the operator writes the status of Rollouts", policy=ARGO_HAND, only="once stopped", ask=NOTHING, target=ROLLOUT, before=stands()),
]  # fmt: skip

EXPERIMENT: Body = {
    "experiment": {"templates": [{"name": "a", "specRef": "canary"}], "analyses": [{"name": "x", "templateName": "slow"}]}
}
REFUSED_SPECS: dict[str, tuple[Body, str]] = {
    "no steps": ({"strategy": {"canary": {}}}, NO_PAUSE),
    "empty steps": (canary(steps=[]), NO_PAUSE),
    "pauses with a duration only": (canary({"setWeight": 20}, {"pause": {"duration": "1h"}}), NO_PAUSE),
    "a pause of no length": (canary({"setWeight": 20}, {"pause": {"duration": 0}}), NO_PAUSE),
    "a pause whose duration says nothing": (canary({"pause": {"duration": ""}}), NO_PAUSE),
    "a pause after all of the traffic": (canary({"setWeight": 100}, {"pause": {}}), TOO_LATE + "100"),
    "a pause after more than all": (canary({"setWeight": 50}, {"pause": {"duration": 1}}, {"setWeight": 100}, {"pause": {}}), TOO_LATE + "100"),
    "a pause after all of what its router calls all": (canary({"setWeight": 10}, {"pause": {}}, trafficRouting={"maxTrafficWeight": 10}), TOO_LATE + "10"),
    "an analysis in the background": (canary(analysis={"templates": [{"templateName": "slow"}]}), BACKGROUND),
    "an experiment that may find out nothing": (canary(EXPERIMENT, {"pause": {}}), NO_EXPERIMENT),
    "blue-green that promotes itself": (blue_green(autoPromotionEnabled=True), NO_AUTO),
    "blue-green that does not say": (blue_green(autoPromotionEnabled=None), NO_AUTO),
    "blue-green with a timer": (blue_green(autoPromotionSeconds=60), NO_TIMER),
    "blue-green whose old versions run on": (blue_green(scaleDownDelaySeconds=600), STILL_RUNS),
    "blue-green whose denied versions run on": (blue_green(abortScaleDownDelaySeconds=600), STILL_RUNS),
    "a rollback window": ({**canary(), "rollbackWindow": {"revisions": 1}}, NO_WINDOW),
    "both strategies": ({"strategy": {**canary()["strategy"], **blue_green()["strategy"]}}, ONE_STRATEGY),
    "no strategy": ({"strategy": {}}, ONE_STRATEGY),
}  # fmt: skip
ALLOWED_SPECS: dict[str, Body] = {
    "a pause before any weight": canary({"pause": {}}, {"setWeight": 100}),
    "a pause in the middle": canary({"setWeight": 99}, {"pause": {}}, {"setWeight": 100}),
    "a router with larger weights": canary({"setWeight": 100}, {"pause": {}}, trafficRouting={"maxTrafficWeight": 1000}),
    "an analysis at a step": canary(
        {"setWeight": 20}, {"analysis": {"templates": [{"templateName": "slow"}]}}, {"pause": {}}
    ),
    "an experiment without analyses": canary(
        {"experiment": {"templates": [{"name": "a", "specRef": "canary"}]}}, {"pause": {}}
    ),
    "an empty rollback window": {**canary(), "rollbackWindow": {}},
    "blue-green": blue_green(),
    "blue-green whose old versions run on for a moment": blue_green(scaleDownDelaySeconds=30, abortScaleDownDelaySeconds=0),
    "the template of another object": {
        **canary(),
        "workloadRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
    },
}


def no_asking(spec: Body, **change: Any) -> Body:
    return {"spec": {**spec, **change}}


UNGATED = canary({"setWeight": 20})
SPECS = [
    *(new_rollout(says, "dora", spec, refused) for says, (spec, refused) in REFUSED_SPECS.items()),
    *(new_rollout(says, "dora", spec) for says, spec in ALLOWED_SPECS.items()),
    new_rollout("no steps, by a cluster admin", "admin", {"strategy": {"canary": {}}}, NO_PAUSE),
    on_rollout("its pause is taken out", "dora", {"spec": canary({"setWeight": 100})}, NO_PAUSE, before=stands(status=SETTLED)),
    on_rollout("its pause is taken out through put", "dora", {"spec": canary({"setWeight": 100})}, NO_PAUSE, before=stands(status=SETTLED), how="put"),
    on_rollout("its pause is given a duration", "dora", [{"op": "add", "path": "/spec/strategy/canary/steps/1/pause/duration", "value": 1}], NO_PAUSE, before=stands(status=SETTLED), how="json"),
    on_rollout("a rollback window comes", "dora", {"spec": {"rollbackWindow": {"revisions": 3}}}, NO_WINDOW),
    on_rollout("a step more while it is paused", "dora", EVEN, IS_UNDER_WAY),
    on_rollout("a step more and another template while it is paused", "dora", {"spec": {**EVEN["spec"], **NEXT["spec"]}}, IS_UNDER_WAY),
    on_rollout("a step more while it runs", "dora", EVEN, IS_UNDER_WAY, before=stands(status=RUNS)),
    on_rollout("a step more while it is stopped by spec.paused", "dora", EVEN, IS_UNDER_WAY, before=stands({**canary(), "paused": True}, RUNS)),
    on_rollout("a step more when nothing is under way", "dora", EVEN, before=stands(status=SETTLED)),
    on_rollout("a step more while its first version comes", "dora", EVEN, before=stands(status={**RUNS, "stableRS": ""})),
    on_rollout("a step more when it is aborted", "dora", EVEN, before=stands(status=ABORTED)),
    on_rollout("a step more when its controller has not seen the abort", "dora", EVEN, IS_UNDER_WAY, before=stands(status={**PAUSED, "abort": True})),
    on_rollout("a step more after a retry", "dora", EVEN, IS_UNDER_WAY, before=stands(status={**ABORTED, "abort": False})),
    on_rollout("another template while it is paused", "dora", NEXT),
    on_rollout("its old template while it is paused", "dora", {"spec": {"template": TEMPLATE}}),
    on_rollout("from canary to blue-green", "dora", {"spec": {"strategy": {"canary": None, **blue_green()["strategy"]}}}, OTHER_WAY, before=stands(status=SETTLED)),
    on_rollout("from blue-green to canary", "dora", {"spec": {"strategy": {"blueGreen": None, **canary()["strategy"]}}}, OTHER_WAY, before=stands(blue_green(), {**BLUE, **SETTLED})),
    on_rollout("another active Service", "dora", {"spec": {"strategy": {"blueGreen": {"activeService": "fresh"}}}}, OTHER_WAY, before=stands(blue_green(), {**BLUE, **SETTLED})),
    on_rollout("another selector", "dora", {"spec": {"selector": {"matchLabels": {"app": "other"}}}}, OWN_SELECTOR, before=stands(status=SETTLED)),
    on_rollout("the selector of another object", "dora", {"spec": {"selector": None, "template": None, "workloadRef": {"name": "web"}}}, OWN_SELECTOR, before=stands(status=SETTLED)),
    on_rollout("one from before, without a selector: another object", "dora", {"spec": {"workloadRef": {"name": "next"}}}, OWN_SELECTOR, before=from_before({**canary(), "selector": None})),
    on_rollout("another preview Service", "dora", {"spec": {"strategy": {"blueGreen": {"previewService": "fresh"}}}}, before=stands(blue_green(), {**BLUE, **SETTLED})),
    *(on_rollout(f"another {key}", "dora", {"spec": {key: value}}, leaves=spec_is({key: value})) for key, value in {"replicas": 5, "restartAt": "2026-01-01T00:00:00Z", "paused": True, "progressDeadlineSeconds": 60, "minReadySeconds": 5}.items()),
    on_rollout("its size, as an autoscaler writes it", "dora", {"spec": {"replicas": 7}}, sub="scale", leaves=spec_is({"replicas": 7})),
    on_rollout("a label", "gitops", {"metadata": {"labels": {"a": "b"}}}),
    on_rollout("one from before, without a pause: a label", "dora", {"metadata": {"labels": {"a": "b"}}}, before=from_before(UNGATED)),
    on_rollout("one from before, without a pause: its size", "dora", {"spec": {"replicas": 5}}, before=from_before(UNGATED)),
    on_rollout("one from before, without a pause: another template", "dora", NEXT, NO_PAUSE, before=from_before(UNGATED)),
    on_rollout("one from before, with a rollback window: another template", "dora", NEXT, NO_WINDOW, before=from_before({**canary(), "rollbackWindow": {"revisions": 3}})),
    on_rollout("one from before gets its pause", "dora", {"spec": canary()}, before=from_before(UNGATED), leaves=spec_is(canary())),
    on_rollout("the revision, by its controller", "argo", {"metadata": {"annotations": {"rollout.argoproj.io/revision": "2"}}}),
]  # fmt: skip


def deletes(says: str, who: str, refused: str = "", *, how: str = "Background", **more: Any) -> Attempt:
    more = {"policy": ITS_CONTROLLER, **({} if refused else {"leaves": gone}), **more}
    return Attempt(f"an Argo Rollout: deleted {says}", by=who, do=removed(ROLLOUT, how), refused=refused, only="once stopped", ask=NOTHING, target=ROLLOUT, before=stands(), **more)  # fmt: skip


DELETIONS = [
    deletes("by who may bind the gate", "binder"),
    *(deletes(f"({how})", "dora", ROUND, how=how) for how in ("Background", "Foreground", "Orphan")),
    deletes("by who may override the gate", "dana", ROUND),
    deletes("by a service account that may bind this gate", "pruner"),
    deletes("by a service account that may do everything, as GitOps tools often may", "argocd", "a service account that holds every verb deletes no Rollout from behind its gate"),
    deletes("by a cluster admin who holds every verb", "admin"),
    deletes("by the collector, whose owner somebody took away", "collector", ROUND, policy=f"{ITS_CONTROLLER}|{RBAC}"),
    deletes("by the name of its controller, without its pod", "unbound", ROUND),
    Attempt("an Argo Rollout: all are deleted at once", by="dora", do=lambda scene: Call(path(ARGOPROJ, "rollouts", WAVES), None, "delete", {"fieldSelector": f"metadata.name={scene.name}"}), refused=ROUND, policy=ITS_CONTROLLER, only="once stopped", ask=NOTHING, target=ROLLOUT, before=stands()),
]  # fmt: skip

BEHIND, FREE = label(argo_rollouts=TIDE), label(argo_rollouts=None)
ARE = f" are behind gate {TIDE}: changing that takes verb bind on gates with resourceName {TIDE}"
WOULD = f" would be behind gate {TIDE}: that takes verb bind on gates with resourceName {TIDE}"
NAMES = "label gatehold.dev/argo-rollouts names the Gate that asks about the Rollouts of Argo Rollouts in this namespace"
LABELS = [
    new_place("whose Argo Rollouts are asked about, without the right", "nomad", BEHIND, WOULD),
    new_place("whose Argo Rollouts are asked about, with the right", "binder", BEHIND, leaves=labelled(BEHIND)),
    new_place("whose Argo Rollouts are asked about by no name", "chief", label(argo_rollouts=""), NAMES),
    *(on_place(f"its Argo Rollouts are taken from behind a gate by {how}{' through /' + sub if sub else ''}", "nomad", FREE, ARE, was=BEHIND, how=how, sub=sub) for how, sub in (("merge", ""), ("put", ""), ("merge", "status"), ("put", "finalize"))),
    on_place("its Argo Rollouts are taken from behind a gate by the operator", "operator", FREE, ARE, was=BEHIND),
    on_place("its Argo Rollouts are taken from behind a gate with the right", "binder", FREE, was=BEHIND),
    on_place("its Argo Rollouts are moved to a gate of one's own", "nomad", label(argo_rollouts="mine"), ARE, was=BEHIND),
    on_place("its Argo Rollouts are moved to another's gate", "binder", label(argo_rollouts="mine"), " would be behind gate mine: that takes verb bind", was=BEHIND),
    on_place("its Argo Rollouts are put behind a gate with the right", "binder", BEHIND),
]  # fmt: skip


def end_of_namespace(scene: Scene) -> None:
    """A namespace of the row's own, behind the gate, with a Rollout, on its way out."""
    admin, place = scene.people["admin"], f"place-{scene.name}"
    meta = {"name": place, "labels": {"gatehold.dev/argo-rollouts": TIDE}}
    admin.must(Call(path("v1", "namespaces"), {"apiVersion": "v1", "kind": "Namespace", "metadata": meta}, "post"))
    body = {**rollout(scene), "metadata": {"name": scene.name, "finalizers": ["example.com/kept"]}}
    admin.must(Call(path(ARGOPROJ, "rollouts", place), body, "post"))
    admin.must(Call(path("v1", "namespaces", None, place), None, "delete"))
    # policies see a namespace as a cache of the API server has it
    wait(lambda: scene.people["namespaces"].send(removed(ended)(scene), dryRun="All").ok)


def ended(scene: Scene) -> str:
    return path(ARGOPROJ, "rollouts", f"place-{scene.name}", scene.name)


ENDS = [
    Attempt("an Argo Rollout: deleted with its namespace", by="namespaces", do=removed(ended), policy=ITS_CONTROLLER, only="once stopped", ask=NOTHING, target=ended, before=end_of_namespace, leaves=gone),
    deletes("by the controller of namespaces, while its namespace lives", "namespaces", ROUND),
]  # fmt: skip
ARGO_ROWS = [*STATUS, *HAND, *SPECS, *DELETIONS, *LABELS, *ENDS]
