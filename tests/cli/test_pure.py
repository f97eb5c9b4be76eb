"""Small pure parts: durations, exit codes, flags, files, differences, sentences of the API server."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gatehold.cli.asking import Question, key_name
from gatehold.cli.differences import differences
from gatehold.cli.exits import Exit, Leave, documentation
from gatehold.cli.files import one_object
from gatehold.cli.people import Person, demand_person, flaw
from gatehold.cli.questions import spec_of
from gatehold.cli.refusals import leave_for, sentence
from gatehold.cli.times import ServerTime, ago, clock, lasting, left, seconds_of
from gatehold.kube import errors

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("90s", 90), ("15m", 900), ("1h30m", 5400), ("2d", 172_800), ("1d1s", 86_401)]
)
def test_a_duration_is_read(text: str, seconds: int) -> None:
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", " ", "m", "1x", "-5", "1m1h", "1.5h"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="duration"):
        seconds_of(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0s"), (45, "45s"), (60, "1m"), (750, "12m30s"), (3600, "1h"), (11_100, "3h5m"), (187_200, "2d4h"), (-3, "0s")],
)
def test_a_span_is_said_in_its_two_largest_units(seconds: int, text: str) -> None:
    assert lasting(seconds) == text


def test_times_without_a_clock_say_nothing() -> None:
    assert (ago(NOON, None), left(NOON, None), ago(None, NOON), clock(None)) == ("", "", "", "")
    assert left(NOON, NOON) == "due"
    assert left(NOON + timedelta(minutes=5), NOON) == "5m"


def test_the_clock_is_the_servers_and_goes_on_between_answers() -> None:
    now = [100.0]
    time = ServerTime(lambda: now[0])
    assert time.now() is None
    time.on_answer("Tue, 01 Jan 2030 12:00:00 GMT", 100.0)
    now[0] = 103.0
    assert time.now() == NOON + timedelta(seconds=3)
    time.on_answer("nonsense", 104.0)
    assert time.now() == NOON + timedelta(seconds=3)


def test_every_exit_code_is_one_number_with_one_meaning() -> None:
    assert {int(code): code.name for code in Exit} == {
        0: "OK", 1: "NO", 2: "EXPIRED", 3: "LAPSED", 4: "SUPERSEDED", 5: "WITHDRAWN", 6: "FAILED", 7: "TIMEOUT", 8: "GONE",
        10: "API_ERROR", 11: "REFUSED", 12: "ABSENT", 13: "KEY_TAKEN", 14: "NOT_CONFIRMED", 15: "NOT_A_PERSON",
        16: "CHANGED", 20: "ABOVE_LIMIT", 21: "PRICE_UNKNOWN", 64: "USAGE", 130: "INTERRUPTED",
    }  # fmt: skip
    assert all(code.meaning in documentation() for code in Exit)


def test_a_key_makes_a_name_that_is_readable_and_its_own() -> None:
    assert key_name("Deploy Web #12") == key_name("Deploy Web #12")
    assert key_name("Deploy Web #12").startswith("deploy-web-12-")
    assert key_name("a/b") != key_name("a-b")
    assert len(key_name("x" * 500)) <= 63
    assert key_name("///").startswith("request-")


def test_flags_become_a_spec_and_what_is_not_given_stays_absent() -> None:
    question = Question(
        policy="prod", subject="Deployment/web", links=("Run=https://ci/1?a=b", "https://x"), evidence=("p99=4 = ms",),
        options=("fast=all", "slow"), cost="100-140 EUR/month", risk=0, on_behalf_of=("dana",), timeout=60, trace_id="t",
    )  # fmt: skip
    assert spec_of(question) == {
        "policyRef": {"name": "prod"},
        "subject": {"kind": "Deployment", "name": "web"},
        "links": [{"title": "Run", "url": "https://ci/1?a=b"}, {"url": "https://x"}],
        "evidence": [{"name": "p99", "value": "4 = ms"}],
        "options": [{"name": "fast", "summary": "all"}, {"name": "slow"}],
        "cost": {"low": "100", "high": "140", "currency": "EUR", "period": "month"},
        "risk": {"score": 0},
        "timeoutSeconds": 60,
        "onBehalfOf": ["dana"],
        "traceID": "t",
    }
    assert spec_of(Question()) == {}


@pytest.mark.parametrize(
    "question",
    [Question(subject="web"), Question(subject="Job/x", job="x"), Question(evidence=("p99",)), Question(cost="about ten")],
    ids=["a subject without kind", "two subjects", "evidence without value", "a cost in words"],
)
def test_flags_that_mean_nothing_are_refused(question: Question) -> None:
    with pytest.raises(Leave) as left_by:
        spec_of(question)
    assert left_by.value.code is Exit.USAGE


def test_differences_name_the_path_and_both_sides() -> None:
    ours = {"a": {"b": [1, 2], "c": "x"}, "only": True, "n": 1}
    theirs = {"a": {"b": [1, 3], "c": "x"}, "extra": None, "n": True}
    assert differences(ours, theirs, "spec") == [
        "spec.a.b[1]: 2 here, 3 there",
        "spec.only: true here, absent there",
        "spec.n: 1 here, true there",
        "spec.extra: absent here, null there",
    ]
    assert differences(ours, ours, "spec") == []


def test_a_file_holds_exactly_one_object_and_times_stay_text(tmp_path: Path) -> None:
    file = tmp_path / "x.yaml"
    file.write_text("---\nat: 2030-01-01T12:00:00Z\nspec: {a: '1'}\n")
    assert one_object(file) == {"at": "2030-01-01T12:00:00Z", "spec": {"a": "1"}}


@pytest.mark.parametrize("text", ["", "a: 1\n---\nb: 2\n", "[1]", "a: 1\na: 2\n", "a: [", "!!python/object:os.system {}"])
def test_any_other_file_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "x.yaml"
    file.write_text(text)
    with pytest.raises(Leave) as left_by:
        one_object(file)
    assert left_by.value.code is Exit.USAGE


def test_a_file_that_is_not_there_is_said() -> None:
    with pytest.raises(Leave, match="cannot be read"):
        one_object("/nowhere/x.yaml")


def test_the_walls_sentence_comes_first_and_its_origin_is_dim() -> None:
    error = errors.Forbidden(
        "approvalrequests.gatehold.dev \"x\" is forbidden: ValidatingAdmissionPolicy 'gatehold-requests' with binding "
        "'gatehold-requests' denied request: you opened this request, so somebody else has to decide it",
        status=403,
    )
    leave = leave_for(error, "x -n shop")
    assert leave.text.startswith("you opened this request")
    assert leave.text.splitlines()[1].startswith("[dim]refused by ValidatingAdmissionPolicy gatehold-requests")
    assert leave.next_command == 'gatehold withdraw x -n shop -m "why"'
    assert leave.code is Exit.REFUSED


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.Unavailable("no answer"), Exit.API_ERROR),
        (errors.Unauthenticated("who", status=401), Exit.API_ERROR),
        (errors.Absent("the server could not find the requested resource", status=404), Exit.ABSENT),
        (errors.Absent('"x" not found', status=404), Exit.ABSENT),
        (errors.Invalid("spec.x: Required", status=422), Exit.REFUSED),
        (errors.Conflict("modified", status=409), Exit.REFUSED),
        (errors.TooManyRequests("later", status=429), Exit.API_ERROR),
        (errors.Forbidden("no", status=403), Exit.REFUSED),
    ],
)
def test_each_failure_has_its_exit_code(error: errors.ApiError, code: Exit) -> None:
    assert leave_for(error).code is code


def test_rbac_is_said_in_short() -> None:
    text = 'jobs.batch "m" is forbidden: User "dana" cannot get resource "jobs" in API group "batch" in the namespace "shop"'
    assert (
        sentence(errors.Forbidden(text, status=403)) == 'dana may not get jobs in API group "batch" in the namespace "shop"'
    )


@pytest.mark.parametrize("name", ["system:serviceaccount:a:b", "system:admin", "system:anonymous", "system:node:n1"])
def test_no_system_account_decides_and_the_way_out_is_said(name: str) -> None:
    with pytest.raises(Leave) as left_by:
        demand_person(Person(name))
    assert left_by.value.code is Exit.NOT_A_PERSON
    assert "--context" in left_by.value.text


def test_a_person_decides() -> None:
    assert flaw(Person("oidc:alice@example.org")) == ""
    demand_person(Person("alice"))
