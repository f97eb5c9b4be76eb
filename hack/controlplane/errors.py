"""What can go wrong here: one tree, so that a caller catches `ControlPlaneError` and shows its text.

Every message says what happened and, where there is one, the next command to run.
"""

from collections.abc import Sequence


class ControlPlaneError(Exception):
    """Root of everything this package raises on purpose."""


class BuildError(ControlPlaneError):
    """A program could not be built: Go is missing or too old, or the compiler said no."""


class UnknownVersionError(ControlPlaneError):
    """The Kubernetes version asked for with GATEHOLD_KUBERNETES is not pinned here."""


class ComponentError(ControlPlaneError):
    """A component died, never became ready, or is not there; the message ends with its last log lines."""


class TimeIsUpError(ControlPlaneError):
    """Something awaited did not come true before its deadline."""


class NameTakenError(ControlPlaneError):
    """A control plane of that name is already up."""


class NotUpError(ControlPlaneError):
    """No control plane of that name is up."""


class ProviderError(ControlPlaneError):
    """The cluster asked for with GATEHOLD_CLUSTER cannot be had on this machine."""


class KubectlError(ControlPlaneError):
    """kubectl ended with a code other than 0."""

    def __init__(self, args: Sequence[str], code: int, stdout: str, stderr: str) -> None:
        """Keep the parts: tests look at the code and at what the person would have read."""
        super().__init__(f"kubectl {' '.join(args)}: exit code {code}\n{stderr}{stdout}".rstrip())
        self.code = code
        self.stdout = stdout
        self.stderr = stderr
