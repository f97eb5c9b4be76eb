"""A row of the wall's table, and how it is judged: by the object before and after, not by the HTTP code alone."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.wall.api import Answer, Body
from tests.wall.scene import Ask, Scene
from tests.wall.writes import Do

REQUESTS, STATUS, JOBS = "gatehold-requests", "gatehold-status", "gatehold-jobs"
OPERATOR, TOKEN, IDENTITY = "gatehold-operator", "gatehold-token", "gatehold-identity"
ROLLOUTS, CHILDREN, PODS = "gatehold-rollouts", "gatehold-children", "gatehold-children-pods"
MARKS, SERVICES, ONLY = "gatehold-marks", "gatehold-services", "gatehold-only-rollouts"
NAMESPACES, NODE_LABELS = "gatehold-namespaces", "gatehold-node-labels"
NODES, EVICTIONS, WEBHOOK = "gatehold-nodes", "gatehold-own-evictions", "gatehold-webhook"
GATED_PODS, GATED_JOBS, PROVISION = "gatehold-pods", "gatehold-gated-jobs", "gatehold-provision"
ARGO, ARGO_CHILDREN, ARGO_HAND = "gatehold-argo-rollouts", "gatehold-argo-children", "gatehold-argo-hand"
POLICIES = (
    *(REQUESTS, STATUS, JOBS, OPERATOR, TOKEN, IDENTITY),
    *(ROLLOUTS, CHILDREN, PODS, MARKS, SERVICES, ONLY, NAMESPACES, NODE_LABELS, NODES, EVICTIONS, WEBHOOK),
    *(GATED_PODS, GATED_JOBS, PROVISION, ARGO, ARGO_CHILDREN, ARGO_HAND),
)
SCHEMA = "schema"
"""Refused before any policy speaks: by the CRD, by Kubernetes itself, or by RBAC (`RBAC`)."""
RBAC = "rbac"
HEARTBEAT = "gatehold.dev/heartbeat"

Check = Callable[[Scene, Body | None], bool]


@dataclass(frozen=True)
class Attempt:
    """One write by one account. `says` is the sentence that names it.

    `refused` is part of what a person reads, `unstamped` the same where stamping is not installed and the wording
    differs; without either the write has to go through and `leaves` has to hold afterwards. `policy` says who refuses; where
    two do, as a|b, either may be the one that speaks, each in its own words where `refused` names both ("this | that").
    """

    says: str
    by: str
    do: Do
    ask: Ask = field(default_factory=Ask)
    refused: str = ""
    unstamped: str = ""
    policy: str = REQUESTS
    leaves: Check | None = None
    only: str = ""
    """`stamped` or `unstamped`: the row means nothing in the other situation. `stopped`: nor with an operator running. Or
    both. `once`: stamping has no part in it, so it is tried without."""
    since: tuple[int, int] = (1, 30)
    """The first Kubernetes version where the row means something: a field that an older one drops is not refused there."""
    before: Callable[[Scene], None] | None = None
    target: Callable[[Scene], str] | None = None
    """What is compared; the request unless the attempt is on something else."""

    @property
    def needs_request(self) -> bool:
        """Whether a request has to be there: a write on something else needs none where nothing special is asked."""
        return self.target is None or self.ask != Ask()


@dataclass(frozen=True)
class Seen:
    """An object as it was, without what a running operator or controller may touch at any time."""

    body: Body | None

    def facts(self) -> Mapping[str, Any] | None:
        if self.body is None:
            return None
        meta = self.body["metadata"]
        if self.body["kind"] == "Node":
            return _of_node(self.body)
        kept = ("labels", "annotations", "finalizers", "ownerReferences", "uid", "generation")
        facts = {key: meta.get(key) or None for key in kept}
        # a running operator's sign of life on the probe's request; a number that the Deployment controller writes
        for moving in (HEARTBEAT, "deployment.kubernetes.io/revision"):
            facts["annotations"] = {k: v for k, v in (facts["annotations"] or {}).items() if k != moving} or None
        return {**facts, **{key: value for key, value in self.body.items() if key not in ("metadata", "status")}}

    def status(self, *, quiet: bool) -> Any:
        """The status of our own kinds and of Argo's (a Job's is its controller's), without what an operator may write."""
        if self.body is None or not self.body["apiVersion"].startswith(("gatehold.dev/", "argoproj.io/")):
            return None
        moving = () if quiet else ("conditions", "effect", "verdicts", "approvals", "observedGeneration")
        return {key: value for key, value in (self.body.get("status") or {}).items() if key not in moving}


