"""What the API server refuses, as a person reads it: its own sentence, who said it, and what to type next."""

from __future__ import annotations

import re

from gatehold.cli.exits import Exit, Leave
from gatehold.cli.text import plain
from gatehold.kube import errors

_WALL = re.compile(
    r"ValidatingAdmissionPolicy '(?P<policy>[^']*)' with binding '[^']*' denied request: (?P<said>.*)",
    re.DOTALL,
)
_RBAC = re.compile(
    r"(?:.* is forbidden: )?User \"(?P<user>[^\"]*)\" cannot (?P<verb>\S+) resource \"(?P<what>[^\"]*)\"(?P<rest>.*)",
    re.DOTALL,
)
_NO_KIND = ("could not find the requested resource", "page not found")
_NOT_INSTALLED = "this cluster does not know that kind: Gatehold, or this version of it, is not installed here"
_RIGHTS = "kubectl auth whoami; gatehold doctor (who holds which right)"

_NEXT: tuple[tuple[str, str], ...] = (
    ("you hold none of the roles", "gatehold show {name} (who may decide, and how to check)"),
    ("you do not hold role", "gatehold show {name} (who may decide, and how to check)"),
    ("is not asked for here", "gatehold show {name} (which roles are asked)"),
    ("has not prepared this request yet", "gatehold show {name}; if it stays so: gatehold doctor"),
    ("you opened this request", 'gatehold withdraw {name} -m "why"'),
    ("a veto is still possible", 'gatehold deny {name} -m "why"'),
    ("may withdraw it", 'gatehold deny {name} -m "why"'),
    ("pick one of the options", "gatehold show {name}, then give --option NAME"),
    ("no longer takes verdicts", "gatehold show {name}"),
    ("this verdict is for another digest", "gatehold show {name}, then decide again"),
    ("you may not override policy", "gatehold show {name} (who may decide without an override)"),
    ("you may not open requests", "kubectl auth whoami; then have the verb granted by whoever owns the policy"),
    ("spec.requester must be you", "leave spec.requester out of the file: it is filled in for you"),
    ("you need verb patch on jobs", "kubectl auth can-i patch jobs.batch"),
    ("you may not ask for drains", "kubectl auth can-i drain nodes; then have the verb granted by whoever owns the nodes"),
)


def sentence(error: errors.ApiError) -> str:
    """The error in one short sentence, not yet safe for a terminal."""
    wall, rbac = _WALL.search(error.message), _RBAC.fullmatch(error.message)
    if wall:
        return wall["said"].strip()
    if rbac:
        return f"{rbac['user']} may not {rbac['verb']} {rbac['what']}{rbac['rest'].rstrip()}"
    return error.message


def is_unknown_kind(error: errors.ApiError) -> bool:
    """Whether the server does not know the kind at all; else it is the object that is not there."""
    return any(text in error.message for text in _NO_KIND)


def leave_for(error: errors.ApiError, at: str = "NAME") -> Leave:
    """How a command ends after that error; `at` is how the user names the request, for the next command."""
    wall = _WALL.search(error.message)
    if wall:
        said = sentence(error)
        origin = f"refused by ValidatingAdmissionPolicy {wall['policy']} in the API server"
        return Leave(Exit.REFUSED, f"{plain(said)}\n[dim]{plain(origin)}[/dim]", _next(said, at))
    match error:
        case errors.Unauthenticated():
            return Leave(Exit.API_ERROR, f"your credentials were refused: {plain(error.message)}", "kubectl auth whoami")
        case errors.Unavailable():
            return Leave(Exit.API_ERROR, plain(error.message), "kubectl config get-contexts; kubectl version")
        case errors.Absent() if is_unknown_kind(error):
            return Leave(Exit.ABSENT, _NOT_INSTALLED, "gatehold doctor")
        case errors.Absent():
            return Leave(Exit.ABSENT, plain(error.message), "gatehold list -A")
        case errors.Forbidden():
            return _forbidden(error)
        case errors.TooManyRequests():
            return Leave(Exit.API_ERROR, plain(error.message), "the same command again, a little later")
        case _:
            pass
    code = Exit.REFUSED if 400 <= error.status < 500 else Exit.API_ERROR
    return Leave(code, plain(error.message, lines=True), _next(error.message, at))


def _forbidden(error: errors.ApiError) -> Leave:
    if not _RBAC.fullmatch(error.message):
        return Leave(Exit.REFUSED, plain(error.message))
    return Leave(Exit.REFUSED, f"{plain(sentence(error))}\n[dim]refused by RBAC[/dim]", _RIGHTS)


def _next(said: str, at: str) -> str:
    """The first advice that fits the sentence."""
    return next((plain(advice.format(name=at)) for part, advice in _NEXT if part in said), "")
