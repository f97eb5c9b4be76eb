"""Bad input: every field of both kinds, by the CRD's own schema, against a real API server and a real operator.

Whatever is sent is refused in words that name the field, or it lives: the operator says why it is held, it can be decided,
it ends. Nothing raises in the operator, nothing hangs, nothing is released that nobody approved.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane import Cluster
from playground import OperatorProcess
from tests.e2e.crowd import Crowd, Ear, at_once, ended_well, policies_path, unapproved, until_said
from tests.e2e.schema_walk import Case
from tests.e2e.stage import GROUP, Body, condition, failure, message, new_stage
from tests.e2e.walking import WIDE, schema, single, unclear, walk, whole
from tests.wall.api import Call

pytestmark = pytest.mark.timeout(900)
"""Hundreds of requests live here; a slow machine takes minutes for them."""
ABOUT: Final[Body] = {"policyRef": {"name": "walked"}, "subject": {"kind": "ConfigMap", "name": "settings"}}
JOB: Final = {"apiVersion": "batch/v1", "kind": "Job", "namespace": "the-namespace", "name": "the-job", "uid": "the-job-uid"}
UNDO: Final = {"undo": {"name": "the-undo", "uid": "the-undo-uid"}}
DRAIN: Final = {"policyRef": {"name": "walked"}}
REQUESTS: Final[tuple[Body, ...]] = (
    {"spec": ABOUT},
    {"spec": {**ABOUT, "subject": JOB, "effect": {"type": "Release", "release": UNDO}}},
    {"spec": {**DRAIN, "effect": {"type": "Drain", "drain": {"nodes": [{"name": "node-0"}]}}}},
    {"spec": {**DRAIN, "effect": {"type": "Drain", "drain": {"selector": {"matchLabels": {"pool": "a"}}}}}},
)
"""Requests in which fields have their place: what a field needs beside itself stands in one of them."""
SRE: Final[Body] = {"quorum": [{"role": "sre"}]}
BACKED: Final[Body] = {"quorum": [{"role": "sre", "backups": ["a"]}]}
POLICIES: Final[tuple[Body, ...]] = (
    {"spec": SRE},
    {"spec": {**BACKED, "escalation": [{"afterSeconds": 1, "roles": ["a"]}]}},
    {"spec": {**SRE, "tiers": [{"name": "t", "when": {"namespaces": ["a"]}, "quorum": [{"role": "b"}]}]}},
    {"spec": {**SRE, "tiers": [{"name": "t", "atLeast": {"risk": 1}, "quorum": [{"role": "b"}]}]}},
    {"spec": {**SRE, "tiers": [{"name": "t", "when": {"namespaces": ["a"]}, "autoApprove": True}]}},
)
RETENTION: Final = 600
"""Seconds after which a request may be gone before a busy machine has looked at it."""
REQUEST, POLICY = schema("approvalrequests"), schema("approvalpolicies")


@pytest.fixture(scope="module")
def crowd(gatehold: Cluster, operator: OperatorProcess) -> Iterator[Crowd]:
    """A namespace of this file's own. The requests of all its tests are under policy `walked`."""
    stage = new_stage(gatehold, operator)
    stage.policy("walked", quorum=[{"role": "sre"}], effects=["None", "Release", "Drain"], maxPending=100_000)
    ear = Ear(stage)
    yield Crowd.on(stage)
    stage.kubectl("delete", "approvalpolicy", "walked")
    assert ear.heard() == []


def with_jobs(crowd: Crowd, number: int, body: Body) -> Body:
    """The request about Jobs of its own, where it is about a Job."""
    text = json.dumps(body)
    for name in ("the-job", "the-undo"):
        if f'"{name}"' in text:
            job = crowd.stage.post(crowd.stage.job_body(f"{name}-{number}", "walked"), user="admin")
            text = text.replace(f'"{name}-uid"', f'"{job["metadata"]["uid"]}"').replace(f'"{name}"', f'"{name}-{number}"')
    found: Body = json.loads(text)
    return found


def test_every_field_of_a_request(crowd: Crowd) -> None:
    taken = walk(REQUEST, REQUESTS, lambda body: crowd.ask(body, dry=True))
    assert len(taken) > 200
    says: dict[str, str] = {}

    def ask(entry: tuple[int, tuple[Case, Body]]) -> None:
        number, (case, body) = entry
        answer = crowd.ask(with_jobs(crowd, number, body))
        assert answer.ok, f"{case.says}: {answer.message}"
        says[answer.body["metadata"]["name"]] = case.says

    at_once(ask, enumerate(taken))
    at_once(crowd.decide, [body for body in crowd.until_looked_at() if body["status"]["phase"] == "Pending"])
    ended = crowd.until_all_done()
    faults = {says[body["metadata"]["name"]]: fault for body in ended if (fault := ended_well(body))}
    assert faults == {}
    assert len(ended) == len(taken)
    assert {body["status"]["phase"] for body in ended} >= {"Approved", "Released", "Failed", "Withdrawn"}
    assert unapproved(crowd.stage, ended) == []


