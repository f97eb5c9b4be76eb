"""The command: read the manifests, find the table and the Gate, price, and end by what that comes to."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from gatehold.api import gate as gates
from gatehold.api import price_table
from gatehold.api.common import ParseError
from gatehold.cli.exits import Exit, Leave
from gatehold.cli.files import objects, one_object
from gatehold.cli.price.manifests import Limits, bill
from gatehold.cli.price.screen import as_json, outcome, tell
from gatehold.cli.render import dump
from gatehold.cli.session import Session, Where, call
from gatehold.cli.text import plain
from gatehold.domain.installation import NAMESPACE
from gatehold.domain.pricing.price import Threshold
from gatehold.domain.pricing.table import PriceTable
from gatehold.kube import errors
from gatehold.kube.resources import CONFIG_MAPS, GATES

_OWN_TABLE: Final = "gatehold price --table FILE (see manifests/examples/prices.yaml)"


@dataclass(frozen=True, slots=True)
class Wish:
    """What the command line says."""

    file: str
    table: str = ""
    gate: str = ""
    hourly: Decimal | None = None
    monthly: Decimal | None = None
    form: str | None = None


@dataclass(frozen=True, slots=True)
class _Found:
    """What had to be read first."""

    table: PriceTable
    limits: Limits


def run_price(wish: Wish, where: Where) -> None:
    """Price a file. A cluster is asked only for what no file says."""
    bodies = objects(wish.file)
    together = Threshold(wish.hourly, wish.monthly)
    if wish.table and not wish.gate:
        found = _Found(_from_file(wish.table), Limits(together=together))
    else:
        found = call(where, lambda session: _from_cluster(session, wish, together))
    try:
        made = bill(bodies, found.table, found.limits)
    except ParseError as error:
        raise Leave(Exit.USAGE, f"{plain(wish.file)} cannot be priced: {plain(error)}") from error
    if wish.form:
        dump(as_json(made, found.table, found.limits), wish.form)
    else:
        tell(made, found.table, found.limits)
    code = outcome(made, found.limits)
    if code is not Exit.OK:
        raise Leave(code)


def _from_file(name: str) -> PriceTable:
    """A ConfigMap, or its keys alone, as OpenCost keeps them."""
    body = one_object(name)
    return _read(body["data"] if body.get("kind") == "ConfigMap" and "data" in body else body, plain(name))


async def _from_cluster(session: Session, wish: Wish, together: Threshold) -> _Found:
    table = _from_file(wish.table) if wish.table else await _table(session)
    if not wish.gate:
        return _Found(table, Limits(together=together))
    return _Found(table, await _limits(session, wish.gate, together))


async def _table(session: Session) -> PriceTable:
    where = f"ConfigMap {price_table.NAME} in namespace {NAMESPACE}"
    try:
        body = await session.cluster.get(CONFIG_MAPS, NAMESPACE, price_table.NAME)
    except errors.Absent as error:
        raise Leave(Exit.ABSENT, f"there is no price table: {where} does not exist", _OWN_TABLE) from error
    except errors.Forbidden as error:
        raise Leave(Exit.REFUSED, f"you may not read {where}", _OWN_TABLE) from error
    return _read(body.get("data"), where)


async def _limits(session: Session, name: str, together: Threshold) -> Limits:
    try:
        found = gates.parse_pods(await session.cluster.get(GATES, None, name))
    except errors.Absent as error:
        raise Leave(Exit.ABSENT, f"there is no gate {plain(name)}", "kubectl get gates") from error
    except ParseError as error:
        text = f"gate {plain(name)} is none of type Pods that can be read: {plain(error)}"
        raise Leave(Exit.USAGE, text, f"kubectl get gate {plain(name)} -o yaml") from error
    return Limits(name, found.threshold, found.floor, together)


def _read(data: Any, where: str) -> PriceTable:  # noqa: ANN401 (as it stands in the file)
    """The table; without a whole one nothing has a price. `where` is safe for the terminal already."""
    try:
        return price_table.parse({"data": data})
    except ParseError as error:
        raise Leave(Exit.PRICE_UNKNOWN, f"{where} is no price table: {plain(error)}") from error
