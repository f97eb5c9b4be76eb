"""Asking for a cycle of everything behind Gates of type Pods: what all of it goes by has changed."""

from gatehold.runtime.parts import GATE, Key, Runtime
from gatehold.runtime.pods import one_each, owner_key


def wake_provision(runtime: Runtime) -> None:
    """Ask for a cycle of every Gate, and of every direct owner of gated pods and Jobs."""
    for item in runtime.gates:
        runtime.enqueue(Key(GATE, "", item.name, item.uid), False)
    for _, item in one_each((runtime.gated_jobs, runtime.pods)):
        runtime.enqueue(owner_key(item), False)
