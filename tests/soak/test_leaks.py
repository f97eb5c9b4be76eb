"""A process that grows is caught."""

from collections.abc import Callable
from dataclasses import replace
from random import Random

from tests.soak import leaks
from tests.soak.leaks import Life


def life(figure: Callable[[float], float], lasted: float = 600.0) -> Life:
    """A process with memory as given by time, and steady descriptors."""
    dice = Random(1)
    times = [5.0 * n for n in range(int(lasted / 5))]
    return Life("soak-0", 1, [leaks.Sample(t, figure(t) + dice.uniform(-2, 2), 40 + dice.randrange(6), 20) for t in times])


def test_a_process_that_grows_is_caught_and_one_that_warms_up_is_not() -> None:
    growing = life(lambda t: 80 + t * 0.06)
    warming = life(lambda t: 80 + min(t, 120) * 0.1)
    leaking = Life(
        "soak-0", 1, [replace(s, sockets=20 + int(s.at / 10), files=40 + int(s.at / 10)) for s in warming.samples]
    )

    assert [text.split(": ")[1].split()[0] for text in leaks.leaks([growing])] == ["memory_mb"]
    assert list(leaks.leaks([warming])) == []
    assert [text.split(": ")[1].split()[0] for text in leaks.leaks([leaking])] == ["files", "sockets"]
    assert list(leaks.leaks([life(lambda t: 80 + t, lasted=100)])) == []
