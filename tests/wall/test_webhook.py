"""The shipped webhook configuration: what stands in it, and that an API server takes it. Attacks: table_webhook."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from gatehold.admission.texts import eviction_webhook, pod_webhook, shipped
from tests.wall.conftest import ROOT, Stage

FILE = ROOT / "manifests/webhook/evictions.yaml"
PODS_FILE = ROOT / "manifests/webhook/pods.yaml"
PODS_WALL = next(
    body for body in shipped() if (body["kind"], body["metadata"]["name"]) == ("ValidatingAdmissionPolicy", "gatehold-pods")
)


def the_webhook() -> dict[str, Any]:
    (found,) = eviction_webhook()["webhooks"]
    return dict(found)


def test_what_is_not_answered_is_refused() -> None:
    found = the_webhook()

    assert found["failurePolicy"] == "Fail"
    assert found["sideEffects"] == "NoneOnDryRun"
    assert found["timeoutSeconds"] <= 5
    assert found["rules"] == [
        {
            "apiGroups": [""],
            "apiVersions": ["*"],
            "operations": ["CREATE"],
            "resources": ["pods/eviction"],
            "scope": "Namespaced",
        }
    ]


def test_what_the_cluster_runs_on_is_not_held() -> None:
    (namespaces,) = the_webhook()["namespaceSelector"]["matchExpressions"]

    assert namespaces == {
        "key": "kubernetes.io/metadata.name",
        "operator": "NotIn",
        "values": ["kube-system", "gatehold-system"],
    }


def test_it_is_one_document_without_a_key_of_its_own() -> None:
    (only,) = yaml.safe_load_all(FILE.read_text())

    assert only == eviction_webhook()
    assert only["metadata"]["name"] == "gatehold-evictions"
    assert the_webhook()["clientConfig"] == {
        "service": {"namespace": "gatehold-system", "name": "gatehold", "path": "/evict", "port": 443}
    }


def test_the_one_that_marks_pods_fails_closed_and_is_asked_about_gated_namespaces_only() -> None:
    (only,) = yaml.safe_load_all(PODS_FILE.read_text())
    (found,) = only["webhooks"]

    assert only == pod_webhook()
    assert only["metadata"]["name"] == "gatehold-pods"
    assert (found["failurePolicy"], found["sideEffects"], found["reinvocationPolicy"]) == ("Fail", "None", "IfNeeded")
    assert found["timeoutSeconds"] <= 5
    assert found["clientConfig"]["service"]["path"] == "/pods"
    assert [(rule["operations"], rule["resources"]) for rule in found["rules"]] == [
        (["CREATE"], ["pods"]),
        (["CREATE"], ["jobs"]),
    ]
    assert found["namespaceSelector"] == PODS_WALL["spec"]["matchConstraints"]["namespaceSelector"]


@pytest.mark.parametrize("file", [FILE, PODS_FILE], ids=lambda file: file.stem)
def test_an_api_server_takes_it(stage: Stage, file: Path) -> None:
    done = stage.cluster.kubectl(
        "apply", "--server-side", "--force-conflicts", "--dry-run=server", "-f", str(file), check=False
    )

    assert done.returncode == 0, done.stderr
