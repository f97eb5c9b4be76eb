"""The alerts, run by Prometheus' own engine: each fires when it has to, and at no other time. No server needed."""

import re
from collections.abc import Mapping
from typing import Any, Final

import pytest

from tests.chart.alert_cases import MINUTES, Case, rows
from tests.chart.replicas import replicas
from tests.prometheus import FIRING, INACTIVE, Body, Told, loaded, spec, tells

CASES: Final = tuple(rows())
SEVERITIES: Final = {"critical", "warning"}
"""No `info`: the Alertmanager of kube-prometheus mutes that, and sends it to nobody."""


@pytest.fixture(scope="module")
def rules() -> Body:
    return spec()


@pytest.fixture(scope="module")
def told(rules: Body) -> dict[str, list[Told]]:
    """What every row tells, by what it is about. All of them in one run of the engine's program."""
    lives = [{} if case.a is None else replicas(MINUTES, case.a, case.b) for case in CASES]
    return dict(zip([case.about for case in CASES], tells(rules, lives, MINUTES), strict=True))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.about)
def test_it_fires_when_it_has_to_and_nothing_else_does(case: Case, told: dict[str, list[Told]]) -> None:
    fired = [one for one in told[case.about] if one.state == FIRING]
    assert sorted((one.alert, one.at) for one in fired) == sorted(case.fires.items())

    mine = [one for one in fired if one.alert == case.alert]
    assert all(case.says in one.annotations["summary"] for one in mine)
    over = [one.at for one in told[case.about] if (one.alert, one.state) == (case.alert, INACTIVE)] if mine else []
    assert over == ([] if case.ends is None else [case.ends])


def test_every_alert_has_rows_that_fire_it_and_rows_that_do_not(rules: Body) -> None:
    alerts = {rule["alert"] for group in rules["groups"] for rule in group["rules"]}

    assert {case.alert for case in CASES if case.alert in case.fires} == alerts
    assert {case.alert for case in CASES if not case.fires} == alerts


def test_what_a_person_reads_is_whole(told: dict[str, list[Told]]) -> None:
    """Templates expand, in the words of a person; who routes by severity or namespace finds both."""
    for one in (one for life in told.values() for one in life if one.state == FIRING):
        for text in (one.annotations["summary"], one.annotations["description"]):
            assert not re.search(r"[{}<>%\n]|no value|  |\d\.\d", text), text
            assert text[0].isupper() or text[0].isdigit(), text
        assert one.annotations["summary"].endswith("."), one.annotations["summary"]
        assert one.labels["severity"] in SEVERITIES
        assert one.labels["namespace"] == "gatehold-system"


def test_no_alert_is_told_twice_at_a_time(told: dict[str, list[Told]]) -> None:
    """Not once for each replica: who is woken is woken once."""
    for life in told.values():
        now: set[str] = set()
        for one in life:
            if one.state == FIRING:
                assert one.alert not in now
                now.add(one.alert)
            elif one.state == INACTIVE:
                now.discard(one.alert)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"expr": "min(gatehold_leader"}, "could not parse"),
        ({"for": "soon"}, "not a valid duration"),
        ({"annotations": {"summary": "{{ $value | humanise }}"}}, 'function "humanise" not defined'),
        ({"severity": "critical"}, "field severity not found"),
    ],
    ids=["expression", "duration", "template", "member"],
)
def test_what_prometheus_would_not_load_is_told(rules: Body, change: Mapping[str, Any], why: str) -> None:
    (group,) = rules["groups"]
    first, *others = group["rules"]

    assert loaded(rules) == ""
    assert why in loaded({"groups": [{**group, "rules": [{**first, **change}, *others]}]})


@pytest.mark.parametrize("values", [{}, {"gates": {"pods": {"enabled": False}}}, {"webhook": {"enabled": True}}], ids=str)
def test_every_choice_of_what_is_watched_can_be_loaded(values: Mapping[str, Any]) -> None:
    assert loaded(spec({"monitoring": {"rules": {"enabled": True}}, **values})) == ""
