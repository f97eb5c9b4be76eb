"""Plain HTTP to the API server under one name. Used by the wall's table, where a thousand calls have to take seconds."""

import base64
import json
import re
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import urllib3
import yaml

Body = dict[str, Any]
IDLE_SECONDS = 30
"""An API server ends connections on which nothing came for 90 s: one that it ends just now would cost the next call."""

TYPES = {
    "merge": "application/merge-patch+json",
    "json": "application/json-patch+json",
    "strategic": "application/strategic-merge-patch+json",
    "apply": "application/apply-patch+yaml",
    "put": "application/json",
    "post": "application/json",
}


def as_go_writes(body: object) -> bytes:
    """JSON byte by byte as Go writes it: a ControllerRevision whose data is in any other form can be patched by nobody."""
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    for char in "<>&\u2028\u2029":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return re.sub("[\ud800-\udfff]", lambda half: f"\\u{ord(half[0]):04x}", text).encode()  # half a character, as tests send


@dataclass(frozen=True, slots=True)
class Answer:
    """What the API server said."""

    code: int
    body: Body

    @property
    def message(self) -> str:
        return str(self.body.get("message", ""))

    @property
    def ok(self) -> bool:
        return 200 <= self.code < 300


@dataclass(frozen=True, slots=True)
class Call:
    """One write, as data. `how` is a key of TYPES, or `delete` or `get`; `query` goes behind the path."""

    path: str
    body: object = None
    how: str = "merge"
    query: dict[str, str] = field(default_factory=dict)

    @property
    def method(self) -> str:
        return {"put": "PUT", "post": "POST", "delete": "DELETE", "get": "GET"}.get(self.how, "PATCH")


class Pool(urllib3.PoolManager):
    """Connections of which none is used again that was idle for long."""

    used = 0.0

    def urlopen(self, method: str, url: str, redirect: bool = True, **more: Any) -> urllib3.BaseHTTPResponse:
        now = time.monotonic()
        if now - self.used > IDLE_SECONDS:
            self.clear()
        self.used = now
        return super().urlopen(method, url, redirect, **more)


class Api:
    """One account's connection: by client certificate or token, and as somebody else where it may impersonate."""

    def __init__(self, server: str, pool: Pool, headers: dict[str, str]) -> None:
        self.server = server
        self._pool = pool
        self._headers = headers

    @classmethod
    def of(cls, kubeconfig: Path) -> "Api":
        """Read certificate or token out of a kubeconfig that the control plane wrote."""
        content = yaml.safe_load(kubeconfig.read_text())
        cluster, user = content["clusters"][0]["cluster"], content["users"][0]["user"]
        files: Body = {}
        with tempfile.TemporaryDirectory() as folder:
            for name, key in (("cert_file", "client-certificate-data"), ("key_file", "client-key-data")):
                if key in user:
                    files[name] = str(Path(folder) / name)
                    Path(files[name]).write_bytes(base64.b64decode(user[key]))
            trusted = base64.b64decode(cluster["certificate-authority-data"]).decode()
            context = urllib3.util.ssl_.create_urllib3_context()
            context.load_verify_locations(cadata=trusted)
            if files:
                context.load_cert_chain(files["cert_file"], files["key_file"])
        headers = {"Authorization": f"Bearer {user['token']}"} if "token" in user else {}
        return cls(cluster["server"], Pool(ssl_context=context, maxsize=64, retries=False), headers)

    def with_token(self, token: str) -> "Api":
        """The same server under a token; nothing of this account is carried over."""
        context = urllib3.util.ssl_.create_urllib3_context()
        context.load_verify_locations(cadata=self._authorities())
        pool = Pool(ssl_context=context, maxsize=64, retries=False)
        return Api(self.server, pool, {"Authorization": f"Bearer {token}"})

    def impersonating(self, name: str, *groups: str) -> "Api":
        """The same account acting as somebody else."""
        headers = urllib3.HTTPHeaderDict({**self._headers, "Impersonate-User": name})
        for group in groups:
            headers.add("Impersonate-Group", group)
        return Api(self.server, self._pool, headers)  # type: ignore[arg-type]

    def send(self, call: Call, **query: str) -> Answer:
        """Send a call, exactly once."""
        text = urlencode({**call.query, **query})
        body = None if call.body is None else as_go_writes(call.body)
        headers = urllib3.HTTPHeaderDict(self._headers)
        headers["Content-Type"] = TYPES.get(call.how, "application/json")
        reply = self._pool.request(
            call.method, f"{self.server}{call.path}{'?' + text if text else ''}", body=body, headers=headers
        )
        try:
            content = json.loads(reply.data)
        except ValueError:
            content = {"message": reply.data.decode("utf-8", "replace")}
        return Answer(reply.status, content if isinstance(content, dict) else {"message": str(content)})

    def get(self, path: str) -> Body | None:
        """Read one object, or None where there is none."""
        answer = self.send(Call(path, how="get"))
        if answer.code == 404:
            return None
        assert answer.ok, f"GET {path}: {answer.code} {answer.message}"
        return answer.body

    def must(self, call: Call, **query: str) -> Body:
        """Send a call of the set-up, which has to succeed."""
        answer = self.send(call, **query)
        assert answer.ok, f"{call.method} {call.path}: {answer.code} {answer.message}"
        return answer.body

    def _authorities(self) -> str:
        import ssl

        context = self._pool.connection_pool_kw["ssl_context"]
        return "".join(ssl.DER_cert_to_PEM_cert(der) for der in context.get_ca_certs(binary_form=True))


def path(group_version: str, plural: str, namespace: str | None = None, name: str | None = None, sub: str = "") -> str:
    """The path of a resource, a collection or a subresource."""
    parts = ["", "api" if "/" not in group_version else "apis", *group_version.split("/")]
    parts += ["namespaces", namespace] if namespace else []
    parts += [plural, *([quote(name)] if name else []), *([sub] if sub else [])]
    return "/".join(parts)
