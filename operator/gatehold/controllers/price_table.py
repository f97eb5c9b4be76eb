"""The price table: a ConfigMap in the operator's namespace, read again and again. Without it, what needs a price is held."""

import logging
from collections.abc import Callable
from typing import Final

from gatehold.api import price_table
from gatehold.api.common import ParseError
from gatehold.domain.pricing.table import PriceTable
from gatehold.kube.errors import Absent, Forbidden
from gatehold.kube.resources import CONFIG_MAPS
from gatehold.runtime.parts import Runtime

log = logging.getLogger(__name__)

EVERY_SECONDS: Final = 2.0


class PriceTables:
    """The table as last read. On every replica: who takes over knows it."""

    def __init__(self, runtime: Runtime, turned: Callable[[], None] = lambda: None) -> None:
        """`turned` hears of every change."""
        self._runtime = runtime
        self.turned = turned
        self.table: PriceTable | None = None
        self.flaw = "the price table was not read yet"
        self.missing = False
        """There is none: another word than broken, and another remedy."""
        self._version = ""
        self._looked = False

    async def ensure(self) -> None:
        """Read it if nobody has: who decides must not take that for a table that is missing."""
        if not self._looked:
            await self.look()

    async def look(self) -> None:
        """Read it once, if there is any Gate. What cannot be read just now (Unavailable) leaves the last answer."""
        if not len(self._runtime.gates):
            return
        namespace = self._runtime.settings.namespace
        where = f"ConfigMap {price_table.NAME} in namespace {namespace}"
        try:
            body = await self._runtime.cluster.get(CONFIG_MAPS, namespace, price_table.NAME)
        except Absent:
            self._take(None, f"there is no price table: create {where}", missing=True)
            return
        except Forbidden:
            self._take(None, f"{where} may not be read by the operator", missing=True)
            return
        version = str(body["metadata"]["resourceVersion"])
        if version != self._version:
            try:
                self._take(price_table.parse(body), "")
            except ParseError as error:
                self._take(None, f"{where}: {error}")
            self._version = version

    def _take(self, table: PriceTable | None, flaw: str, *, missing: bool = False) -> None:
        self._version, self._looked = "", True
        self._runtime.metrics.set("gatehold_price_table_valid", int(table is not None))
        if (table, flaw, missing) == (self.table, self.flaw, self.missing):
            return
        self.table, self.flaw, self.missing = table, flaw, missing
        if table is not None:
            log.info("the price table of %s (%s, %s) is in use", table.date, table.source, table.currency)
        else:
            log.warning("what has to be priced is held: %s", flaw)
        self.turned()
