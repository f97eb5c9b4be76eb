"""The objects of the demo, as a pipeline would write them."""

from typing import Any, Final

from demo.story import NAMESPACE

Body = dict[str, Any]
POLICY: Final[Body] = {
    "apiVersion": "gatehold.dev/v1alpha1",
    "kind": "ApprovalPolicy",
    "metadata": {"name": "prod-change"},
    "spec": {
        "quorum": [{"role": "sre", "count": 2}],
        "effects": ["Release"],
        "timeoutSeconds": {"default": 3600, "max": 86400},
        "onUnknownRequester": "Allow",
    },
}


def job(name: str, command: str, fake: str = "") -> Body:
    """A held Job: the label names its policy, and it is created suspended."""
    pod: Body = {
        "restartPolicy": "Never",
        "containers": [{"name": "main", "image": "registry.example.org/shop/tool:4.2", "command": command.split()}],
    }
    labels = {"example.org/fake": fake} if fake else {}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "namespace": NAMESPACE, "labels": {"gatehold.dev/hold": "prod-change"}},
        "spec": {"suspend": True, "backoffLimit": 0, "template": {"metadata": {"labels": labels}, "spec": pod}},
    }


def request(name: str, subject: Body, *, undo: Body | None = None, **spec: Any) -> Body:
    """The question about a held Job."""
    effect: Body = {"type": "Release"}
    if undo is not None:
        effect["release"] = {"undo": {"name": undo["metadata"]["name"], "uid": undo["metadata"]["uid"]}}
    meta = subject["metadata"]
    return {
        "apiVersion": "gatehold.dev/v1alpha1",
        "kind": "ApprovalRequest",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {
            "policyRef": {"name": "prod-change"},
            "subject": {"apiVersion": "batch/v1", "kind": "Job", "name": meta["name"], "uid": meta["uid"]},
            "effect": effect,
            **spec,
        },
    }
