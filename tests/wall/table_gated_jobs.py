"""Jobs of a gated namespace wait suspended, and nobody lets one go. Rows of the wall's table."""
# ruff: noqa: E501 (a row is a line, so that rows can be read down)

from tests.wall.api import Call
from tests.wall.attempt import GATED_JOBS, JOBS, SCHEMA, Attempt, field_is, gone, notes_of
from tests.wall.gated import (
    DEAR,
    GO,
    JOB,
    LABEL,
    NOTHING,
    OVERRIDE_JOB,
    RESUME,
    SIGN,
    SUSPENDED,
    WHY,
    has,
    is_suspended,
    job,
    job_runs,
    job_waits,
    label_of,
    new_job,
    on_job,
    owned,
    removed,
)
from tests.wall.people import SHOP, Body
from tests.wall.places import PRICED
from tests.wall.rollouts import by, then
from tests.wall.scene import Scene, notes
from tests.wall.writes import joined, write_on

NOTHING_SUSPENDS = "gate dear holds the Jobs of namespace priced and nothing here suspends them for you: put spec.suspend: true and label gatehold.dev/pods: dear into the Job"
NAMES = "label gatehold.dev/pods names the gate of the namespace, which is dear: leave it out of the Job"
WAITS = 'this Job waits for gate dear and the operator resumes it; break-glass: in one write set spec.suspend: false and annotation gatehold.dev/override="why" (takes verb override on gates with resourceName dear)'
FROZEN = "a Job that waits for gate dear cannot be changed (spec."
STAYS = "label gatehold.dev/pods of a Job never changes"
BY_OPERATOR = " of a Job that waits for a gate is written by the operator only"
MAY_FALL = "its price was reckoned by spec.activeDeadlineSeconds, which may fall, not rise or go: create another Job, or hold verb override on gates with resourceName dear"
OWNERS = "the owner of a Job that waits is changed by its controller only"
RUNS: Body = {"spec": {"suspend": False}}
HOLD: Body = {"metadata": {"labels": {**LABEL, "gatehold.dev/hold": "solo"}}, "spec": {"suspend": True}}
PARALLEL: Body = {"spec": {"parallelism": 5}}
STOP: Body = {"spec": {"suspend": True}}
AGAIN = then(job_runs(), by("dora", write_on(JOB, STOP)))


def claims(kind: str) -> str:
    return f"a Job gets an owner of kind {kind} from its controller only"


def runs(scene: Scene, after: Body | None) -> bool:
    return not (after or {})["spec"].get("suspend") and label_of(after) == DEAR


def free(scene: Scene, after: Body | None) -> bool:
    return not (after or {})["spec"].get("suspend") and label_of(after) is None


