"""Gatehold on a control plane: installs it, runs the operator beside it, and knows the people of the stories.

Tests, the demo and `make cluster` share it. kwok runs no containers, so the operator is a process that holds the token of
a pod of its own, with its service account's rights and no others.
"""

from playground.install import can_stamp, install, install_kinds, wait_enforced
from playground.operator_process import Launch, OperatorProcess
from playground.people import PEOPLE, bind_people

__all__ = ["PEOPLE", "Launch", "OperatorProcess", "bind_people", "can_stamp", "install", "install_kinds", "wait_enforced"]
