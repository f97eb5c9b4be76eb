"""Argo Rollouts for real: its own controller and its own kubectl plugin, out of its module, against the gate."""