CREATED = [
    new_job("as people write it", "dora", job, unstamped=NOTHING_SUSPENDS, leaves=is_suspended),
    new_job("that says it is not suspended", "dora", lambda scene: job(scene, RUNS), unstamped=NOTHING_SUSPENDS, leaves=is_suspended),
    new_job("suspended, with the label", "dora", lambda scene: job(scene, SUSPENDED), leaves=is_suspended),
    new_job("suspended, without the label", "dora", lambda scene: job(scene, STOP), unstamped=NOTHING_SUSPENDS, leaves=is_suspended),
    new_job("with the label, running", "dora", lambda scene: job(scene, SUSPENDED, RUNS), unstamped=NOTHING_SUSPENDS, leaves=is_suspended),
    new_job("by a cluster admin", "admin", job, unstamped=NOTHING_SUSPENDS, leaves=is_suspended),
    new_job("by the CronJob controller", "crons", lambda scene: job(scene, SUSPENDED, owned("CronJob", "batch/v1")), leaves=is_suspended),
    new_job("of a CronJob, as somebody says", "dora", lambda scene: job(scene, SUSPENDED, owned("CronJob", "batch/v1")), claims("CronJob")),
    new_job("of a CronJob, as a cluster admin says", "admin", lambda scene: job(scene, SUSPENDED, owned("CronJob", "batch/v1")), claims("CronJob")),
    new_job("of a Rollout, as somebody says", "dora", lambda scene: job(scene, SUSPENDED, owned("Rollout", "gatehold.dev/v1alpha1")), claims("Rollout")),
    new_job("of a Deployment, by the CronJob controller", "crons", lambda scene: job(scene, SUSPENDED, owned("Deployment")), claims("Deployment")),
    new_job("of an owner of one's own kind", "dora", lambda scene: job(scene, SUSPENDED, owned("Train", "example.com/v1")), leaves=is_suspended),
    new_job("with the label of another gate", "dora", lambda scene: job(scene, SUSPENDED, {"metadata": {"labels": {"gatehold.dev/pods": "web"}}}), NAMES),
    new_job("with the label in capitals", "dora", lambda scene: job(scene, SUSPENDED, {"metadata": {"labels": {"gatehold.dev/Pods": DEAR}}}), "the label is spelled gatehold.dev/pods, in small letters"),
    new_job("with another label of ours", "dora", lambda scene: job(scene, SUSPENDED, {"metadata": {"labels": {"gatehold.dev/gate": DEAR}}}), "gatehold.dev/gate" + BY_OPERATOR),
    new_job("let go already, as it says", "dora", lambda scene: job(scene, SUSPENDED, SIGN), "gatehold.dev/released-by" + BY_OPERATOR),
    new_job("overridden already", "dana", lambda scene: job(scene, SUSPENDED, notes({"gatehold.dev/override": WHY})), "gatehold.dev/override" + BY_OPERATOR),
    new_job("let go already, in capitals", "dora", lambda scene: job(scene, SUSPENDED, notes({"GateHold.dev/released-by": "x"})), "GateHold.dev/released-by" + BY_OPERATOR),
    new_job("with what its author says of it", "dora", lambda scene: job(scene, SUSPENDED, notes({"gatehold.dev/expected-duration": "6h"})), leaves=has(expected_duration="6h")),
    new_job("of another controller", "dora", lambda scene: job(scene, SUSPENDED, {"spec": {"managedBy": "example.com/mine"}}), "a Job that waits for a gate is run by the Job controller of the cluster; leave spec.managedBy out", since=(1, 32)),
    new_job("with a selector of its own", "dora", lambda scene: job(scene, SUSPENDED, {"spec": {"manualSelector": True, "selector": {"matchLabels": {"app": "dear"}}}}), "a Job that waits for a gate selects its own pods; leave spec.manualSelector out"),
    new_job("by an exempt account", "launcher", job, leaves=free),
    new_job("by an exempt account, with the label", "launcher", lambda scene: job(scene, {"metadata": {"labels": LABEL}}), "gate dear holds the Jobs of namespace priced"),
    new_job("by an exempt account, suspended for another gate", "launcher", lambda scene: job(scene, SUSPENDED, {"metadata": {"labels": {"gatehold.dev/pods": "web"}}}), NAMES),
    new_job("by an account of the namespace that is named as exempt", "insider", job, unstamped=NOTHING_SUSPENDS, leaves=is_suspended),
    new_job("held by label hold, too", "dora", lambda scene: job(scene, {"metadata": {"labels": {"gatehold.dev/hold": "solo"}}, "spec": {"suspend": True}}), unstamped=NOTHING_SUSPENDS, leaves=is_suspended),
    new_job("held by label hold, with the other in capitals", "dora", lambda scene: job(scene, HOLD, {"metadata": {"labels": {"gatehold.dev/Pods": DEAR}}}), "the label is spelled gatehold.dev/pods, in small letters | label gatehold.dev/Pods of a held Job", policy=f"{GATED_JOBS}|{JOBS}"),
    new_job("held by label hold, with both labels by hand", "dora", lambda scene: job(scene, HOLD), leaves=is_suspended),
]  # fmt: skip

RESUMED = [
    *(on_job(f"its creator resumes it by {how}", "dora", GO, WAITS, how=how) for how in ("merge", "strategic", "apply", "put")),
    on_job("its creator resumes it by JSON patch", "dora", [{"op": "replace", "path": "/spec/suspend", "value": False}], WAITS, how="json"),
    on_job("its creator removes suspend", "dora", [{"op": "remove", "path": "/spec/suspend"}], WAITS, how="json"),
    *(on_job(f"{who} resumes it", who, GO, WAITS) for who in ("admin", "mallory", "launcher", "insider", "gitops", "kcm")),
    on_job("its creator resumes and signs it", "dora", RESUME, WAITS),
    on_job("its creator resumes it through /status: nothing happens", "dora", GO, sub="status", leaves=is_suspended),
    on_job("its creator resumes it after it was suspended again", "dora", GO, WAITS, before=AGAIN),
    on_job("the operator resumes it", "operator", RESUME, leaves=lambda scene, after: runs(scene, after) and has(released_by="request-1")(scene, after)),
    on_job("the operator resumes it again, for the same request", "operator", RESUME, before=AGAIN, leaves=runs),
    on_job("the operator resumes it unsigned", "operator", GO, "the operator resumes a Job with annotation gatehold.dev/released-by in the same write"),
    on_job("the operator suspends it", "operator", STOP, before=job_runs(), leaves=is_suspended),
    on_job("anybody suspends it while it runs", "dora", STOP, before=job_runs(), leaves=is_suspended),
]  # fmt: skip

