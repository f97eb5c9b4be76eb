"""The owners of pods: how many they want, of which template, for how long, and what they say of themselves."""

from decimal import Decimal
from typing import Any

import pytest

from gatehold.api.common import ParseError
from gatehold.api.pod_digest import digest
from gatehold.api.workloads import knows, owner, stated_hours
from gatehold.domain.pricing.price import Duration
from gatehold.domain.provision.model import OptionSeen, Owner

Json = dict[str, Any]
POD: Json = {"containers": [{"name": "c", "image": "web:1", "resources": {"requests": {"cpu": "2"}}}]}


def body(kind: str = "Deployment", api_version: str = "apps/v1", notes: Json | None = None, **spec: Any) -> Json:
    """An owner of that kind called web."""
    meta: Json = {"name": "web", "namespace": "shop", "uid": "u", "resourceVersion": "7", "annotations": notes}
    return {"apiVersion": api_version, "kind": kind, "metadata": meta, "spec": {"template": {"spec": POD}} | spec}


def job(**spec: Any) -> Json:
    return body("Job", "batch/v1", **spec)


def cron(**spec: Any) -> Json:
    return body("CronJob", "batch/v1", template=None, jobTemplate={"spec": {"template": {"spec": POD}} | spec})


def rollout(*steps: Json, **spec: Any) -> Json:
    return body("Rollout", "gatehold.dev/v1alpha1", strategy={"canary": {"steps": list(steps)}}, **spec)


def test_everything_that_a_deployment_says() -> None:
    found = owner(body(replicas=5, notes={"gatehold.dev/retry": "2", "gatehold.dev/expected-duration": "6h"}))

    assert found == Owner(
        "apps/v1",
        "Deployment",
        "shop",
        "web",
        "u",
        "7",
        replicas=5,
        surge=2,
        digest=digest(POD, "Deployment"),
        shape=found.shape,
        images=("web:1",),
        stated="6h",
        retry="2",
    )
    assert found.shape.containers[0].requests == {"cpu": Decimal(2)}


SIZES: dict[str, tuple[Json, int, int]] = {
    "a Deployment that says nothing": (body(), 1, 1),
    "a Deployment of none": (body(replicas=0), 0, 0),
    "a Deployment with a number": (body(replicas=10, strategy={"rollingUpdate": {"maxSurge": 3}}), 10, 3),
    "a Deployment with a share": (body(replicas=10, strategy={"rollingUpdate": {"maxSurge": "15%"}}), 10, 2),
    "a Deployment that adds none": (body(replicas=10, strategy={"rollingUpdate": {"maxSurge": 0}}), 10, 0),
    "a Deployment that is recreated": (body(replicas=10, strategy={"type": "Recreate"}), 10, 0),
    "a ReplicaSet": (body("ReplicaSet", replicas=4), 4, 0),
    "a StatefulSet": (body("StatefulSet", replicas=4), 4, 0),
    "a controller of replicas": (body("ReplicationController", "v1", replicas=4), 4, 0),
    "a Job that says nothing": (job(), 1, 0),
    "a Job of many": (job(parallelism=4), 4, 0),
    "a Job with fewer to do": (job(parallelism=4, completions=3), 3, 0),
    "a Job with more to do": (job(parallelism=4, completions=30), 4, 0),
    "a CronJob": (cron(parallelism=2), 2, 0),
    "a bare pod": (body("Pod", "v1") | {"spec": POD}, 1, 0),
    "a Rollout without steps": (rollout(replicas=10), 10, 3),
    "a Rollout that says nothing of steps": (body("Rollout", "gatehold.dev/v1alpha1", replicas=10), 10, 3),
    "a Rollout with small steps": (rollout({"setWeight": 5}, {"pause": {}}, {"setWeight": 20}, replicas=10), 10, 5),
    "a Rollout with one of one percent": (rollout({"setWeight": 1}, replicas=10), 10, 4),
    "a Rollout with nothing to begin with": (rollout({"setWeight": 0}, replicas=10), 10, 3),
    "a Rollout of all": (rollout({"setWeight": 80}, replicas=10), 10, 13),
    "a Rollout of none": (rollout({"setWeight": 80}, replicas=0), 0, 0),
}


@pytest.mark.parametrize(("wire", "replicas", "surge"), SIZES.values(), ids=SIZES)
def test_the_size_of(wire: Json, replicas: int, surge: int) -> None:
    found = owner(wire)

    assert (found.replicas, found.surge) == (replicas, surge)
    assert found.images == ("web:1",)


def test_a_job_is_paid_for_as_long_as_it_may_run() -> None:
    assert owner(job(activeDeadlineSeconds=7200)).duration == Duration(
        Decimal(2), "activeDeadlineSeconds of the Job", enforced=True
    )
    assert owner(job()).duration == Duration()
    assert owner(cron(activeDeadlineSeconds=7200)).duration == Duration()


def test_whether_it_is_suspended() -> None:
    assert owner(job(suspend=True)).suspended is True
    assert owner(cron()).suspended is False
    assert owner(body()).suspended is None


def test_an_owner_that_goes() -> None:
    wire = body()
    wire["metadata"]["deletionTimestamp"] = "2026-11-01T00:00:00Z"

    assert owner(wire).deleting


