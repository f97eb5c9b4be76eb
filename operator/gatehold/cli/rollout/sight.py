"""What a reader wants to see beside a Rollout: children, pods, Gate, open request. What may not be read is left out."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from gatehold.api.child_pods import with_pods
from gatehold.api.common import ParseError
from gatehold.api.deployment import child_name, facts
from gatehold.api.gate import of_namespace, parse
from gatehold.api.rollout import ROLLOUT_LABEL, TRACK_LABEL
from gatehold.cli.deciders import Deciders, find_out
from gatehold.cli.refusals import sentence
from gatehold.cli.rollout.view import RolloutView
from gatehold.cli.session import Session
from gatehold.cli.view import View, view_of
from gatehold.domain.rollout.asking import UNGATED
from gatehold.domain.rollout.model import Child, GateFacts
from gatehold.domain.rollout.record import Track
from gatehold.kube import errors
from gatehold.kube.resources import DEPLOYMENTS, GATES, NAMESPACES, PODS, REQUESTS

T = TypeVar("T")
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ChildSeen:
    """A child as it is now. `images` are those of its template, as container=image."""

    child: Child
    images: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Around:
    """What was found; None and empty where it is not there, or may not be read (a note says so then)."""

    children: dict[Track, ChildSeen]
    gate_name: str = ""
    gate: GateFacts | None = None
    request: View | None = None
    found: Deciders | None = None
    notes: tuple[str, ...] = ()


class _Reader:
    """Reads one thing after the other and remembers what it may not."""

    def __init__(self, session: Session, view: RolloutView) -> None:
        self.session = session
        self.cluster = session.cluster
        self.rollout = view.rollout
        self.question = view.question
        self.notes: list[str] = []

    async def tried(self, what: str, reading: Awaitable[T]) -> T | None:
        """What was read; None where it is not there, or this account may not read it."""
        try:
            return await reading
        except errors.Absent:
            return None
        except errors.ApiError as error:
            self.notes.append(f"{what} not shown: {sentence(error)}")
            return None

    def parsed(self, what: str, parse: Callable[[Json], T], body: Json | None) -> T | None:
        """What a body means; None where there is none, or it cannot be read."""
        try:
            return None if body is None else parse(body)
        except ParseError as error:
            self.notes.append(f"{what} not shown: {error}")
            return None

    async def children(self) -> dict[Track, ChildSeen]:
        """Both children with their pods."""
        name, namespace = self.rollout.name, self.rollout.namespace
        selector = f"{ROLLOUT_LABEL}={name}"
        reading = (self.tried(f"{t} is", self.cluster.get(DEPLOYMENTS, namespace, child_name(name, t))) for t in Track)
        pods, bodies = await asyncio.gather(
            self.tried("pods are", self.cluster.list_all(PODS, namespace, selector)), asyncio.gather(*reading)
        )
        seen = {}
        for track, body in zip(Track, bodies, strict=True):
            found = self.parsed(f"{track} is", partial(self._child, track, pods), body)
            if found is not None:
                seen[track] = found
        return seen

    def _child(self, track: Track, pods: list[Json] | None, body: Json) -> ChildSeen | None:
        """One child; a Deployment of somebody else that has its name is none."""
        child = facts(body)
        if child.owner != self.rollout.uid:
            return None
        template = body["spec"]["template"]
        containers = [*(template["spec"].get("initContainers") or []), *template["spec"]["containers"]]
        images = tuple(f"{container['name']}={container['image']}" for container in containers)
        if pods is None:
            return ChildSeen(child, images)
        own = [pod for pod in pods if (pod["metadata"].get("labels") or {}).get(TRACK_LABEL) == track]
        return ChildSeen(with_pods(child, own, template), images)

    async def gate(self) -> tuple[str, GateFacts | None]:
        """The Gate that the namespace names, else the one that asks; and what it says. Few may read these: no note."""
        name = self.question.gate if self.question is not None and self.question.gate != UNGATED else ""
        with suppress(errors.ApiError, ParseError):
            name = of_namespace(await self.cluster.get(NAMESPACES, None, self.rollout.namespace)) or ""
        with suppress(errors.ApiError, ParseError):
            return name, parse(await self.cluster.get(GATES, None, name)) if name else None
        return name, None

    async def request(self) -> tuple[View | None, Deciders | None]:
        """The open request, and what this user may do about it."""
        if self.question is None:
            return None, None
        what = f"request {self.question.name} is"
        body = await self.tried(what, self.cluster.get(REQUESTS, self.rollout.namespace, self.question.name))
        view = self.parsed(what, view_of, body)
        return view, await self.tried("who decides is", find_out(self.session, view)) if view is not None else None


async def look_around(session: Session, view: RolloutView) -> Around:
    """Read all of it, at once. What cannot be read never ends a command: the Rollout itself was."""
    reader = _Reader(session, view)
    children, (name, gate), (request, found) = await asyncio.gather(reader.children(), reader.gate(), reader.request())
    return Around(children, name, gate, request, found, tuple(dict.fromkeys(reader.notes)))
