"""Kubeconfig files: self-contained (certificates inside), readable by kubectl, Kopf and the Python clients."""

import base64
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from controlplane.certificates import Pair


@dataclass(frozen=True, slots=True)
class Endpoint:
    """How an API server is reached and proved: its URL and the authority behind its certificate (PEM)."""

    server: str
    authority: bytes

    @classmethod
    def of(cls, kubeconfig: Path) -> "Endpoint":
        """Read the endpoint out of somebody else's kubeconfig (its first cluster)."""
        cluster = yaml.safe_load(kubeconfig.read_text())["clusters"][0]["cluster"]
        return cls(cluster["server"], base64.b64decode(cluster["certificate-authority-data"]))

    def write_for_client(self, path: Path, user: str, pair: Pair) -> Path:
        """Write a kubeconfig for whom this client certificate names."""
        credentials = {
            "client-certificate-data": _text(pair.certificate),
            "client-key-data": _text(pair.key),
        }
        return self._write(path, user, credentials)

    def write_for_token(self, path: Path, user: str, token: str, token_file: Path) -> Path:
        """Write a kubeconfig for a bearer token, also by file for clients that read it again when it is renewed."""
        return self._write(path, user, {"token": token, "tokenFile": str(token_file)})

    def _write(self, path: Path, user: str, credentials: dict[str, Any]) -> Path:
        cluster = {"server": self.server, "certificate-authority-data": _text(self.authority)}
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "gatehold", "cluster": cluster}],
            "users": [{"name": user, "user": credentials}],
            "contexts": [
                {
                    "name": user,
                    "context": {"cluster": "gatehold", "user": user, "namespace": "default"},
                }
            ],
            "current-context": user,
        }
        write_whole(path, json.dumps(content, indent=1))
        return path


def write_whole(path: Path, content: str) -> None:
    """Write a private file that no reader ever sees half-written, also while several writers replace it."""
    with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=f".{path.name}.", delete=False) as draft:
        draft.write(content)
    Path(draft.name).replace(path)


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()
