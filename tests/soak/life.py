"""One life: somebody asks, people speak, things are deleted; carried out as its script says, and noted as it went."""

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.soak import cast, illegal
from tests.soak.door import Answer, Call, Door, annotate, path
from tests.soak.journal import Journal
from tests.soak.script import ILLEGAL, Move, Script

Body = dict[str, Any]
LONGEST = 100.0  # seconds after which a life that still waits is taken back by its requester
KEPT = 3.0  # seconds for which Jobs stay after their request is done


@dataclass
class Town:
    """What all lives share."""

    doors: dict[str, Door]
    journal: Journal
    said: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))  # by name: what was done, and the answer
    count: Counter[str] = field(default_factory=Counter)
    deleted: set[str] = field(default_factory=set)
    let_in: list[str] = field(default_factory=list)  # illegal writes that were accepted
    gap: bool = False  # the wall is open: who tries something illegal now may succeed, so nobody does
    slow: float = 0.05  # how long the API server takes for a write, smoothed

    async def do(self, who: str, name: str, call: Call, *, once: bool = False) -> Answer:
        """One person's write, noted. What was made by a try whose answer was lost is made."""
        began, door = time.time(), self.doors[who]
        answer = await (door.send if once else door.surely)(*call)
        if answer.taken and call.body is not None:
            answer = await door.surely("GET", f"{call.where}/{call.body['metadata']['name']}")
        self.slow += 0.1 * (min(time.time() - began, 5.0) - self.slow)
        clock, what = time.strftime("%H:%M:%S", time.gmtime(began)), call.where.rsplit("/", 2)[-2]
        self.said[name].append(
            f"{clock}.{int(began % 1 * 1000):03d} {who} {call.method} {what}: {answer.code} {answer.message}"
        )
        return answer


