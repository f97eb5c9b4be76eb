"""What becomes of the pods of one owner: which go now, what is asked, why the rest waits. Total, deterministic, idempotent.

Nothing goes without one of two reasons: its price is under the Gate's threshold, or people approved that many of it.
"""

import re
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

from gatehold.domain.phases import Phase
from gatehold.domain.plan import Finding
from gatehold.domain.pricing.price import Estimate, is_under, price, shown
from gatehold.domain.pricing.table import PriceTable
from gatehold.domain.provision.groups import Group, about, covered, groups, is_open
from gatehold.domain.provision.model import Asked, JobSeen, LetGo, Owner, PodGate, Question, Sight
from gatehold.domain.provision.plan import GroupPlan
from gatehold.domain.reasons import Reason
from gatehold.domain.schedule import earliest

TOGETHER: Final = timedelta(seconds=1)
"""How long a group is waited for before people are asked: its pods come one after the other, and are one question."""

ODD_TOGETHER: Final = timedelta(seconds=3)
"""The same where nobody says how many there will be."""

_AGAIN: Final = "to ask again change the template, or annotate the owner with gatehold.dev/retry=<any new value>"
_MOST_NAME: Final = 40
_EDGE: Final = re.compile(r"[^a-z0-9]+$")


def decide(sight: Sight, now: datetime) -> GroupPlan:
    """What to do about the pods of one owner, now (aware, UTC, the API server's time)."""
    plans = [_of_group(sight, group, now) for group in groups(sight) if not group.idle]
    return GroupPlan(
        let_go=tuple(let for plan in plans for let in plan.let_go),
        ask=tuple(question for plan in plans for question in plan.ask),
        held=next((plan.held for plan in plans if plan.held is not None), None),
        recheck_at=earliest(tuple(plan.recheck_at for plan in plans)),
    )


def _of_group(sight: Sight, group: Group, now: datetime) -> GroupPlan:
    owner = sight.owner
    if owner.gone or owner.deleting:  # what is asked about it is superseded at once, again and again
        text = f"{owner.kind} {owner.name} is gone, and its pods go with it"
        return GroupPlan(held=Finding(Reason.SUBJECT_DELETED, text))
    asked = about(sight, group.digest)
    yes = covered(asked)
    let = first_wave(group, yes.covered, yes.uid) if yes is not None else None
    gone = (let,) if let is not None else ()
    if let is not None and len(let.pods) == len(group.waiting) and len(let.jobs) == len(group.suspended):
        return GroupPlan(gone)
    rest = _rest(sight, _without(group, let), asked, now)
    return GroupPlan((*gone, *rest.let_go), rest.ask, rest.held, rest.recheck_at)


def first_wave(group: Group, covered: int, released_by: str) -> LetGo | None:
    """What goes by a yes to that many pods: never more than so many live ones, and only Jobs whose pods may go then."""
    room = max(0, covered - group.running)
    pods, jobs = group.waiting[:room], _resumed(group, covered)
    return LetGo(released_by, pods, jobs) if pods or jobs else None


def _resumed(group: Group, covered: int) -> tuple[JobSeen, ...]:
    """The Jobs that go, the oldest first: the deadline of the rest must not run while their pods could not go anyway.

    One goes in any case where nothing else does, for people may have approved a part of what it wants.
    """
    taken, jobs = group.taken, list[JobSeen]()
    for job in group.suspended if covered else ():
        if taken and taken + job.size > covered:
            break
        taken += job.size
        jobs.append(job)
    return tuple(jobs)


def _without(group: Group, let: LetGo | None) -> Group:
    """The group without what goes already."""
    if let is None:
        return group
    gone = {*(pod.uid for pod in let.pods), *(job.uid for job in let.jobs)}
    pods = tuple(replace(pod, gated=pod.gated and pod.uid not in gone) for pod in group.pods)
    jobs = tuple(replace(job, suspended=job.suspended and job.uid not in gone) for job in group.jobs)
    return replace(group, pods=pods, jobs=jobs)


