"""The operator with a cold index of pods: the real `gatehold run`, which cannot list them while a file stands there.

OperatorProcess(cluster, launch=Launch("tests.e2e.held_drains.cold", {FILE: str(file)}))
"""

import asyncio
import os
from pathlib import Path
from typing import Final

from gatehold.admission.pods import PodIndex
from gatehold.cli.main import main

FILE: Final = "COLD_FILE"


def install(file: Path) -> None:
    """Replace the one door; product code is as shipped."""
    really = PodIndex._list

    async def listed(self: PodIndex) -> str:
        while file.exists():  # noqa: ASYNC110, ASYNC240 - another process says so
            await asyncio.sleep(0.02)
        return await really(self)

    PodIndex._list = listed  # type: ignore[method-assign]


if __name__ == "__main__":
    install(Path(os.environ[FILE]))
    main()
