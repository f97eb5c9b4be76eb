"""What a test asks of a running operator from outside: its site, its metrics, and to die and come back."""

import signal
import socket

import urllib3

from controlplane import Cluster, wait_until
from playground import OperatorProcess

_POOL = urllib3.PoolManager(retries=False, timeout=20.0)
"""Who does not listen refuses at once; who listens, on a busy machine, may take some seconds to answer."""


def site(process: OperatorProcess, where: str) -> tuple[int, str]:
    """Code and text of /healthz, /readyz or /metrics; code 0 where nobody answers."""
    try:
        answer = _POOL.request("GET", f"http://127.0.0.1:{process.port}{where}")
    except urllib3.exceptions.HTTPError:
        return 0, ""
    return answer.status, answer.data.decode()


def metric(process: OperatorProcess, name: str) -> float | None:
    """The value of one series, named as in the text format; None where it is not told."""
    _, text = site(process, "/metrics")
    lines = (line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    return next((float(value) for series, value in lines if series == name), None)


def listens(process: OperatorProcess) -> bool:
    """Whether its site is open; so it is of one that stands still, whose kernel accepts for it."""
    try:
        with socket.create_connection(("127.0.0.1", process.port), timeout=20.0):
            return True
    except ConnectionRefusedError:
        return False


def acts(process: OperatorProcess) -> bool:
    """Whether this replica acts, the wall proven."""
    return metric(process, "gatehold_leader") == 1 and metric(process, "gatehold_wall_enforced") == 1


def until_acting(process: OperatorProcess, seconds: float = 120) -> None:
    """Wait until this replica acts, the wall proven."""

    def looked() -> bool:
        assert process.code() is None, process.log(40)
        return acts(process)

    wait_until(looked, f"{process.name} acts", seconds)


def crash(process: OperatorProcess) -> None:
    """kill -9, and free its Lease: who is surely dead need not be waited for."""
    process.kill()
    free_lease(process.cluster)


def begin_anew(process: OperatorProcess) -> None:
    """End it, if it has not ended, and start it; it acts on return."""
    if process.code() is None:
        process.kill()
    free_lease(process.cluster)
    process.start()
    until_acting(process)


def standing(process: OperatorProcess) -> str:
    """How it stands, for the message of a failure: whether it lives, what its site says, and what it last wrote."""
    code = process.code()
    lives = f"it has ended with code {code}" if code is not None else f"it lives; /readyz: {site(process, '/readyz')}"
    return f"{process.name}: {lives}\n{process.log(100)}"


def free_lease(cluster: Cluster) -> None:
    """Take the Lease away, so that a standby acts at its next look: the time that its term would take is up."""
    cluster.kubectl("-n", "gatehold-system", "delete", "lease", "gatehold-operator", "--ignore-not-found")


def freeze(process: OperatorProcess) -> None:
    """SIGSTOP: it lives and does nothing."""
    process.cluster.signal_program(process.name, signal.SIGSTOP)


def thaw(process: OperatorProcess) -> None:
    """SIGCONT."""
    process.cluster.signal_program(process.name, signal.SIGCONT)
