"""What a person is told about a request for a promotion."""

from datetime import UTC, datetime
from io import StringIO
from typing import Any

from rich.console import Console

from gatehold.cli.question import question
from gatehold.cli.record import at_the_deadline
from gatehold.cli.view import View, view_of
from tests.cli.bodies import request

NOW = datetime(2030, 1, 1, 11, 30, tzinfo=UTC)
SUBJECT = {"apiVersion": "gatehold.dev/v1alpha1", "kind": "Rollout", "name": "web", "uid": "r1"}


def view(*, status: dict[str, Any] | None = None, **spec: Any) -> View:
    return view_of(request(spec={"effect": {"type": "Promote"}, "subject": SUBJECT} | spec, status=status))


def shown(seen: View) -> str:
    console = Console(file=StringIO(), width=200)
    for title, part in question(seen, NOW):
        console.print(title, part)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def test_it_shows_who_changed_it_and_what_the_canary_runs() -> None:
    text = shown(view(authors=["zoe", "*"], status={"resolved": {"imageIDs": ["app=web@sha256:1"]}}))

    assert "zoe, more people than can be named here" in text
    assert "app=web@sha256:1" in text
    assert "the canary of Rollout web becomes stable" in text


def test_it_shows_authors_who_all_have_names() -> None:
    assert "more people" not in shown(view(authors=["zoe", "yan"]))


def test_it_says_what_time_does_to_the_canary() -> None:
    words = dict(at_the_deadline(view(), NOW)).values()

    assert any("Rollout web takes its canary away and keeps what stable runs" in text for text in words)
