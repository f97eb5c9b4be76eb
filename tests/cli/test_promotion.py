"""What a person is told about a request for a promotion."""

from datetime import UTC, datetime
from typing import Any

from gatehold.cli.question import question
from gatehold.cli.record import at_the_deadline
from gatehold.cli.view import View, view_of
from tests.cli.bodies import request
from tests.cli.pages import text

NOW = datetime(2030, 1, 1, 11, 30, tzinfo=UTC)
SUBJECT = {"apiVersion": "gatehold.dev/v1alpha1", "kind": "Rollout", "name": "web", "uid": "r1"}


def view(*, status: dict[str, Any] | None = None, **spec: Any) -> View:
    return view_of(request(spec={"effect": {"type": "Promote"}, "subject": SUBJECT} | spec, status=status))


def test_it_shows_who_changed_it_and_what_the_canary_runs() -> None:
    said = text(question(view(authors=["zoe", "*"], status={"resolved": {"imageIDs": ["app=web@sha256:1"]}}), NOW))

    assert "zoe, more people than can be named here" in said
    assert "app=web@sha256:1" in said
    assert "the canary of Rollout web becomes stable" in said


def test_it_shows_authors_who_all_have_names() -> None:
    assert "more people" not in text(question(view(authors=["zoe", "yan"]), NOW))


def test_it_says_what_time_does_to_the_canary() -> None:
    words = dict(at_the_deadline(view(), NOW)).values()

    assert any("Rollout web takes its canary away and keeps what stable runs" in text for text in words)
