"""What a test asks of an operator with a webhook from outside."""

import ssl

from controlplane import wait_until
from gatehold.admission.certificates import facts
from playground import OperatorProcess
from tests.e2e.operators import metric, site

DOWN = 'failed calling webhook "evict.gatehold.dev"'
"""What the API server says where nobody answers."""


def served(port: int) -> str:
    """The certificate that is shown there now."""
    return facts(ssl.get_server_certificate(("127.0.0.1", port)).encode()).digest


def until_ready(process: OperatorProcess) -> None:
    wait_until(lambda: "webhook: ok" in site(process, "/readyz")[1], f"{process.name}: the webhook is ready", 90)


def until_proven(process: OperatorProcess) -> None:
    wait_until(lambda: metric(process, "gatehold_webhook_proven") == 1, f"{process.name} has proven the webhook", 90)


def port_of(process: OperatorProcess) -> int:
    return int(process._settings["webhook_port"])


def until_listening(port: int) -> None:
    def listens() -> bool:
        try:
            return bool(served(port))
        except OSError:
            return False

    wait_until(listens, f"the webhook listens on {port}", 90)
