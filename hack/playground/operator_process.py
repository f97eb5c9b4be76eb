"""The operator as a process: its own service account, a pod's token, its own log. Ends with the control plane."""

import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from controlplane import Cluster, PodIdentity, wait_until
from gatehold.domain.installation import NAMESPACE

ROOT: Final = Path(__file__).resolve().parents[2]
PATIENT: Final = {"lease_seconds": "90", "lease_renew_seconds": "80"}
"""Settings for an operator whose leadership is not what a test is about: on a machine that is busy for longer than the seven
seconds of the default it stays, where a lone replica would end and leave every later test without an operator."""


@dataclass(frozen=True, slots=True)
class Launch:
    """How the process is started, where a test wants it otherwise than a user: what runs, and through which door it talks.

    `module` stands in for `gatehold` (it gets the argument `run`, too), `variables` are added to the environment as they
    are, and `kubeconfig` replaces that of the identity: a relay between the operator and the API server is put in so.
    """

    module: str = "gatehold"
    variables: Mapping[str, str] = field(default_factory=dict)
    kubeconfig: Path | None = None


class OperatorProcess:
    """One replica. `name` tells replicas apart."""

    def __init__(self, cluster: Cluster, name: str = "gatehold-0", launch: Launch | None = None, **settings: str) -> None:
        """Mint the identity; `settings` are GATEHOLD_* variables without the prefix, in lower case."""
        self.cluster = cluster
        self.name = name
        self.launch = launch or Launch()
        self.port = cluster.reserve_port()
        self.identity: PodIdentity = cluster.mint_pod_bound_token(NAMESPACE, "gatehold", seconds=21_600)
        self._settings = settings

    def start(self) -> None:
        """Start it; call `wait_acting` where that matters."""
        places = [ROOT / "operator"] if self.launch.module == "gatehold" else [ROOT / "operator", ROOT / "hack", ROOT]
        variables = {
            "PYTHONPATH": os.pathsep.join(map(str, places)),
            "POD_NAME": self.name,
            "GATEHOLD_KUBECONFIG": str(self.launch.kubeconfig or self.identity.kubeconfig),
            "GATEHOLD_HTTP_PORT": str(self.port),
            "GATEHOLD_HTTP_ADDRESS": "127.0.0.1",
            "GATEHOLD_LOG_FORMAT": "console",
            **{f"GATEHOLD_{key.upper()}": value for key, value in self._settings.items()},
            **self.launch.variables,
        }
        pairs = [f"{key}={value}" for key, value in variables.items()]
        self.cluster.start_program(self.name, ["/usr/bin/env", *pairs, sys.executable, "-m", self.launch.module, "run"])

    def stop(self, seconds: float = 60) -> int:
        """Ask it to end (SIGTERM) and wait; answers its exit code."""
        self.cluster.signal_program(self.name, signal.SIGTERM)
        wait_until(lambda: self.code() is not None, f"operator {self.name} ended", seconds)
        return self.code() or 0

    def kill(self) -> None:
        """Send SIGKILL."""
        self.cluster.signal_program(self.name, signal.SIGKILL)

    def code(self) -> int | None:
        """Exit code, None while it lives."""
        return self.cluster.program_code(self.name)

    def log(self, lines: int = 200) -> str:
        """The last lines that it wrote."""
        return self.cluster.program_log(self.name, lines)
