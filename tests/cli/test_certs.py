"""`certs init` on a real API server, with a webhook of the test's own that takes its certificate from the Secret."""

import base64
import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from gatehold.admission.certificates import facts, issue, make_authority, of_secret, secret_data, signed_by
from gatehold.admission.tls import new_context
from gatehold.cli.certs.init import exempt_in
from gatehold.cli.exits import Exit, Leave
from tests.cli.stage import Stage

Json = dict[str, Any]
CONFIGURATION = ("validatingwebhookconfiguration", "gatehold-evictions")
PODS_CONFIGURATION = ("mutatingwebhookconfiguration", "gatehold-pods")
CA, LEAF = "gatehold-webhook-ca", "gatehold-webhook-tls"
PLACE = ("-n", "gatehold-system")


@pytest.fixture(autouse=True)
def clean(stage: Stage) -> Iterator[None]:
    yield
    stage.plane.kubectl("delete", *CONFIGURATION, "--ignore-not-found")
    stage.plane.kubectl("delete", *PODS_CONFIGURATION, "--ignore-not-found")
    stage.plane.kubectl("delete", *PLACE, "secret", CA, LEAF, "--ignore-not-found")


def get(stage: Stage, *what: str) -> Json:
    found: Json = json.loads(stage.plane.kubectl("get", *what, "-o", "json").stdout)
    return found


def secret(stage: Stage, name: str) -> Json:
    return get(stage, *PLACE, "secret", name)


