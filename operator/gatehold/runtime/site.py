"""/healthz, /readyz and /metrics of one process; `operator` starts it. Nothing here shows a name or a secret."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST

Check = Callable[[], bool]


class Site:
    """A small HTTP server. Healthy: the loop turns. Ready: every check holds."""

    def __init__(self, ready: dict[str, Check], metrics: Callable[[], bytes]) -> None:
        """`ready` names each condition, so that a red probe says which."""
        self._ready = ready
        self._metrics = metrics
        self._runner: web.AppRunner | None = None
        self.port = 0

    def require(self, ready: Mapping[str, Check]) -> None:
        """Have more conditions hold before it is ready."""
        self._ready.update(ready)

    async def start(self, address: str, port: int) -> None:
        """Listen; port 0 takes a free one, which then stands in `port`."""
        app = web.Application()
        app.add_routes(
            [
                web.get("/healthz", self._healthz),
                web.get("/readyz", self._readyz),
                web.get("/metrics", self._render),
            ]
        )
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=0.5)
        await self._runner.setup()
        await web.TCPSite(self._runner, address, port).start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Stop listening and close what is open."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _healthz(self, _: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def _readyz(self, _: web.Request) -> web.Response:
        results = {name: check() for name, check in self._ready.items()}
        text = "".join(f"{name}: {'ok' if holds else 'not yet'}\n" for name, holds in results.items())
        return web.Response(text=text, status=200 if all(results.values()) else 503)

    async def _render(self, _: web.Request) -> web.Response:
        return web.Response(body=self._metrics(), headers={"Content-Type": CONTENT_TYPE_LATEST})
