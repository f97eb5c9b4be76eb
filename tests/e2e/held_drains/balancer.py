"""What a Service is to the API server: one address, the connections of which go to several replicas in turn."""

import contextlib
import itertools
import socket
import threading
from collections.abc import Sequence
from typing import Final, Self

_BYTES: Final = 2**16


class Balancer:
    """Forwards TCP connections; one whose replica is not there goes to the next."""

    def __init__(self, ports: Sequence[int]) -> None:
        """Listen at once."""
        self._turns = itertools.cycle(ports)
        self._count = len(ports)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: set[socket.socket] = set()
        self.port: int = self._listener.getsockname()[1]

    def __enter__(self) -> Self:
        """Take connections from now on."""
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        """Close everything."""
        self._listener.close()
        for one in tuple(self._open):
            _close(one)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = self._replica()
            if server is None:
                _close(client)
                continue
            self._open |= {client, server}
            for source, target in ((client, server), (server, client)):
                threading.Thread(target=self._carry, args=(source, target), daemon=True).start()

    def _replica(self) -> socket.socket | None:
        for _ in range(self._count):
            with contextlib.suppress(OSError):
                return socket.create_connection(("127.0.0.1", next(self._turns)), timeout=1)
        return None

    def _carry(self, source: socket.socket, target: socket.socket) -> None:
        source.settimeout(None)
        with contextlib.suppress(OSError):
            while chunk := source.recv(_BYTES):
                target.sendall(chunk)
        for one in (source, target):
            _close(one)
            self._open.discard(one)


def _close(one: socket.socket) -> None:
    with contextlib.suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()
