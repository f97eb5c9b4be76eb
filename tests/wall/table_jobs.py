"""Held Jobs: nobody but the operator lets one go, nobody changes what runs. Rows of the wall's table."""
# ruff: noqa: E501 (a row is a line, so that rows can be read down)

from typing import Any

from tests.wall.api import Call, path
from tests.wall.attempt import IDENTITY, JOBS, SCHEMA, Attempt, field_is, gone, notes_of
from tests.wall.people import SHOP, Body
from tests.wall.scene import Ask, Scene, job, notes
from tests.wall.writes import job_patch, merged

HELD = Ask(release=True, state="nothing")
GO: Body = {"spec": {"suspend": False}}
WHY = "INC-4711: site down, sre asleep"
OVERRIDE = {**GO, **notes({"gatehold.dev/override": WHY})}
SIGNED: Body = {
    **GO,
    "metadata": {"annotations": {"gatehold.dev/released-by": "request-1"}, "finalizers": ["gatehold.dev/outcome"]},
}


def on_job(says: str, by: str, do: Any, refused: str = "", **more: Any) -> Attempt:
    """A write on a held Job. One that was let go by hand is tried without an operator: one at work would look at it, too."""
    return Attempt(
        f"a held Job: {says}",
        by=by,
        do=do,
        refused=refused,
        ask=more.pop("ask", HELD),
        policy=more.pop("policy", JOBS),
        target=lambda scene: scene.job_target,
        only="stopped" if more.get("before") in SWEPT else "",
        **more,
    )


def new_job(
    says: str,
    by: str,
    refused: str = "",
    *,
    policy: str = JOBS,
    hold: str = "solo",
    leaves: Any = None,
    since: tuple[int, int] = (1, 30),
    **changes: Any,
) -> Attempt:
    """A creation of a Job: a held one with these changes."""

    def call(scene: Scene) -> Call:
        return Call(path("batch/v1", "jobs", SHOP), merged(job(f"new-{scene.name}", hold), changes), "post")

    return Attempt(
        f"a new Job: {says}",
        since=since,
        by=by,
        do=call,
        refused=refused,
        policy=policy,
        ask=Ask(state="nothing"),
        leaves=leaves,
        target=lambda scene: path("batch/v1", "jobs", SHOP, f"new-{scene.name}"),
    )


def released(scene: Scene) -> None:
    """The operator has let the Job go."""
    scene.people["operator"].must(Call(scene.job_target, SIGNED))


def stopped_again(scene: Scene) -> None:
    released(scene)
    scene.people["operator"].must(Call(scene.job_target, {"spec": {"suspend": True}}))


def closed(scene: Scene) -> None:
    scene.people["operator"].must(Call(scene.job_target, notes({"gatehold.dev/closed-by": "request-1"})))


def overridden(scene: Scene) -> None:
    scene.people["oz"].must(Call(scene.job_target, OVERRIDE))


def overridden_and_stopped(scene: Scene) -> None:
    overridden(scene)
    scene.people["operator"].must(Call(scene.job_target, {"spec": {"suspend": True}}))


def not_held(scene: Scene) -> None:
    """An ordinary Job under the name of the held one."""
    admin = scene.people["admin"]
    admin.must(Call(scene.job_target, None, "delete", {"propagationPolicy": "Background"}))
    body = job(scene.job, "solo")
    del body["metadata"]["labels"]
    admin.must(Call(path("batch/v1", "jobs", SHOP), body, "post"))


SWEPT = (released, stopped_again, overridden, overridden_and_stopped)
"""Twice a minute the operator takes its finalizer off Jobs whose request is gone, and marks those overridden by hand."""

