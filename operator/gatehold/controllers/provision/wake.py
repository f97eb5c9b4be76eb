"""Asking for a cycle of everything behind Gates of type Pods: what all of it goes by has changed."""

from gatehold.runtime.parts import GATE, PODS_OWNER, Key, Runtime
from gatehold.runtime.pods import direct


def wake_provision(runtime: Runtime) -> None:
    """Ask for a cycle of every Gate, and of every direct owner of gated pods and Jobs."""
    for item in runtime.gates:
        runtime.enqueue(Key(GATE, "", item.name, item.uid), False)
    for cache in (runtime.gated_jobs, runtime.pods):
        for name in cache.groups(""):
            found = cache.grouped(name)[0]
            owner = direct(found)
            runtime.enqueue(Key(PODS_OWNER, found.namespace, owner.name, owner.uid), False)
