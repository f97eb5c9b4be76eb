"""How bytes reach the API server: configuration, credentials, one request; only `kube.client` may call it.

The REST client inside `kubernetes.aio` is used below its generated models: the models cost more time than the request,
and they refuse fields that they do not know. Connections are pooled; proxies of the environment are ignored on purpose
(`trust_env`), because nothing but configuration may say where a gate talks to, and because it doubles the cost of a call.
"""

from __future__ import annotations

import asyncio
import contextlib
import copy
import json
import os
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import aiohttp
from kubernetes.aio import config as kube_config
from kubernetes.aio.client.configuration import Configuration
from kubernetes.aio.client.rest import RESTClientObject, RESTResponse

from gatehold.kube import connections, errors
from gatehold.kube.connections import Answer, Connections

JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"
METADATA_ONLY = f"{JSON};as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
APPLY_PATCH = "application/apply-patch+yaml"
_NAMESPACE_FILE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
_RELOAD_EVERY = 5.0
_CONNECT_TIMEOUT = 3.0
_CONNECT_SHARE = 0.6
"""Who waits longer for an answer (a person far away) waits longer for a connection, too: this share of it."""
_REFUSED_SECONDS = 1.0


class Listener(Protocol):
    """Hears of every answer; used by the server clock and by metrics, and must not raise."""

    def on_answer(self, date: str, received: float, took: float = 0.0) -> None:
        """`date` is the Date header as sent; `received` is time.monotonic() when it was read, `took` after the call."""

    def on_write(self, resource: str) -> None:
        """A write to this plural name was accepted; dry runs do not count."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where credentials come from; `reload` reads them again (a rotated token) into the configuration."""

    configuration: Configuration
    namespace: str
    reload: Callable[[], Any] | None = None


async def open_source(kubeconfig: str | None, context: str | None, pool: int) -> Source:
    """Read a kubeconfig, or the pod's own service account where no kubeconfig is named and we run in a pod."""
    configuration = new_configuration(pool)
    in_pod = kubeconfig is None and bool(os.environ.get("KUBERNETES_SERVICE_HOST"))

    async def reload() -> None:
        if in_pod:  # by itself the library looks at the token again after a minute of the wall clock, which may be set back
            kube_config.load_incluster_config(client_configuration=configuration)  # type: ignore[no-untyped-call]
            return
        await kube_config.load_kube_config(  # type: ignore[no-untyped-call]
            config_file=kubeconfig, context=context, client_configuration=configuration, persist_config=False
        )

    try:
        await reload()
    except (kube_config.ConfigException, OSError) as error:
        raise errors.Unavailable(f"no usable {'service account' if in_pod else 'kubeconfig'}: {error}") from error
    return Source(configuration, _own_namespace() if in_pod else _context_namespace(kubeconfig, context), reload)


def new_configuration(pool: int) -> Configuration:
    """Make an empty configuration with our rules: no proxies from the environment, a pool for all workers."""
    configuration = Configuration()
    configuration.connection_pool_maxsize = pool
    configuration.client_session_kwargs = {"trust_env": False, "response_class": Answer}
    return configuration


def with_token(original: Configuration, token: str) -> Configuration:
    """Return the same server and CA under another account: neither our certificate nor our token is carried over."""
    configuration = new_configuration(16)
    for name in ("host", "ssl_ca_cert", "ca_cert_data", "verify_ssl", "tls_server_name", "proxy"):
        setattr(configuration, name, copy.copy(getattr(original, name)))
    configuration.api_key["BearerToken"] = f"Bearer {token}"
    return configuration


def _own_namespace() -> str:
    with contextlib.suppress(OSError):
        return _NAMESPACE_FILE.read_text(encoding="utf-8").strip()
    return "default"


def _context_namespace(kubeconfig: str | None, context: str | None) -> str:
    contexts, active = kube_config.list_kube_config_contexts(config_file=kubeconfig)  # type: ignore[no-untyped-call]
    chosen = next((entry for entry in contexts if entry["name"] == context), active)
    return str(chosen["context"].get("namespace") or "default")


@dataclass(frozen=True, slots=True)
class Call:
    """One request, before it is sent."""

    method: str
    path: str
    body: Any = None
    content_type: str = JSON
    timeout: float | None = None
    accept: str = JSON


class _Rest(RESTClientObject):
    """The library's client over connections of our kind."""

    connector: Connections | None = None

    def _create_connector(self) -> aiohttp.TCPConnector:
        self.connector = Connections(self.maxsize, self.ssl_context)
        return self.connector

    async def send_bytes(self, call: Call, url: str, headers: dict[str, str], limit: aiohttp.ClientTimeout) -> RESTResponse:
        """Send a body byte by byte as it is given; `request` can only send what it serialises itself."""
        if self.pool_manager is None:
            self.pool_manager = self._create_pool_manager()
        chosen = {
            "server_hostname": self.configuration.tls_server_name,
            "proxy": self.proxy,
            "proxy_headers": self.proxy_headers,
        }
        more = {name: value for name, value in chosen.items() if value}
        answer = await self.pool_manager.request(call.method, url, headers=headers, data=call.body, timeout=limit, **more)
        return RESTResponse(answer)


