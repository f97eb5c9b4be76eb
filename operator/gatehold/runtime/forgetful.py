"""Kopf's memory of each object, not kept: event handlers need none and it costs 1 KB each; only `operator` uses it."""

from __future__ import annotations

from kopf._cogs.structs import bodies, ephemera
from kopf._core.reactor import inventory


class Forgetful(inventory.ResourceMemories):
    """A new memory for each event; it would hold progress of change handlers, daemons, throttles: nothing we use."""

    async def recall(
        self,
        raw_body: bodies.RawBody,
        *,
        memobase: ephemera.AnyMemo | None = None,
        noticed_by_listing: bool = False,
        ephemeral: bool = False,
    ) -> inventory.ResourceMemory:
        """Give a memory that nobody keeps."""
        return await super().recall(raw_body, memobase=memobase, noticed_by_listing=noticed_by_listing, ephemeral=True)
