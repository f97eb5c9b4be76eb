"""What `gatehold doctor` says of requests whose gate is left out; what it says of labels is in tests/chart."""

from typing import Any

from gatehold.cli.doctor.findings import Level
from gatehold.cli.doctor.left_out import waiting

Body = dict[str, Any]


def request(name: str, *reasons: str) -> Body:
    conditions = [{"type": "Held", "status": "True", "reason": reason} for reason in reasons]
    return {"metadata": {"namespace": "shop", "name": name}, "status": {"conditions": conditions}}


def test_what_waits_is_named_and_the_rest_counted() -> None:
    held = [request(f"web-{n}", "AwaitingApproval", "GateLeftOut") for n in range(5)]

    (found,) = waiting([request("other", "AwaitingApproval"), {"metadata": {}}, *held])

    assert (found.level, found.next) == (Level.PROBLEM, "kubectl -n shop describe apr web-0")
    assert found.text.endswith(": shop/web-0, shop/web-1, shop/web-2 and 2 more")


def test_few_are_all_named() -> None:
    (found,) = waiting([request("web", "GateLeftOut")])

    assert found.text.endswith(": shop/web")


def test_where_none_waits_nothing_is_said() -> None:
    assert waiting([request("web", "AwaitingApproval")]) == []
