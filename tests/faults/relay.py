"""A relay between one operator and the API server, which makes the network as bad as a test asks for.

It carries every call and every watch unchanged: methods, bodies, headers (the Date above all), each line when it comes. On
command it cuts, ages, holds, doubles and mixes up watches, delays calls, or cuts the operator off. A thread of the test's
own process runs it; all methods may be called from the test. The operator gets there by `kubeconfig`.

    with Relay(process) as relay:      # before process.start()
        relay.hold()                   # events wait from now on, calls go on
"""

import asyncio
import json
import threading
from collections.abc import Callable, Coroutine
from dataclasses import replace
from enum import Enum, auto
from types import TracebackType
from typing import Any, Self, TypeVar

import yaml
from aiohttp import web

from controlplane.kubeconfig import write_whole
from playground import OperatorProcess
from tests.faults.carrier import Carrier, Sent, Upstream
from tests.faults.streams import Bend, Straight, gone_event, gone_status

T = TypeVar("T")
_CONTROL_SECONDS = 60.0


class Gone(Enum):
    """How a watch is told that its version is too old."""

    STATUS = auto()
    """HTTP 410, before it begins."""
    EVENT = auto()
    """HTTP 200, and an ERROR event in it: what API servers do today."""


class Off(Enum):
    """How the operator is cut off."""

    REFUSED = auto()
    """Connections break, and new ones are refused."""
    SILENT = auto()
    """Nothing breaks and nothing comes through. What the operator sends waits on the way, and arrives when it is over:
    networks send again what was not acknowledged, also for a sender who has long given up."""


class Relay:
    """One operator's way to the API server."""

    def __init__(self, process: OperatorProcess) -> None:
        """Lead this operator through here from its next start on."""
        self._process = process
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="relay", daemon=True)
        self._carrier: Carrier | None = None

    def __enter__(self) -> Self:
        """Listen, and give the operator the kubeconfig that leads here."""
        self._thread.start()
        upstream = Upstream.of(self._process.identity.kubeconfig)
        self._carrier = self._do(_opened(upstream, self._process.cluster.reserve_port()))
        path = self._process.identity.directory / "kubeconfig-of-relay"
        content = yaml.safe_load(self._process.identity.kubeconfig.read_text())
        # plain HTTP: the relay is within this machine, and what is tested is not TLS
        content["clusters"][0]["cluster"] = {"server": f"http://127.0.0.1:{self._carrier.port}"}
        write_whole(path, json.dumps(content))
        self._process.launch = replace(self._process.launch, kubeconfig=path)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """End."""
        self._do(self._carry.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_CONTROL_SECONDS)
        self._loop.close()

    # ---- watches

    def watches(self) -> list[str]:
        """What is watched now, by plural name; a kind may be there twice."""
        return self._do(_value(lambda: sorted(stream.plural for stream in self._carry.streams)))

    def cut(self) -> int:
        """Break every open watch; answers how many there were."""
        return self._do(self._carry.cut())

    def gone(self, how: Gone) -> int:
        """Break every open watch, and tell each that comes back, once a kind, that its version is too old."""

        return self._do(self._tell({Gone.STATUS: _gone_by_status, Gone.EVENT: _gone_by_event}[how]))

    def refuse_token(self) -> int:
        """Break every open watch, and tell each that comes back, once a kind, that its token is not known."""
        return self._do(self._tell(_refused))

    async def _tell(self, answer: Callable[[], web.Response]) -> int:
        self._carry.next_answers = {stream.plural: answer for stream in self._carry.streams}
        return await self._carry.cut()

    def told(self) -> bool:
        """Whether everybody who had to be told so was told."""
        return not self._do(_value(lambda: dict(self._carry.next_answers)))

    def hold(self) -> None:
        """Events wait from now on, calls go on: what the operator knows grows old."""
        self._do(_value(lambda: self._carry.events_pass.clear()))

    def let_go(self) -> None:
        """All events that wait are delivered."""
        self._do(_value(lambda: self._carry.events_pass.set()))

    def bend(self, bend: Callable[[], Bend] = Straight) -> None:
        """Do this to the events of every watch, those under way included."""

        async def set_all() -> None:
            self._carry.new_bend = bend
            for stream in self._carry.streams:
                stream.bend = bend()

        self._do(set_all())

    # ---- everything

    def delay(self, seconds: float) -> None:
        """Each call takes that much longer to get there."""
        self._do(_value(lambda: setattr(self._carry, "delay", seconds)))

    def keep_back(self, plural: str) -> None:
        """Writes to these objects stay on their way from now on; the empty name lets them go."""

        def keep() -> None:
            self._carry.kept_back = plural
            (self._carry.lets_go.clear if plural else self._carry.lets_go.set)()

        self._do(_value(keep))

    def cut_off(self, how: Off) -> None:
        """Part the operator from the API server."""
        if how is Off.SILENT:
            self._do(_value(lambda: self._carry.passes.clear()))
        else:
            self._do(self._carry.shut())

    def heal(self) -> None:
        """Join them again."""

        async def join() -> None:
            if self._carry.is_shut:
                await self._carry.open()
            self._carry.passes.set()

        self._do(join())

    def hits(self) -> int:
        """How often a fault met something: one that met nothing has shown nothing."""
        return self._do(_value(lambda: self._carry.hits))

    def writes(self, since: float = 0.0) -> list[Sent]:
        """The operator's writes that went on to the API server after that moment (time.monotonic())."""
        return self._do(_value(lambda: [replace(w) for w in self._carry.sent if (w.went_on or 0.0) > since]))

    def waiting(self) -> list[Sent]:
        """The operator's writes that are still on their way, or not answered yet."""
        return self._do(_value(lambda: [replace(w) for w in self._carry.sent if not w.code]))

    @property
    def _carry(self) -> Carrier:
        assert self._carrier is not None, "use it in a with statement"
        return self._carrier

    def _do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_CONTROL_SECONDS)


async def _opened(upstream: Upstream, port: int) -> Carrier:
    carrier = Carrier(upstream, port)
    await carrier.open()
    return carrier


async def _value(read: Callable[[], T]) -> T:
    return read()


def _gone_by_status() -> web.Response:
    return web.json_response(gone_status(), status=410)


def _refused() -> web.Response:
    status = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "code": 401}
    return web.json_response(status | {"message": "Unauthorized", "reason": "Unauthorized"}, status=401)


def _gone_by_event() -> web.Response:
    return web.Response(body=gone_event(), content_type="application/json")
