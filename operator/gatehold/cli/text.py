"""Text from a resource on its way to a terminal. `plain` is the only door; pure, every command uses it."""

from __future__ import annotations

import unicodedata

_JOINERS = frozenset("\u200c\u200d\ufe0e\ufe0f")
"""Invisible, but Persian, Indic scripts and emoji need them: kept right after a letter or sign that is not ASCII."""
_FILLERS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180e\u180f\u2800\u3164\uffa0")
"""Letters and marks by their category that print as nothing."""
_MARKS_IN_A_ROW = 4
_CARETS = {i: chr(0x2400 + i) for i in range(32)} | {127: "\u2421"}


_MASKS = str.maketrans({"[": "\ue000", "\\": "\ue001", "]": "\ue002"})
_UNMASKS = str.maketrans({"\ue000": "[", "\ue001": "\\", "\ue002": "]"})
"""Brackets and backslashes on their way through rich. Its own `escape` looks at one text alone: an open bracket of one
text and a closing one of another, printed in one line, would still make a tag and swallow what stands between."""


def plain(text: object, *, lines: bool = False) -> str:
    """Make a text harmless for `terminal.out` and `err`: nothing invisible stays so, no escape code, no markup gets through.

    `lines` keeps line feeds; otherwise a text stays one line. None is the empty text. The consoles of `terminal` alone
    print it as it was.
    """
    return visible("" if text is None else str(text), lines=lines).translate(_MASKS)


def unmask(text: str) -> str:
    """The text as a terminal shows it; rich has seen it already. A private character of a resource never gets here."""
    return text.translate(_UNMASKS)


def visible(text: str, *, lines: bool = False) -> str:
    """Show control, direction, invisible and private characters as what they are; for output without markup."""
    shown: list[str] = []
    marks = 0
    for place, char in enumerate(text):
        marks = marks + 1 if unicodedata.combining(char) else 0
        before = text[place - 1] if place else ""
        if (char == "\n" and lines) or (_prints(char, before) and marks <= _MARKS_IN_A_ROW):
            shown.append(char)
        else:
            shown.append(_named(char))
    return "".join(shown)


def _prints(char: str, before: str) -> bool:
    if char.isascii():
        return char.isprintable()
    if char in _JOINERS:
        return bool(before) and not before.isascii()
    if char in _FILLERS or 0xE0000 <= ord(char) <= 0xE0FFF or 0xFE00 <= ord(char) <= 0xFE0F:
        return False
    return unicodedata.category(char) not in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}


def _named(char: str) -> str:
    """A picture for the old control characters, the number for everything else."""
    return _CARETS.get(ord(char)) or f"<U+{ord(char):04X}>"


def shorten(text: str, width: int) -> str:
    """Cut a text to a width that a column can show, with a sign that it was cut."""
    return text if len(text) <= width else text[: max(width - 1, 0)] + "\u2026"
