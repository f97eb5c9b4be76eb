"""Who may decide a request: its quorum beside the policy's own, what the user may do, and what to type. For `show`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gatehold.api.approval_policy import parse
from gatehold.api.common import ParseError
from gatehold.cli import argo
from gatehold.cli.drain import sight
from gatehold.cli.people import Person, flaw
from gatehold.cli.record import quorum_table
from gatehold.cli.refusals import sentence
from gatehold.cli.session import Session
from gatehold.cli.text import plain
from gatehold.cli.view import View, barred, roles_held
from gatehold.domain.model import EffectType, Policy, QuorumEntry, Word
from gatehold.domain.phases import Phase
from gatehold.domain.plan import Finding, Rules
from gatehold.domain.tiers import ask
from gatehold.kube.errors import Absent, ApiError, Forbidden
from gatehold.kube.resources import POLICIES

if TYPE_CHECKING:
    from rich.console import RenderableType


_NAMED = 8


@dataclass(frozen=True, slots=True)
class Deciders:
    """What was found out about rights; `policy` is None with a reason where it could not be read."""

    person: Person
    held: frozenset[str]
    may_override: bool
    policy: Policy | None
    unread: str = ""


async def find_out(session: Session, view: View) -> Deciders:
    """Ask the API server what the user may do here, and read the policy as it is now."""
    person = await session.me()
    held: frozenset[str] = frozenset()
    override = False
    if not view.over:
        held = frozenset(await roles_held(session, view))
        override = await session.may("override", view.request.policy, view.request.namespace)
    try:
        policy = parse(await session.cluster.get(POLICIES, None, view.request.policy))
    except Absent:
        return Deciders(person, held, override, None, f"policy {view.request.policy} does not exist any more")
    except Forbidden as error:
        return Deciders(person, held, override, None, f"not compared with the policy itself: {sentence(error)}")
    except (ApiError, ParseError) as error:
        return Deciders(person, held, override, None, f"policy {view.request.policy} cannot be read: {error}")
    return Deciders(person, held, override, policy)


def who_decides(view: View, found: Deciders) -> Iterator[RenderableType]:
    """The quorum, warnings where it is weaker than the policy, and how to check a right."""
    status = view.status
    if status.quorum:
        yield quorum_table(view, None if view.over else found.held)
    elif status.request_digest:
        tier = status.decision.tier if status.decision is not None else ""
        yield plain(f"Nobody: automatic tier {tier or '(not named)'} of the policy decides alone.")
    else:
        yield "Not known before the operator has prepared the request."
    for warning in weaker(view, found):
        yield f"[bold red]warning:[/bold red] {plain(warning)}"
    if found.unread and view.status.request_digest:
        yield f"[dim]note: {plain(found.unread)}[/dim]"
    if status.quorum and not view.over:
        policy = f"approvalpolicies.gatehold.dev/{view.request.policy}"
        role, place = status.quorum[0].role, view.request.namespace
        yield f"[dim]check:[/dim] {plain(f'kubectl auth can-i approve {policy} --subresource={role} -n {place}')}"


def weaker(view: View, found: Deciders) -> list[str]:
    """Where the recorded quorum asks less than the policy as it is now. A stolen operator could write a weaker one."""
    if not view.status.request_digest:
        return []
    if found.policy is None:
        return []
    price = view.status.resolved.price if view.status.resolved is not None else None
    asked = ask(found.policy, view.request, price, Rules())
    if isinstance(asked, Finding):
        return [f"the policy cannot be used as it is now: {asked.message}"]
    gaps = _gaps(asked.quorum, view.status.quorum)
    snapshot = view.status.policy
    if gaps and snapshot is not None and snapshot.digest != found.policy.digest:
        gaps.append(
            "the policy was changed after this was asked; the request keeps what it was, the above compares with now"
        )
    return gaps


def _gaps(wanted: tuple[QuorumEntry, ...], written: tuple[QuorumEntry, ...]) -> list[str]:
    by_role = {entry.role: entry for entry in written}
    gaps: list[str] = []
    for entry in wanted:
        found = by_role.get(entry.role)
        if found is None:
            gaps.append(f"the policy asks {entry.count} of {entry.role}, this request asks nobody of that role")
            continue
        if found.count < entry.count:
            gaps.append(f"the policy asks {entry.count} of {entry.role}, this request only {found.count}")
        foreign = [role for role in found.accepted if role not in (entry.role, *entry.backups)]
        if foreign:
            gaps.append(f"for {entry.role} this request accepts {', '.join(foreign)}, which the policy does not name there")
    return gaps


def your_part(view: View, found: Deciders) -> Iterator[str]:
    """What the user may do about it, as sentences and commands to copy."""
    person = found.person
    at = f"{plain(view.request.name)} -n {plain(view.request.namespace)}"
    reason = flaw(person) or barred(view, person)
    yield f"[dim]you are {plain(person.username)}{': ' + plain(reason) if reason and not view.over else ''}[/dim]"
    if view.over:
        yield from _maintenance(view)
        yield f"gatehold verify {at}"
        return
    option = " --option NAME" if view.request.options else ""
    pending = view.status.phase is Phase.PENDING and bool(view.status.request_digest)
    if pending and found.held and not reason:
        yield f'gatehold approve {at}{option} -m "why"'
    mine = person.username == view.request.requester.username
    stoppable = pending or view.status.phase is Phase.APPROVED
    if stoppable and found.held and not mine and not person.is_system and Word.DENY not in view.words_of(person.username):
        yield f'gatehold deny {at} -m "why"'
    if mine:
        yield f'gatehold withdraw {at} -m "why"'
    if pending and found.may_override and not person.is_system:
        yield f'gatehold override {at}{option} -m "why nobody can be waited for"   [dim]break-glass, recorded for good[/dim]'
    if argo.is_argo(view):
        yield argo.next_command(view)
    elif view.request.effect.type is EffectType.PROMOTE and view.request.subject is not None:
        yield f"gatehold rollout show {plain(view.request.subject.name)} -n {plain(view.request.namespace)}"
    yield f"gatehold wait {at}"


def _maintenance(view: View) -> Iterator[str]:
    """What ends the maintenance that a drain leaves behind."""
    drained = sight.drained(view)
    if sight.is_drain(view) and drained:
        shown = drained if len(drained) <= _NAMED else [*drained[:_NAMED], "..."]
        yield f"gatehold uncordon {plain(' '.join(shown))}   [dim]ends their maintenance, unless somebody did[/dim]"
