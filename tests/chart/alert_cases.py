"""When each alert must fire, and what comes nearest to it and must not: rows for `test_alerts_fire`."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from tests.chart.replicas import DAY, ERRORS, FAILED, Overrides, Ramp, life

WALL, LEADER, OVERDUE = "GateholdWallNotEnforced", "GateholdLeaderMissing", "GateholdHeldPastDeadline"
OLDEST, FAIL, GLASS, CYCLES = "GateholdOldestPending", "GateholdReleaseFailed", "GateholdOverride", "GateholdCyclesFail"
CERTIFICATE, WEBHOOK, PRICES = "GateholdCertificateNearEnd", "GateholdWebhookNotProven", "GateholdPricesUnusable"
DRAIN: Final = FAILED % "Drain"
REFUSED: Final = ERRORS % ("ApprovalRequest", "RefusedError")
CONFLICT: Final = ERRORS % ("ApprovalRequest", "Conflict")
AWAY: Final = ERRORS % ("Rollout", "Unavailable")
LEADS: Final[Overrides] = {"leader": 1}
MINUTES: Final = 40


class Case(NamedTuple):
    """`a` leads and `b` stands by, both well but for what is said here; None: nobody scrapes any."""

    about: str
    fires: dict[str, int]
    """Alert -> the second in which it fires. No other does, and none a second time."""
    a: Overrides | None = {}
    b: Overrides = {}
    says: str = ""
    """Stands in the summary."""
    ends: int | None = None
    """The second in which it is over; None: not within MINUTES."""

    @property
    def alert(self) -> str:
        """Which alert the row is about, whether it fires or not."""
        return self.about.partition(":")[0]


def since(value: float | Ramp, before: float | Ramp = 0, at: int = 300, until: int | None = None) -> dict[int, float | Ramp]:
    """A series that changes after five minutes, and perhaps changes back."""
    return {0: before, at: value} | ({} if until is None else {until: before})


def dies(overrides: Overrides | None = None) -> Overrides:
    """A replica that is gone after five minutes."""
    return life((0, overrides or {}), (300, None))


def rows() -> Iterator[Case]:
    """All of them."""
    yield from _wall()
    yield from _leader()
    yield from _time()
    yield from _failed()
    yield from _glass()
    yield from _cycles()
    yield from _webhook()
    yield from _prices()


def _wall() -> Iterator[Case]:
    down = {"wall_enforced": since(0, 1)}
    yield Case(f"{WALL}: the wall is gone", {WALL: 420}, down, down)
    yield Case(f"{WALL}: only the API server of the standby lets forgeries pass", {WALL: 420}, {}, down)
    yield Case(f"{WALL}: mended within 90 s", {}, {"wall_enforced": since(0, 1, until=390)})
    yield Case(f"{WALL}: mended later", {WALL: 420}, {"wall_enforced": since(0, 1, until=600)}, ends=600)
    yield Case(f"{WALL}: a standby that never gets to look", {}, {}, {"wall_enforced": 0, "synced": 0})
    yield Case(
        f"{WALL}: the leader changes meanwhile",
        {WALL: 420},
        life((0, {**LEADS, **down}), (900, None)),
        {"leader": since(1, at=900), **down},
    )
    yield Case(f"{WALL}: nobody is there to prove it", {LEADER: 420}, dies(LEADS), dies())


def _leader() -> Iterator[Case]:
    yield Case(f"{LEADER}: nobody leads", {LEADER: 420}, {"leader": since(0, 1)}, says="No replica of Gatehold acts.")
    yield Case(f"{LEADER}: both are gone", {LEADER: 420}, dies(LEADS), dies(), says="No replica of Gatehold acts.")
    yield Case(f"{LEADER}: none was ever scraped", {LEADER: 120}, None, says="No replica of Gatehold acts.")
    yield Case(f"{LEADER}: two say that they lead", {LEADER: 420}, b={"leader": since(1)}, says="2 replicas of Gatehold say")
    yield Case(f"{LEADER}: two for 90 s", {}, b={"leader": since(1, until=390)})
    yield Case(f"{LEADER}: killed, and replaced within 90 s", {}, dies(LEADS), {"leader": since(1, at=390)})
    back = life((0, LEADS), (300, None), (390, LEADS))
    yield Case(f"{LEADER}: a scrape or three get no answer", {}, back)
    yield Case(f"{LEADER}: the standby is gone", {}, {}, dies())
    roll = life((0, LEADS), (300, None), (600, LEADS))
    yield Case(f"{LEADER}: nobody for five minutes", {LEADER: 420}, roll, ends=600)


def _time() -> Iterator[Case]:
    late = {"overdue_seconds": since(Ramp(0))}
    yield Case(f"{OVERDUE}: nobody ends what is over", {OVERDUE: 450}, late, late, says="2m 30s after its deadline")
    yield Case(f"{OVERDUE}: only the standby knows of it", {OVERDUE: 450}, {}, late)
    yield Case(f"{OVERDUE}: a minute late", {}, {"overdue_seconds": {0: 0, 300: Ramp(0), 360: 60, 600: 0}})
    handed = life((0, {**LEADS, **late}), (900, None))
    yield Case(f"{OVERDUE}: the leader changes meanwhile", {OVERDUE: 450}, handed, {"leader": since(1, at=900), **late})
    old = {"oldest_pending_seconds": Ramp(14_100)}
    yield Case(f"{OLDEST}: nobody answers", {OLDEST: 330}, old, old, says="4h 0m 30s")
    yield Case(f"{OLDEST}: as long as was promised", {}, {"oldest_pending_seconds": 14_400})
    anew = life((0, {**LEADS, **old}), (600, None), (660, LEADS))
    yield Case(f"{OLDEST}: the leader begins anew", {OLDEST: 330}, anew, old)
    answered = {"oldest_pending_seconds": {0: Ramp(14_100), 900: 10}}
    yield Case(f"{OLDEST}: answered at last", {OLDEST: 330}, answered, ends=900)


def _failed() -> Iterator[Case]:
    once = {DRAIN: since(1)}
    yield Case(f"{FAIL}: one does", {FAIL: 300}, once, says="An approved Drain could not be carried out.", ends=1_170)
    yield Case(f"{FAIL}: one did yesterday", {}, {DRAIN: 4})
    young = life((0, None), (300, {DRAIN: 1}))
    yield Case(f"{FAIL}: before a new pod was scraped first", {FAIL: 300}, b=young, ends=1_200)
    old = dies({**LEADS, DRAIN: 4})
    yield Case(f"{FAIL}: the leader changes", {}, old, {"leader": since(1)})
    fails = {"leader": since(1), DRAIN: since(1, at=600)}
    yield Case(f"{FAIL}: the first of a new leader", {FAIL: 600}, old, fails, ends=1_470)
    again = life((0, {**LEADS, DRAIN: 1}), (300, None), (360, {**LEADS, DRAIN: {360: 0, 420: 1}}))
    yield Case(f"{FAIL}: begun anew, it counts as far as before", {FAIL: 420}, again, ends=1_290)
    hidden = life((0, {**LEADS, DRAIN: 1}), (300, None), (360, {**LEADS, DRAIN: 1}))
    yield Case(f"{FAIL}: the same, before it is scraped", {FAIL: 360}, hidden, ends=1_260)
    yield Case(f"{FAIL}: begun anew, none", {}, life((0, {**LEADS, DRAIN: 4}), (300, None), (360, LEADS)))
    unseen = {"uptime_seconds": {0: Ramp(10_000), 300: "stale", 360: Ramp(10_360)}, DRAIN: {0: 4, 300: "stale", 360: 4}}
    yield Case(f"{FAIL}: an old one, out of sight for a minute", {}, {**LEADS, **unseen})


def _glass() -> Iterator[Case]:
    yield Case(f"{GLASS}: broken", {GLASS: 300}, {"overrides_total": since(1)}, says="Somebody broke the glass.", ends=1_170)
    once, often = {**LEADS, "overrides_total": 1}, {**LEADS, "overrides_total": 7}
    both = {LEADER: 420, GLASS: 600}
    yield Case(f"{GLASS}: while nobody was up", both, dies(once), life((0, None), (600, once)), ends=1_500)
    yield Case(
        f"{GLASS}: while the only pod began anew", {GLASS: 390}, life((0, once), (300, None), (390, once)), ends=1_290
    )
    yield Case(f"{GLASS}: long ago", {}, often)
    yield Case(f"{GLASS}: long ago, and the pod begins anew", {}, life((0, often), (300, None), (360, LEADS)))
    yield Case(f"{GLASS}: long ago, and the leader changes", {}, dies(often), {"leader": since(1)})


def _cycles() -> Iterator[Case]:
    slow = Ramp(1, 1 / 35)
    yield Case(
        f"{CYCLES}: one undo is refused every 35 s",
        {CYCLES: 1_290},
        {REFUSED: since(slow)},
        says="Cycles of ApprovalRequest fail again and again: RefusedError.",
    )
    yield Case(f"{CYCLES}: a slip every two minutes", {}, {REFUSED: since(Ramp(1, 1 / 120))})
    burst = {AWAY: {0: 0, 300: Ramp(0, 50), 600: 15_000}}
    yield Case(f"{CYCLES}: the API server is away for five minutes", {}, burst)
    yield Case(f"{CYCLES}: conflicts of a busy day", {}, {CONFLICT: since(Ramp(0, 0.5))})
    yield Case(f"{CYCLES}: two writers fight", {CYCLES: 1_290}, {CONFLICT: since(Ramp(0, 4))}, says="Conflict")
    handed = life((0, {**LEADS, REFUSED: since(slow)}), (900, None))
    heir = {"leader": since(1, at=900), REFUSED: {900: slow}}
    yield Case(f"{CYCLES}: the leader changes meanwhile", {CYCLES: 1_290}, handed, heir)


def _webhook() -> Iterator[Case]:
    near, expiry = Ramp(7 * DAY + 300, -1), "webhook_certificate_expiry_seconds"
    yield Case(f"{CERTIFICATE}: a week", {CERTIFICATE: 930}, {expiry: near}, {expiry: near}, says="ends in 6d 23h 49m 30s")
    yield Case(f"{CERTIFICATE}: one replica reads an old one", {CERTIFICATE: 930}, {}, {expiry: near})
    yield Case(f"{CERTIFICATE}: renewed in time", {}, {expiry: {0: near, 600: 89 * DAY}})
    yield Case(f"{CERTIFICATE}: there is none", {CERTIFICATE: 600}, {expiry: 0}, says="has no certificate, or it is over")
    yield Case(f"{CERTIFICATE}: a standby that never gets to look", {}, {}, {expiry: 0, "synced": 0})
    open_ = {"webhook_proven": since(0, 1)}
    yield Case(f"{WEBHOOK}: not installed", {WEBHOOK: 600}, open_, open_)
    yield Case(f"{WEBHOOK}: one replica has proven it", {}, open_)
    short = {"webhook_proven": since(0, 1, until=570)}
    yield Case(f"{WEBHOOK}: for less than five minutes", {}, short, short)


def _prices() -> Iterator[Case]:
    none = {"price_table_valid": since(0, 1)}
    yield Case(f"{PRICES}: pods wait and there is no table", {PRICES: 600}, none, none)
    idle = {**none, "pods_held": 0}
    yield Case(f"{PRICES}: nothing waits", {}, idle, idle)
    yield Case(f"{PRICES}: mended", {}, {"price_table_valid": since(0, 1, until=570)})
    yield Case(f"{PRICES}: a standby that never gets to look", {}, {}, {"price_table_valid": 0, "synced": 0})