def test_the_pods_of_a_job_and_of_a_cron_job_are_alike() -> None:
    assert owner(job()).digest == owner(cron()).digest == digest(POD, "Job")


def test_a_stateful_set_has_a_volume_for_each_claim() -> None:
    own = {"name": "data", "emptyDir": {}}
    other = {"name": "scratch", "emptyDir": {}}
    wire = body(
        "StatefulSet",
        template={"spec": POD | {"volumes": [own, other]}},
        volumeClaimTemplates=[{"metadata": {"name": "data"}}],
    )
    made = {"name": "data", "persistentVolumeClaim": {"claimName": "data-web-12"}}

    assert owner(wire).digest == digest(POD | {"volumes": [other, made]}, "StatefulSet")


def test_who_changed_a_rollout_may_not_approve() -> None:
    notes = {"gatehold.dev/authors": "olga,dana"}

    assert owner(rollout() | {"metadata": body(notes=notes)["metadata"]}).authors == ("olga", "dana")
    assert owner(body(notes=notes)).authors == ()


OPTIONS: dict[str, tuple[str, tuple[OptionSeen, ...]]] = {
    "one": ('[{"name": "cheap", "pods": 2}]', (OptionSeen("cheap", 2),)),
    "two with words": (
        '[{"name": "fast", "pods": 50}, {"name": "cheap", "pods": 10, "summary": "half \\u200b a day"}]',
        (OptionSeen("fast", 50), OptionSeen("cheap", 10, "half a day")),
    ),
    "many words": (
        '[{"name": "a", "pods": 1, "summary": "' + "x" * 300 + '"}]',
        (OptionSeen("a", 1, "x" * 255 + "…"),),
    ),
}


@pytest.mark.parametrize(("text", "expected"), OPTIONS.values(), ids=OPTIONS)
def test_options(text: str, expected: tuple[OptionSeen, ...]) -> None:
    found = owner(body(notes={"gatehold.dev/options": text}))

    assert (found.options, found.why) == (expected, "")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "cheap",
        "{}",
        "[]",
        '["cheap"]',
        '[{"name": "cheap"}]',
        '[{"pods": 1}]',
        '[{"name": "Cheap", "pods": 1}]',
        '[{"name": 1, "pods": 1}]',
        '[{"name": "cheap", "pods": 0}]',
        '[{"name": "cheap", "pods": true}]',
        '[{"name": "cheap", "pods": 1.5}]',
        '[{"name": "cheap", "pods": 1, "summary": 1}]',
        '[{"name": "cheap", "pods": 1}, {"name": "cheap", "pods": 2}]',
        "[" + ", ".join(f'{{"name": "o{n}", "pods": 1}}' for n in range(9)) + "]",
        "[" * 100_000,
    ],
    ids=lambda text: text[:40] or "(empty)",
)
def test_options_that_cannot_be_read_hold_it(text: str) -> None:
    found = owner(body(notes={"gatehold.dev/options": text}))

    assert found.options == ()
    assert found.why.startswith("annotation gatehold.dev/options is not a list such as")


@pytest.mark.parametrize(
    ("text", "hours"),
    [("6h", "6"), ("90m", "1.5"), ("2d", "48"), ("10m", "0.166667"), ("", None), ("6", None), ("-6h", None)],
)
def test_a_stated_duration(text: str, hours: str | None) -> None:
    found = owner(body(notes={"gatehold.dev/expected-duration": text})).stated

    assert found == (text if hours is not None else "")
    assert stated_hours(found) == (Decimal(hours) if hours is not None else None)


def test_a_value_of_retry_is_cut_where_a_label_would_be() -> None:
    assert owner(body(notes={"gatehold.dev/retry": "x" * 300})).retry == "x" * 253


BROKEN: dict[str, tuple[Json, str]] = {
    "a kind that is not known": (body("TrainingJob", "kubeflow.org/v1"), "kind TrainingJob is not read here"),
    "a known kind of another group": (body("Deployment", "example.org/v1"), "kind Deployment is not read here"),
    "no kind": ({}, "kind  is not read here"),
    "no metadata": (body() | {"metadata": None}, "metadata: model_type"),
    "no spec": (body() | {"spec": None}, "spec: not an object"),
    "no template": (body(template=None), "spec.template.spec: not an object"),
    "no template of Jobs": (cron() | {"spec": {"jobTemplate": None}}, "spec.jobTemplate.spec: not an object"),
    "replicas in words": (body(replicas="two"), "spec.replicas: int_type"),
    "a surge in words": (body(strategy={"rollingUpdate": {"maxSurge": "some"}}), "maxSurge: neither a number"),
    "a strategy in a word": (body(strategy="fast"), "spec: not as this kind has it"),
    "a weight in words": (rollout({"setWeight": "half"}), "spec: not as this kind has it"),
    "a claim without a name": (body("StatefulSet", volumeClaimTemplates=[{}]), "spec: not as this kind has it"),
}


@pytest.mark.parametrize(("wire", "text"), BROKEN.values(), ids=BROKEN)
def test_it_is_no_owner_with(wire: Json, text: str) -> None:
    with pytest.raises(ParseError, match=text):
        owner(wire)


def test_which_kinds_are_known() -> None:
    assert knows("apps/v1", "Deployment")
    assert knows("v1", "Pod")
    assert not knows("apps/v1", "DaemonSet")
    assert not knows("v1", "Deployment")