CREATE = [
    new_job("a held Job is created suspended", "ci", leaves=field_is("spec.suspend", True)),
    new_job("a held Job under a policy with a dot in its name", "ci", hold="prod.v2", leaves=field_is("spec.suspend", True)),
    new_job("an ordinary Job is nobody's business", "ci", metadata={"labels": None, "annotations": {"gatehold.dev/anything": "x"}}, spec={"suspend": None}, leaves=field_is("spec.suspend", False)),
    new_job("a held Job that is not suspended", "ci", "a Job with label gatehold.dev/hold is created with spec.suspend: true; open an ApprovalRequest with effect Release to let it run", spec={"suspend": False}),
    new_job("a held Job that does not say", "ci", "is created with spec.suspend: true", spec={"suspend": None}),
    new_job("a held Job of another controller", "ci", "a held Job is run by the Job controller of the cluster; leave spec.managedBy out", spec={"managedBy": "example.com/mine"}, since=(1, 32)),
    new_job(
        "a held Job with a selector of its own",
        "ci",
        "a held Job selects its own pods; leave spec.manualSelector out",
        spec={
            "manualSelector": True,
            "selector": {"matchLabels": {"app": "mine"}},
            "template": {"metadata": {"labels": {"app": "mine"}}},
        },
    ),
    new_job("an empty policy", "ci", "label gatehold.dev/hold names the ApprovalPolicy that holds the Job", hold=""),
    new_job("a policy that cannot be a name", "ci", "label gatehold.dev/hold names the ApprovalPolicy", hold="Prod_Change"),
    new_job("the label in capitals", "ci", "the label is spelled gatehold.dev/hold, in small letters", metadata={"labels": {"gatehold.dev/hold": None, "gatehold.dev/Hold": "solo"}}, spec={"suspend": False}),
    new_job("born released", "ci", "annotation gatehold.dev/released-by of a held Job is written by the operator only", metadata=notes({"gatehold.dev/released-by": "x"})["metadata"]),
    new_job("born closed", "ci", "annotation gatehold.dev/closed-by of a held Job is written by the operator only", metadata=notes({"gatehold.dev/closed-by": "x"})["metadata"]),
    new_job("born overridden", "oz", "annotation gatehold.dev/override is written in the same write that sets spec.suspend: false", metadata=notes({"gatehold.dev/override": WHY})["metadata"]),
    new_job("born with the outcome finalizer", "ci", "finalizer gatehold.dev/outcome of a held Job is changed by the operator only", metadata={"finalizers": ["gatehold.dev/outcome"]}),
    new_job("born with another label of ours", "ci", "label gatehold.dev/gate of a held Job is changed by the operator only", metadata={"labels": {"gatehold.dev/gate": "x"}}),
    new_job("born released by a cluster admin", "admin", "annotation gatehold.dev/released-by of a held Job is written by the operator only", metadata=notes({"gatehold.dev/released-by": "x"})["metadata"]),
]  # fmt: skip

HOLD = 'this Job is held: the operator lets it run once an ApprovalRequest with effect Release under policy solo is approved; break-glass: in one write set spec.suspend: false and annotation gatehold.dev/override="why" (takes verb override on approvalpolicies with resourceName solo in namespace shop)'
FROZEN = "this Job is held: what people approve is its spec as it was created (spec."
STAYS = "label gatehold.dev/hold never changes; delete the Job if you do not want it any more, and create a new one for another policy"

RESUME = [
    *(on_job(f"its creator resumes it by {how}", "ci", job_patch(GO, how), HOLD) for how in ("merge", "strategic", "apply", "put")),
    on_job("its creator resumes it by JSON patch", "ci", job_patch([{"op": "replace", "path": "/spec/suspend", "value": False}], "json"), HOLD),
    on_job("its creator removes suspend", "ci", job_patch([{"op": "remove", "path": "/spec/suspend"}], "json"), HOLD),
    on_job("a cluster admin resumes it", "admin", job_patch(GO), HOLD),
    on_job("a cluster admin resumes it through /status: nothing happens", "admin", job_patch(GO, sub="status"), leaves=field_is("spec.suspend", True)),
    on_job("the label and the hold go in one write", "ci", job_patch({**GO, "metadata": {"labels": {"gatehold.dev/hold": None}}}), STAYS),
    on_job("the operator's name without its pod resumes an ordinary Job", "pretender", job_patch(GO), "the operator's service account acts from its own pod only", policy=IDENTITY, before=not_held),
    on_job("its creator stops it while it runs", "ci", job_patch({"spec": {"suspend": True}}), 'a held Job that runs is stopped by the operator only; deny its ApprovalRequest with gatehold.dev/deny="why"', before=released),
    on_job("its creator resumes it after the operator stopped it", "ci", job_patch(GO), HOLD, before=stopped_again),
]  # fmt: skip

