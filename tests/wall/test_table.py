"""One table of attempts on a real API server; a dry run has to end like the write itself.

With stamping is Kubernetes 1.36 and later; without is before, and where a platform leaves it out. The operator is stopped,
so that nothing but the API server can refuse; then once more with an operator at work, on what this version has.
"""

from collections.abc import Iterator

import pytest

from controlplane import kubernetes
from tests.wall.attempt import Attempt, Seen, judge
from tests.wall.conftest import Stage
from tests.wall.running import UNREACHABLE
from tests.wall.table_argo import ARGO_ROWS
from tests.wall.table_argo_children import ARGO_CHILD_ROWS
from tests.wall.table_children import CHILD_ROWS
from tests.wall.table_closed import ONLY_ROWS
from tests.wall.table_drain_status import DRAIN_STATUS_ROWS
from tests.wall.table_gated_jobs import GATED_JOB_ROWS
from tests.wall.table_gated_pods import GATED_POD_ROWS
from tests.wall.table_gates import GATE_ROWS
from tests.wall.table_hands import HAND_ROWS
from tests.wall.table_held import HELD_ROWS
from tests.wall.table_jobs import JOB_ROWS
from tests.wall.table_nodes import NODE_DRAINS
from tests.wall.table_places import PLACE_ROWS
from tests.wall.table_pods import POD_ROWS
from tests.wall.table_provision import PROVISION_ROWS
from tests.wall.table_requests import REQUEST_ROWS
from tests.wall.table_rollouts import ROLLOUT_ROWS
from tests.wall.table_signs import SIGN_ROWS
from tests.wall.table_status import STATUS_ROWS
from tests.wall.table_verdicts import VERDICTS
from tests.wall.table_webhook import WEBHOOK_ROWS

REQUESTS = [*VERDICTS, *REQUEST_ROWS, *STATUS_ROWS, *JOB_ROWS, *PLACE_ROWS]
ROLLOUTS = [*ROLLOUT_ROWS, *CHILD_ROWS, *HAND_ROWS, *POD_ROWS, *GATE_ROWS, *ONLY_ROWS]
DRAINS = [*NODE_DRAINS, *SIGN_ROWS, *HELD_ROWS, *DRAIN_STATUS_ROWS, *WEBHOOK_ROWS]
PROVISIONING = [*GATED_POD_ROWS, *GATED_JOB_ROWS, *PROVISION_ROWS]
ARGO = [*ARGO_ROWS, *ARGO_CHILD_ROWS]
WHOLE = [*REQUESTS, *ROLLOUTS, *DRAINS, *PROVISIONING, *ARGO]
TABLE = [attempt for attempt in WHOLE if attempt.since <= kubernetes()]
HERE = "stamped" if kubernetes() >= (1, 36) else "unstamped"


def rows(situation: str, *, stopped: bool = True) -> pytest.MarkDecorator:
    """The rows that mean something in this situation."""
    here = {situation, *(["stopped"] if stopped else []), *(["once"] if situation == "unstamped" else [])}
    found = [attempt for attempt in TABLE if here.issuperset(attempt.only.split())]
    found = [attempt for attempt in found if stopped or attempt.ask.state not in UNREACHABLE]
    return pytest.mark.parametrize("attempt", found, ids=[attempt.says for attempt in found])


@pytest.fixture(scope="module")
def without_stamping(stage: Stage) -> Iterator[Stage]:
    """The stage after stamping was taken away, where there was any; it comes back at the end."""
    stamped = stage.stamped
    stage.stamp(False)
    yield stage
    stage.stamp(stamped)


@pytest.mark.since(1, 36)
@rows("stamped")
def test_with_stamping(stage: Stage, attempt: Attempt) -> None:
    make(stage, attempt)


@rows("unstamped")
def test_without_stamping(without_stamping: Stage, attempt: Attempt) -> None:
    make(without_stamping, attempt)


@rows(HERE, stopped=False)
def test_with_an_operator_at_work(served: Stage, attempt: Attempt) -> None:
    make(served, attempt)


def make(stage: Stage, attempt: Attempt) -> None:
    """Set the scene, try it dry, try it, and compare the object before and after."""
    scene = stage.scene()
    if attempt.needs_request:
        scene.request(attempt.ask)
    if attempt.before:
        attempt.before(scene)
    target = attempt.target(scene) if attempt.target else scene.target
    call, admin = attempt.do(scene), scene.people["admin"]
    before = Seen(admin.get(target))
    dry = scene.people[attempt.by].send(call, dryRun="All")
    real = scene.people[attempt.by].send(call)

    judge(attempt, scene, (dry, real), (before, Seen(admin.get(target))))


def test_every_attempt_has_a_sentence_of_its_own() -> None:
    sentences = [attempt.says for attempt in TABLE]

    assert len(sentences) == len(set(sentences))
