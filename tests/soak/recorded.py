"""Invariants of the record: phases, ledger, digest. A check yields one sentence for each way in which it does not hold."""

from collections.abc import Iterator

from tests.soak import rule
from tests.soak.record import Facts, Story, Version, condition

MOVES = {
    "": {"Pending", "Failed", "Superseded"},
    "Pending": {"Approved", "Denied", "Expired", "Withdrawn", "Superseded", "Failed"},
    "Approved": {"Released", "Failed", "Lapsed", "Denied", "Withdrawn", "Superseded"},
}
REFUSED = ("Denied", "Expired", "Lapsed", "Superseded", "Withdrawn", "Failed")


def is_over(version: Version) -> bool:
    """Whether that is an end."""
    return version.phase in (*REFUSED, "Released") or (
        version.phase == "Approved" and rule.effect_of(version.body) == "None"
    )


def phases_move_along_the_table(story: Story, facts: Facts) -> Iterator[str]:
    """Also: an end is an end, and its decision stays."""
    for before, after in story.pairs():
        if before.phase != after.phase and (is_over(before) or after.phase not in MOVES.get(before.phase, ())):
            yield f"went from {before.phase or 'unset'} to {after.phase}"
        if is_over(before) and before.status.get("decision") != after.status.get("decision"):
            yield f"the decision of an end changed to {after.status.get('decision')}"


def the_ledger_only_grows(story: Story, facts: Facts) -> Iterator[str]:
    for before, after in story.pairs():
        old, new = before.status.get("verdicts", []), after.status.get("verdicts", [])
        if new[: len(old)] != old:
            yield f"the ledger was {old} and became {new}"


def what_is_set_once_stays(story: Story, facts: Facts) -> Iterator[str]:
    for before, after in story.pairs():
        for name in ("requestDigest", "resolved", "policy", "preparedAt"):
            if name in before.status and before.status[name] != after.status.get(name):
                yield f"{name} changed after it was set"
        if before.status.get("requestDigest") and before.status["deadline"] != after.status["deadline"]:
            yield "the deadline moved"
        if before.body["spec"] != after.body["spec"]:
            yield "the spec changed"


def every_admitted_word_is_recorded(story: Story, facts: Facts) -> Iterator[str]:
    """What was forged while the wall was open need not be. A request that its requester deleted recorded what it could."""
    if story.uid in facts.deleted:
        return
    ledger = {str(v["id"]): v for version in story.versions for v in version.status.get("verdicts", [])}
    for key, line in _words_in_time(story, facts):
        fields = line.split("|", 5)
        if len(fields) != 6 or fields[5].startswith(facts.cast.forged):
            continue
        entry = ledger.get(key.split("/")[1])
        parts = ("verdict", "digest", "role", "username", "option", "comment")
        if entry is None or [entry.get(part, "") for part in parts] != fields:
            yield f"{key}={line!r} was admitted, and the ledger says {entry}"


def _words_in_time(story: Story, facts: Facts) -> set[tuple[str, str]]:
    """Without those that an open wall let in after the end, where nobody looks any more, or let somebody write over."""
    found: set[tuple[str, str]] = set()
    known: set[tuple[str, str]] = set()
    before: Version | None = None
    for version in story.versions:
        said = {(key, line) for key, line in version.notes.items() if key.startswith("verdict.gatehold.dev/")}
        open_wall = any(w.open and w.touches(version.at) for w in facts.faults)
        late = open_wall and before is not None and is_over(before)
        found |= set() if late else said - known
        found -= known - said if open_wall else set()
        known, before = known | said, version
    return found


def nothing_is_recorded_that_nobody_said(story: Story, facts: Facts) -> Iterator[str]:
    said = {key.split("/")[1] for v in story.versions for key in v.notes if key.startswith("verdict.gatehold.dev/")}
    for entry in story.last.status.get("verdicts", []):
        if str(entry["id"]) not in said:
            yield f"verdict {entry} stands in the ledger, and nobody said it"


def no_forged_yes_counts(story: Story, facts: Facts) -> Iterator[str]:
    """A forged no does: holding is the safe side, and the design says so."""
    for entry in story.last.status.get("verdicts", []):
        forged = entry.get("comment", "").startswith(facts.cast.forged)
        if forged and entry["verdict"] in ("approve", "override") and entry.get("counted", True):
            yield f"the forged verdict {entry} counts"


def the_digest_is_of_what_stands(story: Story, facts: Facts) -> Iterator[str]:
    for version in story.versions:
        digest = version.status.get("requestDigest")
        if digest and digest != rule.request_digest(version.body):
            yield f"requestDigest {digest} is not that of uid, spec, resolved and policy"
            return


def done_is_said_of_an_end_only(story: Story, facts: Facts) -> Iterator[str]:
    for version in story.versions:
        if version.done and not is_over(version):
            yield f"is marked done while {version.phase}"
        if (
            version.done
            and version.phase in REFUSED
            and condition(version.status, "RolledBack")[1] in ("", "Undoing", "PodsRemain")
        ):
            yield "is marked done before its undo was verified"
