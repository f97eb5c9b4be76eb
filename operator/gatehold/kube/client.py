"""`Cluster`: the verbs Gatehold uses on the API server, as plain dicts; controllers, runtime, wall and CLI call it.

Every call either returns what the API server said or raises one of `kube.errors`. Nothing is retried here: the work queue
knows better when. A write that must not land on something newer carries `metadata.resourceVersion` in its body (a uid is
no precondition on a custom resource's /status), or JSON-patch tests.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from typing import Any, NamedTuple, Self
from urllib.parse import urlencode

import aiohttp

from gatehold.kube.resources import PODS, SERVICE_ACCOUNTS, Resource
from gatehold.kube.transport import (
    APPLY_PATCH,
    JSON,
    JSON_PATCH,
    MERGE_PATCH,
    METADATA_ONLY,
    Call,
    Listener,
    Source,
    Transport,
    open_source,
    with_token,
)

Body = dict[str, Any]
FIELD_MANAGER = "gatehold"
SILENCE_SECONDS = 100.0
"""How long a watch with bookmarks may say nothing: the API server sends one about every minute."""
EVICTION_SECONDS = 15.0
"""The API server tries for 10 s by itself where many pods of one budget are evicted at once, or the uid is another one."""


class Page(NamedTuple):
    """One page of a list; `resource_version` is the version of the whole list."""

    items: list[Body]
    resource_version: str


class Access(NamedTuple):
    """What an access review asks: may this be done? Empty strings mean "any name", "all namespaces", "no subresource"."""

    verb: str
    group: str
    resource: str
    subresource: str = ""
    name: str = ""
    namespace: str = ""


class Identity(NamedTuple):
    """A person or account as admission saw it."""

    username: str
    uid: str = ""
    groups: tuple[str, ...] = ()
    extra: Mapping[str, Sequence[str]] = {}


class Cluster:
    """One account on one API server. Close it at the end."""

    def __init__(self, transport: Transport) -> None:
        """Use `connect` unless you already hold a transport."""
        self._transport = transport

    @classmethod
    async def connect(
        cls,
        *,
        kubeconfig: str | None = None,
        context: str | None = None,
        timeout: float = 5.0,  # noqa: ASYNC109 - of later calls, not of this one
        pool: int = 64,
        listeners: tuple[Listener, ...] = (),
    ) -> Self:
        """Open by kubeconfig, or as the pod's service account (its token file is read every minute, and after a 401)."""
        source = await open_source(kubeconfig, context, pool)
        return cls(Transport(source, timeout=timeout, listeners=listeners))

    def as_token(self, token: str, *, timeout: float = 5.0) -> Cluster:
        """Return the same API server under a token's account; nothing of this account is carried over. Close it yourself."""
        source = Source(with_token(self._transport.source.configuration, token), self.namespace)
        return Cluster(Transport(source, timeout=timeout, listeners=self._transport.listeners))

    def sibling(self, *, timeout: float, listeners: tuple[Listener, ...] | None = None) -> Cluster:
        """Return the same account with connections of its own, which no other call can hold up. Close it yourself.

        One that is used in another thread needs `listeners` of its own.
        """
        heard = self._transport.listeners if listeners is None else listeners
        return Cluster(Transport(self._transport.source, timeout=timeout, listeners=heard))

    async def __aenter__(self) -> Self:
        """Nothing is opened before the first call."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the pool."""
        await self.close()

    async def close(self) -> None:
        """Close every connection."""
        await self._transport.close()

    @property
    def namespace(self) -> str:
        """The namespace of the kubeconfig's context, or of the pod."""
        return self._transport.source.namespace

    @property
    def server(self) -> str:
        """The address of the API server, for messages."""
        return str(self._transport.source.configuration.host)

    def session(self) -> aiohttp.ClientSession:
        """Lend another client connections under this same account; `close` ends them."""
        return self._transport.session()

    # ---- reading

    async def get(self, resource: Resource, namespace: str | None, name: str) -> Body:
        """Read one object; `Absent` where there is none."""
        return await self._transport.send(Call("GET", resource.path(namespace, name)))

    async def get_metadata(self, resource: Resource, namespace: str | None, name: str) -> Body:
        """Read the metadata of one object and nothing else: a tenth of the bytes where the rest is long."""
        body = await self._transport.send(Call("GET", resource.path(namespace, name), accept=METADATA_ONLY))
        return body | {"apiVersion": resource.api_version, "kind": resource.kind}

    async def get_raw(self, path: str, *, timeout: float | None = None) -> Body:  # noqa: ASYNC109 - part of the request
        """Read any path that answers JSON, such as /version."""
        return await self._transport.send(Call("GET", path, timeout=timeout))

    async def server_version(self, *, timeout: float | None = None) -> Body:  # noqa: ASYNC109 - part of the request
        """Answer of GET /version: `gitVersion`, `major`, `minor`; cheap, and it feeds the server clock."""
        return await self.get_raw("/version", timeout=timeout)

    async def list_pages(
        self,
        resource: Resource,
        namespace: str | None = None,
        label_selector: str = "",
        *,
        field_selector: str = "",
        limit: int = 500,
    ) -> AsyncIterator[Page]:
        """Iterate over a list page by page; `Gone` in the middle means that the caller must start again."""
        token = ""
        while True:
            query = {"labelSelector": label_selector, "fieldSelector": field_selector, "continue": token}
            text = urlencode({key: value for key, value in query.items() if value} | {"limit": limit})
            answer = await self._transport.send(Call("GET", f"{resource.path(namespace)}?{text}", timeout=60.0))
            meta = answer.get("metadata") or {}
            items = [_typed(item, resource) for item in answer.get("items") or []]
            yield Page(items, str(meta.get("resourceVersion") or ""))
            token = str(meta.get("continue") or "")
            if not token:
                return

    async def watch(
        self,
        resource: Resource,
        version: str,
        label_selector: str = "",
        *,
        namespace: str | None = None,
        field_selector: str = "",
        seconds: int = 300,
        bookmarks: bool = False,
    ) -> AsyncGenerator[Body, None]:
        """Iterate over watch events after that version, for at most that long; an ERROR event is handed out as it is.

        With `bookmarks` one comes about every minute: a sign of life, and the version to go on from. Raises TimeoutError
        where none comes: such a watch is dead, whatever it looks like.
        """
        query = {"watch": "true", "resourceVersion": version, "timeoutSeconds": str(seconds)}
        query |= {"labelSelector": label_selector} if label_selector else {}
        query |= {"fieldSelector": field_selector} if field_selector else {}
        query |= {"allowWatchBookmarks": "true"} if bookmarks else {}
        call = Call("GET", f"{resource.path(namespace)}?{urlencode(query)}", timeout=seconds + 30.0)
        async with contextlib.aclosing(self._transport.stream(call)) as events:
            while True:
                async with asyncio.timeout(SILENCE_SECONDS if bookmarks else None):
                    event = await anext(events, None)
                if event is None:
                    return
                yield event

    async def list_all(self, resource: Resource, namespace: str | None = None, label_selector: str = "") -> list[Body]:
        """Read a whole list, for the small ones."""
        return [body async for page in self.list_pages(resource, namespace, label_selector) for body in page.items]

    # ---- writing

    async def create(
        self,
        resource: Resource,
        namespace: str | None,
        body: Body,
        *,
        dry_run: bool = False,
        field_manager: str = FIELD_MANAGER,
    ) -> Body:
        """Create; `AlreadyExists` where the name is taken. `apiVersion` and `kind` are filled in."""
        call = Call("POST", resource.path(namespace) + _query(dry_run, field_manager), _typed(dict(body), resource))
        return await self._write(resource, call, dry_run=dry_run)

    async def create_exact(self, resource: Resource, namespace: str | None, body: Body) -> Body:
        """Create, the JSON written as the API server itself would write it.

        What it keeps as raw bytes (the data of a ControllerRevision) it writes anew with each patch. Other bytes are a
        change of what is immutable then, so that nobody could patch the object: not even the garbage collector.
        """
        call = Call("POST", resource.path(namespace) + _query(dry_run=False), _as_go(_typed(dict(body), resource)))
        return await self._write(resource, call)

    async def replace(self, resource: Resource, namespace: str | None, body: Body) -> Body:
        """PUT a whole object; its metadata.resourceVersion is the precondition."""
        path = resource.path(namespace, body["metadata"]["name"]) + _query(dry_run=False)
        return await self._write(resource, Call("PUT", path, _typed(dict(body), resource)))

    async def merge_patch(
        self,
        resource: Resource,
        namespace: str | None,
        name: str,
        body: Body,
        *,
        dry_run: bool = False,
    ) -> Body:
        """JSON merge patch of the main resource: lists are replaced whole, null removes."""
        call = Call("PATCH", resource.path(namespace, name) + _query(dry_run), body, MERGE_PATCH)
        return await self._write(resource, call, dry_run=dry_run)

    async def patch_status(
        self,
        resource: Resource,
        namespace: str | None,
        name: str,
        body: Body,
        *,
        dry_run: bool = False,
    ) -> Body:
        """JSON merge patch of /status; the body carries metadata.resourceVersion, else the last writer wins."""
        call = Call("PATCH", resource.path(namespace, name, "status") + _query(dry_run), body, MERGE_PATCH)
        return await self._write(resource, call, dry_run=dry_run)

    async def json_patch(
        self,
        resource: Resource,
        namespace: str | None,
        name: str,
        operations: list[Body],
        *,
        subresource: str | None = None,
        dry_run: bool = False,
    ) -> Body:
        """RFC 6902 patch; a failed `test` is `Invalid`."""
        path = resource.path(namespace, name, subresource) + _query(dry_run)
        return await self._write(resource, Call("PATCH", path, operations, JSON_PATCH), dry_run=dry_run)

    async def apply(
        self, resource: Resource, namespace: str | None, body: Body, *, force: bool = True, dry_run: bool = False
    ) -> Body:
        """Server-side apply as field manager `gatehold`."""
        path = resource.path(namespace, body["metadata"]["name"]) + _query(dry_run) + f"&force={str(force).lower()}"
        return await self._write(resource, Call("PATCH", path, body, APPLY_PATCH), dry_run=dry_run)

    async def delete(
        self,
        resource: Resource,
        namespace: str | None,
        name: str,
        *,
        uid: str | None = None,
        resource_version: str | None = None,
        propagation: str = "Background",
    ) -> Body:
        """Delete if uid (and version) still match, `Conflict` otherwise; `Absent` where it is gone already."""
        wanted = {"uid": uid, "resourceVersion": resource_version}
        options = {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "propagationPolicy": propagation,
            "preconditions": {key: value for key, value in wanted.items() if value},
        }
        return await self._write(resource, Call("DELETE", resource.path(namespace, name), options))

    async def evict(
        self,
        namespace: str,
        name: str,
        *,
        uid: str,
        grace_seconds: int | None = None,
        dry_run: bool = False,
    ) -> Body:
        """Evict that very pod, as its budgets allow: `Conflict` where another has its name, 429 where a budget says no."""
        options: Body = {"preconditions": {"uid": uid}}
        options |= {} if grace_seconds is None else {"gracePeriodSeconds": grace_seconds}
        body = {
            "apiVersion": "policy/v1",
            "kind": "Eviction",
            "metadata": {"name": name, "namespace": namespace},
            "deleteOptions": options,
        }
        path = PODS.path(namespace, name, "eviction") + _query(dry_run)
        return await self._write(PODS, Call("POST", path, body, timeout=EVICTION_SECONDS), dry_run=dry_run)

    # ---- who may do what

    async def access_review_self(self, access: Access) -> bool:
        """Ask whether this account may do that, by a SelfSubjectAccessReview."""
        return await self._allowed("selfsubjectaccessreviews", "SelfSubjectAccessReview", {}, access)

    async def access_review(self, identity: Identity, access: Access) -> bool:
        """Ask whether somebody else may do that, by a SubjectAccessReview (a right of its own)."""
        extra = {key: list(values) for key, values in identity.extra.items()}
        who = {"user": identity.username, "uid": identity.uid, "groups": list(identity.groups), "extra": extra}
        return await self._allowed("subjectaccessreviews", "SubjectAccessReview", who, access)

    async def who_am_i(self) -> Body:
        """Return the SelfSubjectReview's `status.userInfo`: username, uid, groups, extra."""
        path = f"/apis/authentication.k8s.io/v1/selfsubjectreviews{_query(dry_run=False)}"
        body = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
        answer = await self._transport.send(Call("POST", path, body))
        info: Body = (answer.get("status") or {}).get("userInfo") or {}
        return info

    async def mint_token(
        self,
        namespace: str,
        service_account: str,
        *,
        audiences: Sequence[str] = (),
        expiration_seconds: int = 600,
        bound_to: Body | None = None,
    ) -> str:
        """TokenRequest for a service account; `bound_to` is a boundObjectRef {apiVersion, kind, name, uid}."""
        spec: Body = {"audiences": list(audiences), "expirationSeconds": expiration_seconds}
        if bound_to:
            spec["boundObjectRef"] = bound_to
        body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec}
        path = SERVICE_ACCOUNTS.path(namespace, service_account, "token")
        answer = await self._transport.send(Call("POST", path, body))
        return str(answer["status"]["token"])

    async def _allowed(self, plural: str, kind: str, who: Body, access: Access) -> bool:
        attributes = {key: value for key, value in access._asdict().items() if value}
        body = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": kind,
            "spec": {**{key: value for key, value in who.items() if value}, "resourceAttributes": attributes},
        }
        answer = await self._transport.send(Call("POST", f"/apis/authorization.k8s.io/v1/{plural}", body))
        status = answer.get("status") or {}
        return status.get("allowed") is True and status.get("denied") is not True

    async def _write(self, resource: Resource, call: Call, *, dry_run: bool = False) -> Body:
        answer = await self._transport.send(call)
        if not dry_run:
            for listener in self._transport.listeners:
                listener.on_write(resource.plural)
        return answer


def _typed(body: Body, resource: Resource) -> Body:
    """Items of built-in lists come without kind and apiVersion; give every body both."""
    body.setdefault("apiVersion", resource.api_version)
    if resource.kind:
        body.setdefault("kind", resource.kind)
    return body


def _as_go(body: Body) -> bytes:
    """JSON as encoding/json of Go writes it: sorted, without spaces, and safe inside HTML."""
    text = json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text.encode("utf-8", "surrogatepass")


def _query(dry_run: bool, field_manager: str = FIELD_MANAGER) -> str:
    query = {"fieldManager": field_manager, "fieldValidation": "Strict"}
    if dry_run:
        query["dryRun"] = "All"
    return "?" + urlencode(query)


__all__ = ["JSON", "Access", "Body", "Cluster", "Identity", "Page"]
