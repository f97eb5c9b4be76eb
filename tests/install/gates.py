"""Every gate left out, and brought back, as a GitOps tool does: it renders without looking, applies, and prunes.

Helm itself would refuse while something is behind a gate (tests/chart/test_on_a_cluster.py).
"""

import json
from collections.abc import Iterable
from typing import Any, Final

from controlplane import ControlPlane, kubernetes
from tests.chart.rendering import VALUES, parsed
from tests.install import chart

Body = dict[str, Any]
NONE: Final = ",".join(f"gates.{value}.enabled=false" for value in VALUES.values())


def leave_out(plane: ControlPlane) -> None:
    """Without any gate, after what Helm had installed."""
    _apply(plane, list(parsed(chart.helm(plane, "get", "manifest", chart.RELEASE).stdout)), _rendered(plane, NONE))


def bring_back(plane: ControlPlane) -> None:
    """With all gates again."""
    _apply(plane, _rendered(plane, NONE), _rendered(plane, NONE.replace("false", "true")))


def _rendered(plane: ControlPlane, values: str) -> list[Body]:
    told = ("--kube-version", ".".join(map(str, kubernetes())) + ".0", "--set", f"{chart.PATIENT},{values}")
    return list(parsed(chart.helm(plane, "template", chart.RELEASE, str(chart.CHART), *told).stdout))


def _apply(plane: ControlPlane, before: Iterable[Body], wanted: Iterable[Body]) -> None:
    """All of one is there afterwards, and nothing else of the other."""
    mine = ("--server-side", "--force-conflicts", "--field-manager=helm")  # else what Helm had set would stay
    plane.kubectl("apply", *mine, "-f", "-", stdin=_list(wanted), timeout=240)
    kept = {_key(body) for body in wanted}
    gone = [body for body in before if _key(body) not in kept]
    plane.kubectl("delete", "-f", "-", "--ignore-not-found", stdin=_list(gone), timeout=240)


def _key(body: Body) -> tuple[str, str, str]:
    return body["kind"], body["metadata"].get("namespace", ""), body["metadata"]["name"]


def _list(bodies: Iterable[Body]) -> str:
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": list(bodies)})