CHANGED = [
    *(
        on_job(f"its creator changes {says}", "dora", {"spec": change}, FROZEN + says)
        for says, change in {"parallelism": {"parallelism": 5}, "activeDeadlineSeconds": {"activeDeadlineSeconds": 1}, "backoffLimit": {"backoffLimit": 99}, "template": {"template": {"spec": {"nodeSelector": {"pool": "gpu"}}}}}.items()
    ),
    on_job("a cluster admin changes parallelism", "admin", PARALLEL, FROZEN + "parallelism"),
    on_job("its creator changes parallelism after he suspended it again", "dora", PARALLEL, FROZEN + "parallelism", before=AGAIN),
    on_job("its creator changes parallelism while it runs: what is more waits as pods", "dora", PARALLEL, before=job_runs(), leaves=field_is("spec.parallelism", 5)),
    *(on_job(f"its creator {says}", "dora", {"spec": {"activeDeadlineSeconds": value}}, MAY_FALL, before=job_runs({"spec": {"activeDeadlineSeconds": 600}})) for says, value in (("lengthens its deadline while it runs", 601), ("takes its deadline off while it runs", None))),
    on_job("its creator lengthens its deadline in the write that suspends it", "dora", {"spec": {"activeDeadlineSeconds": 601, "suspend": True}}, MAY_FALL, before=job_runs({"spec": {"activeDeadlineSeconds": 600}})),
    on_job("its creator shortens its deadline while it runs", "dora", {"spec": {"activeDeadlineSeconds": 599}}, before=job_runs({"spec": {"activeDeadlineSeconds": 600}}), leaves=field_is("spec.activeDeadlineSeconds", 599)),
    on_job("a holder of override lengthens its deadline while it runs", "dana", {"spec": {"activeDeadlineSeconds": 601}}, before=job_runs({"spec": {"activeDeadlineSeconds": 600}}), leaves=field_is("spec.activeDeadlineSeconds", 601)),
    on_job("another image", "dora", [{"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": "dearer:1"}], "field is immutable", how="json", policy=SCHEMA),
    *(on_job(f"its label goes{' through /status' if sub else ''}, by {who}", who, {"metadata": {"labels": {"gatehold.dev/pods": None}}}, STAYS, sub=sub) for who, sub in (("dora", ""), ("dora", "status"), ("admin", ""))),
    on_job("its label goes, by the operator", "operator", {"metadata": {"labels": {"gatehold.dev/pods": None}}}, "denied request: ", policy=f"{GATED_JOBS}|gatehold-provision"),
    on_job("its label goes in the write that resumes it", "dora", joined(GO, {"metadata": {"labels": {"gatehold.dev/pods": None}}}), STAYS),
    on_job("its label goes while it runs", "dora", {"metadata": {"labels": {"gatehold.dev/pods": None}}}, STAYS, before=job_runs()),
    on_job("it moves to another gate", "dora", {"metadata": {"labels": {"gatehold.dev/pods": "web"}}}, STAYS),
    on_job("it gets label hold", "dora", {"metadata": {"labels": {"gatehold.dev/hold": "solo"}}}, "label gatehold.dev/hold is put on when the Job is created, not later", policy=JOBS),
    *(on_job(f"its creator signs it{' through /status' if sub else ''}", "dora", SIGN, "gatehold.dev/released-by" + BY_OPERATOR, sub=sub) for sub in ("", "status")),
    on_job("its creator takes the signature off", "dora", notes({"gatehold.dev/released-by": None}), "gatehold.dev/released-by" + BY_OPERATOR, before=job_runs()),
    on_job("its creator signs it in capitals", "dora", notes({"Gatehold.dev/released-by": "x"}), "Gatehold.dev/released-by" + BY_OPERATOR),
    on_job("it is given to an approved CronJob", "dora", owned("CronJob", "batch/v1"), claims("CronJob")),
    on_job("it is given to an approved CronJob by its controller", "crons", owned("CronJob", "batch/v1"), leaves=is_suspended),
    on_job("it is given an owner of another kind", "dora", owned("ConfigMap", "v1"), OWNERS),
    on_job("its author asks again", "dora", notes({"gatehold.dev/retry": "2"}), leaves=has(retry="2")),
    on_job("another annotation", "dora", notes({"example.com/x": "y"}), leaves=lambda scene, after: notes_of(after)["example.com/x"] == "y"),
    Attempt("a gated Job: deleted by its creator", by="dora", do=removed(JOB), ask=NOTHING, before=job_waits(), target=JOB, only="stopped", leaves=gone),
]  # fmt: skip

