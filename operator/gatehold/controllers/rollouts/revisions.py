"""The templates that are kept, one ControllerRevision each: which there are, and what stands in one.

Which there are is remembered: nobody but the operator makes or removes one, so one list when this process begins to act
is enough, and its own writes keep it. Whoever cannot wait for that list reads those of one Rollout. A template itself is
read when it is wanted.
"""

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from gatehold.api import revision as wire
from gatehold.api.common import ParseError
from gatehold.api.rollout import ROLLOUT_LABEL, template
from gatehold.domain.rollout.model import Revision, Rollout
from gatehold.kube.errors import Absent, Invalid
from gatehold.kube.resources import REVISIONS
from gatehold.runtime.parts import Runtime

Body = Mapping[str, Any]


class Revisions:
    """What is known of them, by the uid of the Rollout."""

    def __init__(self, runtime: Runtime) -> None:
        """Nothing was read yet."""
        self._runtime = runtime
        self._known: dict[str, dict[str, Revision]] = defaultdict(dict)
        self._listed = False
        self._read: set[str] = set()
        self._turn = asyncio.Lock()

    async def of(self, rollout: Rollout, *, pressing: bool = False) -> tuple[Revision, ...]:
        """Those of one Rollout, by number; `pressing`: somebody waits for it, and not for a list of all."""
        if not self._listed and rollout.uid not in self._read:
            await (self.reread(rollout) if pressing else self._list_all())
        return tuple(sorted(self._known.get(rollout.uid, {}).values(), key=lambda revision: revision.number))

    async def reread(self, rollout: Rollout) -> None:
        """Something was not as it is remembered: read those of one Rollout again."""
        bodies = await self._runtime.cluster.list_all(REVISIONS, rollout.namespace, f"{ROLLOUT_LABEL}={rollout.name}")
        self.forget(rollout.uid)
        for body in bodies:
            self.note(body)
        if not self._listed:
            self._read.add(rollout.uid)

    def note(self, body: Body) -> None:
        """Remember one; what is no template of ours is passed over."""
        try:
            owner, found = wire.owner(body), wire.facts(body)
        except ParseError:
            return
        if owner and "deletionTimestamp" not in body["metadata"]:
            self._known[owner][found.name] = found

    def drop(self, rollout: Rollout, name: str) -> None:
        """One of them is gone."""
        self._known[rollout.uid].pop(name, None)

    def forget(self, uid: str) -> None:
        """The Rollout is gone, or all of it is read again."""
        self._known.pop(uid, None)
        self._read.discard(uid)

    async def template(self, rollout: Rollout, body: Body, digest: str) -> Body:
        """The template of that digest: the Rollout's own, or one that is kept. Raises Invalid where there is none."""
        if digest == rollout.template:
            return template(body)
        name = wire.name(rollout.name, digest)
        try:
            kept = await self._runtime.cluster.get(REVISIONS, rollout.namespace, name)
            if wire.owner(kept) == rollout.uid and wire.facts(kept).template == digest:
                return wire.template(kept)
            why = "it is not the one that was kept"
        except (Absent, ParseError) as error:
            why = str(error)
        await self.reread(rollout)
        raise Invalid(f"the template of ControllerRevision {name} is of no use: {why}")

    async def _list_all(self) -> None:
        async with self._turn:
            if self._listed:
                return
            async for page in self._runtime.cluster.list_pages(REVISIONS, label_selector=ROLLOUT_LABEL):
                for body in page.items:
                    self.note(body)
            self._listed = True
            self._read.clear()
