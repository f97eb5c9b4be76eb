"""Edits of policies under way: changed, put back, now and then deleted and made again. Running requests must not notice."""

import asyncio
from copy import deepcopy
from random import Random

from tests.soak import cast
from tests.soak.door import Call, path
from tests.soak.life import Town


class Editor:
    """The platform team of the soak."""

    def __init__(self, town: Town, seed: int, pace: float) -> None:
        """`pace`: 1 for an edit about every ten seconds."""
        self._town = town
        self._dice = Random(f"{seed}/edits")
        self._pace = pace

    async def run(self) -> None:
        """For ever: an edit, some requests under it, and back."""
        while True:
            await asyncio.sleep(self._dice.uniform(3, 8) / self._pace)
            name, edit = self._dice.choice(list(cast.POLICIES)), self._dice.choice(cast.EDITS)
            if self._dice.random() < 0.1:
                await self._say("DELETE", name, None)
            else:
                await self._say("PATCH", name, {"spec": edit})
            await asyncio.sleep(self._dice.uniform(3, 10) / self._pace)
            await self.restore(name)

    async def restore(self, name: str) -> None:
        """As it was at the beginning; made anew where it was deleted."""
        for _ in range(10):
            there = await self._town.doors["admin"].surely("GET", path("apol", "", name))
            body = deepcopy(cast.policy(name))
            if there.ok:
                body["metadata"]["resourceVersion"] = there.body["metadata"]["resourceVersion"]
                answer = await self._say("PUT", name, body)
            else:
                answer = await self._say("POST", "", body)
            if answer:
                return

    async def _say(self, method: str, name: str, body: cast.Body | None) -> bool:
        answer = await self._town.do("admin", "policies", Call(method, path("apol", "", name), body))
        self._town.count["policies edited"] += answer.ok
        return answer.ok