READABLE = "an override needs a readable reason: 8 letters or digits at least, 1024 characters at most"
SAY_WHY = notes({"gatehold.dev/override": WHY})


def overridden(scene: Scene, after: Body | None) -> bool:
    return runs(scene, after) and has(override=WHY, override_by="dana")(scene, after)


def reason(text: str) -> Body:
    return joined(OVERRIDE_JOB, notes({"gatehold.dev/override": text}))


BREAK_GLASS = [
    on_job("a holder of override says why, and no more", "dana", SAY_WHY, unstamped="gatehold.dev/override" + BY_OPERATOR, leaves=overridden),
    *(on_job(f"a holder of override resumes it by {how}", "dana", OVERRIDE_JOB, how=how, leaves=overridden) for how in ("merge", "put", "apply")),
    on_job("a holder of override resumes it after it was suspended again", "dana", OVERRIDE_JOB, before=AGAIN, leaves=overridden),
    on_job("without the verb", "dora", joined(OVERRIDE_JOB, notes({"gatehold.dev/override-by": "dora"})), "you may not override gate dear: it takes verb override on gates with resourceName dear"),
    on_job("a service account with the verb", "gitops", joined(OVERRIDE_JOB, notes({"gatehold.dev/override-by": "system:serviceaccount:shop:gitops"})), "system accounts and service accounts cannot override; log in as a person"),
    *(on_job(f"a reason that {says}", "dana", reason(text), READABLE) for says, text in {"says hardly anything": "go", "cannot be seen": "\u3164" * 12, "is too long": "x" * 1025}.items()),
    on_job("in another's name", "dana", joined(OVERRIDE_JOB, notes({"gatehold.dev/override-by": "olga"})), "an override is recorded under your own name: set gatehold.dev/override-by=dana", only="unstamped stopped"),
    on_job("with more pods", "dana", joined(OVERRIDE_JOB, PARALLEL), FROZEN + "parallelism"),
    on_job("with a signature of the operator's", "dana", joined(OVERRIDE_JOB, SIGN), "gatehold.dev/released-by" + BY_OPERATOR),
    on_job("the reason is removed afterwards", "dana", notes({"gatehold.dev/override": None}), "gatehold.dev/override" + BY_OPERATOR, before=then(job_waits(), by("dana", write_on(JOB, OVERRIDE_JOB)))),
    on_job("the name alone", "dana", notes({"gatehold.dev/override-by": "dana"}), "gatehold.dev/override-by" + BY_OPERATOR),
    on_job("one with label hold, by who may override the gate alone", "dana", OVERRIDE_JOB, "you may not override policy solo: it takes verb override on approvalpolicies with resourceName solo in namespace priced", before=job_waits(HOLD), policy=JOBS),
    on_job("one with label hold is resumed by the operator, for the hold's request", "operator", joined(RESUME, {"metadata": {"finalizers": ["gatehold.dev/outcome"]}}), before=job_waits(HOLD), leaves=runs),
    on_job("one with label hold is resumed by the operator without the outcome's finalizer", "operator", RESUME, "the operator releases a held Job with finalizer gatehold.dev/outcome", before=job_waits(HOLD), policy=JOBS),
]  # fmt: skip

BEFORE_THE_GATE = [
    Attempt("a Job without a gate: gets the label of one", by="dora", do=write_on(JOB, {"metadata": {"labels": LABEL}}), refused=STAYS, policy=GATED_JOBS, ask=NOTHING, target=JOB, only="stopped", before=lambda scene: scene.people["launcher"].must(Call(f"/apis/batch/v1/namespaces/{PRICED}/jobs", job(scene), "post")) and None),
    Attempt("a Job without a gate: of a namespace that has none", by="dora", do=lambda scene: Call(f"/apis/batch/v1/namespaces/{SHOP}/jobs", job(scene), "post"), ask=NOTHING, target=lambda scene: f"/apis/batch/v1/namespaces/{SHOP}/jobs/{scene.name}", only="stopped", leaves=free),
]  # fmt: skip

GATED_JOB_ROWS = [*CREATED, *RESUMED, *CHANGED, *BREAK_GLASS, *BEFORE_THE_GATE]
