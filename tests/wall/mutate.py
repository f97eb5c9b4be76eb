"""`python -m tests.wall.mutate [POLICY ...]`: make one rule of the wall true after the other; the table has to notice.

Not part of the tests: it takes some minutes. It prints the rules whose loss no attempt notices, and those whose loss shows
in the wording only, because another rule refuses as well.
"""

import sys
import time

from controlplane import ControlPlane
from gatehold.admission.texts import VALIDATING, shipped
from tests.wall.api import Call, path
from tests.wall.attempt import Attempt, Seen, judge
from tests.wall.conftest import ADMISSION, Stage, set_up
from tests.wall.test_coverage import ELSEWHERE, texts, tries
from tests.wall.test_table import TABLE

TICK = 1.3
"""An API server takes a changed policy up within a second."""


def outcome(stage: Stage, attempt: Attempt) -> str:
    """`refused` as its row says, `otherwise` (by another rule), or `open`: the write got in."""
    scene = stage.scene().request(attempt.ask)
    if attempt.before:
        attempt.before(scene)
    target = attempt.target(scene) if attempt.target else scene.target
    call, admin = attempt.do(scene), scene.people["admin"]
    seen = Seen(admin.get(target))
    dry = scene.people[attempt.by].send(call, dryRun="All")
    try:
        judge(attempt, scene, (dry, dry), (seen, seen))
    except AssertionError:
        return "open" if dry.ok else "otherwise"
    return "refused"


def main() -> None:
    with ControlPlane.start() as cluster:
        stage = set_up(cluster)
        for body in (body for body in shipped() if body["kind"] == VALIDATING[0]):
            name = body["metadata"]["name"]
            if sys.argv[1:] and name not in sys.argv[1:]:
                continue
            where = path(ADMISSION, "validatingadmissionpolicies", None, name)
            for number, rule in enumerate(body["spec"]["validations"]):
                parts = texts(rule)
                rows = [a for a in TABLE if a.refused and a.only != "unstamped" and tries(a, name, parts)]
                spot = f"/spec/validations/{number}/expression"
                _write(stage, where, spot, "true")
                time.sleep(TICK)
                found = {outcome(stage, row) for row in rows}
                _write(stage, where, spot, rule["expression"])
                verdict = "caught" if "open" in found else "wording" if "otherwise" in found else "MISSED"
                if verdict == "MISSED" and any(part.startswith(known) for part in parts for known in ELSEWHERE):
                    verdict = "elsewhere"
                sys.stdout.write(f"{verdict:9} {name} {number}: {parts[0][:90]}\n")
                sys.stdout.flush()


def _write(stage: Stage, where: str, spot: str, expression: str) -> None:
    stage.people["admin"].must(Call(where, [{"op": "replace", "path": spot, "value": expression}], "json"))


if __name__ == "__main__":
    main()
