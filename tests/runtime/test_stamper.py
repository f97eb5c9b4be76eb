"""The webhook's second door: pods and Jobs get their marks, and what is in doubt is refused in a sentence."""

from __future__ import annotations

import asyncio
import base64
import io
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from gatehold.admission import stamper as module
from gatehold.admission import tls, webhook
from gatehold.admission.reviews import Review
from gatehold.admission.stamper import Namespaces, Stamper
from gatehold.admission.webhook import ReviewServer
from gatehold.domain.eviction_sight import Answer, Word
from gatehold.domain.stamping import StampWord
from gatehold.kube.errors import Absent, ApiError
from tests.runtime.reviews import ADDRESS, new_pair, patient, session
from tests.runtime.reviews import review as eviction

Json = dict[str, Any]
GATE = {"name": "gatehold.dev/approval"}
POD: Json = {"metadata": {"generateName": "web-"}, "spec": {"containers": [{"name": "main", "image": "web:1"}]}}
JOB: Json = {"metadata": {"name": "train", "labels": {"a": "b"}}, "spec": {"parallelism": 2}}


def review(made: object = POD, kind: str = "Pod", **changes: Any) -> Json:
    """The creation of a pod, or of a Job."""
    group, plural = ("", "pods") if kind == "Pod" else ("batch", "jobs")
    request: Json = {
        "uid": "u-1",
        "kind": {"group": group, "version": "v1", "kind": kind},
        "resource": {"group": group, "version": "v1", "resource": plural},
        "namespace": "shop",
        "operation": "CREATE",
        "userInfo": {"username": "ci", "groups": ["system:authenticated"]},
        "object": made,
        "oldObject": None,
        "dryRun": False,
    }
    return {
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {key: value for key, value in (request | changes).items() if value is not None},
    }


class Spaces:
    """The API server's Namespaces, as these tests have them."""

    def __init__(self) -> None:
        self.body: Json = {"metadata": {"name": "shop", "labels": {"gatehold.dev/pods": "prices"}}}
        self.reads = 0
        self.act: Callable[[], Any] = lambda: None
        self.now = 0.0

    async def read(self, name: str) -> Json:
        assert name == "shop"
        self.reads += 1
        found = self.act()
        if asyncio.iscoroutine(found):
            await found
        return self.body


class Door:
    """A server of the test's own, with both doors."""

    def __init__(self) -> None:
        self.spaces = Spaces()
        self.told: list[StampWord] = []
        spaces = Namespaces(self.spaces.read, lambda: self.spaces.now)
        self.server = ReviewServer(self._evicted, stamper=Stamper(spaces, self.told.append))

    async def _evicted(self, _: Review) -> Answer:
        return Answer(True, 200, "", Word.ALLOWED)

    async def send(self, body: object, path: str = "/pods", method: str = "POST") -> tuple[int, Json]:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        url = f"https://{ADDRESS}:{self.server.port}{path}"
        async with session() as client, client.request(method, url, data=io.BytesIO(data)) as answer:
            return answer.status, json.loads(await answer.read())["response"]

    async def patch(self, body: Json) -> list[Json]:
        """The operations of a yes."""
        status, answer = await self.send(body)
        assert (status, answer["uid"], answer["allowed"]) == (200, "u-1", True)
        if "patch" not in answer:
            return []
        assert answer["patchType"] == "JSONPatch"
        found: list[Json] = json.loads(base64.b64decode(answer["patch"]))
        return found


@pytest.fixture
async def door(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Door]:
    patient(monkeypatch)
    made = Door()
    await made.server.start(ADDRESS, 0, tls.new_context(new_pair()))
    yield made
    await made.server.stop()


async def test_a_pod_gets_the_gate_and_the_label(door: Door) -> None:
    assert await door.patch(review()) == [
        {"op": "add", "path": "/spec/schedulingGates", "value": [GATE]},
        {"op": "add", "path": "/metadata/labels", "value": {"gatehold.dev/pods": "prices"}},
    ]
    assert door.told == [StampWord.STAMPED]


async def test_other_gates_and_labels_stay(door: Door) -> None:
    spec = {**POD["spec"], "schedulingGates": [{"name": "example.org/other"}]}
    assert await door.patch(review({"metadata": {"labels": {"a": "b"}}, "spec": spec})) == [
        {"op": "add", "path": "/spec/schedulingGates/-", "value": GATE},
        {"op": "add", "path": "/metadata/labels/gatehold.dev~1pods", "value": "prices"},
    ]


