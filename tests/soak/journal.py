"""The journal: everything that the API server tells about requests, Jobs, their pods and policies, kept version by version.

It is the soak's own eye, independent of the operator. What it missed (a watch that was too old) is marked, not guessed.
"""

import asyncio
import json
import time
import zlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, overload

import aiohttp

from tests.soak import rule
from tests.soak.door import Door, path
from tests.soak.record import Story, Version

Body = dict[str, Any]
KINDS = ("apol", "apr", "job", "pod")


class Packed(Sequence[Version]):
    """Versions, compressed: half an hour of them stays small."""

    def __init__(self) -> None:
        """Nothing yet."""
        self._packs: list[tuple[float, bytes, bool, bool]] = []
        self.revision = 0

    def add(self, version: Version) -> None:
        """The next one."""
        data = zlib.compress(json.dumps(version.body).encode(), 1)
        self._packs.append((version.at, data, version.gone, version.follows))
        self.revision = version.revision

    @overload
    def __getitem__(self, index: int) -> Version: ...
    @overload
    def __getitem__(self, index: slice) -> list[Version]: ...
    def __getitem__(self, index: int | slice) -> Version | list[Version]:
        if isinstance(index, slice):
            return [self._open(pack) for pack in self._packs[index]]
        return self._open(self._packs[index])

    def __len__(self) -> int:
        return len(self._packs)

    def _open(self, pack: tuple[float, bytes, bool, bool]) -> Version:
        at, data, gone, follows = pack
        return Version(at, json.loads(zlib.decompress(data)), gone, follows)


class Journal:
    """Watches as admin. `latest` is what a person would see."""

    def __init__(self, door: Door) -> None:
        """Nothing is seen before `keep` runs."""
        self._door = door
        self._versions: dict[str, dict[str, Packed]] = {kind: {} for kind in KINDS}
        self._revisions = dict.fromkeys(KINDS, "")
        self.latest: dict[str, dict[str, Body]] = {kind: {} for kind in KINDS}  # by uid
        self.holes: list[tuple[str, float]] = []
        self.events = 0

    async def keep(self, kind: str) -> None:
        """Watch one kind for ever; after a cut watch go on where it ended."""
        while True:
            try:
                if not self._revisions[kind]:
                    await self._list(kind)
                async for event in self._door.watch(path(kind), self._revisions[kind]):
                    if not self._note(kind, event):
                        break
            except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
                if isinstance(error, aiohttp.ClientResponseError) and error.status == 410:
                    self._revisions[kind] = ""
                await asyncio.sleep(0.3)

    def _note(self, kind: str, event: Body) -> bool:
        body, what = event["object"], event["type"]
        if what == "ERROR":
            self._revisions[kind] = "" if body.get("code") == 410 else self._revisions[kind]
            return False
        self._revisions[kind] = body["metadata"]["resourceVersion"]
        if what != "BOOKMARK":
            self._add(kind, body, gone=what == "DELETED", follows=True)
        return True

    async def _list(self, kind: str) -> None:
        """Start, or start again: what changed meanwhile is seen in one step, and what went is gone now."""
        answer = await self._door.send("GET", path(kind))
        if not answer.ok:
            raise OSError(answer.message)
        again, listed = bool(self._versions[kind]), {}
        for item in answer.body["items"]:
            body = {"kind": answer.body["kind"].removesuffix("List"), **item}  # built-in lists leave it out
            listed[body["metadata"]["uid"]] = body
            known = self._versions[kind].get(body["metadata"]["uid"])
            if known is None or known.revision != int(body["metadata"]["resourceVersion"]):
                self._add(kind, body, gone=False, follows=False)
        for uid, body in list(self.latest[kind].items()):
            if uid not in listed:
                self._add(kind, body, gone=True, follows=False)
        if again:
            self.holes.append((kind, time.time()))
        self._revisions[kind] = answer.body["metadata"]["resourceVersion"]

    def _add(self, kind: str, body: Body, *, gone: bool, follows: bool) -> None:
        meta, self.events = body["metadata"], self.events + 1
        if kind != "job":
            meta.pop("managedFields", None)
        else:  # who wrote when; what was written is the object itself
            for field in meta.get("managedFields", ()):
                field.pop("fieldsV1", None)
        if kind == "pod":
            body["spec"] = {}
        self._versions[kind].setdefault(meta["uid"], Packed()).add(Version(time.time(), body, gone, follows))
        if gone:
            self.latest[kind].pop(meta["uid"], None)
        else:
            self.latest[kind][meta["uid"]] = body

    # ---- afterwards

    def stories(self, kind: str) -> dict[str, Story]:
        """Every object ever seen, by uid."""
        return {uid: Story(packed) for uid, packed in self._versions[kind].items()}

    def pods_by_job(self) -> Mapping[str, Sequence[Story]]:
        """Pods by the uid of their Job."""
        found: dict[str, list[Story]] = defaultdict(list)
        for story in self.stories("pod").values():
            for owner in story.last.body["metadata"].get("ownerReferences", ()):
                found[owner["uid"]].append(story)
        return found

    def policies(self) -> dict[str, Body]:
        """Every policy that ever was: its spec, by its digest."""
        specs: Iterator[Body] = (v.body["spec"] for story in self.stories("apol").values() for v in story.versions)
        return {rule.policy_digest(spec): spec for spec in specs}
