"""`python -m tests.wall.mutate [POLICY ...]`: weaken the wall in one place after the other; the table has to notice.

A rule becomes true, a stamp writes nothing, a resource or an operation is left out of what a policy looks at. First with
stamping, then without it whatever was not noticed. Not part of the tests: it takes some minutes. What it prints of each:
`caught` (a forbidden write got in, or a stamp was missed), `wording` (another rule refuses as well), `elsewhere` (other
tests try it), `MISSED`.
"""

import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from controlplane import ControlPlane
from gatehold.admission.texts import STAMPING, VALIDATING, shipped
from tests.wall.api import Call, path
from tests.wall.attempt import Attempt, Seen, judge
from tests.wall.conftest import ADMISSION, Stage, set_up
from tests.wall.people import Body
from tests.wall.test_coverage import ELSEWHERE, texts, tries
from tests.wall.test_table import TABLE, make

TICK = 1.3
"""An API server takes a changed policy up within a second."""
NOTHING = "false ? [JSONPatch{op: 'remove', path: '/spec'}] : []"
"""A stamp that writes nothing; an empty list alone would be of no type."""
PLURALS = {VALIDATING[0]: "validatingadmissionpolicies", STAMPING[0]: "mutatingadmissionpolicies"}


@dataclass(frozen=True)
class Mutation:
    """One place of one policy, made weaker, and the rows of the table that may notice."""

    policy: Body
    says: str
    change: Body
    rows: Sequence[Attempt]

    @property
    def name(self) -> str:
        return str(self.policy["metadata"]["name"])

    @property
    def stamps(self) -> bool:
        return bool(self.policy["kind"] == STAMPING[0])


def mutations(wanted: Sequence[str]) -> Iterator[Mutation]:
    """All of the policies that are wanted; none named: of every one."""
    for policy in map(dict, shipped()):
        if policy["kind"] in PLURALS and (not wanted or policy["metadata"]["name"] in wanted):
            yield from (_stamps(policy) if policy["kind"] == STAMPING[0] else _rules(policy))
            yield from _matches(policy)


def _rules(policy: Body) -> Iterator[Mutation]:
    for number, rule in enumerate(policy["spec"]["validations"]):
        parts = texts(rule)
        rows = [row for row in TABLE if tries(row, policy["metadata"]["name"], parts)]
        yield Mutation(policy, f"rule {number}: {parts[0][:90]}", _set(f"validations/{number}/expression", "true"), rows)


def _stamps(policy: Body) -> Iterator[Mutation]:
    for number, _ in enumerate(policy["spec"]["mutations"]):
        change = _set(f"mutations/{number}/jsonPatch/expression", NOTHING)
        yield Mutation(policy, f"mutation {number}", change, _stamped())


def _matches(policy: Body) -> Iterator[Mutation]:
    """Each resource, and each operation where there are more than one."""
    name = policy["metadata"]["name"]
    rows = _stamped() if policy["kind"] == STAMPING[0] else [row for row in TABLE if name in row.policy.split("|")]
    for number, rule in enumerate(policy["spec"]["matchConstraints"]["resourceRules"]):
        for member in ("resources", "operations"):
            for place, value in enumerate(rule[member]):
                spot = f"matchConstraints/resourceRules/{number}/{member}"
                if member == "resources":
                    yield Mutation(policy, f"without resource {value}", _set(f"{spot}/{place}", "none"), rows)
                elif len(rule[member]) > 1:
                    left = [other for other in rule[member] if other != value]
                    yield Mutation(policy, f"without {value} of {rule['resources'][0]}", _set(spot, left), rows)


def _stamped() -> list[Attempt]:
    """The rows that end otherwise without stamping, or mean nothing then."""
    return [row for row in TABLE if row.unstamped or "stamped" in row.only.split()]


def _set(spot: str, value: object) -> Body:
    return {"op": "replace", "path": f"/spec/{spot}", "value": value}


def noticed(stage: Stage, mutation: Mutation) -> str:
    """`open`, `otherwise` or nothing: the worst that became of a row."""
    found = ""
    for row in mutation.rows:
        if {"stamped" if not stage.stamped else "unstamped"} & set(row.only.split()):
            continue
        seen = _stamp_of(stage, row) if mutation.stamps else _outcome(stage, row)
        if seen == "open":
            return seen
        found = seen or found
    return found


def _stamp_of(stage: Stage, row: Attempt) -> str:
    try:
        make(stage, row)
    except AssertionError:
        return "open"
    return ""


def _outcome(stage: Stage, row: Attempt) -> str:
    """Nothing: refused as the row says; `otherwise`: by another rule; `open`: it got in."""
    if not (row.unstamped if row.unstamped and not stage.stamped else row.refused):
        return ""  # a write that is let in says nothing here
    scene = stage.scene().request(row.ask)
    if row.before:
        row.before(scene)
    target = row.target(scene) if row.target else scene.target
    call, seen = row.do(scene), Seen(scene.people["admin"].get(target))
    dry = scene.people[row.by].send(call, dryRun="All")
    try:
        judge(row, scene, (dry, dry), (seen, seen))
    except AssertionError:
        return "open" if dry.ok else "otherwise"
    return ""


def run(stage: Stage, tried: Sequence[Mutation]) -> list[Mutation]:
    """Weaken, look, mend; answers what was not caught."""
    left = []
    for mutation in tried:
        where = path(ADMISSION, PLURALS[mutation.policy["kind"]], None, mutation.name)
        _write(stage, where, mutation.change)
        time.sleep(TICK)
        found = noticed(stage, mutation)
        _write(stage, where, _set("", mutation.policy["spec"]) | {"path": "/spec"})
        time.sleep(TICK)
        elsewhere = any(known in mutation.says for known in ELSEWHERE)
        verdict = {"open": "caught", "otherwise": "wording"}.get(found, "elsewhere" if elsewhere else "MISSED")
        sys.stdout.write(f"{verdict:9} {mutation.name} {mutation.says}\n")
        sys.stdout.flush()
        if found != "open":
            left.append(mutation)
    return left


def _write(stage: Stage, where: str, change: Body) -> None:
    stage.people["admin"].must(Call(where, [change], "json"))


def main() -> None:
    with ControlPlane.start() as cluster:
        stage = set_up(cluster)
        tried = [mutation for mutation in mutations(sys.argv[1:]) if stage.stamped or not mutation.stamps]
        left = run(stage, tried)
        if stage.stamped:
            sys.stdout.write("without stamping, of what was not caught:\n")
            stage.stamp(False)
            run(stage, [mutation for mutation in left if not mutation.stamps])


if __name__ == "__main__":
    main()
