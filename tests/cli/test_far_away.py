"""A person on a slow connection: the handshake alone may take longer than an operator would wait for it."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gatehold.admission.certificates import issue, make_authority
from gatehold.admission.tls import new_context
from gatehold.cli.session import Session, Where, call
from gatehold.kube import transport

FAR = 0.5
"""Seconds until the other side says hello."""
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"


@pytest.fixture
def far_away(tmp_path: Path) -> Iterator[str]:
    """The kubeconfig of an API server that takes its time to say hello, and answers anything once."""
    now = datetime.now(UTC)
    context = new_context(issue(make_authority(now), ("127.0.0.1",), now))
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            time.sleep(FAR)
            with context.wrap_socket(connection, server_side=True) as secure:
                secure.recv(65536)
                secure.sendall(ANSWER)

        thread = threading.Thread(target=serve)
        thread.start()
        cluster = {"server": f"https://127.0.0.1:{server.getsockname()[1]}", "insecure-skip-tls-verify": True}
        content = {
            "apiVersion": "v1", "kind": "Config", "current-context": "far",
            "clusters": [{"name": "far", "cluster": cluster}],
            "contexts": [{"name": "far", "context": {"cluster": "far", "user": "far"}}],
            "users": [{"name": "far", "user": {"token": "any"}}],
        }  # fmt: skip
        (tmp_path / "kubeconfig").write_text(json.dumps(content))
        yield str(tmp_path / "kubeconfig")
        thread.join(60)


def test_a_person_waits_for_a_connection_as_for_an_answer(far_away: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "_CONNECT_TIMEOUT", FAR / 10)  # what the operator, who is near, would wait

    async def ask(session: Session) -> object:
        return await session.cluster.server_version()

    assert call(Where(kubeconfig=far_away), ask) == {}
