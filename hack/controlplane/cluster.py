"""What a test or a developer may ask of any cluster, whichever provider it came from."""

import hashlib
import os
import re
import subprocess
import threading
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Self

from controlplane import identity, nodes
from controlplane.certificates import Pair
from controlplane.children import Children
from controlplane.errors import ControlPlaneError, KubectlError
from controlplane.kubeconfig import Endpoint

ADMIN: Final = "admin"


class Cluster(ABC):
    """A Kubernetes API with people in it; a context manager that leaves nothing behind."""

    def __init__(self, directory: Path, endpoint: Endpoint, kubectl: Path, children: Children) -> None:
        """Keep kubeconfigs in `directory`, which goes away with `children`."""
        self.directory = directory
        self.endpoint = endpoint
        self.kubectl_program = kubectl
        self._children = children
        self._users: dict[str, Path] = {}
        self._holders: dict[str, tuple[str, tuple[str, ...]]] = {}
        self._issuing = threading.Lock()
        for folder in ("users", "home"):
            (directory / folder).mkdir(mode=0o700)

    @abstractmethod
    def _issue(self, name: str, groups: tuple[str, ...]) -> Pair:
        """Issue a client certificate that the API server accepts."""

    @property
    def server(self) -> str:
        """URL of the API server."""
        return self.endpoint.server

    @property
    def admin_kubeconfig(self) -> Path:
        """Kubeconfig of a cluster admin."""
        return self._users[ADMIN]

    def user(self, name: str, *groups: str) -> Path:
        """Return the kubeconfig of this person; from now on `kubectl(user=name)` acts as them."""
        stem = re.sub("[^a-z0-9.]", "-", name.lower())
        if self._holders.setdefault(stem, (name, groups)) != (name, groups):
            stem += "-" + hashlib.sha256(repr((name, groups)).encode()).hexdigest()[:8]
        path = self.directory / "users" / f"{stem}.kubeconfig"
        with self._issuing:  # one certificate a person, also where several threads ask at once
            if not path.exists():
                self.endpoint.write_for_client(path, name, self._issue(name, groups))
        self._users[name] = path
        return path

    def kubectl(
        self,
        *args: str,
        user: str | Path = ADMIN,
        stdin: str = "",
        check: bool = True,
        timeout: float = 60,
    ) -> "subprocess.CompletedProcess[str]":
        """Run kubectl as a known user, or with a kubeconfig; raise KubectlError if it fails, unless `check` is off."""
        done = subprocess.run(
            [str(self.kubectl_program), *args],
            input=stdin,
            env=self.environment(user),
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        if check and done.returncode:
            raise KubectlError(args, done.returncode, done.stdout, done.stderr)
        return done

    def environment(self, user: str | Path = ADMIN) -> dict[str, str]:
        """Environment for a program that acts as this user: its kubeconfig, a home of its own, no proxies."""
        if isinstance(user, str) and user not in self._users:
            raise ControlPlaneError(f"nobody here is called {user}: make them with user({user!r}, *groups)")
        kubeconfig = self._users[user] if isinstance(user, str) else user
        return {
            "PATH": os.pathsep.join([str(self.kubectl_program.parent), os.environ.get("PATH", os.defpath)]),
            "HOME": str(self.directory / "home"),
            "KUBECONFIG": str(kubeconfig),
        }

    def mint_pod_bound_token(self, namespace: str, service_account: str, *, seconds: int = 3600) -> identity.PodIdentity:
        """Make a pod of this service account that never runs, and return its identity; each call makes another pod."""
        return identity.mint(self, namespace, service_account, seconds=seconds)

    def take_pod_identity(self, pod: Mapping[str, Any], *, seconds: int = 3600) -> identity.PodIdentity:
        """Return the identity of a pod that is there, bound to a node: for a program that takes its place."""
        return identity.of_pod(self, pod, seconds=seconds)

    def start_program(self, name: str, argv: Sequence[str]) -> None:
        """Start a program of the caller's beside the components: it ends with them at the latest."""
        self._children.start(name, argv)

    def reserve_port(self) -> int:
        """Return a port that such a program may listen on whenever it is started: nobody else gets it meanwhile."""
        return self._children.reserve_port()

    def signal_program(self, name: str, number: int) -> None:
        """Signal a program that `start_program` started."""
        self._children.send(name, number)

    def program_code(self, name: str) -> int | None:
        """Exit code of such a program, None while it lives."""
        return self._children.codes()[name]

    def program_log(self, name: str, lines: int = 200) -> str:
        """Return the last lines that such a program wrote."""
        return self._children.log(name, lines)

    def add_fake_nodes(self, count: int) -> list[str]:
        """Add nodes that kwok plays; returns their names when they are Ready."""
        return nodes.add(self, count)

    def stop(self) -> None:
        """End everything that was started here and remove its files; harmless when repeated."""
        self._children.close()

    def __enter__(self) -> Self:
        """Hand out the cluster; the end of the block stops it."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop, whatever happened."""
        self.stop()
