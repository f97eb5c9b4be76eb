"""Who the user is, and whether that account can decide at all. Pure; session and the deciding commands use it."""

from __future__ import annotations

from typing import NamedTuple

from gatehold.cli.exits import Exit, Leave
from gatehold.cli.text import plain


class Person(NamedTuple):
    """The user as the API server knows them."""

    username: str
    uid: str = ""
    groups: tuple[str, ...] = ()

    @property
    def is_system(self) -> bool:
        """Whether Kubernetes itself, a node, a service account or a bootstrap administrator stands behind the name."""
        return self.username.startswith("system:")


def flaw(person: Person) -> str:
    """Why this account can never decide, as a sentence, or nothing."""
    name = person.username
    if name.startswith("system:serviceaccount:"):
        return f"you are {name}, a service account: it may ask, withdraw and wait, but only people decide"
    if name == "system:anonymous":
        return "the API server does not know who you are (system:anonymous)"
    if person.is_system:
        return f"you are {name}, an account of the system itself: the record has to name a person"
    return ""


ADVICE = (
    "Get a person's identity: log in through your cluster's OIDC provider, or have a client certificate with your own\n"
    "name signed (kubernetes.io/kube-apiserver-client). Then pick it with --context NAME; `kubectl config get-contexts`\n"
    "lists what you have, `kubectl auth whoami` says who you are."
)


def demand_person(person: Person) -> None:
    """End the command where this account cannot decide, with the way out."""
    reason = flaw(person)
    if reason:
        raise Leave(Exit.NOT_A_PERSON, f"{plain(reason)}.\n{plain(ADVICE, lines=True)}", "kubectl config get-contexts")
