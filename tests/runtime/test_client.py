"""The verbs of `Cluster` against a real API server, and the error each refusal becomes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest
import yaml
from kubernetes.aio.config import incluster_config

from controlplane import ControlPlane
from gatehold.kube import connections, errors
from gatehold.kube.client import Access, Cluster, Identity
from gatehold.kube.resources import JOBS, LEASES, NAMESPACES, PODS, REQUESTS, REVISIONS, SERVICE_ACCOUNTS, Resource
from tests.runtime.support import request_body

CONFIG_MAPS = Resource("", "v1", "configmaps", True, "ConfigMap")


def config_map(name: str, **data: str) -> dict[str, Any]:
    return {"metadata": {"name": name}, "data": data}


@pytest.mark.parametrize(
    ("resource", "place", "path"),
    [
        (PODS, ("n", "p", None), "/api/v1/namespaces/n/pods/p"),
        (PODS, (None, None, None), "/api/v1/pods"),
        (REQUESTS, ("n", "r", "status"), "/apis/gatehold.dev/v1alpha1/namespaces/n/approvalrequests/r/status"),
        (NAMESPACES, ("ignored", "x", None), "/api/v1/namespaces/x"),
        (JOBS, ("n", "a/b?c", None), "/apis/batch/v1/namespaces/n/jobs/a%2Fb%3Fc"),
    ],
)
def test_paths(resource: Resource, place: tuple[str | None, str | None, str | None], path: str) -> None:
    assert resource.path(*place) == path


@pytest.mark.parametrize(
    ("status", "reason", "kind"),
    [
        (400, "BadRequest", errors.Invalid),
        (401, "Unauthorized", errors.Unauthenticated),
        (403, "Forbidden", errors.Forbidden),
        (404, "NotFound", errors.Absent),
        (405, "MethodNotAllowed", errors.ApiError),
        (409, "Conflict", errors.Conflict),
        (409, "AlreadyExists", errors.AlreadyExists),
        (410, "Expired", errors.Gone),
        (422, "Invalid", errors.Invalid),
        (429, "TooManyRequests", errors.TooManyRequests),
        (500, "InternalError", errors.Unavailable),
        (504, "Timeout", errors.Unavailable),
    ],
)
def test_each_status_becomes_one_error(status: int, reason: str, kind: type[errors.ApiError]) -> None:
    raw = json.dumps({"kind": "Status", "reason": reason, "message": "why"}).encode()
    error = errors.from_answer(status, {}, raw)
    assert type(error) is kind
    assert (error.status, error.reason, error.message) == (status, reason, "why")


def test_retry_after_comes_from_the_header_or_the_body_and_nonsense_is_no_error() -> None:
    body = json.dumps({"details": {"retryAfterSeconds": 7}}).encode()
    assert errors.from_answer(429, {"Retry-After": "3"}, body).retry_after == 3
    assert errors.from_answer(429, {}, body).retry_after == 7
    assert errors.from_answer(429, {"Retry-After": "soon"}, b"<html>").retry_after is None
    assert errors.from_answer(502, {}, b"[1]").message == "[1]"


async def test_create_read_patch_and_delete(cluster: Cluster, namespace: str) -> None:
    made = await cluster.create(CONFIG_MAPS, namespace, config_map("c", a="1"))
    assert made["metadata"]["managedFields"][0]["manager"] == "gatehold"
    with pytest.raises(errors.AlreadyExists):
        await cluster.create(CONFIG_MAPS, namespace, config_map("c"))
    patched = await cluster.merge_patch(CONFIG_MAPS, namespace, "c", {"data": {"a": None, "b": "2"}})
    assert patched["data"] == {"b": "2"}
    assert (await cluster.get(CONFIG_MAPS, namespace, "c"))["data"] == {"b": "2"}
    test = {"op": "test", "path": "/metadata/uid", "value": "another"}
    with pytest.raises(errors.Invalid):
        await cluster.json_patch(CONFIG_MAPS, namespace, "c", [test, {"op": "remove", "path": "/data/b"}])
    test["value"] = made["metadata"]["uid"]
    assert "data" not in await cluster.json_patch(CONFIG_MAPS, namespace, "c", [test, {"op": "remove", "path": "/data"}])
    applied = await cluster.apply(
        CONFIG_MAPS, namespace, {"apiVersion": "v1", "kind": "ConfigMap", **config_map("c", z="9")}
    )
    assert applied["data"] == {"z": "9"}
    with pytest.raises(errors.Conflict):
        await cluster.delete(CONFIG_MAPS, namespace, "c", uid="another")
    await cluster.delete(CONFIG_MAPS, namespace, "c", uid=made["metadata"]["uid"])
    with pytest.raises(errors.Absent):
        await cluster.get(CONFIG_MAPS, namespace, "c")
    with pytest.raises(errors.Absent):
        await cluster.delete(CONFIG_MAPS, namespace, "c")


async def test_dry_runs_write_nothing(cluster: Cluster, namespace: str) -> None:
    await cluster.create(CONFIG_MAPS, namespace, config_map("c"), dry_run=True)
    with pytest.raises(errors.Absent):
        await cluster.get(CONFIG_MAPS, namespace, "c")
    made = await cluster.create(CONFIG_MAPS, namespace, config_map("c"))
    answer = await cluster.merge_patch(CONFIG_MAPS, namespace, "c", {"data": {"a": "1"}}, dry_run=True)
    assert answer["data"] == {"a": "1"}
    assert (await cluster.get(CONFIG_MAPS, namespace, "c")) == made


async def test_a_status_write_with_an_old_version_conflicts(cluster: Cluster, namespace: str) -> None:
    made = await cluster.create(REQUESTS, namespace, request_body("r", namespace))
    version = {"metadata": {"resourceVersion": made["metadata"]["resourceVersion"]}}
    first = await cluster.patch_status(
        REQUESTS, namespace, "r", version | {"status": {"observedGeneration": 1, "phase": "Pending"}}
    )
    assert first["status"]["phase"] == "Pending"
    with pytest.raises(errors.Conflict):
        await cluster.patch_status(REQUESTS, namespace, "r", version | {"status": {"phase": "Failed"}})


async def test_fields_that_the_schema_does_not_know_are_refused_not_dropped(cluster: Cluster, namespace: str) -> None:
    made = await cluster.create(REQUESTS, namespace, request_body("r", namespace))
    version = {"metadata": {"resourceVersion": made["metadata"]["resourceVersion"]}}
    with pytest.raises(errors.Invalid, match="unknown field"):
        await cluster.patch_status(REQUESTS, namespace, "r", version | {"status": {"priorState": "lost"}})


async def test_lists_come_in_pages_and_every_item_has_a_kind(cluster: Cluster, namespace: str) -> None:
    for number in range(7):
        body = config_map(f"c{number}")
        body["metadata"]["labels"] = {"odd": str(number % 2)}
        await cluster.create(CONFIG_MAPS, namespace, body)
    pages = [page async for page in cluster.list_pages(CONFIG_MAPS, namespace, "odd!=2", limit=3)]
    assert [len(page.items) for page in pages] == [3, 3, 1]
    assert {item["kind"] for page in pages for item in page.items} == {"ConfigMap"}
    assert all(page.resource_version == pages[0].resource_version for page in pages)
    assert len(await cluster.list_all(CONFIG_MAPS, namespace, "odd=1")) == 3


async def test_a_watch_hands_out_what_happens_after_a_version(cluster: Cluster, namespace: str) -> None:
    made = await cluster.create(
        CONFIG_MAPS, namespace, config_map("c") | {"metadata": {"name": "c", "labels": {"w": namespace}}}
    )
    seen: list[tuple[str, str]] = []

    async def watch() -> None:
        async for event in cluster.watch(CONFIG_MAPS, made["metadata"]["resourceVersion"], f"w={namespace}", seconds=90):
            seen.append((event["type"], event["object"].get("data", {}).get("a", "")))
            if event["type"] == "DELETED":
                return

    watching = asyncio.create_task(watch())
    await cluster.merge_patch(CONFIG_MAPS, namespace, "c", {"data": {"a": "x" * 300_000}})
    await cluster.delete(CONFIG_MAPS, namespace, "c")
    await asyncio.wait_for(watching, 60)
    assert [kind for kind, _ in seen] == ["MODIFIED", "DELETED"]
    assert len(seen[0][1]) == 300_000


async def test_who_may_do_what_and_who_we_are(cluster: Cluster, namespace: str) -> None:
    assert (await cluster.who_am_i())["username"] == "admin"
    assert await cluster.access_review_self(Access("delete", "", "nodes"))
    nobody = Identity("nobody", groups=("system:authenticated",))
    assert not await cluster.access_review(nobody, Access("approve", "gatehold.dev", "approvalpolicies", name="p"))


async def test_a_minted_token_is_another_account_with_nothing_of_ours(cluster: Cluster, namespace: str) -> None:
    await cluster.create(SERVICE_ACCOUNTS, namespace, {"metadata": {"name": "probe"}})
    token = await cluster.mint_token(namespace, "probe")
    async with cluster.as_token(token) as probe:
        assert (await probe.who_am_i())["username"] == f"system:serviceaccount:{namespace}:probe"
        with pytest.raises(errors.Forbidden):
            await probe.get(LEASES, namespace, "x")
    async with cluster.as_token("nonsense") as stranger:
        with pytest.raises(errors.Unauthenticated):
            await stranger.who_am_i()
    assert (await cluster.who_am_i())["username"] == "admin"


async def test_in_a_pod_a_token_that_is_refused_is_read_again_whatever_time_it_is_here(
    plane: ControlPlane, cluster: Cluster, namespace: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By itself the library looks again after a minute of the wall clock: after an hour more, where that was set back."""
    await cluster.create(SERVICE_ACCOUNTS, namespace, {"metadata": {"name": "operator"}})
    authority, server = cluster._transport.source.configuration.ssl_ca_cert, urlsplit(cluster.server)
    token = tmp_path / "token"
    token.write_text("one that has run out")
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", str(server.hostname))
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", str(server.port))
    monkeypatch.setattr(incluster_config, "SERVICE_TOKEN_FILENAME", str(token))
    monkeypatch.setattr(incluster_config, "SERVICE_CERT_FILENAME", authority)
    async with await Cluster.connect(timeout=30.0) as pod:
        token.write_text(await cluster.mint_token(namespace, "operator"))
        with pytest.raises(errors.Unauthenticated):
            await pod.who_am_i()
        assert (await pod.who_am_i())["username"] == f"system:serviceaccount:{namespace}:operator"


