"""The same moves before Kubernetes 1.36, where the API server stamps nothing: people decide with the command line.

It writes the verdict in its stored form, and whoever asks writes down who they are; the wall holds them to the truth.
"""

import subprocess
import sys
from pathlib import Path
from typing import Any

from controlplane import Cluster, KubectlError

ROOT = Path(__file__).parents[2]


def say(cluster: Cluster, namespace: str, user: str, *words: str) -> None:
    """Run `gatehold WORDS` as this person; raises KubectlError, as kubectl does where it stamps."""
    sure = [] if words[0] == "withdraw" else ["--yes"]
    environ = {**cluster.environment(user), "PYTHONPATH": str(ROOT / "operator"), "COLUMNS": "1000"}
    command = [sys.executable, "-m", "gatehold", *words, *sure, f"--namespace={namespace}"]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode:
        raise KubectlError(words, done.returncode, done.stdout, done.stderr)


def signed(body: dict[str, Any], user: str) -> dict[str, Any]:
    """The object with its author in it, where it is a request that does not say one."""
    if body["kind"] != "ApprovalRequest" or "requester" in body["spec"]:
        return body
    return {**body, "spec": {**body["spec"], "requester": {"username": user}}}