class Transport:
    """Sends calls and returns parsed JSON; every failure is one of `kube.errors`."""

    def __init__(self, source: Source, *, timeout: float, listeners: tuple[Listener, ...] = ()) -> None:
        """Nothing is sent before the first call."""
        self.source = source
        self.listeners = listeners
        self._timeout = timeout
        self._rest = _Rest(source.configuration)
        self._lent: list[Connections] = []
        self._reloaded = 0.0

    async def close(self) -> None:
        """Close the pool, and what was lent; a call after this opens a new one, so close last."""
        await self._rest.close()
        for pool in filter(None, (self._rest.connector, *self._lent)):
            await pool.close()
            pool.cut()
        self._rest.pool_manager = self._rest.connector = None
        self._lent.clear()
        # TLS connections let go of their sockets some turns of the loop later.
        for _ in range(4):
            await asyncio.sleep(0)

    async def send(self, call: Call) -> dict[str, Any]:
        """Send one call and return the JSON object that came back."""
        with _our_errors(call):
            answer = await self._request(call)
            raw = await _read(answer)
        if not 200 <= answer.status < 300:
            await self._refused(answer.status)
            raise errors.from_answer(answer.status, answer.headers, raw)
        return _parse(raw)

    async def stream(self, call: Call) -> AsyncGenerator[dict[str, Any], None]:
        """Send one call and hand out each line of the answer as it comes."""
        with _our_errors(call):
            answer = await self._request(call)
            try:
                if not 200 <= answer.status < 300:
                    raise errors.from_answer(answer.status, answer.headers, await _read(answer))
                async for line in _lines(answer.response.content):
                    yield _parse(line)
            finally:
                answer.response.close()

    async def _request(self, call: Call) -> RESTResponse:
        seconds = call.timeout or self._timeout
        connect = min(seconds, max(_CONNECT_TIMEOUT, _CONNECT_SHARE * self._timeout))
        timeout = aiohttp.ClientTimeout(total=seconds, connect=connect)
        headers = await self._headers(call.content_type) | {"Accept": call.accept}
        url = self.source.configuration.host + call.path
        answer: RESTResponse
        began = time.monotonic()
        if isinstance(call.body, bytes):
            answer = await self._rest.send_bytes(call, url, headers, timeout)
        else:
            answer = await self._rest.request(  # type: ignore[no-untyped-call]
                call.method, url, headers, call.body, _request_timeout=timeout
            )
        self._heard(answer.headers, began)
        return answer

    def session(self) -> aiohttp.ClientSession:
        """Lend connections to another client (kopf): it is this same account, by the newest credentials at each call.

        Whoever borrows may close it, or leave that to `close`. After a refusal (401) the credentials are read again, and the
        call is sent once more, a second later: kopf would close every watch, and ask again with each turn of the loop.
        Whoever waits for an answer, or for more of it, has a TimeoutError after `QUIET_SECONDS`.
        """

        async def send(request: aiohttp.ClientRequest, on: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
            request.headers.update(await self._authorization())
            if lent.closed:  # while this call waited; aiohttp's own word for it, upon which kopf asks for a new session
                raise RuntimeError("Session is closed")
            async with asyncio.timeout(connections.QUIET_SECONDS):
                return await on(request)

        async def as_this_account(
            request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
        ) -> aiohttp.ClientResponse:
            answer = await send(request, handler)
            if answer.status == 401:
                answer.release()
                await self._refused(401)
                await asyncio.sleep(_REFUSED_SECONDS)
                answer = await send(request, handler)
            return answer

        pool = Connections(0, self._rest.ssl_context)
        self._lent = [*(one for one in self._lent if not one.over), pool]
        lent = aiohttp.ClientSession(
            connector=pool,
            response_class=Answer,
            middlewares=(as_this_account,),
            proxy=self._rest.proxy,
            trust_env=False,
        )
        return lent

    async def _headers(self, content_type: str) -> dict[str, str]:
        return {"Accept": JSON, "Content-Type": content_type, "User-Agent": "gatehold"} | await self._authorization()

    async def _authorization(self) -> dict[str, str]:
        words = await self.source.configuration.get_api_key_with_prefix("BearerToken", alias="authorization")
        return {"authorization": words.strip()} if words else {}

    def _heard(self, headers: Mapping[str, str], began: float) -> None:
        date = headers.get("Date")
        if date:
            received = time.monotonic()
            for listener in self.listeners:
                listener.on_answer(date, received, received - began)

    async def _refused(self, status: int) -> None:
        """After a 401 read the credentials again, at most every few seconds: exec plugins and token files rotate."""
        now = time.monotonic()
        if status != 401 or self.source.reload is None or now - self._reloaded < _RELOAD_EVERY:
            return
        self._reloaded = now
        with contextlib.suppress(kube_config.ConfigException, OSError, asyncio.TimeoutError):
            await self.source.reload()


@contextlib.contextmanager
def _our_errors(call: Call) -> Iterator[None]:
    """Nothing of the HTTP library gets out; the path is named without its query, which may hold a continue token."""
    what = f"{call.method} {call.path.partition('?')[0]}"
    try:
        yield
    except TimeoutError as error:
        raise errors.Unavailable(f"{what}: no answer in time") from error
    except (aiohttp.ClientError, OSError) as error:
        raise errors.Unavailable(f"{what}: {str(error) or type(error).__name__}") from error


async def _read(answer: RESTResponse) -> bytes:
    raw: bytes = await answer.read()  # type: ignore[no-untyped-call]
    return raw


async def _lines(content: aiohttp.StreamReader) -> AsyncIterator[bytes]:
    """Split by line without a limit of length: one object can be larger than any line buffer."""
    rest = b""
    async for chunk in content.iter_any():
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            if line:
                yield line


def _parse(raw: bytes) -> dict[str, Any]:
    try:
        value = json.loads(raw)
    except ValueError as error:
        raise errors.Unavailable("the answer is not JSON") from error
    return value if isinstance(value, dict) else {"items": value}
