"""Comparing resourceVersions; pure."""

from __future__ import annotations


def is_older(left: str, right: str) -> bool:
    """Tell whether `left` is certainly older. Kubernetes promises decimal numbers since 1.35; anything else is not older."""
    return left.isdecimal() and right.isdecimal() and int(left) < int(right)
