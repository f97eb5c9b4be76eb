"""The webhook for evictions as the composition takes it: its proof, and what runs. Its libraries are loaded if it is on."""

from dataclasses import dataclass

from gatehold.admission.eviction_proof import EvictionProof
from gatehold.controllers.probe import ProbeAccount
from gatehold.runtime.parts import Part, Periodic, Runtime


@dataclass(frozen=True, slots=True)
class Evictions:
    """Where the webhook is off: a proof that says so, and nothing that runs."""

    proof: EvictionProof
    parts: tuple[Part, ...] = ()
    periodics: tuple[Periodic, ...] = ()


def evictions_of(runtime: Runtime, probe: ProbeAccount) -> Evictions:
    """Make the webhook's parts as configured. Its libraries take 9 MB that nobody else needs."""
    if runtime.settings.webhook_port < 0:
        return Evictions(EvictionProof(None, lambda: False))
    from gatehold.controllers.webhook import make

    return make(runtime, probe)
