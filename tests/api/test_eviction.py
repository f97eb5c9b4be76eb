"""What the API server says to an eviction, in words fit for a status. The sentences are those of 1.36."""

import pytest

from gatehold.api.eviction import MOST_TEXT, block
from gatehold.domain.nodes import Block

NO = "Cannot evict pod as it would violate the pod's disruption budget."
TWO = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."
NEVER = "(the API server evicts no pod that two budgets cover)"


def says(text: str) -> tuple[tuple[str, str], ...]:
    return (("FieldValueInvalid", "other"), ("DisruptionBudget", f"The disruption budget {text}"))


Row = tuple[int, str, tuple[tuple[str, str], ...], tuple[str, ...], tuple[Block, str] | None]
ROWS: dict[str, Row] = {
    "a budget without room": (
        429,
        NO,
        says("web needs 2 healthy pods and has 2 currently"),
        (),
        (Block.BUDGET, "budget shop/web (needs 2 healthy pods and has 2)"),
    ),
    "a budget that is not counted yet": (
        429,
        NO,
        says("web is still being processed by the server."),
        (),
        (Block.BUDGET, "budget shop/web (is still being processed by the server.)"),
    ),
    "a budget that cannot be counted": (
        429,
        NO,
        says("web does not allow evicting pods currently because it failed sync: found no\ncontrollers"),
        (),
        (
            Block.BUDGET,
            "budget shop/web (does not allow evicting pods currently because it failed sync: found no controllers)",
        ),
    ),
    "a budget in words to come": (
        429,
        NO,
        (("DisruptionBudget", "Budget web: later"),),
        (),
        (Block.BUDGET, "a budget: Budget web: later"),
    ),
    "a budget in words to come that is known": (
        429,
        NO,
        (("DisruptionBudget", "Budget web: later"),),
        ("shop/web",),
        (Block.BUDGET, "budget shop/web"),
    ),
    "too many calls": (
        429,
        "Too many requests, please try again later.",
        (),
        ("shop/web",),
        (Block.BUDGET, "the API server: Too many requests, please try again later."),
    ),
    "two budgets": (500, TWO, (), ("shop/a", "shop/b"), (Block.TWO_BUDGETS, f"budgets shop/a and shop/b {NEVER}")),
    "two budgets that are not known": (500, TWO, (), (), (Block.TWO_BUDGETS, f"more than one budget {NEVER}")),
    "two budgets of which one is known": (500, TWO, (), ("shop/a",), (Block.TWO_BUDGETS, f"more than one budget {NEVER}")),
    "a namespace that goes": (
        403,
        "unable to create new content",
        (("NamespaceTerminating", "namespace shop is being terminated"),),
        (),
        (Block.NAMESPACE, "namespace shop (it is being deleted)"),
    ),
    "a right that is missing": (403, "no", says("x"), (), None),
    "another trouble": (500, "etcd", (), ("shop/a", "shop/b"), None),
    "a pod that is gone": (404, NO, says("web needs 2 healthy pods and has 2 currently"), (), None),
}


@pytest.mark.parametrize(("code", "message", "causes", "covering", "expected"), ROWS.values(), ids=ROWS)
def test_an_eviction_meets(
    code: int,
    message: str,
    causes: tuple[tuple[str, str], ...],
    covering: tuple[str, ...],
    expected: tuple[Block, str] | None,
) -> None:
    assert block(code, message, causes, "shop", covering) == expected


def test_long_words_fit() -> None:
    many = tuple(f"shop/{number}{'x' * 200}" for number in range(9))
    for found in (
        block(500, TWO, (), "shop", many),
        block(429, NO, says("w" * 253 + " " + "y" * 9000), "n" * 63),
        block(429, "z" * 9000, (), "shop"),
    ):
        assert found is not None
        assert len(found[1]) <= MOST_TEXT
