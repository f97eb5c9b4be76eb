"""The webhook's server by itself: one door, every other thing denied, certificates that change, an end without a trace."""

from __future__ import annotations

import asyncio
import json
import ssl
import threading
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
import pytest

from gatehold.admission import tls, webhook
from gatehold.admission.certificates import CertificateError, Pair, facts
from gatehold.admission.own_loop import OwnLoop
from gatehold.admission.reviews import Review
from gatehold.admission.texts import eviction_webhook, pod_webhook
from gatehold.admission.webhook import MOST_BYTES, PATH, ReviewServer
from gatehold.domain.eviction_sight import Answer, Word
from tests.runtime.reviews import ADDRESS, AUTHORITY, new_pair, patient, review, session, trust

YES = Answer(True, 200, "", Word.ALLOWED)


class Judge:
    """Says yes to everything, so that whatever is denied was denied by the server."""

    def __init__(self) -> None:
        self.asked: list[Review] = []
        self.told: list[Answer] = []
        self.act: Callable[[Review], Any] = lambda _: YES

    async def answer(self, asked: Review) -> Answer:
        self.asked.append(asked)
        found = self.act(asked)
        answer: Answer = await found if asyncio.iscoroutine(found) else found
        return answer

    def heard(self, answer: Answer, seconds: float) -> None:
        assert seconds >= 0
        self.told.append(answer)


class Door:
    """A server of the test's own."""

    def __init__(self, judge: Judge) -> None:
        self.judge = judge
        self.context = tls.new_context(new_pair())
        self.server = ReviewServer(judge.answer, judge.heard)

    @property
    def url(self) -> str:
        return f"https://{ADDRESS}:{self.server.port}"

    async def send(self, body: object, path: str = PATH, method: str = "POST", **more: Any) -> tuple[int, dict[str, Any]]:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        async with session() as client, client.request(method, self.url + path, data=data, **more) as answer:
            return answer.status, json.loads(await answer.read())


@pytest.fixture
async def door(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Door]:
    patient(monkeypatch)
    made = Door(Judge())
    await made.server.start(ADDRESS, 0, made.context)
    yield made
    await made.server.stop()


async def test_a_review_is_answered_under_its_uid(door: Door) -> None:
    status, body = await door.send(review("u-7"))
    assert (status, body["response"]) == (200, {"uid": "u-7", "allowed": True})
    assert door.judge.told == [YES]
    asked = door.judge.asked[0].eviction
    assert (asked.namespace, asked.pod, asked.by.username, asked.by.groups) == (
        "shop",
        "web-1",
        "alice",
        ("sre", "system:authenticated"),
    )
    assert (asked.uid, asked.dry_run) == ("", False)


@pytest.mark.parametrize(
    ("changes", "dry"),
    [
        ({"dryRun": True}, True),
        ({"object": {"kind": "Eviction", "deleteOptions": {"dryRun": ["All"]}}}, True),
        ({"object": {"kind": "Eviction", "deleteOptions": {"dryRun": []}}}, False),
        ({"object": {"kind": "Eviction"}}, False),
        ({"dryRun": None}, False),
    ],
)
async def test_both_forms_of_a_dry_run_are_known(door: Door, changes: dict[str, Any], dry: bool) -> None:
    await door.send(review(**changes))
    assert door.judge.asked[0].eviction.dry_run is dry


async def test_the_uid_that_the_eviction_demands_is_known(door: Door) -> None:
    wanted = {"kind": "Eviction", "deleteOptions": {"preconditions": {"uid": "pod-1"}}}
    await door.send(review(object=wanted))
    assert door.judge.asked[0].eviction.uid == "pod-1"


@pytest.mark.parametrize("code", [403, 404, 429])
async def test_a_no_carries_its_code_and_never_a_time_to_wait(door: Door, code: int) -> None:
    door.judge.act = lambda _: Answer(False, code, "gate gpu holds the drain of n1", Word.HELD)
    status, body = await door.send(review())
    assert status == 200
    assert body["response"]["allowed"] is False
    reason = {403: "Forbidden", 404: "NotFound", 429: "TooManyRequests"}[code]
    wanted = {"status": "Failure", "code": code, "message": "gate gpu holds the drain of n1", "reason": reason}
    assert body["response"]["status"] == wanted
    assert "retry" not in json.dumps(body).lower()


