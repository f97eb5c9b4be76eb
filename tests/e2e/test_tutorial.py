"""docs/tutorial/first-approval.md, followed as its reader would: what it says, refuses and shows."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from controlplane import Cluster, wait_until
from demo.objects import POLICY
from playground import OperatorProcess, bind_people
from tests.docs.written import ROOT, Block, blocks
from tests.e2e.crowd import policies_path
from tests.e2e.rights import until_people_are_bound
from tests.e2e.rollouts import pages
from tests.e2e.stage import Stage
from tests.wall.api import Call

PAGE = ROOT / "docs" / "tutorial" / "first-approval.md"
pytestmark = pytest.mark.since(1, 36)
"""Its reviewers use one word."""


@pytest.fixture
def shop(gatehold: Cluster, operator: OperatorProcess) -> Iterator[Stage]:
    """What `make cluster` leaves: namespace shop with its people, and policy prod-change."""
    bind_people(gatehold, "shop")
    stage = Stage(gatehold, "shop", operator)
    until_people_are_bound(stage.api(), "shop")
    stage.apply(POLICY)
    wait_until(lambda: is_seen(stage), "the operator has seen the policy as it is now", 60)  # another test may have one
    yield stage
    stage.kubectl("delete", "job", "migrate", "--ignore-not-found")


def is_seen(stage: Stage) -> bool:
    """Whether the operator has looked at the newest version of the policy."""
    body = stage.api().must(Call(policies_path(POLICY["metadata"]["name"]), how="get"))
    return bool(body["status"]["observedGeneration"] == body["metadata"]["generation"])


def steps() -> list[tuple[str, Block]]:
    """Who does what: person and block, in order; a person who is refused begins with a dash."""
    marked = [block for block in blocks(PAGE.read_text()) if block.comment]
    return [(block.comment.removeprefix("as ").replace("refused to ", "-"), block) for block in marked]


def test_the_tutorial_is_followed(shop: Stage, tmp_path: Path) -> None:
    reader, said = pages.Reader(shop.cluster, tmp_path), list[str]()
    assert [who for who, _ in steps()] == ["ci", "ci", "-ci", "alice", "bob", "ci"]
    for who, block in steps():
        commands = pages.Block("", block.text.split("\n\n")[0] + "\n", person=who.removeprefix("-"))
        if who == "alice":
            shop.until_prepared("migrate-42")
        if len(said) == len(steps()) - 1:  # "a second later"
            shop.until_phase("migrate-42", "Released")
        if who.startswith("-"):
            with pytest.raises(AssertionError, match="this Job is held"):
                reader.follow(commands)
            said.append("")
        else:
            said.append(reader.follow(commands))
    shown, ended = said[3], said[-1]
    for text in (
        "registry.example.org/shop/tool:4.2",
        "Migrate the orders table to schema 42",
        "gatehold approve migrate-42 -n shop",
    ):
        assert text in shown
    for text in ("Released", "2/2", "Complete"):
        assert text in ended
