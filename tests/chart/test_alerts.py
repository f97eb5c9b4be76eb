"""The alerts: they speak of metrics that exist, and each has its section in the how-to. No server needed."""

import re
from typing import Any, Final

import pytest

import bundles
from gatehold.controllers.apply import RefusedError
from gatehold.domain.phases import Phase
from gatehold.domain.plan import NoteRequest
from gatehold.kube.clock import ClockUnknown
from gatehold.kube.errors import Conflict, Forbidden, Invalid, TooManyRequests, Unauthenticated, Unavailable
from gatehold.runtime.workers import _reason
from gatehold.telemetry.metrics import TABLE, Metric
from tests.chart.rendering import EVERYTHING, named, render

PAGE: Final = bundles.ROOT / "docs" / "how-to" / "alerts.md"
METRICS: Final[dict[str, Metric]] = {metric.name: metric for metric in TABLE}


@pytest.fixture(scope="module")
def rules() -> list[dict[str, Any]]:
    (group,) = named(render(EVERYTHING), "PrometheusRule")["spec"]["groups"]
    return list(group["rules"])


def test_every_alert_speaks_of_metrics_and_labels_that_exist(rules: list[dict[str, Any]]) -> None:
    for rule in rules:
        names = re.findall(r"\bgatehold_\w+", rule["expr"])
        assert names, rule["alert"]
        labels = {label for name in names for label in METRICS[name].labels}
        by = re.findall(r"by \(([^)]*)\)", rule["expr"])
        used = {label.strip() for group in by for label in group.split(",")}
        used |= set(re.findall(r"(\w+)!?=\"", rule["expr"]))
        used |= set(re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"] + rule["annotations"]["description"]))
        assert used <= labels, rule["alert"]


def test_the_result_of_a_failed_release_is_called_so(rules: list[dict[str, Any]]) -> None:
    (rule,) = [rule for rule in rules if rule["alert"] == "GateholdReleaseFailed"]

    assert set(re.findall(r'result="(\w+)"', rule["expr"])) == {str(Phase.FAILED)}


def test_the_reasons_that_the_page_explains_are_told() -> None:
    section = PAGE.read_text().partition("## GateholdCyclesFail")[2].partition("\n## ")[0]
    rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    explained = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    answers = (kind("no") for kind in (Conflict, Forbidden, Invalid, TooManyRequests, Unauthenticated, Unavailable))
    refused = RefusedError(NoteRequest(), Forbidden("no"))
    others = (ClockUnknown("no answer"), TimeoutError(), RuntimeError("a slip"))
    assert explained == {_reason(error) for error in (*answers, refused, *others)}


def test_every_alert_has_its_section_and_every_section_its_alert(rules: list[dict[str, Any]]) -> None:
    sections = re.findall(r"^## (\w+)$", PAGE.read_text(), re.MULTILINE)

    assert sorted(sections) == sorted(rule["alert"] for rule in rules)
    for rule in rules:
        assert rule["annotations"]["runbook_url"] == f"docs/how-to/alerts.md#{rule['alert'].lower()}"


def test_the_runbooks_can_stand_elsewhere() -> None:
    told = {"monitoring": {"rules": {"enabled": True, "runbookBase": "https://runbooks.example.org/gatehold/#"}}}
    (group,) = named(render(told), "PrometheusRule")["spec"]["groups"]

    assert {rule["annotations"]["runbook_url"].partition("#")[0] for rule in group["rules"]} == {
        "https://runbooks.example.org/gatehold/"
    }


def test_what_is_not_there_is_not_watched() -> None:
    told = {"monitoring": {"rules": {"enabled": True}}, "gates": {"pods": {"enabled": False}}}
    (group,) = named(render(told), "PrometheusRule")["spec"]["groups"]

    assert not {"GateholdCertificateNearEnd", "GateholdPricesUnusable"} & {rule["alert"] for rule in group["rules"]}
