"""Nodes, pods and certificates for the figures of the webhook, and reviews as the API server sends them."""

import asyncio
import base64
import json
import ssl
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import aiohttp

from bench.rig import Rig
from bench.stage import NAMESPACE, PATIENCE, Hands
from controlplane import wait_until
from gatehold.admission.certificates import Pair, issue, make_authority, secret_data
from gatehold.admission.texts import eviction_webhook
from gatehold.kube.errors import Absent
from gatehold.kube.resources import GATES, NODES, PODS, POLICIES, SECRETS, WEBHOOKS

Body = dict[str, Any]
SYSTEM: Final = "gatehold-system"
GATE: Final = "bench-held-drains"
LEAF: Final = "gatehold-webhook-tls"
DRAINER: Final = "olga"
CORDONED: Final = 10
PODS_A_NODE: Final = 100
HOST: Final = "127.0.0.1"
CONNECTIONS: Final = 32
"""An API server keeps what it once needed: a handshake is no part of an answer."""


def node_name(number: int) -> str:
    """The name of one of the nodes; the first ten are cordoned."""
    return f"bench-drain-{number}"


def pod_name(number: int) -> str:
    """The name of one of the pods; a hundred are on each node."""
    return f"bench-pod-{number}"


async def put(who: Hands, pods: int, port: int) -> Pair:
    """Gate, nodes, pods, certificate and configuration; answers the CA."""
    now = datetime.now(UTC)
    authority = make_authority(now)
    leaf = issue(authority, [HOST], now)
    secret = {"metadata": {"name": LEAF}, "type": "kubernetes.io/tls"}
    await who.admin.create(SECRETS, SYSTEM, secret | {"data": secret_data(leaf, authority.certificate)})
    spec: Body = {"quorum": [{"role": "sre"}], "effects": ["Drain", "Release"], "onUnknownRequester": "Allow"}
    await who.admin.create(POLICIES, None, {"metadata": {"name": GATE}, "spec": spec})
    drains = {"mode": "Hold", "namespace": NAMESPACE}
    gate = {"type": "Drains", "policyRef": {"name": GATE}, "drains": drains}
    await who.admin.create(GATES, None, {"metadata": {"name": GATE}, "spec": gate})
    nodes = range(-(-pods // PODS_A_NODE))
    await asyncio.gather(*(who.patiently(who.admin.create, NODES, None, _node(number)) for number in nodes))
    await asyncio.gather(*(who.patiently(who.admin.create, PODS, NAMESPACE, _pod(number)) for number in range(pods)))
    await who.admin.create(WEBHOOKS, None, _configuration(port, authority))
    return authority


async def remove(who: Hands, pods: int) -> None:
    """Take all of it away."""
    with suppress(Absent):
        await who.admin.delete(WEBHOOKS, None, "gatehold-evictions")
    await asyncio.gather(*(_gone(who, PODS, NAMESPACE, pod_name(number)) for number in range(pods)))
    nodes = range(-(-pods // PODS_A_NODE))
    await asyncio.gather(*(_gone(who, NODES, None, node_name(number)) for number in nodes))
    for resource, namespace, name in ((GATES, None, GATE), (POLICIES, None, GATE), (SECRETS, SYSTEM, LEAF)):
        await _gone(who, resource, namespace, name)


async def until_held(rig: Rig, pods: int) -> None:
    """Wait until the first nodes are in mode Hold, then cordon them."""
    for number in range(min(CORDONED, -(-pods // PODS_A_NODE))):
        async with asyncio.timeout(PATIENCE):
            while True:
                body = await rig.who.admin.get(NODES, None, node_name(number))
                if body["metadata"]["labels"].get("gatehold.dev/drain-mode") == "Hold":
                    break
                await asyncio.sleep(0.2)
        await rig.who.admin.merge_patch(NODES, None, node_name(number), {"spec": {"unschedulable": True}})


@dataclass
class Reviews:
    """Evictions as the API server asks about them, over connections that it keeps."""

    port: int
    authority: Pair
    pods: int

    def __post_init__(self) -> None:
        """Trust that CA."""
        trust = ssl.create_default_context(cadata=self.authority.certificate.decode())
        self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=trust, limit=CONNECTIONS))
        self._sent = 0

    async def close(self) -> None:
        """Close the connections."""
        await self._session.close()

    async def ask(self) -> tuple[float, Body]:
        """One eviction from a cordoned node; seconds, and what was answered."""
        self._sent += 1
        pod = pod_name(self._sent % min(self.pods, CORDONED * PODS_A_NODE))
        data = json.dumps(_review(f"uid-{self._sent}", pod)).encode()
        began = time.perf_counter()
        async with self._session.post(f"https://{HOST}:{self.port}/evict?timeout=5s", data=data) as answer:
            body = json.loads(await answer.read())
        return time.perf_counter() - began, body["response"]

    async def until_asked(self) -> None:
        """Wait until every node's question has been opened and people can answer it: that is what is measured."""
        async with asyncio.timeout(PATIENCE):
            for _ in range(200):
                answers = [await self.ask() for _ in range(CORDONED * PODS_A_NODE // 10)]
                if all("is pending (0 of 1)" in answer["status"]["message"] for _, answer in answers):
                    return
                await asyncio.sleep(0.5)

    async def at_a_rate(self, count: int, rate: float) -> list[float]:
        """So many a second, whatever the answers take; the seconds of each. The connections are there before."""
        await self.at_once(4 * CONNECTIONS, CONNECTIONS)
        began, tasks = time.perf_counter(), []
        for number in range(count):
            await asyncio.sleep(max(0.0, began + number / rate - time.perf_counter()))
            tasks.append(asyncio.create_task(self.ask()))
        return _held(await asyncio.gather(*tasks))

    async def at_once(self, count: int, people: int = 50) -> float:
        """So many, each of these people with one after the other; seconds until the last answer."""

        async def one(share: Sequence[int]) -> list[tuple[float, Body]]:
            return [await self.ask() for _ in share]

        began = time.perf_counter()
        found = await asyncio.gather(*(one(range(number, count, people)) for number in range(people)))
        _held([answer for answers in found for answer in answers])
        return time.perf_counter() - began


def until_ready(site: Callable[[str], str]) -> None:
    """Wait until the webhook of that operator says that it is ready."""
    wait_until(lambda: "webhook: ok" in site("/readyz"), "the webhook is ready", PATIENCE)


def _held(answers: Sequence[tuple[float, Body]]) -> list[float]:
    """The seconds; an eviction that passed, or an error, would be no figure of a webhook that holds."""
    odd = [body for _, body in answers if body["allowed"] or "holds the drain" not in body["status"]["message"]]
    if odd:
        raise RuntimeError(f"{len(odd)} were not held: {odd[0]}")
    return [seconds for seconds, _ in answers]


def _configuration(port: int, authority: Pair) -> Body:
    body: Body = json.loads(json.dumps(eviction_webhook()))
    bundle = base64.b64encode(authority.certificate).decode()
    body["webhooks"][0]["clientConfig"] = {"url": f"https://{HOST}:{port}/evict", "caBundle": bundle}
    return body


async def _gone(who: Hands, resource: Any, namespace: str | None, name: str) -> None:
    with suppress(Absent):
        await who.patiently(who.admin.delete, resource, namespace, name)


def _node(number: int) -> Body:
    return {"metadata": {"name": node_name(number), "labels": {"gatehold.dev/drain": GATE}}}


def _pod(number: int) -> Body:
    """It runs nowhere, so that nothing but the webhook is measured, and goes at once."""
    spec = {
        "nodeName": node_name(number // PODS_A_NODE),
        "terminationGracePeriodSeconds": 0,
        "tolerations": [{"operator": "Exists"}],
        "containers": [{"name": "main", "image": "example.org/web:1"}],
    }
    return {"metadata": {"name": pod_name(number)}, "spec": spec}


def _review(uid: str, pod: str) -> Body:
    """As an API server of 1.36 sends it."""
    request = {
        "uid": uid,
        "kind": {"group": "policy", "version": "v1", "kind": "Eviction"},
        "resource": {"group": "", "version": "v1", "resource": "pods"},
        "subResource": "eviction",
        "requestKind": {"group": "policy", "version": "v1", "kind": "Eviction"},
        "requestResource": {"group": "", "version": "v1", "resource": "pods"},
        "requestSubResource": "eviction",
        "name": pod,
        "namespace": NAMESPACE,
        "operation": "CREATE",
        "userInfo": {"username": DRAINER, "groups": ["ops", "system:authenticated"]},
        "object": {
            "kind": "Eviction",
            "apiVersion": "policy/v1",
            "metadata": {"name": pod, "namespace": NAMESPACE},
            "deleteOptions": {},
        },
        "oldObject": None,
        "dryRun": False,
        "options": {"kind": "CreateOptions", "apiVersion": "meta.k8s.io/v1"},
    }
    return {"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1", "request": request}
