"""`doctor` on what marks pods and Jobs of gated namespaces: the API server, the webhook, or nothing. No server."""

import copy
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gatehold.admission.certificates import issue, make_authority, secret_data
from gatehold.admission.texts import STAMPING, shipped
from gatehold.cli.certs.init import Wish, configured
from gatehold.cli.doctor.findings import Level
from gatehold.cli.doctor.stamping import NAMES, Seen, findings
from gatehold.cli.doctor.webhook import Webhook

Json = dict[str, Any]
NOW = datetime(2030, 1, 1, tzinfo=UTC)
CA = make_authority(NOW - timedelta(days=30))
HOSTS = ("gatehold.gatehold-system.svc",)
POLICIES = tuple(
    copy.deepcopy(dict(body)) for body in shipped() if body["kind"] in STAMPING and body["metadata"]["name"] in NAMES
)
SERVER = (Level.OK, "namespace shop: the API server marks pods and Jobs (23-stamp-pods.yaml)")
OURS = (Level.OK, "namespace shop: the webhook of the operator marks pods and Jobs")


def webhook(change: Callable[[Json], object] = lambda hook: None, **more: Any) -> Webhook:
    body = configured(Wish(pods=True), CA.certificate, ())
    change(body["webhooks"][0])
    secret = {"data": secret_data(issue(CA, HOSTS, NOW, 90), CA.certificate)}
    return Webhook(**{"configuration": body, "secret": secret, **more})


def told(policies: tuple[Json, ...] | None, hook: Webhook | None = None, *spaces: str) -> list[tuple[Level, str]]:
    found = findings(Seen(policies, hook or Webhook()), list(spaces or ("shop",)), NOW)
    return [(finding.level, finding.text) for finding in found]


def problems(found: list[tuple[Level, str]]) -> list[str]:
    return [text for level, text in found if level is Level.PROBLEM]


def test_there_are_two_policies_and_their_bindings() -> None:
    assert len(POLICIES) == 4


def test_the_api_server_is_named_for_each_namespace() -> None:
    assert told(POLICIES, None, "shop", "lab") == [SERVER, (Level.OK, SERVER[1].replace("shop", "lab"))]


@pytest.mark.parametrize("policies", [None, ()], ids=["no such kind", "not installed"])
def test_the_webhook_stands_in(policies: tuple[Json, ...] | None) -> None:
    found = told(policies, webhook())
    assert OURS in found
    assert (Level.OK, "MutatingWebhookConfiguration gatehold-pods: as this version ships it") in found
    assert problems(found) == []


def test_where_nothing_marks_it_says_what_is_refused_and_why() -> None:
    (found,) = problems(told(None))
    assert found.startswith("namespace shop: nothing marks pods and Jobs, so those whose templates do not are refused")
    assert "1.36" in found
    (found,) = problems(told(POLICIES[:-1]))
    assert "is missing" in found
    loose = copy.deepcopy(POLICIES)
    loose[0]["spec"]["failurePolicy"] = "Ignore"
    (found,) = problems(told(loose))
    assert "differs from the shipped text" in found


def test_the_command_that_mends_it_fits_the_api_server() -> None:
    seen = [Seen(None, Webhook(), "by policies"), Seen((), Webhook(), "by policies")]
    command = [finding.next for one in seen for finding in findings(one, ["shop"], NOW)]
    assert command == ["gatehold certs init --pods", "by policies"]


SPOILED: dict[str, Callable[[Json], object]] = {
    "failurePolicy": lambda hook: hook.update(failurePolicy="Ignore"),
    "namespaceSelector": lambda hook: hook.update(namespaceSelector={}),
    "rules": lambda hook: hook["rules"].pop(),
    "matchConditions": lambda hook: hook["matchConditions"].append({"name": "not-me", "expression": "true"}),
    "reinvocationPolicy": lambda hook: hook.update(reinvocationPolicy="Never"),
    "objectSelector": lambda hook: hook.update(objectSelector={"matchLabels": {"a": "b"}}),
}


@pytest.mark.parametrize("member", SPOILED)
def test_a_webhook_that_was_changed_is_a_problem_and_stands_for_nothing(member: str) -> None:
    found = told((), webhook(SPOILED[member]))
    assert f"MutatingWebhookConfiguration gatehold-pods: {member} differs from the shipped text" in problems(found)
    assert OURS not in found


def test_a_certificate_that_has_ended_refuses_everything_though_the_api_server_marks() -> None:
    ended = {"data": secret_data(issue(CA, HOSTS, NOW - timedelta(days=9), 8), CA.certificate)}
    found = told(POLICIES, webhook(secret=ended))
    assert SERVER in found
    assert any("no pod and no Job can be created in gated namespaces" in text for text in problems(found))


def test_without_a_bundle_nothing_can_be_created() -> None:
    found = told((), webhook(lambda hook: hook["clientConfig"].pop("caBundle")))
    assert any("has no caBundle" in text for text in problems(found))
