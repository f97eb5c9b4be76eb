"""Bodies of requests for tests that need no server, and a cluster that answers with them."""

import copy
from collections.abc import AsyncGenerator
from types import TracebackType
from typing import Any, Self

from gatehold.api.digest import policy_digest, request_digest
from gatehold.kube import errors
from gatehold.kube.resources import JOBS, MAP, POLICIES, REQUESTS, Resource

Json = dict[str, Any]
UID = "11111111-2222-3333-4444-555555555555"
DEADLINE = "2030-01-01T12:00:00.000000Z"


def policy(**spec: Any) -> Json:
    whole = {"quorum": [{"role": "sre"}, {"role": "finance"}], **spec}
    return {"apiVersion": "gatehold.dev/v1alpha1", "kind": "ApprovalPolicy", "spec": whole,
            "metadata": {"name": "prod", "uid": "p1", "generation": 3}}  # fmt: skip


def entry(role: str, count: int = 1, **more: Any) -> Json:
    return {"role": role, "count": count, "acceptedRoles": [role], **more}


def verdict(number: int, word: str, username: str, role: str = "", **more: Any) -> Json:
    return {"id": number, "verdict": word, "digest": "", "username": username, "role": role, "comment": "because",
            "observedAt": "2030-01-01T11:30:00.000000Z", "counted": True, **more}  # fmt: skip


def request(*, spec: Json | None = None, status: Json | None = None, annotations: dict[str, str] | None = None) -> Json:
    """A request that waits for sre and finance; the digest is the true one, and each verdict is for it."""
    whole = {"policyRef": {"name": "prod"}, "subject": {"kind": "Change", "name": "web"},
             "requester": {"username": "ci"}, "summary": "Go?", **(spec or {})}  # fmt: skip
    snapshot: Json = {"name": "prod", "uid": "p1", "generation": 3, "digest": policy_digest(policy()["spec"]),
                "validitySeconds": 3600, "retentionSeconds": 60}  # fmt: skip
    given = copy.deepcopy(status or {})
    digest = request_digest(UID, whole, given.get("resolved") or {}, snapshot["digest"])
    state = {"observedGeneration": 1, "phase": "Pending", "requestDigest": digest, "policy": snapshot,
             "quorum": [entry("sre"), entry("finance")], "approvals": "0/2", "deadline": DEADLINE, **given}  # fmt: skip
    for item in state.get("verdicts", ()):
        item["digest"] = item["digest"] or digest
    metadata = {"name": "web", "namespace": "shop", "uid": UID, "generation": 1, "resourceVersion": "7",
                "creationTimestamp": "2030-01-01T11:00:00Z", "annotations": annotations or {}}  # fmt: skip
    return {"apiVersion": "gatehold.dev/v1alpha1", "kind": "ApprovalRequest", "metadata": metadata,
            "spec": whole, "status": state}  # fmt: skip


class Cluster:
    """Answers every question of the CLI from fixed bodies; reviews say yes."""

    namespace = "shop"
    server = "https://nowhere"

    def __init__(
        self,
        body: Json,
        *,
        me: str = "alice",
        live_policy: Json | None = None,
        job: Json | None = None,
        **more: Json | list[Json],
    ) -> None:
        self.body = body
        self.me = me
        self.objects = {REQUESTS: body, POLICIES: live_policy or policy(), JOBS: job, MAP: {"metadata": {"name": "stamp"}}}
        self.more = more

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    async def who_am_i(self) -> Json:
        return {"username": self.me, "groups": ["people"]}

    async def watch(self, resource: Resource, version: str, **_: Any) -> AsyncGenerator[Json, None]:
        """It breaks: who wants to watch has to look again instead."""
        raise errors.Unavailable("nobody is there")
        yield {}

    async def access_review_self(self, access: Any) -> bool:
        return True

    async def get(self, resource: Resource, namespace: str | None, name: str) -> Json:
        found = self.more.get(f"{resource.plural}/{name}") or self.more.get(resource.plural) or self.objects.get(resource)
        if found is None:
            raise errors.Absent(f'{resource.plural} "{name}" not found', status=404)
        return found

    async def list_all(self, resource: Resource, namespace: str | None = None, label_selector: str = "") -> list[Json]:
        listed = self.more.get(resource.plural)
        if listed is not None:
            return listed if isinstance(listed, list) else [listed]
        found = self.objects.get(resource)
        return [found] if found else []

    async def server_version(self) -> Json:
        return {"gitVersion": "v1.36.3", "minor": "36"}

    async def create(self, resource: Resource, namespace: str | None, body: Json, *, dry_run: bool = False) -> Json:
        raise errors.AlreadyExists("it exists", status=409)

    async def merge_patch(self, resource: Resource, namespace: str, name: str, body: Json, *, dry_run: bool = False) -> Json:
        """Stamp the word as the API server would, and refuse a verdict that is none."""
        if resource.plural == "rollouts":
            return await self.get(resource, namespace, name)
        notes = body["metadata"]["annotations"]
        if "verdict.gatehold.dev/999" in notes:
            text = "ValidatingAdmissionPolicy 'gatehold-requests' with binding 'gatehold-requests' denied request: no"
            raise errors.Forbidden(text, status=403)
        word = next(w for w in ("approve", "deny", "override", "withdraw") if f"gatehold.dev/{w}" in notes)
        line = "|".join([word, notes.get("gatehold.dev/digest", ""), notes.get("gatehold.dev/role", ""), self.me,
                         notes.get("gatehold.dev/option", ""), notes[f"gatehold.dev/{word}"]])  # fmt: skip
        answer = copy.deepcopy(self.body)
        answer["metadata"]["annotations"] = {**answer["metadata"]["annotations"], "verdict.gatehold.dev/9": line}
        return answer
