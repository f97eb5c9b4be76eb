"""The cycle of an ApprovalPolicy: is it usable, is the wall in force for it, may its tiers decide alone. Status only."""

from datetime import datetime, timedelta
from typing import Any

from gatehold.api import approval_policy
from gatehold.api.common import ParseError, stamp, time
from gatehold.controllers.apply import merge_patch
from gatehold.controllers.wall import Wall
from gatehold.domain.model import Policy
from gatehold.domain.tiers import needs_auto_approve, policy_flaw
from gatehold.kube.client import Access
from gatehold.kube.errors import Absent
from gatehold.kube.resources import POLICIES
from gatehold.runtime.parts import POLICY, Key, Runtime

Body = dict[str, Any]
_RBAC_RECHECK = timedelta(seconds=60)
Fact = tuple[str, str, str]  # status, reason, message


class PolicyController:
    """Says on each policy what holds for it."""

    kind = POLICY

    def __init__(self, runtime: Runtime, wall: Wall) -> None:
        """Ask the wall, and the API server for the grant of auto-approve."""
        self._runtime = runtime
        self._wall = wall

    async def reconcile(self, key: Key) -> datetime | None:
        """Write the status if it changed."""
        body = self._runtime.policies.by_uid(key.uid)
        if body is None:
            return None
        now = self._runtime.clock.now()
        before = body.get("status") or {}
        after = await self._status(body, before, now)
        change = merge_patch(before, after)
        if change:
            patch = {"metadata": {"resourceVersion": body["metadata"]["resourceVersion"]}, "status": change}
            try:
                answer = await self._runtime.cluster.patch_status(POLICIES, None, key.name, patch)
            except Absent:
                return None
            self._runtime.policies.upsert(answer)
        granted = any(c["type"] == "AutoApproveGranted" for c in after["conditions"])
        return now + _RBAC_RECHECK if granted else None  # nobody tells when RBAC changes

    async def _status(self, body: Body, before: Body, now: datetime) -> Body:
        facts: dict[str, Fact] = {"Enforced": self._enforced()}
        status: Body = {"observedGeneration": body["metadata"].get("generation", 0)}
        if "wall" in before:  # the wall's own memory, written by its probe
            status["wall"] = before["wall"]
        try:
            policy = approval_policy.parse(body)
        except ParseError as error:
            facts["Ready"] = ("False", "Unreadable", f"requests under this policy are held: {error}")
        else:
            status["digest"] = policy.digest
            flaw = policy_flaw(policy)
            text = f"requests under this policy are held: {flaw}" if flaw else "requests under this policy can be decided"
            facts["Ready"] = ("False", "Contradictory", text) if flaw else ("True", "Usable", text)
            if needs_auto_approve(policy):
                facts["AutoApproveGranted"] = await self._granted(policy)
        generation = status["observedGeneration"]
        status["conditions"] = _conditions(before, facts, generation, now)
        return status

    def _enforced(self) -> Fact:
        last = self._wall.last
        if self._wall.proven():
            return ("True", "Proven", "the admission policies are as shipped and refuse a forgery")
        reason = str(last.reason) if last is not None and not last.proven else "NotProven"
        text = last.message if last is not None and not last.proven else "the admission policies were changed just now"
        return ("False", reason, f"nothing is prepared or released: {text}; run: gatehold doctor"[:1024])

    async def _granted(self, policy: Policy) -> Fact:
        """Whether the operator holds auto-approve wherever a tier of this policy decides alone."""
        places = sorted({ns for tier in policy.tiers if tier.auto_approve for ns in tier.namespaces or ("",)})
        lacking = [place for place in places if not await self._holds(policy.name, place)]
        if not lacking:
            return ("True", "Granted", "its automatic tiers decide alone")
        where = ", ".join(f"namespace {place}" if place else "all namespaces" for place in lacking)
        text = (
            f"people are asked instead in {where}: grant verb auto-approve on approvalpolicies/{policy.name} to the operator"
        )
        return ("False", "NotGranted", text)

    async def _holds(self, name: str, namespace: str) -> bool:
        access = Access("auto-approve", "gatehold.dev", "approvalpolicies", name=name, namespace=namespace)
        return await self._runtime.cluster.access_review_self(access)


def _conditions(before: Body, facts: dict[str, Fact], generation: int, now: datetime) -> list[Body]:
    known = {c["type"]: c for c in before.get("conditions") or []}
    return [_condition(kind, fact, known.get(kind), generation, now) for kind, fact in sorted(facts.items())]


def _condition(kind: str, fact: Fact, old: Body | None, generation: int, now: datetime) -> Body:
    status, reason, message = fact
    since = old["lastTransitionTime"] if old is not None and old["status"] == status else stamp(now)
    return {
        "type": kind,
        "status": status,
        "reason": reason,
        "message": message,
        "lastTransitionTime": stamp(time(str(since))),
        "observedGeneration": generation,
    }