EDIT = [
    *(
        on_job(f"its creator changes {says}", "ci", job_patch({"spec": change}), FROZEN + says)
        for says, change in {
            "parallelism": {"parallelism": 50}, "activeDeadlineSeconds": {"activeDeadlineSeconds": 1}, "backoffLimit": {"backoffLimit": 99},
            "ttlSecondsAfterFinished": {"ttlSecondsAfterFinished": 0}, "template": {"template": {"spec": {"nodeSelector": {"gpu": "true"}}}},
        }.items()
    ),
    on_job("its creator changes the image", "ci", job_patch([{"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": "evil"}], "json"), "field is immutable", policy=SCHEMA),
    on_job("a cluster admin changes parallelism", "admin", job_patch({"spec": {"parallelism": 50}}), FROZEN + "parallelism"),
    on_job("the operator changes parallelism", "operator", job_patch({"spec": {"parallelism": 50}}), FROZEN + "parallelism"),
    on_job("the operator changes parallelism while it releases", "operator", job_patch(merged(SIGNED, {"spec": {"parallelism": 50}})), FROZEN + "parallelism"),
    on_job("its creator changes parallelism while it runs", "ci", job_patch({"spec": {"parallelism": 50}}), FROZEN + "parallelism", before=released),
    on_job("its creator takes the label off", "ci", job_patch({"metadata": {"labels": {"gatehold.dev/hold": None}}}), STAYS),
    on_job("its creator takes the label off through /status", "ci", job_patch({"metadata": {"labels": {"gatehold.dev/hold": None}}}, sub="status"), STAYS),
    on_job("its creator takes all labels off by PUT of /status", "ci", job_patch({"metadata": {"labels": None}}, "put", "status"), STAYS),
    on_job("its creator moves it to another policy", "ci", job_patch({"metadata": {"labels": {"gatehold.dev/hold": "auto"}}}), STAYS),
    on_job("its creator moves it to another policy through /status", "ci", job_patch({"metadata": {"labels": {"gatehold.dev/hold": "auto"}}}, sub="status"), STAYS),
    on_job("the operator takes the label off", "operator", job_patch({"metadata": {"labels": {"gatehold.dev/hold": None}}}), STAYS),
    on_job("a cluster admin takes the label off", "admin", job_patch({"metadata": {"labels": {"gatehold.dev/hold": None}}}), STAYS),
    on_job("the label in capitals beside it", "ci", job_patch({"metadata": {"labels": {"gatehold.dev/Hold": "auto"}}}), "the label is spelled gatehold.dev/hold, in small letters"),
    on_job("the label on an ordinary Job", "ci", job_patch({"metadata": {"labels": {"gatehold.dev/hold": "solo"}}}), "label gatehold.dev/hold is put on when the Job is created, not later; create a new Job", before=not_held),
    on_job("the label on an ordinary Job through /status", "ci", job_patch({"metadata": {"labels": {"gatehold.dev/hold": "solo"}}}, sub="status"), "label gatehold.dev/hold is put on when the Job is created, not later", before=not_held),
    on_job("its creator signs it as released", "ci", job_patch(notes({"gatehold.dev/released-by": "x"})), "annotation gatehold.dev/released-by of a held Job is written by the operator only"),
    on_job("its creator signs it as released through /status", "ci", job_patch(notes({"gatehold.dev/released-by": "x"}), sub="status"), "annotation gatehold.dev/released-by of a held Job is written by the operator only"),
    on_job("its creator removes the signature", "ci", job_patch(notes({"gatehold.dev/released-by": None})), "annotation gatehold.dev/released-by of a held Job is written by the operator only", before=released),
    on_job("its creator removes all annotations through /status", "ci", job_patch({"metadata": {"annotations": None}}, sub="status"), "annotation gatehold.dev/released-by of a held Job is written by the operator only", before=released),
    on_job("its creator takes the outcome finalizer off", "ci", job_patch({"metadata": {"finalizers": None}}), "finalizer gatehold.dev/outcome of a held Job is changed by the operator only, once the outcome is recorded", before=released),
    on_job("its creator takes the outcome finalizer off through /status", "ci", job_patch({"metadata": {"finalizers": None}}, sub="status"), "finalizer gatehold.dev/outcome of a held Job is changed by the operator only", before=released),
    on_job("its creator puts the outcome finalizer on", "ci", job_patch({"metadata": {"finalizers": ["gatehold.dev/outcome"]}}), "finalizer gatehold.dev/outcome of a held Job is changed by the operator only"),
    on_job("its creator puts another mark of ours on", "ci", job_patch(notes({"gatehold.dev/approved": "yes"})), "annotation gatehold.dev/approved of a held Job is written by the operator only"),
    on_job("its creator puts a mark in capitals on", "ci", job_patch(notes({"GateHold.dev/released-by": "x"})), "annotation GateHold.dev/released-by of a held Job is written by the operator only"),
    on_job("its creator changes other labels", "ci", job_patch({"metadata": {"labels": {"team": "web"}}}), leaves=field_is("metadata.labels.team", "web")),
    on_job("its creator changes other annotations", "ci", job_patch(notes({"example.com/run": "7"})), leaves=lambda scene, after: notes_of(after).get("example.com/run") == "7"),
    on_job("its creator deletes it", "ci", lambda scene: Call(scene.job_target, None, "delete", {"propagationPolicy": "Background"}), leaves=gone),
    on_job("its creator deletes it while it runs: it stays until the outcome is recorded", "ci", lambda scene: Call(scene.job_target, None, "delete", {"propagationPolicy": "Background"}), before=released, leaves=lambda scene, after: after is not None and gone(scene, after)),
]  # fmt: skip