def _rest(sight: Sight, group: Group, asked: tuple[Asked, ...], now: datetime) -> GroupPlan:
    """What no yes covers: priced, let go where it is cheap, else asked about."""
    gate, table = sight.gate, sight.table
    if gate is None:
        return GroupPlan(held=Finding(Reason.GATE_NOT_FOUND, sight.why))
    if table is None:
        return GroupPlan(held=Finding(Reason.PRICE_TABLE_BROKEN, sight.table_flaw or "there is no price table"))
    if sight.owner.why:
        return GroupPlan(held=Finding(Reason.SUBJECT_NOT_FOUND, sight.owner.why))
    if group.odd and any(_is_past(a, group) for a in sight.asked):
        return GroupPlan(
            held=Finding(Reason.SUBJECT_CHANGED, "pods of an earlier template wait until their controller ends them")
        )
    estimate = _estimate(sight, group, gate, table, group.size)
    if is_under(estimate, gate.threshold):
        return GroupPlan((LetGo(f"gate/{gate.name}", group.waiting, group.suspended),))
    open_one = next((a for a in asked if is_open(a)), None)
    if open_one is not None:
        return GroupPlan(held=Finding(Reason.AWAITING_APPROVAL, f"request {open_one.name} asks about {open_one.asked} pods"))
    answered = _answered(group, asked)
    if answered is not None:
        return GroupPlan(held=answered)
    ready_at = group.since + (ODD_TOGETHER if group.odd else TOGETHER)
    if now < ready_at:
        return GroupPlan(recheck_at=ready_at)
    question = _question(sight, group, gate, table, estimate)
    return GroupPlan(ask=(question,), held=Finding(Reason.AWAITING_APPROVAL, f"request {question.name} is being opened"))


def _is_past(asked: Asked, group: Group) -> bool:
    """Whether it was about these pods when they were as the template said."""
    mine = asked.digest == group.digest and bool(asked.asked) and not asked.odd
    return mine and asked.phase is Phase.SUPERSEDED


def _answered(group: Group, asked: tuple[Asked, ...]) -> Finding | None:
    """Why nothing more is asked about what waits, or None. All of `asked` is over."""
    failed = next((a for a in asked if not a.asked), None)
    if failed is not None:  # to ask the same again would fail again, for ever
        text = f"request {failed.name} is {failed.phase} and never came to people; {_AGAIN}"
        return Finding(Reason.NOT_APPROVED, text)
    if group.size > max((a.asked for a in asked), default=0):
        return None
    yes = covered(asked)
    if yes is not None and group.size <= yes.covered:
        text = f"as many run as request {yes.name} covers ({yes.covered} pods): the rest goes once some have ended"
        return Finding(Reason.AWAITING_APPROVAL, text)
    last = max(asked, key=lambda a: (a.asked, a.name))
    text = (
        f"request {last.name} was about {last.asked} pods and is {last.phase}; what it does not cover stays held; {_AGAIN}"
    )
    return Finding(Reason.NOT_APPROVED, text)


def _estimate(sight: Sight, group: Group, gate: PodGate, table: PriceTable, size: int) -> Estimate:
    return Estimate(size, price(group.shape, table, gate.floor), sight.owner.duration)


def _question(sight: Sight, group: Group, gate: PodGate, table: PriceTable, estimate: Estimate) -> Question:
    owner, yes = sight.owner, _best(sight)
    options = () if group.odd else tuple((o, _estimate(sight, group, gate, table, o.pods)) for o in owner.options)
    return Question(
        name=request_name(owner, group.digest, len([a for a in sight.asked if a.digest == group.digest])),
        gate=gate,
        owner=owner,
        digest=group.digest,
        size=group.size,
        estimate=estimate,
        covered=yes.covered if yes is not None else 0,
        odd=group.odd,
        images=group.images,
        options=tuple((option, found) for option, found in options if option.pods <= group.size),
        retry=owner.retry,
    )


def _best(sight: Sight) -> Asked | None:
    """What is approved of this owner already, whatever its template was."""
    return covered(sight.asked)


def request_name(owner: Owner, digest: str, number: int) -> str:
    """The name of the `number`th question about that group: the same on every replica, so that twice is once."""
    shown_name = _EDGE.sub("", owner.name[:_MOST_NAME])
    told = f"{owner.uid}|{digest}|{owner.retry}"
    return f"{shown_name}-{sha256(told.encode(errors='replace')).hexdigest()[:8]}-p{number}"


def is_outgrown(sight: Sight, asked: Asked, size: int) -> bool:
    """Whether nobody has spoken on a question by now and it is about too few: then a new one takes its place."""
    return asked.phase in (Phase.UNSET, Phase.PENDING) and not asked.heard and size > asked.asked


def said(estimate: Estimate, currency: str) -> str:
    """A price in a line, for people."""
    low, high = estimate.hourly
    if not estimate.known:
        return f"price unknown ({'; '.join(estimate.pod.unknown)}), at least {shown(high)} {currency} an hour"
    return f"{shown(low)} to {shown(high)} {currency} an hour"
