"""Waiting for something to be so: always for a reason, always with a deadline, never a bare sleep."""

import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Final

from controlplane.errors import TimeIsUpError

SHORTEST: Final = 0.05
LONGEST: Final = 0.25
"""Seconds between two looks; in between, a twentieth of what was waited: each look takes time from what is awaited."""


def wait_until(holds: Callable[[], bool], what: str, seconds: float) -> None:
    """Return once it is seen to hold; raise with `what` was awaited when the time is up."""
    begun = time.monotonic()
    while not holds():
        waited = time.monotonic() - begun
        if waited > seconds:
            raise TimeIsUpError(f"waited {seconds:g} s in vain: {what}")
        time.sleep(min(LONGEST, max(SHORTEST, waited / 20)))


def context(authority: Path, pair: Path) -> ssl.SSLContext:
    """Trust one authority file and answer with the certificate STEM.crt and STEM.key."""
    settings = ssl.create_default_context(cafile=str(authority))
    settings.load_cert_chain(f"{pair}.crt", f"{pair}.key")
    return settings


def healthy(url: str, settings: ssl.SSLContext) -> bool:
    """Whether the URL answers 200; no proxy is asked, and no answer at all is just a no."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=settings))
    try:
        with opener.open(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
