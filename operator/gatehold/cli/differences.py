"""Where two JSON values differ, as paths with both sides. Pure; `ask` and `verify` print it."""

from __future__ import annotations

import json
from collections.abc import Mapping

from gatehold.cli.text import shorten

_SHOWN = 60


def differences(ours: object, theirs: object, path: str) -> list[str]:
    """Every place where the two differ, as `path: ours here, theirs there`; values are cut, not yet safe for a terminal."""
    if isinstance(ours, Mapping) and isinstance(theirs, Mapping):
        keys = [*ours, *(key for key in theirs if key not in ours)]
        return [line for key in keys for line in _member(ours, theirs, key, path)]
    if isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        pairs = enumerate(zip(ours, theirs, strict=True))
        return [line for place, (a, b) in pairs for line in differences(a, b, f"{path}[{place}]")]
    same = type(ours) is type(theirs) and ours == theirs
    return [] if same else [f"{path}: {_short(ours)} here, {_short(theirs)} there"]


def _member(ours: Mapping[str, object], theirs: Mapping[str, object], key: str, path: str) -> list[str]:
    place = f"{path}.{key}"
    if key not in theirs:
        return [f"{place}: {_short(ours[key])} here, absent there"]
    if key not in ours:
        return [f"{place}: absent here, {_short(theirs[key])} there"]
    return differences(ours[key], theirs[key], place)


def _short(value: object) -> str:
    return shorten(json.dumps(value, ensure_ascii=False, default=str), _SHOWN)
