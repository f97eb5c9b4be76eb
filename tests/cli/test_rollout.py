"""rollout show, watch and retry on a real API server; a stand-in writes the operator's part."""

import json
import re
from datetime import UTC, datetime, timedelta

from gatehold.cli.exits import Exit
from gatehold.domain.rollout.model import Rollout
from gatehold.domain.rollout.record import Outcome, Record, Track
from tests.cli import rollouts
from tests.cli.rollouts import Played, at_rest, held, rejected
from tests.cli.stage import Stage


def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def test_show_follows_a_canary_from_nothing_to_the_question(stage: Stage, name: str) -> None:
    played = Played(stage, name)
    assert "held, the operator has not looked at it yet" in stage.cli("alice", "rollout", "show", name).out
    played.child(Track.STABLE, 5)
    played.child(Track.CANARY, 1)
    played.asks(f"{name}-q", former=rollouts.body(image="1")["spec"]["template"])
    played.says(lambda of: held(of, f"{name}-q", now()))
    said = stage.cli("alice", "rollout", "show", f"gro/{name}").out
    for part in ("Held, step 2/3", "waits for 1 of sre, 1 of finance", "web=example.org/web:2", "0 of 5", "Changed by", "ci",
                 f"promote {name} from example.org/web:1 to example.org/web:2", "59m",
                 f'gatehold approve {name}-q -n shop -m "why"'):  # fmt: skip
        assert part in said
    assert "not shown" not in said
    stage.cli("alice", "approve", f"{name}-q", "-m", "flat", "--yes")
    less = stage.cli("bob", "rollout", "show", name).out
    assert "waits for 1 of finance" in less
    assert "pods are not shown" in less
    shown = stage.cli("alice", "show", f"{name}-q").out
    assert "What changes" in shown
    assert "example.org/web:1" in shown


def test_show_for_programs_is_the_object(stage: Stage, name: str) -> None:
    played = Played(stage, name)
    played.says(lambda of: at_rest(of, now()))
    found = json.loads(stage.cli("alice", "rollout", "show", name, "-o", "json").out)
    assert found["status"]["phase"] == "Healthy"
    assert "managedFields" not in found["metadata"]


def test_watch_follows_to_the_promotion(stage: Stage, name: str) -> None:
    played = Played(stage, name)
    with stage.waiting("dana", name, "--timeout", "150s", command=("rollout", "watch")) as process:
        assert process.stderr is not None
        assert "has not looked at it yet" in process.stderr.readline()
        played.says(lambda of: held(of, f"{name}-q", now()))
        assert f"Held, step 2/3, 20 %, waits for {name}-q until" in process.stderr.readline()
        played.says(lambda of: at_rest(of, now()))
        said, also = process.communicate(timeout=150)
    assert process.returncode == Exit.OK, also
    assert f"Rollout {name} is Healthy" in said


def test_watch_says_how_it_ended_by_its_code(stage: Stage, name: str) -> None:
    played = Played(stage, name)
    waits = stage.cli("dana", "rollout", "watch", name, "--timeout", "1s")
    assert waits.code == Exit.TIMEOUT
    assert "held, the operator has not looked at it yet" in waits.err

    def denied(of: Rollout) -> Record:
        return rejected(of, Outcome.DENIED, now())

    played.says(denied)
    ended = stage.cli("dana", "rollout", "watch", name, "-o", "json")
    assert ended.code == Exit.NO
    assert json.loads(ended.out)["status"]["lastRun"]["outcome"] == "Denied"
    assert f"next: gatehold rollout retry {name} -n shop" in ended.err
    assert stage.cli("dana", "rollout", "watch", "no-such").code == Exit.ABSENT
    assert stage.cli("dana", "rollout", "show", "no-such").code == Exit.ABSENT


def test_watch_notices_another_spec_and_the_end_of_the_object(stage: Stage, name: str) -> None:
    played = Played(stage, name)
    with stage.waiting("dana", name, command=("rollout", "watch")) as process:
        assert process.stderr is not None
        process.stderr.readline()
        change = {"spec": {"template": {"spec": {"containers": [{"name": "web", "image": "example.org/web:3"}]}}}}
        stage.plane.kubectl("patch", "gro", name, "-n", "shop", "--type=merge", f"-p={json.dumps(change)}")
        process.communicate(timeout=150)
    assert process.returncode == Exit.SUPERSEDED
    with stage.waiting("dana", name, command=("rollout", "watch")) as process:
        assert process.stderr is not None
        process.stderr.readline()
        stage.plane.kubectl("delete", "gro", played.name, "-n", "shop")
        process.communicate(timeout=150)
    assert process.returncode == Exit.GONE


def test_the_page_is_live_on_a_terminal_and_stays_when_it_ends(stage: Stage, name: str) -> None:
    played = Played(stage, name)
    played.says(lambda of: held(of, f"{name}-q", now(), until=now() + timedelta(minutes=5)))
    ended = stage.cli("dana", "rollout", "watch", name, "--timeout", "3s", tty=100)
    assert ended.code == Exit.TIMEOUT
    assert re.search(r"\b[34]m\d+s", ended.out)
    assert "\x1b[?25l" in ended.out
    assert ended.out.rstrip().endswith("deny the request\x1b[0m")


def test_retry_asks_again_for_what_was_rejected_and_for_nothing_else(stage: Stage, name: str) -> None:
    played = Played(stage, name)
    early = stage.cli("ci", "rollout", "retry", name)
    assert (early.code, "nothing of it was rejected" in early.err) == (Exit.NO, True)
    played.says(lambda of: at_rest(of, now()))
    healthy = stage.cli("ci", "rollout", "retry", name)
    assert (healthy.code, "was rejected (it is Healthy)" in healthy.err) == (Exit.NO, True)
    assert "gatehold.dev/retry" not in played.body["metadata"]["annotations"]

    played.says(lambda of: rejected(of, now=now()))
    refused = stage.cli("dana", "rollout", "retry", name)
    assert (refused.code, "dana may not patch rollouts" in refused.err) == (Exit.REFUSED, True)
    done = stage.cli("ci", "rollout", "retry", name)
    assert done.code == Exit.OK, done.err
    value = played.body["metadata"]["annotations"]["gatehold.dev/retry"]
    assert f"gatehold.dev/retry={value}" in done.out
    assert "DeniedByReviewer" in done.out
    assert f"next: gatehold rollout watch {name} -n shop" in done.err
    assert played.body["metadata"]["annotations"]["gatehold.dev/authors"] == "ci"
    again = stage.cli("ci", "rollout", "retry", name)
    assert again.code == Exit.OK
    assert "asked again already" in again.out
    assert played.body["metadata"]["annotations"]["gatehold.dev/retry"] == value


def test_a_spec_changed_after_the_rejection_needs_no_retry(stage: Stage, name: str) -> None:
    played = Played(stage, name)
    played.says(lambda of: rejected(of, now=now()))
    change = {"spec": {"template": {"spec": {"containers": [{"name": "web", "image": "example.org/web:3"}]}}}}
    stage.plane.kubectl("patch", "gro", name, "-n", "shop", "--type=merge", f"-p={json.dumps(change)}")
    ended = stage.cli("ci", "rollout", "retry", name)
    assert (ended.code, "tried without being asked" in ended.err) == (Exit.NO, True)
