"""Gatehold installed as its users install it, with the real Helm, and taken away again."""
