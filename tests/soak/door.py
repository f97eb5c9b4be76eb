"""How a person of the soak reaches the API server: plain HTTP under their own certificate, and never an exception."""

import asyncio
import base64
import json
import ssl
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

import aiohttp
import yaml

Body = dict[str, Any]
SECONDS = 8.0
_TYPES = {
    "PATCH": "application/merge-patch+json",
    "POST": "application/json",
    "PUT": "application/json",
    "DELETE": "application/json",
}
_PLURALS = {
    "apr": ("/apis/gatehold.dev/v1alpha1", "approvalrequests"),
    "apol": ("/apis/gatehold.dev/v1alpha1", "approvalpolicies"),
    "job": ("/apis/batch/v1", "jobs"),
    "pod": ("/api/v1", "pods"),
}


class Call(NamedTuple):
    """A write."""

    method: str
    where: str
    body: Body | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What the API server said; code 0 where it said nothing, so that nobody knows whether the write landed."""

    code: int
    body: Body

    @property
    def ok(self) -> bool:
        """Whether it was let in."""
        return 200 <= self.code < 300

    @property
    def taken(self) -> bool:
        """Whether an object of that name is there already."""
        return self.code == 409 and self.body.get("reason") == "AlreadyExists"

    @property
    def unknown(self) -> bool:
        """Whether to ask again: nothing was said, or nothing about the write itself."""
        return (self.code in (0, 409, 429) or self.code >= 500) and not self.taken

    @property
    def message(self) -> str:
        """The API server's sentence."""
        return str(self.body.get("message", ""))[:300]


def path(kind: str, namespace: str = "", name: str = "", sub: str = "") -> str:
    """Where a kind, or one object, is."""
    root, plural = _PLURALS[kind]
    parts = [root, *(["namespaces", namespace] if namespace else []), plural, name, sub]
    return "/".join(part for part in parts if part)


def annotate(where: str, notes: dict[str, str] | dict[str, None]) -> Call:
    """Set annotations, as `kubectl annotate` does."""
    return Call("PATCH", where, {"metadata": {"annotations": notes}})


class Door:
    """One person's connections. Close it at the end."""

    def __init__(self, server: str, context: ssl.SSLContext) -> None:
        """Use `open_door`."""
        self._server = server
        connector = aiohttp.TCPConnector(ssl=context, limit=32)
        self._session = aiohttp.ClientSession(connector=connector, read_bufsize=2**22, trust_env=False)

    async def send(self, method: str, where: str, body: Body | None = None, **query: str) -> Answer:
        """One call, once."""
        headers = {"Content-Type": _TYPES.get(method, "application/json")}
        url = f"{self._server}{where}{'?' + urlencode(query) if query else ''}"
        limit = aiohttp.ClientTimeout(total=SECONDS)
        try:
            async with self._session.request(method, url, json=body, headers=headers, timeout=limit) as reply:
                text = await reply.read()
                code = reply.status
        except (aiohttp.ClientError, TimeoutError, OSError):
            return Answer(0, {"message": "no answer"})
        try:
            content = json.loads(text)
        except ValueError:
            content = {"message": text.decode("utf-8", "replace")}
        return Answer(code, content if isinstance(content, dict) else {"message": str(content)})

    async def surely(self, method: str, where: str, body: Body | None = None, *, tries: int = 8, **query: str) -> Answer:
        """The same call until there is an answer to it."""
        answer = await self.send(method, where, body, **query)
        for _ in range(tries - 1):
            if not answer.unknown:
                break
            await asyncio.sleep(1.5)
            answer = await self.send(method, where, body, **query)
        return answer

    async def watch(self, where: str, version: str) -> AsyncIterator[Body]:
        """Events after that version, until the API server ends the watch. Raises what aiohttp raises, and OSError."""
        query = {"watch": "1", "resourceVersion": version, "allowWatchBookmarks": "true", "timeoutSeconds": "240"}
        limit = aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=90)
        async with self._session.get(f"{self._server}{where}?{urlencode(query)}", timeout=limit) as reply:
            reply.raise_for_status()
            async for line in reply.content:
                yield json.loads(line)

    async def close(self) -> None:
        """Close every connection."""
        await self._session.close()


def open_door(kubeconfig: Path) -> Door:
    """The door of whom that kubeconfig names by a certificate."""
    content = yaml.safe_load(kubeconfig.read_text())
    cluster, user = content["clusters"][0]["cluster"], content["users"][0]["user"]
    context = ssl.create_default_context(cadata=base64.b64decode(cluster["certificate-authority-data"]).decode())
    with tempfile.NamedTemporaryFile() as pair:
        for key in ("client-certificate-data", "client-key-data"):
            pair.write(base64.b64decode(user[key]))
        pair.flush()
        context.load_cert_chain(pair.name)
    return Door(cluster["server"], context)
