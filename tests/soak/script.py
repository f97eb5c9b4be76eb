"""What happens in one life, drawn in advance from the seed and the number of the life: the same seed, the same script."""

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from tests.soak.cast import NAMESPACES, NOWHERE, POLICIES, holders

Body = dict[str, Any]

ILLEGAL: Final = (
    "approve-own",
    "approve-as-nobody",
    "override-as-nobody",
    "withdraw-of-another",
    "another-digest",
    "edit-a-verdict",
    "verdict-of-another",
    "let-job-go",
    "change-job",
    "write-status",
    "label-done",
    "delete-of-another",
    "approve-after-the-end",
)


@dataclass(frozen=True, slots=True)
class Move:
    """Something that somebody does, so many seconds after the move before."""

    after: float
    who: str
    what: str  # a word, a name of ILLEGAL, or delete-job, delete-undo, delete-request, break-glass
    option: str = ""
    when_running: bool = False  # wait until the effect has begun


@dataclass(frozen=True, slots=True)
class Script:
    """One life."""

    number: int
    namespace: str
    policy: str
    requester: str
    spec: Body = field(default_factory=dict)
    job: str | None = None  # how the held Job behaves; None: effect None
    undo: str | None = None
    rival: bool = False  # a second request asks for the same Job
    moves: tuple[Move, ...] = ()

    @property
    def name(self) -> str:
        """The name of its request and of its Job."""
        return f"r{self.number}"


def write(seed: int, number: int) -> Script:
    """The script of a life."""
    dice = Random(f"{seed}/life/{number}")
    policy = dice.choices([*POLICIES, NOWHERE], [4, 4, 4, 3, 2, 2, 2, 0.6])[0]
    requester = dice.choices(["ci", "robot-ci"], [5, 1])[0]
    is_job = dice.random() < 0.55 and policy != NOWHERE
    options: list[Body] = [{"name": "slow"}, {"name": "fast", "cost": {"amount": "12.50"}}] if dice.random() < 0.15 else []
    spec: Body = {"options": options} if options else {}
    spec |= {"timeoutSeconds": _timeout(dice)} if dice.random() < 0.6 else {}
    spec |= {"risk": {"score": dice.randrange(40, 101)}} if dice.random() < 0.25 else {}
    spec |= {"onBehalfOf": ["alice"]} if dice.random() < 0.1 else {}
    job = dice.choices(["", "fails", "runs"], [5, 3, 3])[0] if is_job else None
    if is_job:
        release: Body = {"timeoutSeconds": dice.randrange(3, 12)} if job == "runs" or dice.random() < 0.3 else {}
        spec |= {"effect": {"type": "Release", **({"release": release} if release else {})}}
    return Script(
        number,
        dice.choice(NAMESPACES),
        policy,
        requester,
        spec,
        job,
        undo=dice.choices(["", "fails"], [5, 1])[0] if is_job and dice.random() < 0.6 else None,
        rival=is_job and dice.random() < 0.08,
        moves=_moves(dice, [o["name"] for o in options], requester, is_job=is_job),
    )


def _timeout(dice: Random) -> int:
    """Short, middling, and a few that outlast the run."""
    return dice.choices([dice.randrange(2, 8), dice.randrange(8, 40), dice.randrange(900, 1800), 7200], [4, 5, 0.5, 0.1])[0]


def _moves(dice: Random, options: list[str], requester: str, *, is_job: bool) -> tuple[Move, ...]:
    stories: dict[Callable[..., list[Move]], float] = {
        _quorum: 40,
        _too_few: 8,
        _denied: 10,
        _overridden: 6,
        _withdrawn: 5,
        _nothing: 4,
        _deleted_request: 4,
    }
    if is_job:
        stories |= {_stopped: 10, _taken_back: 4, _deleted_job: 5, _by_hand: 3}
    tale = dice.choices(list(stories), list(stories.values()))[0]
    moves = tale(dice, options, requester)
    for _ in range(dice.choices([0, 1, 2], [5, 2, 1])[0]):
        bad = Move(dice.uniform(0, 1), "", dice.choice(ILLEGAL))
        moves.insert(dice.randrange(len(moves) + 1), bad)
    return tuple(moves)


def _yes(dice: Random, options: list[str], people: list[str]) -> list[Move]:
    pick = dice.choice(options) if options else ""
    found = []
    for who in people:
        other = dice.choice(options) if options and dice.random() < 0.2 else pick
        found.append(Move(dice.choice([0, 0, dice.uniform(0, 2), dice.uniform(0, 5)]), who, "approve", other))
    return found


def _quorum(dice: Random, options: list[str], requester: str) -> list[Move]:
    """Enough for any of the policies, in any order."""
    sre = 3 if requester == "robot-ci" else dice.choice([2, 2, 3])
    people = [*dice.sample(holders("sre"), sre), *dice.sample(holders("finance"), dice.choice([1, 1, 2]))]
    if dice.random() < 0.3:
        people.append("dana")
    dice.shuffle(people)
    return _yes(dice, options, people)


def _too_few(dice: Random, options: list[str], requester: str) -> list[Move]:
    return _yes(dice, options, [dice.choice([*holders("sre"), *holders("finance")])])


def _nothing(dice: Random, options: list[str], requester: str) -> list[Move]:
    return []


def _denied(dice: Random, options: list[str], requester: str) -> list[Move]:
    """Perhaps by somebody who had approved before."""
    first = _yes(dice, options, dice.sample(holders("sre"), 1)) if dice.random() < 0.5 else []
    who = first[0].who if first and dice.random() < 0.4 else dice.choice([*holders("sre"), *holders("finance"), "dana"])
    return [*first, Move(dice.uniform(0, 4), who, "deny")]


def _overridden(dice: Random, options: list[str], requester: str) -> list[Move]:
    return [Move(dice.uniform(0, 4), "dana", "override", dice.choice(options) if options else "")]


def _withdrawn(dice: Random, options: list[str], requester: str) -> list[Move]:
    return [*_too_few(dice, options, requester), Move(dice.uniform(0, 4), requester, "withdraw")]


def _deleted_request(dice: Random, options: list[str], requester: str) -> list[Move]:
    return [Move(dice.uniform(0, 3), requester, "delete-request")]


def _stopped(dice: Random, options: list[str], requester: str) -> list[Move]:
    """Denied right after it was approved, or while it runs."""
    no = Move(dice.choice([0, dice.uniform(0, 1), dice.uniform(0, 3)]), dice.choice(holders("sre")), "deny")
    running = dice.random() < 0.6
    return [*_quorum(dice, options, requester), Move(no.after, no.who, no.what, when_running=running)]


def _taken_back(dice: Random, options: list[str], requester: str) -> list[Move]:
    return [*_quorum(dice, options, requester), Move(dice.uniform(0, 1), requester, "withdraw", when_running=True)]


def _deleted_job(dice: Random, options: list[str], requester: str) -> list[Move]:
    moves = _quorum(dice, options, requester)
    gone = Move(dice.uniform(0, 1), requester, dice.choice(["delete-job", "delete-job", "delete-undo"]))
    moves.insert(dice.randrange(len(moves) + 1), gone)
    return moves


def _by_hand(dice: Random, options: list[str], requester: str) -> list[Move]:
    moves = _too_few(dice, options, requester) if dice.random() < 0.5 else []
    return [*moves, Move(dice.uniform(0, 3), "dana", "break-glass")]
