"""A resource full of hostile text, through every command: nothing of it steers a terminal, hides, or becomes markup."""

import contextlib
import io
import json
import re
import sys
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import yaml

from gatehold.cli.exits import Exit
from gatehold.cli.main import run
from tests.cli.bodies import Cluster, entry, policy, request, verdict
from tests.cli.rollouts import hostile_rollout
from tests.cli.stage import Tty

Json = dict[str, Any]
EVIL = "\x1b]0;pwn\x07\x1b[2J[red]x[/red][link=https://evil]\u202egnp\u200b\x9b31m\r\x7f\\"
MARK = "[red]x[/red]"


def hostile_request(phase: str = "Pending") -> Json:
    """Every text that a requester, a reviewer, a policy or a stolen operator could fill."""
    cost = {"amount": "1", "currency": EVIL, "period": EVIL, "low": EVIL, "high": "2", "source": EVIL}
    spec = {
        "policyRef": {"name": EVIL}, "summary": EVIL, "description": f"{EVIL}\n{EVIL}", "traceID": EVIL,
        "links": [{"title": EVIL, "url": EVIL}],
        "evidence": [dict.fromkeys(("name", "value", "baseline", "unit", "source"), EVIL)],
        "subject": {"apiVersion": EVIL, "kind": EVIL, "name": EVIL, "uid": EVIL, "digest": EVIL},
        "effect": {"type": "Release"},
        "risk": {"score": 3, "confidence": 4, "reversible": True}, "options": [{"name": EVIL, "summary": EVIL}],
        "requester": {"username": EVIL}, "onBehalfOf": [EVIL], "authors": [EVIL],
    }  # fmt: skip
    job = {"name": EVIL, "uid": EVIL, "digest": EVIL, "images": [EVIL], "commands": [EVIL], "serviceAccountName": EVIL}
    said = [
        verdict(0, "approve", EVIL, EVIL, option=EVIL, comment=EVIL),
        verdict(1, "override", EVIL, comment=EVIL, counted=False, reason=EVIL),
    ]
    ref = {"apiVersion": EVIL, "kind": EVIL, "name": EVIL, "uid": EVIL}
    state = {
        "resolved": {"job": job, "undo": job, "price": cost, "nodes": [{"name": EVIL, "uid": EVIL}], "imageIDs": [EVIL]},
        "quorum": [entry(EVIL, backups=["x" + EVIL]), entry("b" + EVIL)], "verdicts": said, "phase": phase,
        "effect": {"type": "Release", "state": "Running", "message": EVIL, "object": ref, "prior": {"suspend": True},
                   "undo": {"state": "Waiting", "message": EVIL, "object": ref}},
        "escalations": [{"afterSeconds": 5, "at": "2030-01-01T11:50:00Z", "roles": [EVIL]}],
        "conditions": [{"type": "RolledBack", "status": "True", "reason": EVIL, "message": EVIL,
                        "lastTransitionTime": "2030-01-01T11:50:00Z"}],
    }  # fmt: skip
    if phase != "Pending":
        state["decision"] = {"outcome": phase, "by": "People", "at": "2030-01-01T11:50:00Z", "option": EVIL, "tier": EVIL,
                             "reason": EVIL, "message": EVIL}  # fmt: skip
    body = request(spec={**spec, "cost": cost}, status=state)
    body["metadata"]["annotations"]["verdict.gatehold.dev/2"] = f"approve|{EVIL}|{EVIL}|{EVIL}||{EVIL}"
    body["metadata"]["name"] = body["metadata"]["namespace"] = EVIL
    return body


def hostile_policy() -> Json:
    body = policy(quorum=[{"role": EVIL}, {"role": "c" + EVIL}])
    condition = {"type": "Enforced", "status": "False", "reason": EVIL, "message": EVIL}
    return {**body, "metadata": {**body["metadata"], "name": EVIL}, "status": {"digest": EVIL, "conditions": [condition]}}