async def test_a_job_is_suspended_and_labelled(door: Door) -> None:
    label = {"op": "add", "path": "/metadata/labels/gatehold.dev~1pods", "value": "prices"}
    assert await door.patch(review(JOB, "Job")) == [{"op": "add", "path": "/spec/suspend", "value": True}, label]
    assert await door.patch(review({**JOB, "spec": {"suspend": True}}, "Job")) == [label]
    woken = {**JOB, "spec": {"suspend": False}}
    assert (await door.patch(review(woken, "Job")))[0] == {"op": "add", "path": "/spec/suspend", "value": True}


async def test_what_is_marked_is_not_touched_so_that_a_second_call_changes_nothing(door: Door) -> None:
    marked = {"metadata": {"labels": {"gatehold.dev/pods": "prices"}}, "spec": {"schedulingGates": [GATE]}}
    assert await door.patch(review(marked)) == []
    assert door.told == [StampWord.LEFT]


@pytest.mark.parametrize("empty", [{"labels": None}, {"labels": {}}, {"labels": None, "ownerReferences": None}])
async def test_what_is_empty_is_made(door: Door, empty: Json) -> None:
    operations = await door.patch(review({"metadata": empty, "spec": {"schedulingGates": None}}))
    assert [one["path"] for one in operations] == ["/spec/schedulingGates", "/metadata/labels"]


async def test_who_is_exempt_and_what_has_a_node_is_left_to_the_wall(door: Door) -> None:
    builder = "system:serviceaccount:ci:builder"
    door.spaces.body["metadata"]["annotations"] = {"gatehold.dev/pods-exempt": f" {builder} ,, other"}
    assert await door.patch(review(userInfo={"username": builder})) == []
    assert await door.patch(review({**POD, "spec": {**POD["spec"], "nodeName": "n1"}})) == []
    owner = {"apiVersion": "apps/v1", "kind": "DaemonSet", "name": "agent", "controller": True}
    daemon = {**POD, "metadata": {"ownerReferences": [owner]}}
    controller = {"username": "system:serviceaccount:kube-system:daemon-set-controller"}
    assert await door.patch(review(daemon, userInfo=controller)) == []
    assert len(await door.patch(review(daemon))) == 2  # ci only says so
    foreign = {**POD, "metadata": {"ownerReferences": [{**owner, "apiVersion": "apps.example/v1"}]}}
    assert len(await door.patch(review(foreign, userInfo=controller))) == 2


