"""Puts the operator together: the controllers, the wall's routine, retention. `gatehold run` and tests start it here."""

import logging

from gatehold.admission.proof import Reason as ProofReason
from gatehold.admission.proof import WallProof, head_of
from gatehold.admission.texts import shipped
from gatehold.controllers.apply import Apply
from gatehold.controllers.approval_policy import PolicyController
from gatehold.controllers.approval_request import RequestController
from gatehold.controllers.argo.controller import ArgoController
from gatehold.controllers.argo.gather import ArgoGather
from gatehold.controllers.break_glass import EVERY_SECONDS as BREAK_GLASS_SECONDS
from gatehold.controllers.break_glass import BreakGlass
from gatehold.controllers.effects import Hands
from gatehold.controllers.evictions import evictions_of
from gatehold.controllers.gate import GateController
from gatehold.controllers.gather import Gather
from gatehold.controllers.hindsight import Hindsight
from gatehold.controllers.maintenance import EVERY_SECONDS as MAINTENANCE_SECONDS
from gatehold.controllers.maintenance import MaintenanceKeeper
from gatehold.controllers.nodes import NodeController
from gatehold.controllers.orphans import EVERY_SECONDS as ORPHANS_SECONDS
from gatehold.controllers.orphans import Orphans
from gatehold.controllers.price_table import EVERY_SECONDS as PRICES_SECONDS
from gatehold.controllers.price_table import PriceTables
from gatehold.controllers.probe import ProbeAccount
from gatehold.controllers.provision.controller import ProvisionController
from gatehold.controllers.provision.gather import Gather as Sights
from gatehold.controllers.provision.glass import Glass
from gatehold.controllers.provision.hands import ProvisionHands
from gatehold.controllers.provision.owners import Owners
from gatehold.controllers.provision.wake import wake_provision
from gatehold.controllers.retention import Retention
from gatehold.controllers.rollouts import rollout_controller
from gatehold.controllers.summary import summarise
from gatehold.controllers.tell import Tell
from gatehold.controllers.wall import Wall
from gatehold.controllers.wall_access import Identity
from gatehold.controllers.wall_voice import WallVoice
from gatehold.domain.model import GateType
from gatehold.kube.errors import ApiError
from gatehold.runtime import operator
from gatehold.runtime.leadership import LeadershipLost
from gatehold.runtime.parts import Controllers, Periodic, Runtime
from gatehold.runtime.watchdog import WatchDead
from gatehold.settings import Settings
from gatehold.telemetry import logs

log = logging.getLogger(__name__)

PROOF_SECONDS = 1.0  # how often the routine looks; it proves only when the last proof grows old, or there is none


async def run_operator(settings: Settings) -> int:
    """Run the operator until it is told to end; answers the exit code. What ended it otherwise stands in its log.

    Crash-only: a lost Lease, a dead watch or an API server that is away at the start end the process, and its next life
    starts from a list.
    """
    logs.configure(settings.log_format, settings.log_level)
    try:
        await operator.run(settings, build, summarise)
    except (ApiError, LeadershipLost, WatchDead, operator.PartEnded) as error:
        log.critical("the operator ends: %s", error)
        return 1
    except Exception:
        log.exception("the operator ends by an error that nobody expected")
        return 1
    return 0


def build(runtime: Runtime) -> Controllers:
    """Make the controllers of one process."""
    texts = shipped(runtime.settings.gates)
    probe = ProbeAccount(runtime, texts)
    wall = Wall(WallProof(probe, texts), probe, runtime.metrics)
    prices = PriceTables(runtime)
    sights, provision = Sights(runtime, prices, Owners(runtime)), ProvisionHands(runtime)
    argo = ArgoGather(runtime)
    hands, tell = Hands(runtime, sights, provision, argo), Tell(runtime)
    gather = Gather(runtime, wall, hands)
    requests = RequestController(runtime, gather, Apply(runtime, wall, gather, hands, tell))
    voice = WallVoice(runtime, wall, tell)
    wall.on_turn = voice.turned
    maintenance = MaintenanceKeeper(runtime)
    evictions = evictions_of(runtime, probe)
    nodes = NodeController(runtime, maintenance, evictions.proof.stands)
    evictions.proof.on_turn = nodes.turned
    prices.turned = lambda: wake_provision(runtime)

    of_gates = (
        (GateType.DRAINS, Periodic("maintenance", MAINTENANCE_SECONDS, maintenance.sweep)),
        (GateType.PODS, Periodic("price-table", PRICES_SECONDS, prices.look, leader_only=False)),
    )

    async def on_leading() -> None:
        try:
            await probe.ensure_request()
        except ApiError as error:  # a fresh API server may not stamp yet: no reason to end, the routine tries again
            log.warning("the probe's request could not be created yet: %s", error)
        await wall.prove()

    async def keep() -> None:
        await wall.keep()
        missing = wall.last is not None and wall.last.reason is ProofReason.PROBE_MISSING
        if missing and runtime.is_leader():
            await probe.ensure_request()

    return Controllers(
        controllers=(
            requests,
            PolicyController(runtime, wall),
            rollout_controller(runtime, wall, gather.is_genuine),
            GateController(runtime, evictions.proof.state, prices),
            ProvisionController(runtime, wall, sights, provision, Glass(runtime, tell)),
            ArgoController(runtime, argo),
            nodes,
        ),
        periodics=(
            Periodic("wall", PROOF_SECONDS, keep, leader_only=False),
            Periodic("break-glass", BREAK_GLASS_SECONDS, BreakGlass(runtime, tell).sweep),
            Periodic("orphans", ORPHANS_SECONDS, Orphans(runtime).sweep),
            Periodic("retention", runtime.settings.retention_sweep_seconds, Retention(runtime, Hindsight(tell)).sweep),
            *(periodic for gate, periodic in of_gates if gate in runtime.settings.gates),
            *evictions.periodics,
        ),
        parts=evictions.parts,
        on_wall_change=lambda: wall.changed(_identity(runtime)),
        on_verdict=wall.look_soon,
        on_leading=on_leading,
        on_end=probe.close,
    )


def _identity(runtime: Runtime) -> Identity:
    bodies = (body for item in runtime.wall if (body := runtime.wall.by_uid(item.uid)) is not None)
    return frozenset(head_of(body) for body in bodies)