class Life:
    """Carries one script out."""

    def __init__(self, town: Town, script: Script) -> None:
        """Nothing is asked yet."""
        self.town = town
        self.script = script
        self.uid = ""
        self.jobs: dict[str, Body] = {}

    async def run(self) -> None:
        """From the question to the last tidying up."""
        if not await self._ask():
            return
        await self.until(self.prepared, 30)
        for move in self.script.moves:
            await self._move(move)
        await self._say_again()
        if not await self.until(self.over, LONGEST):
            await self._word(self.script.requester, "withdraw")
            await self.until(self.over, LONGEST)
        await asyncio.sleep(KEPT)
        await self._tidy()

    # ---- what stands

    def body(self) -> Body:
        """The request as the journal knows it; empty when it is gone."""
        return self.town.journal.latest["apr"].get(self.uid, {})

    def status(self) -> Body:
        """Its status."""
        found: Body = self.body().get("status") or {}
        return found

    def prepared(self) -> bool:
        """Whether people can answer, or will not be able to."""
        return (
            bool(self.status().get("requestDigest"))
            or self.status().get("phase", "") not in ("", "Pending")
            or not self.body()
        )

    def running(self) -> bool:
        """Whether the effect has begun, or never will."""
        return bool(self.status().get("effect", {}).get("startedAt")) or self.over()

    def over(self) -> bool:
        """Whether nothing is left to watch."""
        return not self.body() or (self.body()["metadata"].get("labels") or {}).get("gatehold.dev/done") == "true"

    async def until(self, holds: Callable[[], bool], seconds: float) -> bool:
        """Wait until the journal says so; answers whether it did."""
        return await until(holds, seconds)

    # ---- what is done

    async def _ask(self) -> bool:
        script, spec = self.script, dict(self.script.spec)
        for role, fake in (("job", script.job), ("undo", script.undo)):
            if fake is not None:
                body = cast.job(f"{script.name}-{role}", script.namespace, script.policy, fake)
                answer = await self.town.do("ci", script.name, Call("POST", path("job", script.namespace), body))
                if answer.ok:
                    self.jobs[role] = answer.body
        if script.job is not None:
            if "job" not in self.jobs:
                return False
            spec["subject"] = {"apiVersion": "batch/v1", "kind": "Job", **_ref(self.jobs["job"])}
        if "undo" in self.jobs:
            effect = spec["effect"]
            spec["effect"] = {**effect, "release": {**effect.get("release", {}), "undo": _ref(self.jobs["undo"])}}
        return await self._post(spec)

    async def _post(self, spec: Body) -> bool:
        script = self.script
        names = [script.name, *([f"{script.name}-rival"] if script.rival else [])]
        for name in names:
            body = cast.request(name, script.namespace, script.policy, spec)
            answer = await self.town.do(script.requester, script.name, Call("POST", path("apr", script.namespace), body))
            if answer.ok and name == script.name:
                self.uid = answer.body["metadata"]["uid"]
                self.town.count["asked"] += 1
        if self.uid:
            await self.until(lambda: bool(self.body()), 20)
        return bool(self.uid)

    async def _move(self, move: Move) -> None:
        await asyncio.sleep(move.after)
        if move.when_running:
            await self.until(self.running, 15)
        if move.what in ILLEGAL:
            await illegal.attempt(self, move.what)
        elif move.what == "delete-request":
            await self._delete_request()
        elif move.what in ("delete-job", "delete-undo"):
            await self._delete_job(move.what.removeprefix("delete-"))
        elif move.what == "break-glass":
            await self._break_glass()
        else:
            await self._word(move.who, move.what, move.option)

    async def _word(self, who: str, word: str, option: str = "") -> Answer:
        notes = {f"gatehold.dev/{word}": f"honest {word} by {who}", **({"gatehold.dev/option": option} if option else {})}
        answer = await self.patch(who, {"metadata": {"annotations": notes}})
        if self.script.rival and word == "approve":
            where = path("apr", self.script.namespace, f"{self.script.name}-rival")
            await self.town.do(who, self.script.name, annotate(where, notes), once=True)
        self.town.count["words" if answer.ok else "refused"] += 1
        return answer

    async def patch(self, who: str, body: Body, sub: str = "") -> Answer:
        """One person's change of the request."""
        where = path("apr", self.script.namespace, self.script.name, sub)
        return await self.town.do(who, self.script.name, Call("PATCH", where, body))

    async def _say_again(self) -> None:
        """Whoever was told that the wall was not proven says it once more."""
        for entry in list(self.status().get("verdicts", [])):
            doubted = entry.get("reason") == "Unproven" and not entry.get("comment", "").startswith(cast.FORGED)
            if doubted and self.status().get("phase") == "Pending":
                await self._word(entry["username"], entry["verdict"], entry.get("option", ""))

    async def _delete_request(self) -> None:
        """Noted before it is done: an answer that is lost must not look like a loss."""
        self.town.deleted.add(self.uid)
        where = path("apr", self.script.namespace, self.script.name)
        answer = await self.town.do(self.script.requester, self.script.name, Call("DELETE", where))
        if 400 <= answer.code < 500 and answer.code != 404:
            self.town.deleted.discard(self.uid)

    async def _delete_job(self, role: str) -> None:
        if role in self.jobs:
            where = path("job", self.script.namespace, self.jobs[role]["metadata"]["name"])
            await self.town.do("ci", self.script.name, Call("DELETE", where, {"propagationPolicy": "Background"}))

    async def _break_glass(self) -> None:
        where = path("job", self.script.namespace, f"{self.script.name}-job")
        notes = {"gatehold.dev/override": "INC-4711: the site is down and nobody answers"}
        body = {"spec": {"suspend": False}, "metadata": {"annotations": notes}}
        answer = await self.town.do("dana", self.script.name, Call("PATCH", where, body))
        self.town.count["glass broken" if answer.ok else "refused"] += 1

    async def _tidy(self) -> None:
        """Jobs do not pile up; a rival that still waits is taken back first."""
        if self.script.rival:
            where = path("apr", self.script.namespace, f"{self.script.name}-rival")
            notes = {"gatehold.dev/withdraw": "honest withdraw"}
            await self.town.do(self.script.requester, self.script.name, annotate(where, notes))
            await asyncio.sleep(KEPT)
        for role in list(self.jobs):
            await self._delete_job(role)


async def until(holds: Callable[[], bool], seconds: float) -> bool:
    """Wait until something holds, for so long at most; answers whether it did."""
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            return False
        await asyncio.sleep(0.2)
    return True


def _ref(job: Body) -> Body:
    return {"name": job["metadata"]["name"], "uid": job["metadata"]["uid"]}