def named(who: str) -> Any:
    """Resumed, with the reason, and where stamping is installed with the name."""

    def check(scene: Scene, after: Body | None) -> bool:
        found = notes_of(after)
        named = found.get("gatehold.dev/override-by") == (who if scene.stamped else None)
        return named and found.get("gatehold.dev/override") == WHY and not (after or {})["spec"].get("suspend")

    return check


BREAK_GLASS = [
    *(on_job(f"a holder of override resumes it by {how}", "oz", job_patch(OVERRIDE, how), leaves=named("oz")) for how in ("merge", "apply", "put")),
    on_job("a holder of override resumes it after the operator stopped it", "oz", job_patch(OVERRIDE), before=stopped_again, leaves=named("oz")),
    on_job("a holder of override names himself", "oz", job_patch(merged(OVERRIDE, notes({"gatehold.dev/override-by": "oz"}))), leaves=lambda scene, after: notes_of(after)["gatehold.dev/override-by"] == "oz"),
    on_job("without the verb", "mallory", job_patch(OVERRIDE), "you may not override policy solo: it takes verb override on approvalpolicies with resourceName solo in namespace shop"),
    on_job("a service account with the verb", "gitops", job_patch(OVERRIDE), "system accounts and service accounts cannot override; log in as a person"),
    on_job("the operator with a reason instead of its signature", "operator", job_patch(OVERRIDE), "annotation gatehold.dev/override is written in the same write that sets spec.suspend: false, by a holder of verb override, and stays"),
    on_job("a reason that says hardly anything", "oz", job_patch({**GO, **notes({"gatehold.dev/override": "go"})}), "an override needs a readable reason: 8 letters or digits at least, 1024 characters at most"),
    on_job("a reason that cannot be seen", "oz", job_patch({**GO, **notes({"gatehold.dev/override": "\u3164" * 12})}), "an override needs a readable reason"),
    on_job("a reason with a direction mark", "oz", job_patch({**GO, **notes({"gatehold.dev/override": WHY + "\u202e"})}), "an override needs a readable reason"),
    on_job("a reason of 1025 characters", "oz", job_patch({**GO, **notes({"gatehold.dev/override": "x" * 1025})}), "an override needs a readable reason"),
    on_job("an empty reason", "oz", job_patch({**GO, **notes({"gatehold.dev/override": ""})}), HOLD),
    on_job("no reason", "oz", job_patch(GO), HOLD),
    on_job("a reason first, to resume later", "oz", job_patch(notes({"gatehold.dev/override": WHY})), "annotation gatehold.dev/override is written in the same write that sets spec.suspend: false, by a holder of verb override, and stays"),
    on_job("a reason first, through /status", "oz", job_patch(OVERRIDE, sub="status"), "annotation gatehold.dev/override is written in the same write"),
    on_job("an old reason serves again", "oz", job_patch(OVERRIDE), HOLD, before=overridden_and_stopped),
    on_job("something else changes in the same write", "oz", job_patch(merged(OVERRIDE, {"spec": {"parallelism": 50}})), FROZEN + "parallelism"),
    on_job("the label goes in the same write", "oz", job_patch({**GO, "metadata": {**OVERRIDE["metadata"], "labels": {"gatehold.dev/hold": None}}}), STAYS),
    on_job("signed as released in the same write", "oz", job_patch(merged(OVERRIDE, notes({"gatehold.dev/released-by": "x"}))), "annotation gatehold.dev/released-by of a held Job is written by the operator only"),
    on_job("in another's name", "oz", job_patch(merged(OVERRIDE, notes({"gatehold.dev/override-by": "alice"}))), "annotation gatehold.dev/override-by is the user name of whoever overrides"),
    on_job("the name alone", "oz", job_patch(notes({"gatehold.dev/override-by": "oz"})), "annotation gatehold.dev/override-by is the user name of whoever overrides"),
    on_job("the reason is removed afterwards", "oz", job_patch(notes({"gatehold.dev/override": None})), "annotation gatehold.dev/override is written in the same write that sets spec.suspend: false, by a holder of verb override, and stays", before=overridden),
    on_job("the reason is changed afterwards", "oz", job_patch(notes({"gatehold.dev/override": "something nicer"})), "annotation gatehold.dev/override is written in the same write", before=overridden),
    on_job("the operator removes the reason", "operator", job_patch(notes({"gatehold.dev/override": None})), "annotation gatehold.dev/override is written in the same write", before=overridden),
]  # fmt: skip

