"""What a Deployment does for an operator: whenever its process has ended, it is started again."""

import threading
from types import TracebackType
from typing import Self

from controlplane import wait_until
from playground import OperatorProcess
from tests.e2e.operators import acts

_LOOK_SECONDS = 0.25


class Kept:
    """Operators that come back. Ends with the block, and leaves them running."""

    def __init__(self, *processes: OperatorProcess) -> None:
        """Keep these, which run already."""
        self._processes = processes
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="deployment", daemon=True)
        self.codes: list[tuple[str, int]] = []
        """Who ended, and how, in that order; whoever stands here was started again."""

    def __enter__(self) -> Self:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Leave them alone."""
        self._over.set()
        self._thread.join()

    def until_acting(self, process: OperatorProcess) -> None:
        """Wait until this one acts, the wall proven; it may lose its Lease on the way, and comes back."""
        wait_until(lambda: acts(process), f"{process.name} acts", 240)

    def _keep(self) -> None:
        while not self._over.wait(_LOOK_SECONDS):
            for process in self._processes:
                code = process.code()
                if code is not None:
                    process.start()
                    self.codes.append((process.name, code))