@pytest.mark.parametrize("path", ["/", "/evict/", "/evict/x", "/Evict", "//evict", "/evictions", "/healthz", "/evict%2f"])
async def test_any_other_path_is_denied(door: Door, path: str) -> None:
    status, body = await door.send(review("u-3"), path)
    assert (status, body["response"]["allowed"], body["response"]["uid"]) == (200, False, "u-3")
    assert "POSTed to /evict" in body["response"]["status"]["message"]
    assert door.judge.asked == []


async def test_a_query_is_no_other_path(door: Door) -> None:
    _, body = await door.send(review(), f"{PATH}?timeout=5s")
    assert body["response"]["allowed"] is True


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "OPTIONS", "REPORT"])
async def test_any_other_method_is_denied(door: Door, method: str) -> None:
    _, body = await door.send(review(), method=method)
    assert body["response"]["allowed"] is False
    assert door.judge.asked == []


SPOILED: dict[str, object] = {
    "nothing": b"",
    "no JSON": b"{",
    "not even text": b"\xff\xfe\x00",
    "a list": [],
    "a number": 7,
    "deep": b"[" * 20_000,
    "no request": {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview"},
    "a request that is none": {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": []},
    "another version": review() | {"apiVersion": "admission.k8s.io/v1beta1"},
    "another kind": review() | {"kind": "ConversionReview"},
    "an answer of ours": {
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "response": {"uid": "u-1", "allowed": True},
    },
    "no uid": review(uid=""),
    "a uid that is none": review() | {"request": review()["request"] | {"uid": 7}},
    "a delete": review(operation="DELETE"),
    "no operation": review(operation=None),
    "pods": review(subResource=None),
    "bindings": review(subResource="binding"),
    "nodes": review(resource={"group": "", "version": "v1", "resource": "nodes"}),
    "pods of another group": review(resource={"group": "metrics.k8s.io", "resource": "pods"}),
    "no kind": review(kind=None),
    "another object": review(kind={"group": "", "version": "v1", "kind": "Pod"}),
    "no object": review(object=None),
    "an object that is none": review(object="Eviction"),
    "no name": review(name=None),
    "an empty name": review(name=""),
    "a name that is none": review(name=["web-1"]),
    "no namespace": review(namespace=None),
    "nobody": review(userInfo=None),
    "no user name": review(userInfo={"groups": ["system:masters"]}),
    "an empty user name": review(userInfo={"username": ""}),
    "a user name that is none": review(userInfo={"username": {"a": 1}}),
    "groups that are none": review(userInfo={"username": "alice", "groups": "sre"}),
    "a group that is none": review(userInfo={"username": "alice", "groups": [1]}),
    "a user's uid that is none": review(userInfo={"username": "alice", "uid": 1}),
    "a dry run that is none": review(dryRun="yes"),
    "options that are none": review(object={"deleteOptions": []}),
    "a dry run of options that is none": review(object={"deleteOptions": {"dryRun": "All"}}),
    "a precondition that is none": review(object={"deleteOptions": {"preconditions": {"uid": 1}}}),
}


@pytest.mark.parametrize("body", SPOILED.values(), ids=SPOILED)
async def test_what_is_no_review_of_an_eviction_is_denied(door: Door, body: object) -> None:
    status, answer = await door.send(body)
    assert answer["response"]["allowed"] is False
    assert answer["response"]["status"]["code"] == 400
    assert status == (200 if answer["response"]["uid"] else 400)
    assert door.judge.asked == []
    assert [told.word for told in door.judge.told] == [Word.MALFORMED]


async def test_a_long_body_is_denied_and_not_read(door: Door) -> None:
    long = review()
    long["request"]["userInfo"]["groups"] = ["x" * 1000] * 80
    status, body = await door.send(long)
    assert (status, body["response"]["allowed"]) == (400, False)
    assert str(MOST_BYTES) in body["response"]["status"]["message"]


async def test_a_zipped_body_is_measured_unzipped(door: Door) -> None:
    import zlib

    bomb = zlib.compress(b" " * 50_000_000)
    _, body = await door.send(bomb, headers={"Content-Encoding": "deflate"})
    assert body["response"]["allowed"] is False


async def test_a_body_that_does_not_come_is_denied(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook, "BODY_SECONDS", 0.1)
    reader, writer = await asyncio.open_connection(ADDRESS, door.server.port, ssl=trust())
    writer.write(b"POST /evict HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
    answer = await asyncio.wait_for(reader.read(4096), 60)
    assert b"400" in answer.splitlines()[0]
    writer.close()


def test_a_body_may_take_nearly_all_of_the_time_that_the_api_server_waits() -> None:
    """What comes without a body is an error to who drains: only a uid can be told to try again."""
    for shipped in (eviction_webhook(), pod_webhook()):
        assert all(hook["timeoutSeconds"] > webhook.ANSWER_SECONDS for hook in shipped["webhooks"])
    assert webhook.ANSWER_SECONDS / 2 < webhook.BODY_SECONDS < webhook.ANSWER_SECONDS


async def test_the_time_of_an_answer_begins_before_its_body_comes(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = asyncio.Event()

    def late() -> float:
        begun.set()
        return asyncio.get_running_loop().time()

    async def think(_: Review) -> Answer:
        await asyncio.sleep(0)
        return YES

    monkeypatch.setattr(webhook, "_late", late)
    door.judge.act = think
    body = json.dumps(review("u-8")).encode()
    reader, writer = await asyncio.open_connection(ADDRESS, door.server.port, ssl=trust())
    writer.write(f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode())
    await asyncio.wait_for(begun.wait(), 60)
    writer.write(body)
    answer = await asyncio.wait_for(reader.readuntil(b"}}"), 60)
    writer.close()
    assert b'"u-8"' in answer
    assert b"429" in answer


async def test_an_error_is_held_under_the_uid(door: Door) -> None:
    def fail(_: Review) -> Answer:
        raise RuntimeError("a bug")

    door.judge.act = fail
    _, body = await door.send(review("u-9"))
    assert (body["response"]["uid"], body["response"]["status"]["code"]) == ("u-9", 429)
    assert "a bug" not in json.dumps(body)


async def test_a_judge_that_is_slow_is_held_in_time(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook, "ANSWER_SECONDS", 0.05)

    async def slow(_: Review) -> Answer:
        await asyncio.sleep(30)
        return YES

    door.judge.act = slow
    _, body = await door.send(review())
    assert body["response"]["status"]["code"] == 429
    assert "too long" in body["response"]["status"]["message"]


async def test_old_tls_is_refused(door: Door) -> None:
    assert door.context.minimum_version is ssl.TLSVersion.TLSv1_2
    old = trust()
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    old.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.raises((ssl.SSLError, ConnectionError)):
        await asyncio.open_connection(ADDRESS, door.server.port, ssl=old)


async def test_a_stranger_to_our_ca_does_not_talk_to_us(door: Door) -> None:
    async with aiohttp.ClientSession() as client:
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await client.post(door.url + PATH, json=review())


# ---- certificates that change


async def test_a_new_certificate_is_served_from_the_next_handshake_on(door: Door) -> None:
    fresh = new_pair()
    async with session() as kept:
        async with kept.post(door.url + PATH, json=review()) as answer:
            assert answer.status == 200
        tls.load(door.context, fresh)
        async with kept.post(door.url + PATH, json=review()) as answer:  # the same connection
            assert answer.status == 200
    assert await served(door) == facts(fresh.certificate).digest


async def served(door: Door) -> str:
    _, writer = await asyncio.open_connection(ADDRESS, door.server.port, ssl=trust())
    found = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    await writer.wait_closed()
    return facts(ssl.DER_cert_to_PEM_cert(found).encode()).digest


@pytest.mark.parametrize("kept", [True, False], ids=["kept connections", "a handshake each"])
async def test_certificates_change_under_load_without_a_failed_call(door: Door, kept: bool) -> None:
    over = asyncio.Event()
    count = 0

    async def load() -> None:
        nonlocal count
        more: dict[str, Any] = {} if kept else {"force_close": True}
        async with session(**more) as client:
            while not over.is_set():
                async with client.post(door.url + PATH, json=review()) as answer:
                    assert answer.status == 200
                    assert json.loads(await answer.read())["response"]["allowed"] is True
                count += 1

    calls = [asyncio.create_task(load()) for _ in range(8)]
    changes = 0
    while changes < 20 or (count <= 100 and not any(call.done() for call in calls)):
        tls.load(door.context, new_pair())
        changes += 1
        await asyncio.sleep(0.05)
    over.set()
    await asyncio.gather(*calls)
    assert count > 100


@pytest.mark.parametrize(
    "spoiled",
    [
        lambda good: Pair(good.certificate, new_pair().key),
        lambda good: Pair(AUTHORITY.certificate, good.key),
        lambda good: Pair(b"", good.key),
        lambda good: Pair(good.certificate, b""),
        lambda good: Pair(b"junk", b"junk"),
        lambda good: Pair(good.certificate[:-90], good.key),
    ],
)
async def test_a_pair_that_does_not_go_together_changes_nothing(door: Door, spoiled: Callable[[Pair], Pair]) -> None:
    before = await served(door)
    with pytest.raises(CertificateError):
        tls.load(door.context, spoiled(new_pair()))
    assert await served(door) == before


# ---- the end


async def test_what_is_asked_when_it_ends_is_still_answered(door: Door) -> None:
    asked, go_on = asyncio.Event(), asyncio.Event()

    async def wait(_: Review) -> Answer:
        asked.set()
        await go_on.wait()
        return YES

    door.judge.act = wait
    call = asyncio.create_task(door.send(review()))
    await asked.wait()
    ending = asyncio.create_task(door.server.stop())
    await asyncio.sleep(0.05)
    go_on.set()
    assert (await call)[1]["response"]["allowed"] is True
    await ending
    assert not door.server.listens
    with pytest.raises(OSError):
        await asyncio.open_connection(ADDRESS, door.server.port)


async def test_who_still_comes_when_it_ends_is_answered_and_told_to_go_elsewhere(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A Service leads to a replica that ends for a moment longer: to refuse it would be a failed call."""
    monkeypatch.setattr(webhook, "_PARTING_SECONDS", 3600.0)
    runner = door.server._runner
    assert runner is not None
    ending = asyncio.create_task(door.server.stop())
    await asyncio.sleep(0)
    assert not door.server.listens
    async with session() as client, client.post(door.url + PATH, json=review()) as answer:
        assert json.loads(await answer.read())["response"]["allowed"] is True
        assert answer.headers["Connection"] == "close"
    ending.cancel()
    await runner.cleanup()


async def test_a_thread_of_its_own_ends_with_its_task() -> None:
    judge, begun = Judge(), threading.Event()
    server = ReviewServer(judge.answer, judge.heard)

    async def main(stop: asyncio.Event) -> None:
        await server.start(ADDRESS, 0, tls.new_context(new_pair()))
        begun.set()
        await stop.wait()
        await server.stop()

    thread = OwnLoop("test-webhook", main)
    task = asyncio.create_task(thread.run())
    assert await asyncio.to_thread(begun.wait, 60)
    async with session() as client, client.post(f"https://{ADDRESS}:{server.port}{PATH}", json=review()) as answer:
        assert answer.status == 200
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert "test-webhook" not in {one.name for one in threading.enumerate()}
    thread.call(pytest.fail, "nothing is done after the end")


async def test_what_ends_the_thread_ends_its_task() -> None:
    async def main(_: asyncio.Event) -> None:
        raise OSError("the port is taken")

    with pytest.raises(OSError, match="the port is taken"):
        await OwnLoop("test-webhook", main).run()
    assert "test-webhook" not in {one.name for one in threading.enumerate()}
