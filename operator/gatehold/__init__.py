"""Gatehold: people decide, the cluster enforces. Importing this package has no side effect."""

__version__ = "0.1.0"
