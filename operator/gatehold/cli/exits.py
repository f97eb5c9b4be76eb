"""Every exit code with its meaning; docs/reference/exit-codes.md is made from it. Commands end by `Leave`."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """How a command ended. A pipeline may branch on the number; no number has two meanings within one command."""

    meaning: str

    def __new__(cls, value: int, meaning: str = "") -> Exit:
        """Attach the one-line meaning to the number."""
        member = int.__new__(cls, value)
        member._value_ = value
        member.meaning = meaning
        return member

    OK = (
        0,
        (
            "Done as asked. wait: it passed. drain --follow: all nodes are drained. rollout watch: it is promoted. "
            "verify: every digest fits. doctor: nothing to do."
        ),
    )
    NO = (
        1,
        (
            "wait, drain --follow, rollout watch: a reviewer denied it. rollout retry: nothing to do. verify: it differs. "
            "doctor: findings. uncordon: a drain is still under way there. certs init: what is there cannot be used. "
            "approve --all: not each of them could be approved."
        ),
    )
    EXPIRED = 2, "wait, drain --follow, rollout watch: not enough people said yes before the deadline."
    LAPSED = 3, "wait, drain --follow, rollout watch: approved, but its validity is over; ask again."
    SUPERSEDED = (
        4,
        (
            "wait, drain --follow: the subject (a node) changed or went, so the question is void. "
            "rollout watch: the spec was changed meanwhile."
        ),
    )
    WITHDRAWN = 5, "wait, drain --follow, rollout watch: the requester took it back."
    FAILED = (
        6,
        (
            "wait, drain --follow, rollout watch: it could not be carried out (pods not ready, or not gone, in time), "
            "or should not have been asked."
        ),
    )
    TIMEOUT = (
        7,
        (
            "wait, rollout watch: --timeout is over; nothing is decided yet, nothing was changed. uncordon: done, but the "
            "maintenance has not ended yet. certs init: done, but the webhook does not answer."
        ),
    )
    GONE = 8, "wait, drain --follow, rollout watch: it was deleted, or another one stands under its name (its uid differs)."
    API_ERROR = 10, "The API server does not answer, or answers what nobody expects: nothing is known."
    REFUSED = 11, "The API server refused: RBAC, the admission wall or the schema; its sentence is shown."
    ABSENT = (
        12,
        "What was named does not exist. approve --all: nothing waits, or everything is left out; nothing was written.",
    )
    KEY_TAKEN = 13, "ask: --key or --name belongs to a request with another spec; the differences are shown."
    NOT_CONFIRMED = 14, "A verdict was not confirmed: no was answered, or there is no terminal and no --yes."
    NOT_A_PERSON = 15, "The account cannot decide: service accounts and system accounts never can."
    CHANGED = 16, "The digest to decide on is not the one that waits there: look again."
    ABOVE_LIMIT = (
        20,
        "price: all of it costs more than a limit that was given, or a workload more than the Gate's threshold.",
    )
    PRICE_UNKNOWN = (
        21,
        "price: something has no price, or the price table cannot be used. No limit is exceeded as far as known.",
    )
    USAGE = 64, "The command line, or a file that it names, cannot be used as it is."
    INTERRUPTED = 130, "Stopped by ^C; nothing was taken back."


class Leave(Exception):  # noqa: N818 (not always an error: it carries the exit code past typer)
    """End the command now, with this code; whatever there is to say has been said, or is said in `text` on stderr."""

    def __init__(self, code: Exit, text: str = "", next_command: str = "") -> None:
        """`text` and `next_command` are already safe for the terminal (`text.plain`)."""
        super().__init__(text)
        self.code = code
        self.text = text
        self.next_command = next_command


def documentation() -> str:
    """The table of docs/reference/exit-codes.md."""
    rows = [f"| {int(code)} | `{code.name}` | {code.meaning} |" for code in Exit]
    return "\n".join(["| Code | Name | Meaning |", "|---|---|---|", *rows]) + "\n"
