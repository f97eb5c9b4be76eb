"""Priced requests of a Gate of type Pods for tests of the CLI: as the operator opens and prepares them."""

from decimal import Decimal
from typing import Any

from gatehold.api.request_status import render_resolved
from gatehold.domain.status import Price, Resolved, ResolvedOption, ResolvedProvision
from tests.cli.bodies import UID, request
from tests.cli.stage import Stage

Json = dict[str, Any]
DIGEST = "sha256:" + "a" * 64
GATE = "paid"


def price(hourly: str = "4.6", *, low: str = "1.4", unknown: tuple[str, ...] = (), currency: str = "USD") -> Price:
    """An hour of all pods, in a month."""
    high = Decimal(hourly)
    return Price(
        amount=high,
        currency=currency,
        period="hour",
        hourly_low=Decimal(low),
        hourly_high=high,
        low=Decimal(low) * 730,
        high=high * 730,
        hours=Decimal(730),
        hours_from="a month of 730 h",
        parts=("CPU: 1 core x 0.03 = 0.03 USD/h", "memory: 4 GiB x 0.004 = 0.02 USD/h"),
        unknown=unknown,
        source="example rates",
        date="2026-11-01",
    )


def provision(pods: int = 50, **more: Any) -> ResolvedProvision:
    fixed: Json = {"images": ("example.org/web:1",), "on_denied": "ScaleBack", "approved_pods": 10}
    return ResolvedProvision(DIGEST, pods, **{**fixed, **more})


FAST = (ResolvedOption("fast", 50, Decimal("4.6")), ResolvedOption("cheap", 10, Decimal("0.92")))
OFFERED = [{"name": "fast", "summary": "all at once"}, {"name": "cheap", "summary": "one after the other"}]


def body(found: ResolvedProvision | None = None, cost: Price | None = None, **spec: Any) -> Json:
    """A prepared question about Deployment web; without a server."""
    subject = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "namespace": "shop",
        "name": "web",
        "uid": UID,
        "digest": DIGEST,
    }
    fixed: Json = {"subject": subject, "effect": {"type": "Release"}, "requester": {"username": "op"}, **spec}
    read = render_resolved(Resolved(price=cost, provision=found or provision()))
    made = request(spec=fixed, status={"resolved": read})
    made["metadata"]["labels"] = {"gatehold.dev/gate": GATE}
    return made


def asks(stage: Stage, name: str, by: str = "ci", policy: str = "prod", **spec: Any) -> Json:
    """Open one of effect None on a real server; prices are the operator's, whoever asked."""
    return stage.request(name, {"policyRef": {"name": policy}, **spec}, by)


def priced(stage: Stage, name: str, hourly: str | None, **more: Any) -> str:
    """Prepare it with what an hour costs; answers its digest."""
    options = more.pop("options", ())
    found = ResolvedProvision(DIGEST, 3, options=options) if options or more.pop("pods", False) else None
    cost = price(hourly, **more) if hourly is not None else None
    read = Resolved(price=cost, provision=found)
    return str(stage.prepare(name, read=render_resolved(read))["status"]["requestDigest"])
