"""What Prometheus makes of the chart's alerts: by its own code, built from its pinned module (hack/tools/promrules)."""

import json
import subprocess
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import yaml

from controlplane.tools import tool
from tests.chart.rendering import EVERYTHING, named, render

Body = dict[str, Any]
EVERY: Final = 30
"""Seconds between two scrapes (the default of the chart) and between two evaluations (that of the Prometheus operator)."""
FIRING: Final = "firing"
INACTIVE: Final = "inactive"


class Told(NamedTuple):
    """An alert took another state; `at` counts seconds."""

    at: int
    alert: str
    state: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]


class Scrape(NamedTuple):
    """What a replica served at that second; an empty text: nobody answered."""

    at: int
    replica: str
    text: str


def target(replica: str) -> dict[str, str]:
    """The labels that the Prometheus operator gives what it scrapes by our PodMonitor."""
    return {
        "job": "gatehold-system/gatehold",
        "namespace": "gatehold-system",
        "pod": f"gatehold-{replica}",
        "container": "operator",
        "endpoint": "http",
        "instance": f"{replica}.pods:8080",
    }


def spec(values: Mapping[str, Any] | None = None) -> Body:
    """The rules, by default with everything there is to watch."""
    found: Body = named(render(EVERYTHING if values is None else values), "PrometheusRule")["spec"]
    return found


def loaded(rules: Body) -> str:
    """Why Prometheus would not start with these rules; empty where it would."""
    done = _asked(rules, [])
    return done.stderr if done.returncode else ""


def tells(rules: Body, lives: Sequence[Mapping[str, str]], minutes: int) -> list[list[Told]]:
    """For each life, series and their samples as promtool's unit tests write them: what is told in that time."""
    return _answers(rules, [{"interval": EVERY, "until": minutes * 60, "series": dict(series)} for series in lives])


def sees(rules: Body, scrapes: Sequence[Scrape], minutes: int) -> list[Told]:
    """What is told where replicas serve these texts, each until its next one."""
    last: dict[str, str] = {}
    served = []
    for at in range(0, minutes * 60 + 1, EVERY):
        last |= {scrape.replica: scrape.text for scrape in scrapes if at - EVERY < scrape.at <= at}
        served += [{"at": at, "labels": target(replica), "text": text} for replica, text in last.items()]
    (told,) = _answers(rules, [{"interval": EVERY, "until": minutes * 60, "scrapes": served}])
    return told


def firing(told: Iterable[Told]) -> dict[str, int]:
    """When each alert fired first."""
    first: dict[str, int] = {}
    for one in told:
        if one.state == FIRING:
            first.setdefault(one.alert, one.at)
    return first


def _answers(rules: Body, cases: list[Body]) -> list[list[Told]]:
    done = _asked(rules, cases)
    assert done.returncode == 0, done.stderr
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [answer["error"] for answer in answers if "error" in answer] == []
    return [[Told(**one) for one in answer["told"]] for answer in answers]


def _asked(rules: Body, cases: list[Body]) -> "subprocess.CompletedProcess[str]":
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "rules.yaml"
        file.write_text(yaml.safe_dump(rules))
        lines = "".join(json.dumps(case) + "\n" for case in cases)
        argv = [tool("promrules"), file]
        return subprocess.run(argv, input=lines, capture_output=True, text=True, check=False, timeout=240)
