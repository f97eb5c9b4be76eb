"""What leaves a resource for a terminal: nothing that steers it, nothing that hides, nothing that is markup."""

import io
import re
from contextlib import redirect_stdout

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from gatehold.cli.terminal import out
from gatehold.cli.text import plain, shorten, visible
from tests.cli.stage import Tty

HOSTILE = {
    "an escape sequence": ("\x1b[2J", "␛[2J"),
    "a window title": ("\x1b]0;pwn\x07", "␛]0;pwn␇"),
    "an eight-bit escape": ("\x9b31m", "<U+009B>31m"),
    "a carriage return": ("yes\rno", "yes␍no"),
    "a backspace": ("ab\b", "ab␈"),
    "a delete": ("\x7f", "␡"),
    "a line break": ("a\nb", "a␊b"),
    "a direction override": ("a\u202eb", "a<U+202E>b"),
    "an isolate": ("\u2066", "<U+2066>"),
    "a zero-width space": ("a\u200bb", "a<U+200B>b"),
    "a joiner between letters": ("a\u200db", "a<U+200D>b"),
    "a tag character": ("\U000e0041", "<U+E0041>"),
    "a Hangul filler": ("\u3164", "<U+3164>"),
    "a Braille blank": ("\u2800", "<U+2800>"),
    "a line separator": ("\u2028", "<U+2028>"),
    "a byte order mark": ("\ufeff", "<U+FEFF>"),
    "a private character": ("\ue000", "<U+E000>"),
    "a lone surrogate": ("\ud800", "<U+D800>"),
}


@pytest.mark.parametrize(("text", "shown"), HOSTILE.values(), ids=HOSTILE.keys())
def test_what_would_steer_or_hide_is_shown_as_what_it_is(text: str, shown: str) -> None:
    assert visible(text) == shown


@pytest.mark.parametrize("text", ["Grüße", "日本語", "👩\u200d💻 ❤\ufe0f", "\u0645\u06cc\u200c\u062e", "naïve e\u0301"])
def test_real_writing_stays_as_it_is(text: str) -> None:
    assert visible(text) == text


def test_a_tower_of_marks_does_not_grow_out_of_its_line() -> None:
    assert visible("a" + "\u0301" * 9).count("\u0301") == 4


def printed(markup: str) -> str:
    """What a terminal of the CLI gets, colours included."""
    stream = Tty()
    with redirect_stdout(stream):
        out().print(markup, soft_wrap=True, end="")
    return stream.getvalue()


BRACKETS = st.text(st.sampled_from("[]/\\abred#@= \x1b\ue000"), max_size=12)


@given(st.text() | BRACKETS, st.text() | BRACKETS)
def test_no_text_is_taken_for_markup_alone_or_together_with_another(one: str, other: str) -> None:
    assert printed(f"<{plain(one)}] as [{plain(other)}>") == f"<{visible(one)}] as [{visible(other)}>"


@given(BRACKETS)
def test_markup_of_ours_around_a_text_stays_ours(text: str) -> None:
    assert re.sub(r"\x1b\[[0-9;]*m", "", printed(f"[bold red]{plain(text)}[/bold red]!")) == f"{visible(text)}!"


@given(st.text())
def test_no_control_character_is_left(text: str) -> None:
    assert not any(ord(char) < 32 or 0x7F <= ord(char) < 0xA0 for char in visible(text))


def test_what_a_column_counts_is_what_it_shows() -> None:
    assert cell_len(plain("[a]\\")) == 4


def test_a_stream_that_lacks_a_character_gets_its_number() -> None:
    written = io.BytesIO()
    stream = io.TextIOWrapper(written, encoding="ascii")
    with redirect_stdout(stream):
        out().print(plain("Grüße"))
    assert written.getvalue() == b"Gr\\xfc\\xdfe\n"


def test_lines_are_kept_only_where_they_are_asked_for() -> None:
    assert plain("a\nb", lines=True) == "a\nb"
    assert plain(None) == ""


def test_what_is_cut_says_so() -> None:
    assert (shorten("abcdef", 4), shorten("abcd", 4)) == ("abc…", "abcd")
