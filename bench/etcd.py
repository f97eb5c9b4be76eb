"""Requests put straight into etcd, as the API server would have stored them: ten thousand in a few seconds.

Only for the set-up, so that a hundred thousand questions need not go through admission first. What is measured goes
through the front door. etcd serves JSON over HTTPS beside gRPC, for the API server's own certificate. One write at a time
each, never several in one transaction: they would share a revision, and a watch that goes on from there loses the rest.
"""

import asyncio
import base64
import json
from collections.abc import Iterable
from typing import Any, Final, Self

import aiohttp

from controlplane import ControlPlane
from controlplane.readiness import context

Body = dict[str, Any]
REQUESTS: Final = "gatehold.dev/approvalrequests"
JOBS: Final = "jobs"
ROLLOUTS: Final = "gatehold.dev/rollouts"
DEPLOYMENTS: Final = "deployments"
REVISIONS: Final = "controllerrevisions"
_AT_ONCE: Final = 32


class Etcd:
    """The store behind one control plane."""

    def __init__(self, plane: ControlPlane) -> None:
        """Use the API server's own certificate; make it inside the loop that uses it."""
        at = plane.installation
        self._url = f"https://127.0.0.1:{at.ports.etcd}/v3/kv/"
        tls = context(at.pki / "etcd-ca.crt", at.pki / "etcd-client")
        self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=tls, limit=_AT_ONCE))

    async def __aenter__(self) -> Self:
        """Nothing is opened before the first write."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the connections."""
        await self._session.close()

    async def put(self, namespace: str, requests: Iterable[Body]) -> None:
        """Store requests; the API server hears of each."""
        await self.put_all(namespace, ((REQUESTS, body) for body in requests))

    async def put_all(self, namespace: str, objects: Iterable[tuple[str, Body]]) -> None:
        """Store objects, each with its kind as etcd names it. The API server reads JSON of its own kinds, too."""
        await self._all("put", (_stored(kind, namespace, body) for kind, body in objects))

    async def remove(self, kind: str, namespace: str, names: Iterable[str]) -> None:
        """Remove these: no finalizer, no owner, no garbage collector is asked."""
        await self._all("deleterange", ({"key": _key(kind, namespace, name)} for name in names))

    async def _all(self, verb: str, what: Iterable[Body]) -> None:
        """So many senders, one source."""
        source = iter(what)

        async def send() -> None:
            for body in source:
                async with self._session.post(self._url + verb, data=json.dumps(body)) as answer:
                    answer.raise_for_status()
                    await answer.read()

        await asyncio.gather(*(send() for _ in range(_AT_ONCE)))


def _stored(kind: str, namespace: str, body: Body) -> Body:
    raw = json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"
    return {"key": _key(kind, namespace, body["metadata"]["name"]), "value": base64.b64encode(raw).decode()}


def _key(kind: str, namespace: str, name: str) -> str:
    return base64.b64encode(f"/registry/{kind}/{namespace}/{name}".encode()).decode()