async def test_what_is_lent_is_this_account_whose_token_is_read_again_once_it_is_refused(
    plane: ControlPlane, cluster: Cluster, namespace: str, tmp_path: Path
) -> None:
    await cluster.create(SERVICE_ACCOUNTS, namespace, {"metadata": {"name": "operator"}})
    kubeconfig = with_token(plane, tmp_path, "one that has run out")
    async with await Cluster.connect(kubeconfig=str(kubeconfig), timeout=30.0) as ours, ours.session() as lent:
        with_token(plane, tmp_path, await cluster.mint_token(namespace, "operator"))
        assert await who_is(lent, ours.server) == (201, f"system:serviceaccount:{namespace}:operator")
        ours._transport.source.configuration.api_key["BearerToken"] = "Bearer nonsense"
        assert await who_is(lent, ours.server) == (401, None), "it was read again seconds ago"


async def test_what_is_lent_and_closed_while_a_refused_call_waits_says_so_as_aiohttp_does(
    plane: ControlPlane, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kopf asks for a new session then; what aiohttp asserts deeper down would be an error without cure."""
    kubeconfig = with_token(plane, tmp_path, "nonsense")
    async with await Cluster.connect(kubeconfig=str(kubeconfig), timeout=30.0) as ours, ours.session() as lent:
        refused = ours._transport._refused

        async def and_close(status: int) -> None:
            await refused(status)
            await lent.close()

        monkeypatch.setattr(ours._transport, "_refused", and_close)
        with pytest.raises(RuntimeError, match="Session is closed"):
            await who_is(lent, ours.server)


def with_token(plane: ControlPlane, folder: Path, token: str) -> Path:
    """A kubeconfig of that token; a second one takes the place of the first."""
    content = yaml.safe_load(plane.admin_kubeconfig.read_text())
    content["users"][0]["user"] = {"token": token}
    kubeconfig = folder / "kubeconfig"
    kubeconfig.write_text(json.dumps(content))
    return kubeconfig


async def who_is(lent: aiohttp.ClientSession, server: str) -> tuple[int, str | None]:
    review = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    async with lent.post(f"{server}/apis/authentication.k8s.io/v1/selfsubjectreviews", json=review) as answer:
        body = await answer.json()
        return answer.status, body["status"]["userInfo"]["username"] if answer.status == 201 else None


Read = Callable[[aiohttp.StreamReader], Awaitable[bytes]]


@pytest.mark.parametrize(
    "read",
    [
        lambda content: content.read(1),
        lambda content: content.readany(),
        lambda content: anext(content.iter_any()),
        lambda content: anext(content.iter_chunked(1)),
    ],
    ids=["read", "readany", "iter_any", "iter_chunked"],
)
async def test_who_reads_on_after_the_end_has_lost_a_connection_and_made_no_mistake(
    cluster: Cluster, namespace: str, read: Read
) -> None:
    """aiohttp says RuntimeError there, which ended kopf's watch for good, and the process with it."""
    query = await quiet_watch(cluster, namespace)
    lent = cluster.session()
    async with lent.get(cluster.server + CONFIG_MAPS.path(namespace), params=query) as answer:
        assert answer.status == 200
        await lent.close()
        with pytest.raises(aiohttp.ClientConnectionError, match="the connection was closed here"):
            await read(answer.content)


async def test_a_watch_that_brings_nothing_is_given_up_after_a_while(
    cluster: Cluster, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Read by read; what comes later is not lost."""
    query = await quiet_watch(cluster, namespace)
    async with cluster.session() as lent, lent.get(cluster.server + CONFIG_MAPS.path(namespace), params=query) as answer:
        monkeypatch.setattr(connections, "QUIET_SECONDS", 0.2)
        with pytest.raises(TimeoutError):
            await answer.content.read(1)
        with pytest.raises(TimeoutError):
            await answer.content.readany()
        monkeypatch.undo()
        await cluster.create(CONFIG_MAPS, namespace, config_map("d"))
        assert b"ADDED" in await answer.content.readany()


async def test_an_answer_that_does_not_begin_is_given_up_after_a_while(
    plane: ControlPlane, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with cluster.session() as lent:
        assert (await who_is(lent, cluster.server))[0] == 201
        plane.freeze("kube-apiserver")
        try:
            monkeypatch.setattr(connections, "QUIET_SECONDS", 0.2)
            with pytest.raises(TimeoutError):
                await lent.get(cluster.server + CONFIG_MAPS.path("default"), params={"watch": "true"})
        finally:
            plane.thaw("kube-apiserver")


async def quiet_watch(cluster: Cluster, namespace: str) -> dict[str, str]:
    """The query of a watch that has nothing to tell."""
    version = (await cluster.create(CONFIG_MAPS, namespace, config_map("c")))["metadata"]["resourceVersion"]
    return {"watch": "true", "resourceVersion": version, "timeoutSeconds": "300"}


async def test_two_readers_of_one_answer_are_a_mistake(cluster: Cluster, namespace: str) -> None:
    query = await quiet_watch(cluster, namespace)
    async with cluster.session() as lent, lent.get(cluster.server + CONFIG_MAPS.path(namespace), params=query) as answer:
        first = asyncio.create_task(answer.content.read(1))
        await asyncio.sleep(0)
        with pytest.raises(RuntimeError, match="another coroutine"):
            await answer.content.read(1)
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)


async def test_no_answer_is_unavailable_and_names_no_query(plane: ControlPlane) -> None:
    async with await Cluster.connect(kubeconfig=str(plane.admin_kubeconfig), timeout=30.0) as slow:
        await slow.who_am_i()
        plane.freeze("kube-apiserver")
        slow._transport._timeout = 0.5  # now that nothing comes back any more, and not before: a machine may be slow
        try:
            with pytest.raises(errors.Unavailable, match="no answer in time") as caught:
                await slow.merge_patch(CONFIG_MAPS, "default", "c", {})
        finally:
            plane.thaw("kube-apiserver")
        assert "?" not in str(caught.value)
    with pytest.raises(errors.Unavailable, match="kubeconfig"):
        await Cluster.connect(kubeconfig="/nonexistent/kubeconfig")


async def test_a_connection_whose_call_was_cut_off_ends_with_its_client_though_the_server_says_no_goodbye(
    plane: ControlPlane,
) -> None:
    sockets = asyncio.get_running_loop()._selector.get_map()  # type: ignore[attr-defined]
    before = set(sockets)
    cluster = await Cluster.connect(kubeconfig=str(plane.admin_kubeconfig), timeout=30.0)
    await cluster.who_am_i()
    lent = cluster.session()  # nobody closes it: that is its owner's
    watch = await lent.get(cluster.server + CONFIG_MAPS.path("default"), params={"watch": "true"})
    assert set(sockets) > before
    plane.freeze("kube-apiserver")
    try:
        cluster._transport._timeout = 0.2
        with pytest.raises(errors.Unavailable, match="no answer in time"):
            await cluster.who_am_i()
        watch.close()
        assert set(sockets) > before, "it waits for the server's goodbye"
        await cluster.close()
        assert set(sockets) == before
    finally:
        plane.thaw("kube-apiserver")


async def test_a_sibling_is_the_same_account_with_its_own_connections(cluster: Cluster) -> None:
    async with cluster.sibling(timeout=30.0) as sibling:
        assert (await sibling.who_am_i())["username"] == "admin"
    assert (await cluster.who_am_i())["username"] == "admin"


async def test_a_template_that_is_kept_can_still_be_patched(cluster: Cluster, namespace: str) -> None:
    kept = {
        "zone": "b",
        "app": {"note": "<a&b> \u2028 größer, \U0001f600", "args": ["--x=1", 2, True, None], "empty": {}},
        "quantity": 0.5,
    }
    body = {"metadata": {"name": "kept"}, "data": {"template": kept}, "revision": 1}
    made = await cluster.create_exact(REVISIONS, namespace, body)
    assert made["data"]["template"] == kept
    patched = await cluster.merge_patch(REVISIONS, namespace, "kept", {"metadata": {"labels": {"a": "b"}}})
    assert patched["data"] == made["data"]


async def test_a_pod_is_evicted_by_its_uid_only(cluster: Cluster, namespace: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # The API server tries twenty times where the uid is another one, half a second apart at least.
    monkeypatch.setattr("gatehold.kube.client.EVICTION_SECONDS", 60.0)
    await cluster.create(SERVICE_ACCOUNTS, namespace, {"metadata": {"name": "default"}})
    spec = {"containers": [{"name": "c", "image": "example.org/web:1"}], "automountServiceAccountToken": False}
    pod = await cluster.create(PODS, namespace, {"metadata": {"name": "web"}, "spec": spec})
    with pytest.raises(errors.Conflict):
        await cluster.evict(namespace, "web", uid="another")
    await cluster.evict(namespace, "web", uid=pod["metadata"]["uid"], dry_run=True)
    assert (await cluster.get(PODS, namespace, "web"))["metadata"]["uid"] == pod["metadata"]["uid"]
    await cluster.evict(namespace, "web", uid=pod["metadata"]["uid"], grace_seconds=0)
    with pytest.raises(errors.Absent):
        await cluster.evict(namespace, "web", uid=pod["metadata"]["uid"])
