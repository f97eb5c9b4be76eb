"""What a request is told about its Jobs: from the cache, and live wherever an old cache would end the request."""

from types import SimpleNamespace
from typing import Any

import pytest

from gatehold.controllers.effects.release_job import JobHands
from gatehold.domain.decide import decide
from gatehold.domain.phases import Phase
from gatehold.domain.plan import DropFinalizer, JobFacts
from gatehold.domain.status import EffectState
from gatehold.kube.errors import Absent
from gatehold.kube.resources import Resource
from gatehold.runtime.objects import Objects
from tests import builders
from tests.builders import NOW, after, approved, effect, job, pending, release_observed, release_request, resolved

REQUEST = release_request(undo=False)
ASKED = pending(resolved=resolved(undo=False))
NAME, UID = job().name, job().uid
OURS = "gatehold.dev/outcome"


def body(uid: str = UID, **meta: Any) -> dict[str, Any]:
    labels = {"gatehold.dev/hold": REQUEST.policy}
    found = {"name": NAME, "namespace": REQUEST.namespace, "uid": uid, "resourceVersion": "7", "labels": labels} | meta
    return {"metadata": found, "spec": {"suspend": True, "template": {"spec": {"containers": []}}}}


class Cluster:
    """One Job as the API server has it: how often it was asked for, and how it was changed."""

    def __init__(self, live: dict[str, Any] | None) -> None:
        self.live = live
        self.reads = 0
        self.changes: list[dict[str, Any]] = []

    async def get(self, resource: Resource, namespace: str, name: str) -> dict[str, Any]:
        self.reads += 1
        if self.live is None:
            raise Absent("gone", status=404, reason="NotFound")
        return self.live

    async def merge_patch(self, resource: Resource, namespace: str, name: str, patch: dict[str, Any]) -> dict[str, Any]:
        self.changes.append(patch)
        return body() | {"metadata": {**body()["metadata"], "resourceVersion": "8"}}


def hands(cached: dict[str, Any] | None, live: dict[str, Any] | None) -> tuple[JobHands, Cluster]:
    jobs, cluster = Objects(), Cluster(live)
    if cached is not None:
        jobs.upsert(cached)
    clock = SimpleNamespace(now=lambda: NOW)
    return JobHands(SimpleNamespace(jobs=jobs, cluster=cluster, clock=clock)), cluster  # type: ignore[arg-type]


async def uid_of(able: JobHands) -> str:
    found = (await able.facts(REQUEST, ASKED)).job
    return found.uid if isinstance(found, JobFacts) else ""


async def test_the_job_that_was_shown_is_taken_from_the_cache() -> None:
    able, cluster = hands(body(), None)
    assert (await uid_of(able), cluster.reads) == (UID, 0)


async def test_a_former_one_of_that_name_is_not_the_one_that_was_shown_so_it_is_looked_up() -> None:
    """It was deleted and made anew, people are asked about the new one, and the watch has not told yet."""
    able, cluster = hands(body("the-former"), body())
    assert (await uid_of(able), cluster.reads) == (UID, 1)


@pytest.mark.parametrize(("live", "uid"), [(None, ""), (body("another"), "another")], ids=["gone", "replaced"])
async def test_one_that_the_api_server_has_no_more_is_said_as_it_is(live: dict[str, Any] | None, uid: str) -> None:
    able, _ = hands(body("the-former"), live)
    assert await uid_of(able) == uid


async def test_the_finalizers_that_stay_are_those_of_the_job_that_is_written() -> None:
    live = body(finalizers=["example.org/theirs", OURS])
    able, cluster = hands(body("the-former", finalizers=[OURS]), live)
    await able.write(REQUEST, DropFinalizer(job()))
    assert cluster.changes[0]["metadata"]["finalizers"] == ["example.org/theirs"]


@pytest.mark.parametrize(("begun", "reads", "phase"), [(-601, 1, Phase.RELEASED), (-590, 0, Phase.APPROVED)])
async def test_one_that_completed_in_time_is_not_ended_by_time_though_the_watch_has_not_told_yet(
    begun: float, reads: int, phase: Phase
) -> None:
    """The operator stood still: its timer is first when it goes on."""
    signed = body(annotations={"gatehold.dev/released-by": builders.UID})
    runs = signed | {"spec": {**signed["spec"], "suspend": False}}
    able, cluster = hands(runs, runs | {"status": {"conditions": [{"type": "Complete", "status": "True"}]}})
    status = approved(effect=effect(EffectState.RUNNING, started_at=after(begun)), resolved=resolved(undo=False))
    found = await able.facts(REQUEST, status)
    assert cluster.reads == reads
    assert decide(release_observed(status, request=REQUEST, facts=found), NOW).status.phase is phase
