"""What a request is told about its Rollout: from the cache, and live wherever an old cache would end the request."""

from dataclasses import replace
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import pytest

from gatehold.api.common import ParseError
from gatehold.api.digest import rollout_digest
from gatehold.api.rollout import parse
from gatehold.api.rollout_status import render_status
from gatehold.controllers.effects.promote import RolloutHands
from gatehold.domain.model import Subject
from gatehold.domain.plan import MarkDone
from gatehold.domain.rollout.record import Outcome, Record, Run
from gatehold.domain.status import EffectState, Resolved, Status
from gatehold.kube.errors import Absent
from gatehold.kube.resources import Resource
from gatehold.runtime.objects import Objects
from tests.builders import NOW, after
from tests.promotions import IMAGES, TARGET, accepted, asked, last_run, passed, promote_request, question

ASKS = Record(run=Run(TARGET, questions=(question(),)))
USED = Record(run=Run(TARGET, questions=(passed(),)))
OVER = Record(last_run=last_run(Outcome.DENIED))
REQUEST = promote_request()


def body(record: Record = ASKS, **meta: Any) -> dict[str, Any]:
    spec = {"selector": {"matchLabels": {"app": "web"}}, "template": {"spec": {"containers": [{"name": "app"}]}}}
    found = {"name": "web", "namespace": "shop", "uid": "rollout-uid", "resourceVersion": "7", "generation": 1} | meta
    return {"metadata": found, "spec": spec, "status": render_status(record)}


class Cluster:
    """One Rollout as the API server has it, and how often it was asked for."""

    def __init__(self, live: dict[str, Any] | None) -> None:
        self.live = live
        self.reads = 0

    async def get(self, resource: Resource, namespace: str, name: str) -> dict[str, Any]:
        self.reads += 1
        if self.live is None:
            raise Absent("gone", status=404, reason="NotFound")
        return self.live


def hands(cached: dict[str, Any] | None, live: dict[str, Any] | None, now: datetime = NOW) -> tuple[RolloutHands, Cluster]:
    rollouts, cluster = Objects(), Cluster(live)
    if cached is not None:
        rollouts.upsert(cached)
    runtime = SimpleNamespace(rollouts=rollouts, cluster=cluster, clock=SimpleNamespace(now=lambda: now))
    return RolloutHands(runtime), cluster  # type: ignore[arg-type]


async def test_what_is_asked_about_is_read_live_with_the_image_ids_of_the_question() -> None:
    able, _ = hands(body(OVER), body())
    found, resolved = await able.resolve(REQUEST)
    spec = parse(body())

    assert found.rollout is not None
    assert found.rollout.digest == rollout_digest("rollout-uid", spec.template, spec.strategy, IMAGES.image_ids)
    assert (found.rollout.question, resolved) == (question(), IMAGES)


@pytest.mark.parametrize("live", [None, body(Record()), body(OVER)], ids=["gone", "asks nothing", "over"])
async def test_without_a_question_nothing_is_resolved(live: dict[str, Any] | None) -> None:
    able, _ = hands(body(), live)
    found, resolved = await able.resolve(REQUEST)

    assert (found.rollout is None) == (live is None)
    assert resolved == Resolved()


async def test_one_that_cannot_be_read_is_not_resolved_and_holds_later() -> None:
    odd = body() | {"status": {"phase": "OfANewerOperator"}}
    able, _ = hands(odd, odd)
    with pytest.raises(ParseError, match="Rollout web: status"):
        await able.resolve(REQUEST)
    found = await able.facts(REQUEST, asked())

    assert found.rollout is not None
    assert (found.rollout.unread, found.rollout.uid) == ("status: ValueError", "rollout-uid")


ENOUGH: dict[str, tuple[dict[str, Any], Status]] = {
    "it asks": (body(), asked()),
    "it asks and is being deleted": (body(deletionTimestamp="2026-03-01T12:00:00Z"), asked()),
    "the yes waits": (body(), accepted()),
    "the yes was used": (body(USED), accepted(EffectState.RUNNING)),
    "the yes was used before its time was over": (body(USED), accepted(valid_until=after(-1))),
    "the run is over": (body(OVER), asked()),
}


@pytest.mark.parametrize(("cached", "status"), ENOUGH.values(), ids=ENOUGH)
async def test_the_cache_is_enough_where(cached: dict[str, Any], status: Status) -> None:
    able, cluster = hands(cached, None)
    found = await able.facts(REQUEST, status)

    assert found.rollout is not None
    assert found.rollout.deleting == ("deletionTimestamp" in cached["metadata"])
    assert cluster.reads == 0


DOUBTED: dict[str, tuple[dict[str, Any] | None, Status]] = {
    "it is not there": (None, asked()),
    "it is another one of that name": (body(uid="older"), asked()),
    "its record does not name the request": (body(Record()), asked()),
    "the yes is about to lapse": (body(), accepted(valid_until=NOW)),
}


@pytest.mark.parametrize(("cached", "status"), DOUBTED.values(), ids=DOUBTED)
async def test_the_rollout_is_read_live_where_in_the_cache(cached: dict[str, Any] | None, status: Status) -> None:
    able, cluster = hands(cached, body(USED))
    found = await able.facts(REQUEST, status)

    assert found.rollout is not None
    assert (found.rollout.uid, found.rollout.passed, cluster.reads) == ("rollout-uid", True, 1)


async def test_a_request_without_a_subject_reads_nothing() -> None:
    able, cluster = hands(body(), body())
    bare = replace(REQUEST, subject=None)

    assert not able.knows(bare)
    assert not able.knows(replace(REQUEST, subject=Subject("batch/v1", "Job", "shop", "web")))
    assert (await able.facts(bare, asked())).rollout is None
    assert (await able.resolve(bare))[0].rollout is None
    assert cluster.reads == 0


async def test_a_rollout_is_never_written() -> None:
    able, _ = hands(None, None)
    with pytest.raises(TypeError, match="MarkDone"):
        await able.write(REQUEST, MarkDone())