class No(BaseHTTPRequestHandler):
    """Denies every review."""

    def do_POST(self) -> None:
        review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        answer = {"uid": review["request"]["uid"], "allowed": False, "status": {"code": 429, "message": "held"}}
        body = json.dumps({**review, "request": None, "response": answer}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def webhook(stage: Stage) -> Iterator[str]:
    """As the operator does: it serves once the Secret is there. Answers its address."""
    server = HTTPServer(("127.0.0.1", 0), No)
    over = threading.Event()

    def serve() -> None:
        while not over.wait(0.1):
            found = stage.plane.kubectl("get", *PLACE, "secret", LEAF, "-o", "json", check=False)
            if found.returncode == 0:
                context: ssl.SSLContext = new_context(of_secret(json.loads(found.stdout)["data"]))
                server.socket = context.wrap_socket(server.socket, server_side=True)
                server.serve_forever(poll_interval=0.05)
                return

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"https://127.0.0.1:{server.server_address[1]}/evict"
    finally:
        over.set()
        threading.Thread(target=server.shutdown, daemon=True).start()
        thread.join(90)
        server.server_close()


def test_it_makes_ca_leaf_and_webhook_and_a_second_run_changes_nothing(stage: Stage) -> None:
    with webhook(stage) as url:
        first = stage.cli("admin", "certs", "init", "--url", url)
        assert first.code == Exit.OK, first.err
        made = [secret(stage, CA), secret(stage, LEAF), get(stage, *CONFIGURATION)]
        again = stage.cli("admin", "certs", "init", "--url", url)
        assert again.code == Exit.OK, again.err
        assert [secret(stage, CA), secret(stage, LEAF), get(stage, *CONFIGURATION)] == made
    ca, leaf = (of_secret(body["data"]) for body in made[:2])
    assert {body["type"] for body in made[:2]} == {"kubernetes.io/tls"}
    assert signed_by(leaf.certificate, ca.certificate)
    assert facts(leaf.certificate).hosts == ("127.0.0.1",)
    assert facts(ca.certificate).not_after - datetime.now(UTC) > timedelta(days=3640)
    hook = made[2]["webhooks"][0]
    assert base64.b64decode(hook["clientConfig"]["caBundle"]) == ca.certificate
    assert (hook["clientConfig"]["url"], hook["failurePolicy"]) == (url, "Fail")
    assert "gatehold-webhook-ca: made" in first.out
    assert "gatehold-webhook-ca: kept" in again.out
    assert "as it should be; every account is held" in again.out
    assert "the webhook answers" in first.err
    keys = [line for pair in (ca, leaf) for line in pair.key.decode().splitlines()]
    assert not [line for line in keys if line in first.out + first.err + again.out + again.err]


def test_accounts_that_are_never_held_stay_until_others_are_named(stage: Stage) -> None:
    autoscaler, descheduler = "system:serviceaccount:cas:autoscaler", 'odd"name\\'
    with webhook(stage) as url:
        stage.cli("admin", "certs", "init", "--url", url, "--exempt", autoscaler, "--exempt", descheduler)
        assert exempt_in(get(stage, *CONFIGURATION)) == (autoscaler, descheduler)
        kept = stage.cli("admin", "certs", "init", "--url", url)
        assert f"never held: {autoscaler}, {descheduler}" in kept.out
        assert "as it should be" in kept.out
        put = stage.cli("admin", "certs", "init", "--url", url, "--exempt", autoscaler)
        assert "put right" in put.out
        assert exempt_in(get(stage, *CONFIGURATION)) == (autoscaler,)


def test_a_webhook_that_was_loosened_is_put_right(stage: Stage) -> None:
    with webhook(stage) as url:
        stage.cli("admin", "certs", "init", "--url", url)
        loose = [{"op": "replace", "path": "/webhooks/0/failurePolicy", "value": "Ignore"}]
        stage.plane.kubectl("patch", *CONFIGURATION, "--type=json", "-p", json.dumps(loose))
        assert "put right" in stage.cli("admin", "certs", "init", "--url", url).out
    assert get(stage, *CONFIGURATION)["webhooks"][0]["failurePolicy"] == "Fail"


def test_a_webhook_that_does_not_answer_says_what_stops_and_how_to_open_it(stage: Stage) -> None:
    ended = stage.cli("admin", "certs", "init", "--timeout", "1s")
    assert ended.code == Exit.TIMEOUT
    assert "evictions are refused in the whole cluster" in ended.err
    assert "kubectl delete validatingwebhookconfiguration gatehold-evictions" in " ".join(ended.err.split())
    hosts = facts(of_secret(secret(stage, LEAF)["data"]).certificate).hosts
    assert hosts == ("gatehold.gatehold-system.svc", "gatehold.gatehold-system.svc.cluster.local")
    client = get(stage, *CONFIGURATION)["webhooks"][0]["clientConfig"]
    assert client["service"]["name"] == "gatehold"


def store(stage: Stage, name: str, data: dict[str, str], **notes: str) -> None:
    body = {"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls", "data": data,
            "metadata": {"name": name, "namespace": "gatehold-system", "annotations": notes}}  # fmt: skip
    stage.plane.kubectl("apply", "-f", "-", stdin=json.dumps(body))


def test_a_leaf_that_does_not_do_is_made_anew_under_the_same_ca(stage: Stage) -> None:
    now = datetime.now(UTC)
    ca = make_authority(now - timedelta(days=100))
    store(stage, CA, secret_data(ca))
    for old in (issue(make_authority(now), ("127.0.0.1",), now), issue(ca, ("x",), now),
                issue(ca, ("127.0.0.1",), now - timedelta(days=80))):  # fmt: skip
        store(stage, LEAF, secret_data(old))
        said = stage.cli("admin", "certs", "init", "--url", "https://127.0.0.1:1/evict", "--timeout", "1s")
        assert "gatehold-webhook-tls: made anew" in said.out, said.err
        assert signed_by(of_secret(secret(stage, LEAF)["data"]).certificate, ca.certificate)
    assert of_secret(secret(stage, CA)["data"]).certificate == ca.certificate


def test_what_somebody_else_keeps_is_used_and_never_written(stage: Stage) -> None:
    now = datetime.now(UTC)
    ca = make_authority(now)
    note = {"cert-manager.io/certificate-name": "evictions"}
    store(stage, LEAF, secret_data(issue(ca, ("127.0.0.1",), now), ca.certificate), **note)
    before = secret(stage, LEAF)
    said = stage.cli("admin", "certs", "init", "--url", "https://127.0.0.1:1/evict", "--timeout", "1s")
    assert "kept by cert-manager, who renews it" in said.out, said.err
    assert secret(stage, LEAF) == before
    assert stage.plane.kubectl("get", *PLACE, "secret", CA, check=False).returncode
    bundle = get(stage, *CONFIGURATION)["webhooks"][0]["clientConfig"]["caBundle"]
    assert base64.b64decode(bundle) == ca.certificate


def test_what_cannot_be_used_is_never_replaced(stage: Stage) -> None:
    now = datetime.now(UTC)
    old = make_authority(now - timedelta(days=4000))
    one, other = make_authority(now), make_authority(now)
    mixed = secret_data(one) | {"tls.key": secret_data(other)["tls.key"]}
    for data, why in ((secret_data(old), "has expired"), (mixed, "its key does not belong to its certificate")):
        store(stage, CA, data)
        ended = stage.cli("admin", "certs", "init")
        assert (ended.code, why in ended.err) == (Exit.NO, True), ended.err
        assert f"delete secret {CA}" in ended.err
        assert secret(stage, CA)["data"] == data
    stage.plane.kubectl("delete", *PLACE, "secret", CA)
    for leaf in (secret_data(issue(one, ("x",), now), one.certificate), secret_data(issue(one, ("x",), now))):
        store(stage, LEAF, leaf)
        ended = stage.cli("admin", "certs", "init")
        assert (ended.code, "kept by somebody else and cannot be used" in ended.err) == (Exit.NO, True)
    assert stage.plane.kubectl("get", *CONFIGURATION, check=False).returncode


def test_it_takes_the_installers_rights_and_an_https_url(stage: Stage) -> None:
    refused = stage.cli("alice", "certs", "init")
    assert (refused.code, "alice may not get secrets" in refused.err) == (Exit.REFUSED, True)
    for url in ("http://127.0.0.1/evict", "https://", "x"):
        assert stage.cli("admin", "certs", "init", "--url", url).code == Exit.USAGE


def test_a_condition_that_nobody_can_read_is_not_guessed() -> None:
    body = {"webhooks": [{"matchConditions": [{"name": "exempt-accounts", "expression": "true"}]}]}
    with pytest.raises(Leave, match="is not as this command writes it"):
        exempt_in(body)
    assert exempt_in({"webhooks": [{}]}) == ()


def test_the_webhook_that_marks_pods_has_the_same_authority_and_leaves_the_other_alone(stage: Stage) -> None:
    url = "https://127.0.0.1:9/pods"
    first = stage.cli("admin", "certs", "init", "--pods", "--url", url)
    assert first.code == Exit.OK, first.err
    assert "MutatingWebhookConfiguration gatehold-pods: installed" in first.out
    assert "no namespace is behind a gate for pods yet" in " ".join(first.err.split())
    made = [secret(stage, CA), secret(stage, LEAF), get(stage, *PODS_CONFIGURATION)]
    again = stage.cli("admin", "certs", "init", "--pods", "--url", url)
    assert "gatehold-pods: as it should be" in again.out
    assert [secret(stage, CA), secret(stage, LEAF), get(stage, *PODS_CONFIGURATION)] == made
    client = made[2]["webhooks"][0]["clientConfig"]
    assert client["url"] == url
    assert base64.b64decode(client["caBundle"]) == of_secret(made[0]["data"]).certificate
    assert stage.plane.kubectl("get", *CONFIGURATION, check=False).returncode != 0
    loose = [{"op": "replace", "path": "/webhooks/0/failurePolicy", "value": "Ignore"}]
    stage.plane.kubectl("patch", *PODS_CONFIGURATION, "--type=json", "-p", json.dumps(loose))
    assert "put right" in stage.cli("admin", "certs", "init", "--pods", "--url", url).out


def test_nobody_is_exempt_from_marks_by_the_webhook(stage: Stage) -> None:
    ended = stage.cli("admin", "certs", "init", "--pods", "--exempt", "alice")
    assert ended.code == Exit.USAGE
    assert "gatehold.dev/pods-exempt" in ended.err
    assert stage.plane.kubectl("get", *PODS_CONFIGURATION, check=False).returncode != 0
