"""One command's conversation with one API server, as the user of the kubeconfig. Commands enter through `call`."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar

from gatehold.cli.people import Person
from gatehold.cli.refusals import leave_for
from gatehold.cli.times import ServerTime
from gatehold.kube.client import Access, Cluster
from gatehold.kube.errors import ApiError
from gatehold.kube.resources import POLICIES

T = TypeVar("T")
_AT_ONCE = 16
_TIMEOUT = 15.0


@dataclass(frozen=True, slots=True)
class Where:
    """What --kubeconfig, --context and --namespace say."""

    kubeconfig: str | None = None
    context: str | None = None
    namespace: str | None = None


@dataclass(slots=True)
class Session:
    """An open connection, what is known of the user, and the answers of access reviews so far."""

    cluster: Cluster
    namespace: str
    time: ServerTime
    where: Where = field(default_factory=Where)
    _me: Person | None = None
    _answers: dict[Access, asyncio.Future[bool]] = field(default_factory=dict)
    _slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_AT_ONCE))

    async def me(self) -> Person:
        """Who the API server says the user is; asked once."""
        if self._me is None:
            info = await self.cluster.who_am_i()
            self._me = Person(str(info.get("username") or ""), str(info.get("uid") or ""), tuple(info.get("groups") or ()))
        return self._me

    async def may(self, verb: str, policy: str, namespace: str, role: str = "") -> bool:
        """Whether the user holds that verb on the policy, or in that role of it; each question is asked once."""
        return await self.allowed(Access(verb, POLICIES.group, POLICIES.plural, role, policy, namespace))

    async def allowed(self, access: Access) -> bool:
        """A SelfSubjectAccessReview, cached for this command."""
        if access not in self._answers:
            self._answers[access] = asyncio.ensure_future(self._ask(access))
        return await self._answers[access]

    async def _ask(self, access: Access) -> bool:
        async with self._slots:
            return await self.cluster.access_review_self(access)


def call(where: Where, work: Callable[[Session], Awaitable[T]]) -> T:
    """Run one command's work with a session; whatever the API server refuses ends the command with its sentence."""

    async def run() -> T:
        time = ServerTime()
        cluster = await Cluster.connect(
            kubeconfig=_kubeconfig(where), context=where.context, timeout=_TIMEOUT, pool=_AT_ONCE, listeners=(time,)
        )
        async with cluster:
            return await work(Session(cluster, where.namespace or cluster.namespace, time, where))

    logging.getLogger("kubernetes").setLevel(logging.ERROR)  # what it warns of comes back as an error anyway
    try:
        return asyncio.run(run())
    except ApiError as error:
        raise leave_for(error) from error


def _kubeconfig(where: Where) -> str | None:
    """In a pod, an explicit $KUBECONFIG still goes before the pod's own account."""
    return where.kubeconfig or (os.environ.get("KUBECONFIG") if os.environ.get("KUBERNETES_SERVICE_HOST") else None)