COMMANDS: dict[str, tuple[str, list[str]]] = {
    "list": ("Pending", ["list"]),
    "list wide": ("Pending", ["list", "-o", "wide"]),
    "list done": ("Denied", ["list", "--all", "-A"]),
    "show": ("Pending", ["show", "web"]),
    "show a failed one": ("Failed", ["show", "web"]),
    "approve": ("Pending", ["approve", "web", "-m", EVIL, "--option", EVIL, "--yes"]),
    "approve without option": ("Pending", ["approve", "web", "-m", EVIL, "--yes"]),
    "approve unconfirmed": ("Pending", ["approve", "web", "-m", EVIL, "--option", EVIL]),
    "deny": ("Pending", ["deny", "web", "-m", EVIL, "--yes"]),
    "override": ("Pending", ["override", "web", "-m", EVIL, "--option", EVIL, "--yes"]),
    "withdraw": ("Pending", ["withdraw", "web", "-m", EVIL]),
    "wait": ("Denied", ["wait", "web"]),
    "wait in vain": ("Approved", ["wait", "web", "--timeout", "1"]),
    "verify": ("Approved", ["verify", "web"]),
    "verify a policy": ("Pending", ["verify", "apol/x"]),
    "doctor": ("Pending", ["doctor"]),
    "rollout": ("Pending", ["rollout", "show", "web"]),
    "watch a rollout": ("Pending", ["rollout", "watch", "web", "--timeout", "1"]),
    "retry a rollout": ("Pending", ["rollout", "retry", "web"]),
    "ask": ("Pending", ["ask", "--key", "k", "--policy", "prod", "--subject", "A/b"]),
}  # fmt: skip


CODES: dict[str, set[int]] = {
    "list": {0}, "show": {0}, "approve": {0, Exit.USAGE, Exit.NOT_CONFIRMED}, "deny": {0, Exit.NOT_CONFIRMED},
    "override": {0}, "withdraw": {0}, "wait": {1, Exit.TIMEOUT}, "verify": {1}, "doctor": {1}, "ask": {Exit.KEY_TAKEN},
    "rollout": {0, Exit.NO, Exit.TIMEOUT},
}  # fmt: skip


def ends(words: list[str], cluster: Cluster, *, tty: int = 0, stdin: str = "") -> tuple[int, str]:
    """Run a command against that cluster; everything it printed."""
    stream, given = (Tty(), Tty(stdin)) if tty else (io.StringIO(), io.StringIO(stdin))

    async def connect(**_: Any) -> Cluster:
        return cluster

    environ = {"COLUMNS": str(tty or 80), "TERM": "xterm"}
    with (
        contextlib.redirect_stdout(stream), contextlib.redirect_stderr(stream), mock.patch.object(sys, "stdin", given),
        mock.patch("gatehold.cli.session.Cluster.connect", connect), mock.patch.dict("os.environ", environ),
    ):  # fmt: skip
        code = run(words)
    return code, stream.getvalue()


@pytest.mark.parametrize("tty", [0, 80, 120])
@pytest.mark.parametrize(("phase", "words"), COMMANDS.values(), ids=COMMANDS.keys())
def test_no_command_lets_a_text_through(phase: str, words: list[str], tty: int) -> None:
    more = hostile_rollout(EVIL, "held" if "watch" in words else "rejected" if "retry" in words else "both")
    code, said = ends(words, Cluster(hostile_request(phase), me=EVIL, live_policy=hostile_policy(), **more), tty=tty)
    assert code in CODES[words[0]]
    assert said.strip()
    # rich's own colours, and the live line of wait, are all that may stand between printable characters
    left = re.sub(r"\x1b\[[0-9;]*[mAK]|\x1b\[\?25[lh]|\x1b\[2K|\r", "", said)
    assert not [char for char in left if char != "\n" and (not char.isprintable() or "\ue000" <= char <= "\uf8ff")]
    assert ("https://evil" not in said) or "\x1b]8" not in said


@pytest.mark.parametrize("words", [["show", "web"], ["list"], ["verify", "web"]])
def test_markup_is_shown_as_it_was_written(words: list[str]) -> None:
    _, said = ends(words, Cluster(hostile_request(), me="alice", live_policy=hostile_policy()))
    assert MARK in said


