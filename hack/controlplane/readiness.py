"""Waiting for something to be so: always for a reason, always with a deadline, never a bare sleep."""

import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Final

from controlplane.errors import TimeIsUpError

PAUSE: Final = 0.05


def wait_until(holds: Callable[[], bool], what: str, seconds: float) -> None:
    """Return as soon as it holds; raise with `what` was awaited when the time is up."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise TimeIsUpError(f"waited {seconds:g} s in vain: {what}")
        time.sleep(PAUSE)


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
