"""Rollouts of Argo Rollouts behind a Gate that were there before it, and would go past people. Pure but for `look`.

The wall judges one when it is created and when it changes. One that takes its template from another object may never change.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from gatehold.cli.doctor.findings import Finding, Level
from gatehold.cli.doctor.gates import Gates
from gatehold.cli.session import Session
from gatehold.kube.errors import Absent
from gatehold.kube.resources import ARGO_ROLLOUTS, SERVICE_ACCOUNTS

Json = Mapping[str, Any]
PART = "Argo Rollouts"
CONTROLLER = "argo-rollouts"
"""Namespace and service account of its controller, as manifests/wall/19-argo-rollouts.yaml has them."""


async def look(session: Session, gates: Gates) -> list[Finding]:
    """Read those of each namespace behind a Gate, and judge them. Nothing where the kind is not there. Raises ApiError."""
    found: list[Finding] = []
    try:
        for space, _ in gates.argo:
            found += findings(await session.cluster.list_all(ARGO_ROLLOUTS, space))
    except Absent:
        return []
    return [*found, *await _controller(session)] if gates.argo else []


async def _controller(session: Session) -> list[Finding]:
    """Its account, which the wall knows by its name. Argo's own log alone says where it has another."""
    try:
        await session.cluster.get_metadata(SERVICE_ACCOUNTS, CONTROLLER, CONTROLLER)
    except Absent:
        text = (
            f"there is no service account {CONTROLLER} in namespace {CONTROLLER}, by which Argo's controller is known here:"
        )
        text = f"{text} any other is refused, and Rollouts behind a Gate stand still"
        return [Finding(PART, Level.PROBLEM, text, "kubectl get deployments -A -l app.kubernetes.io/part-of=argo-rollouts")]
    return []


def findings(bodies: Iterable[Json]) -> list[Finding]:
    """A sentence for each that would not stand at a pause."""
    return [finding for body in bodies for finding in _about(body)]


def _about(body: Json) -> Iterator[Finding]:
    flaws = list(_flaws(body.get("spec") or {}))
    if not flaws:
        return
    name, space = body["metadata"]["name"], body["metadata"]["namespace"]
    text = f"Rollout {name} in {space} would go past people as it stands: {', '.join(flaws)}; its next change is refused"
    yield Finding(PART, Level.PROBLEM, text, f"kubectl -n {space} edit rollouts.argoproj.io {name}")


def _flaws(spec: Json) -> Iterator[str]:
    """In the words of its spec; the rules are those of manifests/wall/19-argo-rollouts.yaml."""
    strategy = spec.get("strategy") or {}
    canary, blue_green = strategy.get("canary") or {}, strategy.get("blueGreen")
    if "selector" not in spec:
        yield "it has no selector of its own"
    if (spec.get("rollbackWindow") or {}).get("revisions"):
        yield "rollbackWindow"
    if blue_green is not None:
        if blue_green.get("autoPromotionEnabled") is not False or blue_green.get("autoPromotionSeconds"):
            yield "its switch waits for nobody"
        return
    steps = canary.get("steps") or []
    if not any(step.get("pause") is not None and step["pause"].get("duration") is None for step in steps):
        yield "no step {pause: {}}"
    if canary.get("analysis"):
        yield "an analysis in the background"
    if any((step.get("experiment") or {}).get("analyses") for step in steps):
        yield "an experiment with analyses"