SPOILED: dict[str, object] = {
    "nothing": b"",
    "no JSON": b"{",
    "a list": [],
    "deep": b"[" * 20_000,
    "no request": {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview"},
    "another version": review() | {"apiVersion": "admission.k8s.io/v1beta1"},
    "an eviction": eviction(),
    "a change": review(operation="UPDATE"),
    "a deletion": review(operation="DELETE"),
    "a binding": review(subResource="binding"),
    "pods of another group": review(resource={"group": "metrics.k8s.io", "resource": "pods"}),
    "a Job as a pod": review(kind="Pod", resource={"group": "batch", "resource": "jobs"}),
    "a resource that is none": review(resource={"group": [], "resource": {}}),
    "no object": review(object=None),
    "no metadata": review({"spec": {}}),
    "no spec": review({"metadata": {}}),
    "labels that are none": review({"metadata": {"labels": []}, "spec": {}}),
    "gates that are none": review({"metadata": {}, "spec": {"schedulingGates": "approval"}}),
    "a gate that is none": review({"metadata": {}, "spec": {"schedulingGates": ["approval"]}}),
    "owners that are none": review({"metadata": {"ownerReferences": {}}, "spec": {}}),
    "no namespace": review(namespace=None),
    "nobody": review(userInfo=None),
    "no uid": review(uid=None),
}


@pytest.mark.parametrize("body", SPOILED.values(), ids=SPOILED)
async def test_what_is_no_creation_is_denied(door: Door, body: object) -> None:
    status, answer = await door.send(body)
    assert answer["allowed"] is False
    assert answer["status"]["code"] == 400
    assert "gatehold stamps pods and Jobs only" in answer["status"]["message"]
    assert status in (200, 400)
    assert (door.spaces.reads, door.told) == (0, [StampWord.MALFORMED])


@pytest.mark.parametrize("path", ["/pods/", "/Pods", "//pods", "/evict", "/"])
async def test_a_creation_at_another_door_is_denied(door: Door, path: str) -> None:
    _, answer = await door.send(review(), path)
    assert answer["allowed"] is False
    assert door.spaces.reads == 0


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
async def test_any_other_method_is_denied(door: Door, method: str) -> None:
    _, answer = await door.send(review(), method=method)
    assert answer["allowed"] is False


async def test_an_eviction_has_its_own_door_still(door: Door) -> None:
    _, answer = await door.send(eviction(), "/evict")
    assert answer["allowed"] is True


async def test_a_long_pod_is_read_and_a_longer_one_is_not(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    long = {**POD, "metadata": {"annotations": {"a": "x" * 2_000_000}}}
    assert len(await door.patch(review(long))) == 2
    monkeypatch.setattr("gatehold.admission.webhook.MOST_STAMPED_BYTES", 1_000_000)
    status, answer = await door.send(review(long))
    assert (status, answer["allowed"]) == (400, False)


def fails(error: Exception) -> Callable[[], Any]:
    def act() -> Any:
        raise error

    return act


@pytest.mark.parametrize(
    ("error", "code", "says"),
    [
        (ApiError("etcd: secrets", status=500), 429, "it cannot read the namespace now"),
        (Absent("namespaces shop not found", status=404), 404, "the namespace is not there any more"),
        (RuntimeError("a bug"), 429, "an error, which the log of the operator tells"),
    ],
)
async def test_where_the_namespace_is_not_known_it_is_refused(door: Door, error: Exception, code: int, says: str) -> None:
    door.spaces.act = fails(error)
    _, answer = await door.send(review())
    assert (answer["allowed"], answer["status"]["code"]) == (False, code)
    assert says in answer["status"]["message"]
    assert str(error) not in answer["status"]["message"]
    assert door.told == [StampWord.UNSURE]
    door.spaces.act = lambda: None
    assert len(await door.patch(review())) == 2


async def test_an_api_server_that_does_not_answer_is_refused_in_time(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook, "ANSWER_SECONDS", 0.05)
    door.spaces.act = lambda: asyncio.sleep(30)
    _, answer = await door.send(review())
    assert answer["allowed"] is False
    assert "it cannot read the namespace now" in answer["status"]["message"]


async def test_a_namespace_that_is_not_gated_as_it_reads_now_is_no_yes_and_not_kept(door: Door) -> None:
    labels = door.spaces.body["metadata"].pop("labels")
    _, answer = await door.send(review())
    assert answer["allowed"] is False
    assert "is being put behind a gate or taken from it" in answer["status"]["message"]
    door.spaces.body["metadata"]["labels"] = labels
    assert len(await door.patch(review())) == 2


async def test_one_look_serves_many_and_counts_for_a_second(door: Door) -> None:
    reached, begun = asyncio.Event(), asyncio.Event()

    async def look() -> None:
        reached.set()
        await begun.wait()

    async def let_it() -> None:
        await reached.wait()
        begun.set()

    door.spaces.act = look
    await asyncio.gather(let_it(), *(door.patch(review()) for _ in range(20)))
    assert door.spaces.reads == 1
    door.spaces.body = {"metadata": {"labels": {"gatehold.dev/pods": "others"}}}
    assert (await door.patch(review()))[1]["value"] == {"gatehold.dev/pods": "prices"}
    door.spaces.now = module.KEEP_SECONDS
    assert (await door.patch(review()))[1]["value"] == {"gatehold.dev/pods": "others"}
    assert door.spaces.reads == 2


async def test_whoever_gives_up_does_not_end_it_for_the_others(door: Door) -> None:
    spaces = Namespaces(door.spaces.read, lambda: 0.0)
    begun = asyncio.Event()
    door.spaces.act = begun.wait
    hasty, patient = asyncio.create_task(spaces.place("shop")), asyncio.create_task(spaces.place("shop"))
    await asyncio.sleep(0)
    hasty.cancel()
    begun.set()
    found = await patient
    assert found is not None and found.gate == "prices"
    assert hasty.cancelled() or hasty.cancelling()


async def test_what_is_known_is_bounded(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST", 1)

    async def read(_: str) -> Json:
        door.spaces.reads += 1
        return door.spaces.body

    spaces = Namespaces(read, lambda: 0.0)
    for name in ("a", "b", "b", "a"):
        await spaces.place(name)
    assert door.spaces.reads == 3
