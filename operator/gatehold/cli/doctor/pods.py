"""Gates of type Pods: what they do not hold, who may go round them, what everything is priced by. Pure but for `look`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, NamedTuple

from gatehold.admission.creations import EXEMPT_ANNOTATION
from gatehold.api import price_table
from gatehold.api.common import ParseError
from gatehold.api.gate import type_of
from gatehold.cli.doctor.findings import Finding, Level, unreadable
from gatehold.cli.doctor.gates import Gates
from gatehold.cli.doctor.powers import everything
from gatehold.cli.doctor.rbac import GROUP, Grant
from gatehold.cli.doctor.reach import OPERATOR
from gatehold.cli.refusals import sentence
from gatehold.cli.session import Session
from gatehold.domain.installation import NAMESPACE
from gatehold.domain.model import GateType
from gatehold.kube import errors
from gatehold.kube.resources import CONFIG_MAPS, NAMESPACES, RESOURCE_QUOTAS

Json = dict[str, Any]
PART = "Pods"
OLD_DAYS = 90
"""After how long somebody should look whether the prices still hold."""

_TABLE = price_table.NAME
_NAMED = 10
_CHANGES = ("create", "update", "patch", "delete", "deletecollection")
_DEMANDED = (
    "pods",
    "requests.cpu",
    "requests.memory",
    "requests.storage",
    "persistentvolumeclaims",
    "services.loadbalancers",
)
"""What a quota has to bound there: pods for many small owners, the last three for what no pod gate sees."""

_SAME = {"pods": "count/pods", "requests.cpu": "cpu", "requests.memory": "memory"}
_HOW_TO = "docs/how-to/gate-provisioning.md"


class Seen(NamedTuple):
    """What was read: exempt accounts by namespace, what its quotas bound, the price table or why there is none."""

    exempt: tuple[tuple[str, str], ...] = ()
    bounded: tuple[tuple[str, frozenset[str]], ...] = ()
    table: Json | None = None
    unread: str = ""


async def look(session: Session, gates: Gates, grants: list[Grant]) -> list[Finding]:
    """Read what belongs to gated namespaces, and judge it. Nothing where no Gate of that type is there. Raises ApiError."""
    if not (gates.pods or any(_is_of_pods(body) for body in gates.bodies)):
        return []
    gated = {space for space, _ in gates.pods}
    spaces = [body for body in await session.cluster.list_all(NAMESPACES) if body["metadata"]["name"] in gated]
    exempt = tuple(
        (str(b["metadata"]["name"]), str((b["metadata"].get("annotations") or {}).get(EXEMPT_ANNOTATION) or ""))
        for b in spaces
    )
    quotas = await session.cluster.list_all(RESOURCE_QUOTAS)
    bounded = tuple((space, _bounded(quotas, space)) for space in sorted(gated))
    seen = Seen(exempt, bounded)
    try:
        seen = seen._replace(table=await session.cluster.get(CONFIG_MAPS, NAMESPACE, _TABLE))
    except errors.Absent:
        pass
    except errors.Forbidden as error:
        seen = seen._replace(unread=sentence(error))
    return findings(seen, gates, grants, session.time.now())


def _is_of_pods(body: Json) -> bool:
    try:
        return type_of(body) == GateType.PODS
    except ParseError:
        return False


def _bounded(quotas: Iterable[Json], space: str) -> frozenset[str]:
    """What any quota there bounds for all pods: one with a scope bounds some of them only."""
    mine = [q["spec"] for q in quotas if q["metadata"]["namespace"] == space]
    whole = [spec for spec in mine if not spec.get("scopes") and not spec.get("scopeSelector")]
    return frozenset(name for spec in whole for name in spec.get("hard") or {})


def findings(seen: Seen, gates: Gates, grants: Iterable[Grant], now: datetime | None) -> list[Finding]:
    """Everything there is to say."""
    others = [grant for grant in grants if not grant.is_built_in and not everything(grant.rule)]
    found = [*_prices(seen, now), *_mismatched(gates)]
    for space, gate in gates.pods:
        found += [*_ways(space, gate, others), *_exempt(seen, space), *_quota(seen, space)]
    return [*found, *_price_makers(others)]


def _mismatched(gates: Gates) -> Iterator[Finding]:
    """Namespaces that name a Gate of another type: nothing there can be asked about."""
    kinds = {str(body["metadata"]["name"]): _is_of_pods(body) for body in gates.bodies}
    for space, gate in gates.pods:
        if not kinds.get(gate, True):
            text = f"namespace {space} names gate {gate}, which is not of type Pods: every pod in it is held"
            yield Finding(PART, Level.PROBLEM, text, f"kubectl describe gate {gate}")


def _prices(seen: Seen, now: datetime | None) -> Iterator[Finding]:
    """The table that everything is priced by: without a good one, what is not approved yet is held."""
    name = f"ConfigMap {NAMESPACE}/{_TABLE}"
    if seen.unread:
        yield unreadable(PART, "the price table", seen.unread)
        return
    if seen.table is None:
        yield Finding(PART, Level.PROBLEM, f"there is no price table ({name}): everything is held", f"see {_HOW_TO}")
        return
    try:
        table = price_table.parse(seen.table)
    except ParseError as error:
        command = f"kubectl -n {NAMESPACE} edit configmap {_TABLE}"
        yield Finding(PART, Level.PROBLEM, f"the price table is broken, so everything is held: {error}", command)
        return
    age = _age(table.date, now)
    text = f"prices of {table.date} in {table.currency}, from {table.source}"
    if age is not None and age > OLD_DAYS:
        yield Finding(PART, Level.NOTICE, f"{text}: {age} days old", f"kubectl -n {NAMESPACE} edit configmap {_TABLE}")
    else:
        yield Finding(PART, Level.OK, text)


def _age(date: str, now: datetime | None) -> int | None:
    """Days since then; of a month without a day, since its first."""
    if now is None:
        return None
    try:
        then = datetime.fromisoformat(date if len(date) > len("2026-01") else f"{date}-01")
    except ValueError:
        return None
    return (now.date() - then.date()).days


def _ways(space: str, gate: str, grants: list[Grant]) -> Iterator[Finding]:
    """Whose pods run there without a question, and who may open what waits."""
    there = [grant for grant in grants if grant.namespace in ("", space)]
    daemons = _names(g for g in there if g.rule.allows("create", "apps", "daemonsets"))
    if daemons:
        text = f"{daemons} may create DaemonSets in {space}, whose pods no gate holds: they run on every node that is there"
        yield Finding(PART, Level.NOTICE, text)
    openers = _names(g for g in there if not g.namespace and g.rule.allows("override", GROUP, "gates", gate))
    if openers:
        yield Finding(PART, Level.NOTICE, f"{openers} may open pods in {space} alone (verb override on gate {gate})")


def _names(grants: Iterable[Grant]) -> str:
    names = sorted({str(grant.subject) for grant in grants if str(grant.subject) != OPERATOR})
    return ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")


def _exempt(seen: Seen, space: str) -> Iterator[Finding]:
    text = dict(seen.exempt).get(space, "")
    if text:
        yield Finding(PART, Level.NOTICE, f"never held in {space}: what {text} creates (annotation {EXEMPT_ANNOTATION})")


def _quota(seen: Seen, space: str) -> Iterator[Finding]:
    """A gate of pods sees no volumes and no load balancers, and nothing of many owners that are cheap one by one."""
    bounded = dict(seen.bounded).get(space, frozenset())
    open_ = [name for name in _DEMANDED if name not in bounded and _SAME.get(name) not in bounded]
    command = f"kubectl -n {space} create quota bounds --hard=... ({_HOW_TO})"
    if len(open_) == len(_DEMANDED):
        text = f"no ResourceQuota in {space}: volumes, load balancers and many owners under the threshold are unbounded"
        yield Finding(PART, Level.NOTICE, text, command)
    elif open_:
        yield Finding(PART, Level.NOTICE, f"no ResourceQuota in {space} bounds {', '.join(open_)}", command)
    else:
        yield Finding(PART, Level.OK, f"ResourceQuota in {space} bounds what the gate does not hold")


def _price_makers(grants: list[Grant]) -> Iterator[Finding]:
    """Whoever writes the prices decides what is under the threshold."""
    there = [grant for grant in grants if grant.namespace in ("", NAMESPACE)]
    names = _names(g for g in there if any(g.rule.allows(verb, "", "configmaps", _TABLE) for verb in _CHANGES))
    if names:
        yield Finding(PART, Level.NOTICE, f"{names} may change the price table, and so what is under the threshold")
