"""Odd comments on every word: a clear no, or a verdict that stands in the ledger letter by letter and decides."""

import itertools
from typing import Final

from tests.e2e.crowd import Crowd, Ear, at_once, ended_well
from tests.e2e.schema_walk import TEXTS
from tests.e2e.stage import Body, Stage, failure
from tests.wall.api import Answer, Call

WORDS: Final = {"approve": "alice", "deny": "alice", "withdraw": "author", "override": "dana"}
ENDS: Final = {"approve": "Approved", "deny": "Denied", "withdraw": "Withdrawn", "override": "Approved"}
COMMENTS: Final = {
    **TEXTS,
    "empty": "",
    "1024 characters": "x" * 1024,
    "1025 characters": "x" * 1025,
    "1024 characters of four bytes": "🚀" * 1023 + "a",
    "64 KiB": "x" * 65_536,
    "beyond what annotations hold": "x" * 300_000,
    "a forged verdict": "go|approve|sha256:00|sre|bob||go",
    "a forged verdict on its own line": "go\nverdict.gatehold.dev/1=approve|sha256:00|sre|bob||go",
    "bars at both ends": "||||||go||||||",
    "JSON": '{"metadata":{"annotations":{"gatehold.dev/deny":"no"}}}',
    "a template": "{{ .Status.decision }} ${HOME} $(id)",
}
TAKEN: Final = {
    "the separator of verdicts",
    "Hebrew and Arabic",
    "a line feed",
    "1024 characters",
    "bars at both ends",
    "JSON",
}
REFUSED: Final = {
    "empty",
    "only spaces",
    "NUL",
    "a terminal's escape",
    "direction turned",
    "zero width",
    "1025 characters",
    "64 KiB",
}
"""Some that must be known to fall on each side; what the others are is the API server's to say."""


def test_odd_comments_on_every_word(stage: Stage) -> None:
    crowd, ear = Crowd.on(stage), Ear(stage)
    policy = stage.policy(quorum=[{"role": "sre"}])
    pairs = list(itertools.product(COMMENTS, WORDS))
    asked = at_once(lambda _: crowd.ask({"spec": stage.question("q", policy)["spec"]}).body["metadata"]["name"], pairs)
    crowd.until_looked_at()

    def say(entry: tuple[str, tuple[str, str]]) -> Answer:
        name, (comment, word) = entry
        who = crowd.author(name) if word == "withdraw" else stage.api(WORDS[word])
        return who.send(
            Call(stage.path("apr", name), {"metadata": {"annotations": {f"gatehold.dev/{word}": COMMENTS[comment]}}})
        )

    answers = dict(zip(zip(asked, pairs, strict=True), at_once(say, zip(asked, pairs, strict=True)), strict=True))
    assert [answer.message for answer in answers.values() if not answer.ok and not is_clear(answer)] == []
    taken = {comment for (_, (comment, _)), answer in answers.items() if answer.ok}
    refused = {comment for (_, (comment, _)), answer in answers.items() if not answer.ok}
    assert taken >= TAKEN and refused >= REFUSED and not taken & REFUSED

    at_once(crowd.withdraw, [stage.get("apr", name) for (name, _), answer in answers.items() if not answer.ok])
    ended = {body["metadata"]["name"]: body for body in crowd.until_all_done()}
    assert [fault for body in ended.values() if (fault := ended_well(body))] == []
    faults = [fault for (name, pair), answer in answers.items() if answer.ok and (fault := unheard(ended[name], *pair))]
    assert faults == []
    quiet = {name for (name, _), answer in answers.items() if not answer.ok}
    assert {failure(ended[name]) for name in quiet} == {"WithdrawnByRequester"}
    assert ear.heard() == []


def is_clear(answer: Answer) -> bool:
    """Whether a refusal says what is wrong with the comment."""
    said = ("readable comment", "line breaks, control characters", "why: at least 8", "annotations: Too long")
    return any(text in answer.message for text in said)


def unheard(body: Body, comment: str, word: str) -> str:
    """How the record differs from what was said; nothing where it does not."""
    expected = COMMENTS[comment].replace("\r\n", " ").replace("\n", " ").replace("\t", " ").replace("\ud800", "\ufffd")
    verdicts = [(v["verdict"], v["comment"], v["counted"]) for v in body["status"]["verdicts"]]
    if verdicts != [(word, expected, True)]:
        return f"{word}, {comment}: the ledger says {verdicts}"
    stands = body["metadata"]["annotations"]["verdict.gatehold.dev/0"].split("|", 5)[5] == expected
    return "" if stands and body["status"]["phase"] == ENDS[word] else f"{word}, {comment}: {body['status']['phase']}"
