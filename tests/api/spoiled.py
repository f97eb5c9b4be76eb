"""Statuses that were written by another hand than ours."""

from copy import deepcopy
from typing import Any


def spoiled(good: dict[str, Any], *path: str | int, value: Any = None) -> dict[str, Any]:
    """A good status with one member that is something else; without a value it is missing."""
    copy: dict[str, Any] = deepcopy(good)
    place: Any = copy
    for step in path[:-1]:
        place = place[step]
    if value is None:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return {"status": copy}
