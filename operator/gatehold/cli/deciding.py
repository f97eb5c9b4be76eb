"""approve, deny, override and withdraw: show what is decided, be sure, write, say what was written."""

from __future__ import annotations

from dataclasses import dataclass

from gatehold.cli.exits import Exit, Leave
from gatehold.cli.people import Person, demand_person
from gatehold.cli.question import effect_text
from gatehold.cli.render import dump_object
from gatehold.cli.session import Session
from gatehold.cli.show import print_request
from gatehold.cli.stamping import Pen, Say
from gatehold.cli.terminal import confirm, is_conversation, out
from gatehold.cli.text import plain
from gatehold.cli.view import View, look, roles_held
from gatehold.domain.model import Verdict, Word

_SHORTEST_DIGEST = 8
_PAST = {Word.APPROVE: "approved", Word.DENY: "denied", Word.OVERRIDE: "overrode", Word.WITHDRAW: "withdrew"}


@dataclass(frozen=True, slots=True)
class Order:
    """What the command line says."""

    name: str
    word: Word
    comment: str
    option: str = ""
    role: str = ""
    digest: str = ""
    yes: bool = False
    form: str | None = None


async def decide(session: Session, order: Order) -> None:
    """Carry out one verdict from the look to the result."""
    person = await session.me()
    if order.word is not Word.WITHDRAW:
        demand_person(person)
    view = await look(session, order.name)
    _check(view, order)
    _demand_digest(view, order)
    role = order.role or await _role(session, view, order.word)
    say = Say(order.word, view.status.request_digest, role, order.option, order.comment, person.username)
    pen = Pen(session, view, say)
    if order.word is not Word.WITHDRAW and not order.yes:
        await _be_sure(session, view, order, pen)
    await _report(session, view, await pen.write(), order)


def _check(view: View, order: Order) -> None:
    """What the wall would refuse too, said before anybody reads a whole question in vain."""
    name = plain(view.request.name)
    if view.over:
        state = view.status.phase
        raise Leave(Exit.REFUSED, f"this request is {state} and no longer takes verdicts", f"gatehold show {name}")
    if not view.status.request_digest and order.word is not Word.WITHDRAW:
        text = "the operator has not prepared this request yet, so there is nothing to decide on"
        raise Leave(Exit.REFUSED, text, f"gatehold show {name}; if it stays so: gatehold doctor")
    _check_option(view, order)


def _check_option(view: View, order: Order) -> None:
    if order.word in (Word.DENY, Word.WITHDRAW):
        return
    names = [option.name for option in view.request.options]
    if names and order.option not in names:
        said = f"there is no option {plain(order.option)} here" if order.option else "this request offers options"
        raise Leave(Exit.USAGE, f"{said}: pick one with --option", f"--option {plain(' or --option '.join(names))}")
    if order.option and not names:
        raise Leave(Exit.USAGE, "this request offers no options", "the same command without --option")


def _demand_digest(view: View, order: Order) -> None:
    """--digest says what was reviewed elsewhere: another digest that waits now is another question."""
    asked = order.digest.removeprefix("sha256:")
    if not asked:
        return
    if len(asked) < _SHORTEST_DIGEST:
        raise Leave(Exit.USAGE, f"--digest needs {_SHORTEST_DIGEST} characters or more")
    if not view.status.request_digest.removeprefix("sha256:").startswith(asked):
        text = f"what waits here is {plain(view.status.request_digest)}, not what you reviewed"
        raise Leave(Exit.CHANGED, text, f"gatehold show {plain(view.request.name)}")


async def _be_sure(session: Session, view: View, order: Order, pen: Pen) -> None:
    """Show the question and ask; what the API server would refuse is said before. Scripts say --yes."""
    if not is_conversation():
        at = f"{plain(view.request.name)} -n {plain(view.request.namespace)}"
        digest = plain(view.status.request_digest.removeprefix("sha256:")[:16])
        raise Leave(
            Exit.NOT_CONFIRMED,
            f"{order.word} needs a terminal, where it shows the question and asks, or --yes from a script",
            f"gatehold show {at}, then the same command with --yes --digest {digest}",
        )
    await pen.rehearse()
    await print_request(session, view, commands=False)
    if not confirm(f"\n{_sentence(view, order, await session.me())}"):
        raise Leave(Exit.NOT_CONFIRMED, "nothing was written")


def _sentence(view: View, order: Order, person: Person) -> str:
    """What exactly is about to be said, and by whom."""
    consequence = {
        Word.APPROVE: f"Approve{f' option {plain(order.option)} of' if order.option else ''}",
        Word.DENY: "Deny for good",
        Word.OVERRIDE: "[bold red]Override the reviewers[/bold red] of",
        Word.WITHDRAW: "Withdraw",
    }[order.word]
    digest = plain(view.status.request_digest.removeprefix("sha256:")[:12])
    effect = f" ({effect_text(view)})" if order.word in (Word.APPROVE, Word.OVERRIDE) else ""
    return f"{consequence} {plain(view.request.name)}{effect}, digest {digest}, as {plain(person.username)}?"


async def _role(session: Session, view: View, word: Word) -> str:
    """The role in which the word is said: one that still lacks approvals first; a veto may stand on verb deny.

    Without any, the API server says what is missing better than we could.
    """
    if word not in (Word.APPROVE, Word.DENY):
        return ""
    held = await roles_held(session, view)
    if not held and word is Word.DENY:
        held = await roles_held(session, view, "deny")
    return held[0] if held else ""


async def _report(session: Session, view: View, verdict: Verdict, order: Order) -> None:
    fresh = await look(session, view.request.name)
    if order.form is not None:
        dump_object(fresh.body, order.form)
        return
    role = f" as {plain(verdict.role)}" if verdict.role else ""
    option = f", option {plain(verdict.option)}" if verdict.option else ""
    out().print(
        f"{plain(verdict.username)} {_PAST[verdict.word]} {plain(view.request.name)}{role}{option} (verdict {verdict.id})"
    )
    missing = ", ".join(f"{need} of {' or '.join(entry.accepted)}" for entry, need in fresh.lacking())
    if verdict.word is Word.APPROVE and missing:
        out().print(f"still needed: {plain(missing)}")