def test_every_field_of_a_policy(crowd: Crowd) -> None:
    admin = crowd.stage.api()
    taken = walk(POLICY, POLICIES, lambda body: admin.send(policy("walked-0", body), dryRun="All"))
    assert len(taken) > 60
    says = {f"walked-{number}": case.says for number, (case, _) in enumerate(taken)}
    at_once(lambda entry: admin.must(policy(f"walked-{entry[0]}", entry[1][1])), enumerate(taken))
    try:
        live_under(crowd, says)
    finally:
        at_once(lambda name: admin.must(Call(policies_path(name), how="delete")), says)


@WIDE
@given(st.lists(whole(REQUEST, REQUESTS, "requester", "authors") | single(REQUEST, REQUESTS), min_size=12, max_size=12))
def test_whole_requests_of_any_kind(crowd: Crowd, bodies: list[Body]) -> None:
    answers = at_once(crowd.ask, bodies)
    assert [fault for answer in answers if (fault := unclear(answer))] == []
    at_once(crowd.decide, [body for body in crowd.until_looked_at() if body["status"]["phase"] == "Pending"])
    names = {answer.body["metadata"]["name"] for answer in answers if answer.ok}
    ended = [body for body in crowd.until_all_done() if body["metadata"]["name"] in names]
    assert len(ended) == len(names)
    assert [fault for body in ended if (fault := ended_well(body))] == []


@WIDE
@given(st.lists(whole(POLICY, ({"spec": {}}, *POLICIES)) | single(POLICY, POLICIES), min_size=12, max_size=12))
def test_whole_policies_of_any_kind(crowd: Crowd, bodies: list[Body]) -> None:
    admin = crowd.stage.api()
    calls = [policy(f"any-{number}", body) for number, body in enumerate(bodies)]
    answers = at_once(admin.send, calls)
    names = [answer.body["metadata"]["name"] for answer in answers if answer.ok]
    try:
        assert [fault for answer in answers if (fault := unclear(answer))] == []
        live_under(crowd, {name: name for name in names})
    finally:
        at_once(lambda name: admin.must(Call(policies_path(name), how="delete")), names)


def policy(name: str, body: Body) -> Call:
    """Create a policy from a body of nothing but its spec."""
    return Call(policies_path(), {"apiVersion": GROUP, "kind": "ApprovalPolicy", "metadata": {"name": name}, **body}, "post")


def live_under(crowd: Crowd, says: dict[str, str]) -> None:
    """The operator says whether each of these policies is ready, and a request under it does as its policy says."""
    ready = until_ready(crowd, says)
    answers = at_once(lambda name: crowd.ask({"spec": {**ABOUT, "policyRef": {"name": name}}}), says)
    names = {answer.body["metadata"]["name"] for answer in answers}
    waiting = crowd.until_looked_at()
    found = {policy_of(body): body for body in crowd.stage.all("apr") if body["metadata"]["name"] in names}
    gone = [name for name in says if name not in found]  # over at once, and kept for so short that nobody could look
    assert [says[name] for name in gone if not keeps_little(crowd, name)] == []
    assert {says[name]: fault for name in found if (fault := as_its_policy(found[name], ready[name]))} == {}
    at_once(crowd.withdraw, waiting)
    crowd.until_all_done()


def keeps_little(crowd: Crowd, policy: str) -> bool:
    """Whether requests under a policy go soon after their end."""
    body = crowd.stage.api().must(Call(policies_path(policy), how="get"))
    return bool(body["spec"].get("retentionSeconds", RETENTION) < RETENTION)


def policy_of(request: Body) -> str:
    """The policy that a request names."""
    return str(request["spec"]["policyRef"]["name"])


def until_ready(crowd: Crowd, names: Iterable[str]) -> dict[str, str]:
    """Wait until the operator says of each policy, with a reason, whether it is ready; answers what it says."""
    return {name: condition(until_said(crowd.stage, name), "Ready")[0] for name in names}


def as_its_policy(request: Body, ready: str) -> str:
    """What is wrong with a request, given what its policy says of itself."""
    held, text, phase = condition(request, "Held")[1], message(request, "Held"), request["status"]["phase"]
    if (
        ready != "True" or held == "PolicyNotReady"
    ):  # ready, but its tiers add up to too much for this one: Consistent says so
        return "" if held == "PolicyNotReady" and policy_of(request) in text else f"not ready, and {held}: {text}"
    if phase in ("Failed", "Expired"):  # an effect that it does not list; a second to answer
        return "" if failure(request) in ("EffectNotAllowed", "DeadlinePassed") else f"{phase}: {failure(request)}"
    return "" if held == "AwaitingApproval" and "requestDigest" in request["status"] else f"ready, and {held}: {text}"
