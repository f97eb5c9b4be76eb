"""The receiver of notices: what a chat's hook would be."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


class Receiver:
    """Listens on loopback and keeps what it is told."""

    def __init__(self) -> None:
        """Listen on a free port."""
        self.told: list[dict[str, Any]] = []
        receiver = self

        class Hook(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                text = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.told.append({"type": self.headers["Content-Type"], "path": self.path, **json.loads(text)})
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Stay quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Hook)
        self.url = f"http://127.0.0.1:{self._server.server_port}/hooks/secret-of-the-hook"

    def about(self, uid: str) -> list[dict[str, Any]]:
        """What was told about one request, in order; what was sent again, since our answer came late, once."""
        told = [notice for notice in tuple(self.told) if notice.get("uid") == uid]
        return [notice for notice, before in zip(told, [{}, *told], strict=False) if notice != before]

    def __enter__(self) -> Self:
        """Serve in a thread."""
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop, and let the port go."""
        self._server.shutdown()
        self._server.server_close()