def _of_node(body: Body) -> Mapping[str, Any]:
    """What only people and we change of a Node; its controllers write the rest at any time, taints of their own included."""
    meta, spec = body["metadata"], body["spec"]
    ours = {
        name: {key: value for key, value in (meta.get(name) or {}).items() if "gatehold.dev" in key.lower()}
        for name in ("labels", "annotations")
    }
    taints = [taint for taint in spec.get("taints") or [] if taint["key"].startswith("example.com/")]
    kept = {key: spec.get(key) for key in ("unschedulable", "providerID")}
    return {**ours, **kept, "taints": taints, **{key: meta.get(key) for key in ("uid", "finalizers", "ownerReferences")}}


def judge(attempt: Attempt, scene: Scene, answers: tuple[Answer, Answer], seen: tuple[Seen, Seen]) -> None:
    """Fail unless the attempt ended as its row says; `answers` are those of a dry run and of the write itself."""
    dry, real = answers
    before, after = seen
    text = attempt.unstamped if attempt.unstamped and not scene.stamped else attempt.refused
    if not text:
        assert real.ok, f"should have been let through: {real.code} {real.message}"
        assert dry.ok, f"the dry run should have been let through: {dry.code} {dry.message}"
        assert attempt.leaves is None or attempt.leaves(scene, after.body), f"left behind: {after.body}"
        return
    assert not real.ok, f"was let through, and left: {after.body}"
    # what was said beforehand may have closed the request, where an operator was there to see it
    closed = not scene.hand.still and attempt.ask.state == "pending" and phase(before.body) != "Pending"
    assert _says(real, text) or (closed and "this request is " in real.message), real.message
    spoke = [p for p in POLICIES if f"ValidatingAdmissionPolicy '{p}' with binding '{p}' denied request" in real.message]
    assert (spoke or [attempt.policy])[0] in attempt.policy.split("|"), real.message
    assert spoke or attempt.policy in (SCHEMA, RBAC), real.message
    if attempt.policy == RBAC:
        assert real.code == 403 and "cannot" in real.message, real.message
    # a connection cannot be tried dry
    assert "dryRun is not supported" in dry.message or (dry.code == real.code and (closed or _says(dry, text))), dry.message
    assert before.facts() == after.facts()
    assert before.status(quiet=scene.hand.still) == after.status(quiet=scene.hand.still)


def _says(answer: Answer, text: str) -> bool:
    return any(words in answer.message for words in text.split(" | "))


def phase(body: Body | None) -> str:
    return str((body or {}).get("status", {}).get("phase", ""))


def notes_of(body: Body | None) -> dict[str, str]:
    return dict((body or {}).get("metadata", {}).get("annotations") or {})


def leaves(**annotations: str | None) -> Check:
    """The verdict annotations that have to stand afterwards, as v0="approve|{digest}|sre|alice||ok" (None: absent)."""

    def check(scene: Scene, after: Body | None) -> bool:
        digest = (after or {}).get("status", {}).get("requestDigest", "")
        found = notes_of(after)
        wanted = {f"verdict.gatehold.dev/{key[1:]}": value for key, value in annotations.items()}
        words = [
            key
            for key in found
            if key.split("/")[-1] in ("approve", "deny", "withdraw", "override", "option", "role", "digest")
        ]
        return not words and all(found.get(k) == (v and v.replace("{digest}", digest)) for k, v in wanted.items())

    return check


def field_is(path: str, value: object) -> Check:
    """A field, by dotted path, afterwards."""

    def check(scene: Scene, after: Body | None) -> bool:
        found: Any = after
        for part in path.split("."):
            found = (found or {}).get(part) if isinstance(found, dict) else None
        return bool(found == value)

    return check


def gone(scene: Scene, after: Body | None) -> bool:
    """The object is not there any more, or on its way out."""
    return after is None or "deletionTimestamp" in after["metadata"]
