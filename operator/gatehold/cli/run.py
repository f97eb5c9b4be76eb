"""`gatehold run`: the operator itself. Everything it needs is imported here and not before."""

from __future__ import annotations

import asyncio
import os
from importlib import import_module

from gatehold.cli.exits import Exit, Leave
from gatehold.cli.text import plain
from gatehold.settings import SettingError, Settings


def run() -> None:
    """Run the operator; its settings are GATEHOLD_* variables."""
    try:
        settings = Settings.from_environ(os.environ)
    except SettingError as error:
        raise Leave(Exit.USAGE, plain(error)) from error
    composition = import_module("gatehold.controllers.composition")
    code = asyncio.run(composition.run_operator(settings))
    if code:
        raise SystemExit(int(code))