@pytest.mark.parametrize("form", ["json", "yaml"])
@pytest.mark.parametrize("words", [["show", "web"], ["list"], ["verify", "web"], ["doctor"]], ids=lambda words: words[0])
def test_what_programs_read_is_ascii_and_means_the_same(words: list[str], form: str) -> None:
    body = hostile_request()
    _, said = ends([*words, "-o", form], Cluster(body, me="alice", live_policy=hostile_policy()))
    assert said.isascii()
    assert all(char == "\n" or char.isprintable() for char in said)
    read = json.loads(said) if form == "json" else yaml.safe_load(said)
    if words[0] == "show":
        assert read["spec"]["summary"] == EVIL


def test_a_description_cannot_imitate_what_stands_below_it() -> None:
    body = request(spec={"description": "fine\n\nVerdicts\n  approve  alice  sre"})
    _, said = ends(["show", "web"], Cluster(body))
    assert [line for line in said.splitlines() if line.startswith("Verdicts")] == []
    assert "│ Verdicts" in said


def test_a_hostile_file_and_hostile_words_are_quoted_too(tmp_path: Path) -> None:
    file = tmp_path / "x.yaml"
    file.write_text(yaml.safe_dump({"kind": EVIL, "metadata": {"name": EVIL}, "spec": {}}))
    for words in (["verify", "--file", str(file)], ["ask", "--file", str(file)], ["verify", f"{EVIL}/x"]):
        code, said = ends(words, Cluster(request()))
        assert code == Exit.USAGE
        assert "\x1b" not in said


def test_a_person_is_asked_and_only_yes_is_yes() -> None:
    order = ["approve", "web", "-m", "fine"]
    for answer, code in (
        ("", Exit.NOT_CONFIRMED),
        ("n\n", Exit.NOT_CONFIRMED),
        ("\n", Exit.NOT_CONFIRMED),
        ("yes\n", Exit.OK),
        ("Y\n", Exit.OK),
    ):
        ended, said = ends(order, Cluster(request()), tty=100, stdin=answer)
        assert ended == code, answer
        assert "Go?" in said
        assert "as alice?" in said


@pytest.mark.parametrize("me", ["system:serviceaccount:ci:runner", "system:admin"])
@pytest.mark.parametrize("word", ["approve", "deny", "override"])
def test_who_is_no_person_is_told_so_and_how_to_become_one(me: str, word: str) -> None:
    code, said = ends([word, "web", "-m", "why it has to be", "--yes"], Cluster(request(), me=me))
    assert code == Exit.NOT_A_PERSON
    assert me in said
    assert "kubectl config get-contexts" in said


def test_a_digest_that_was_reviewed_elsewhere_must_be_the_one_that_waits() -> None:
    body = request()
    true = body["status"]["requestDigest"].removeprefix("sha256:")
    for digest, code in ((true[:8], Exit.OK), (f"sha256:{true}", Exit.OK), ("0" * 8, Exit.CHANGED), (true[:7], Exit.USAGE)):
        ended, _ = ends(["approve", "web", "-m", "fine", "-y", "--digest", digest], Cluster(body))
        assert ended == code, digest


def test_a_word_that_no_verdict_was_made_of_is_an_error() -> None:
    """The wall and the stamp are both gone: the annotation is stored, and nobody would ever read it."""

    class NoWall(Cluster):
        async def merge_patch(self, resource: Any, namespace: str, name: str, body: Json, *, dry_run: bool = False) -> Json:
            notes = {**self.body["metadata"]["annotations"], **body["metadata"]["annotations"]}
            return {**self.body, "metadata": {**self.body["metadata"], "annotations": notes}}

    code, said = ends(["approve", "web", "-m", "fine", "-y"], NoWall(request()))
    assert code == Exit.API_ERROR
    assert "gatehold doctor" in said


@pytest.mark.parametrize(
    ("quorum", "warning"),
    [
        ([entry("sre")], "asks nobody of that role"),
        ([entry("sre", 1), entry("finance", 1)], ""),
        ([entry("sre", 1, backups=["me"], acceptedRoles=["sre", "me"]), entry("finance")], "accepts me"),
    ],
    ids=["a missing entry", "as the policy says", "a foreign role"],
)
def test_a_quorum_that_is_weaker_than_the_policys_is_said_loudly(quorum: list[Json], warning: str) -> None:
    _, said = ends(["show", "web"], Cluster(request(status={"quorum": quorum})))
    assert ("warning:" in said) == bool(warning)
    assert warning in said
