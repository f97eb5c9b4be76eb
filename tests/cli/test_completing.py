"""What is offered at a tab: words of the program at once, names of live objects as the user may see them, and no errors."""

import pytest

from gatehold.cli import completing
from gatehold.cli.completing import FILES, ONLY_THESE, answer
from tests.cli.stage import Stage


def offered(*words: str) -> list[str]:
    """The candidates, without their descriptions and the line that ends them."""
    *found, last = answer(list(words)).splitlines()
    assert last == (ONLY_THESE if found else FILES)
    return [line.split("\t")[0] for line in found]


def test_commands_options_and_their_values_are_offered() -> None:
    assert offered("with") == ["withdraw"]
    assert "--undo-job" in offered("ask", "--")
    assert offered("wait", "--for", "re") == ["released"]
    assert offered("completion", "") == ["bash", "zsh", "fish", "kubectl"]


def test_a_file_is_left_to_the_shell() -> None:
    assert offered("ask", "--file", "x") == []


def test_names_of_requests_are_offered_that_are_not_over(both: Stage, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(completing, "SECONDS", 60.0)  # a person at a tab has less patience than a busy machine takes
    both.request(f"{name}-b")
    both.request(f"{name}-a")
    both.status(f"{name}-b", phase="Pending")
    where = ("-n", "shop", "--kubeconfig", both.kubeconfig("alice"))
    assert offered("show", *where, f"{name}-") == [f"{name}-a", f"{name}-b"]
    assert f"{name}-b\tPending" in answer(["approve", *where, f"{name}-b"])


def test_who_may_not_see_them_is_offered_none(both: Stage, capfd: pytest.CaptureFixture[str]) -> None:
    nobody = str(both.plane.user("nobody-at-all"))
    assert offered("show", "-n", "shop", "--kubeconfig", nobody, "") == []
    assert offered("rollout", "show", "-n", "shop", "--kubeconfig", "/no/such/file", "") == []
    assert capfd.readouterr() == ("", "")