SIGN = "the operator releases a held Job with finalizer gatehold.dev/outcome and a new gatehold.dev/released-by in the same write, once for each request and never for a closed one"
OWN_HAND = [
    on_job("the operator releases it, signed", "operator", job_patch(SIGNED), leaves=field_is("spec.suspend", False)),
    on_job("the operator stops it", "operator", job_patch({"spec": {"suspend": True}}), before=released, leaves=field_is("spec.suspend", True)),
    on_job("the operator takes the finalizer off", "operator", job_patch({"metadata": {"finalizers": None}}), before=released, leaves=lambda scene, after: not (after or {})["metadata"].get("finalizers")),
    on_job("the operator releases it for a second request", "operator", job_patch(merged(SIGNED, notes({"gatehold.dev/released-by": "request-2"}))), before=stopped_again, leaves=field_is("spec.suspend", False)),
    on_job("the operator releases it unsigned", "operator", job_patch({**GO, "metadata": {"finalizers": ["gatehold.dev/outcome"]}}), SIGN),
    on_job("the operator releases it without the finalizer", "operator", job_patch({**GO, **notes({"gatehold.dev/released-by": "request-1"})}), SIGN),
    on_job("the operator releases it twice for one request", "operator", job_patch(SIGNED), SIGN, before=stopped_again),
    on_job("the operator releases it for a request that was closed", "operator", job_patch(SIGNED), SIGN, before=closed),
]  # fmt: skip

HELD_ONLY = "the operator changes Jobs that carry label gatehold.dev/hold or gatehold.dev/pods, and no others"
STOLEN = [
    *(
        on_job(f"a stolen operator {says} an ordinary Job", "operator", do, HELD_ONLY, before=not_held)
        for says, do in {
            "resumes": job_patch(GO), "resumes and signs": job_patch(SIGNED), "widens": job_patch({"spec": {"parallelism": 50}}),
            "changes the node selector of": job_patch({"spec": {"template": {"spec": {"nodeSelector": {"gpu": "true"}}}}}),
            "resumes by JSON patch": job_patch([{"op": "replace", "path": "/spec/suspend", "value": False}], "json"),
            "resumes by strategic merge": job_patch(GO, "strategic"), "resumes by apply": job_patch(GO, "apply"),
            "marks": job_patch(notes({"gatehold.dev/closed-by": "request-1"})), "annotates": job_patch(notes({"example.com/run": "7"})),
            "labels": job_patch({"metadata": {"labels": {"team": "web"}}}), "pins": job_patch({"metadata": {"finalizers": ["gatehold.dev/outcome"]}}),
            "takes over, for later,": job_patch({"metadata": {"labels": {"gatehold.dev/hold": "solo"}}}),
            "resumes and disowns": job_patch({"metadata": {"ownerReferences": []}, **GO}),
        }.items()
    ),
    on_job("its creator resumes an ordinary Job", "ci", job_patch(GO), before=not_held, leaves=field_is("spec.suspend", False)),
]  # fmt: skip

JOB_ROWS = [*CREATE, *RESUME, *EDIT, *BREAK_GLASS, *OWN_HAND, *STOLEN]
