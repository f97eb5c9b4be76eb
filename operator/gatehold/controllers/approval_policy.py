"""The cycle of an ApprovalPolicy: is it usable, does each rule apply, is the wall in force, may its tiers decide alone.

It writes status only. Who holds the roles is not said here: docs/decisions/0010-who-holds-a-role.md.
"""

from datetime import datetime, timedelta
from typing import Any

from gatehold.api import approval_policy
from gatehold.api.common import ParseError, shortened, stamp, time
from gatehold.controllers.apply import merge_patch
from gatehold.controllers.wall import Wall
from gatehold.domain.model import Policy
from gatehold.domain.odd_policy import oddities
from gatehold.domain.plan import Rules
from gatehold.domain.reasons import PolicyReason
from gatehold.domain.tiers import needs_auto_approve, policy_flaw
from gatehold.kube.client import Access
from gatehold.kube.errors import Absent
from gatehold.kube.resources import POLICIES
from gatehold.runtime.parts import POLICY, Key, Runtime

Body = dict[str, Any]
_RBAC_RECHECK = timedelta(seconds=60)
_MOST_TEXT = 1024
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
            text = f"requests under this policy are held: this operator cannot read it: {error}"
            facts["Ready"] = ("False", PolicyReason.UNREADABLE, text)
        else:
            status["digest"] = policy.digest
            facts |= self._judged(policy)
            if needs_auto_approve(policy):
                facts["AutoApproveGranted"] = await self._granted(policy)
        generation = status["observedGeneration"]
        status["conditions"] = _conditions(before, facts, generation, now)
        return status

    def _judged(self, policy: Policy) -> dict[str, Fact]:
        """Whether requests can be decided under it, and whether each of its rules means something."""
        flaw = policy_flaw(policy)
        if flaw:
            text = f"requests under this policy are held until it is changed: {flaw}"
            return {"Ready": ("False", PolicyReason.CONTRADICTORY, text)}
        text = "requests under this policy can be decided, if people hold its roles; gatehold doctor says who does"
        return {"Ready": ("True", PolicyReason.USABLE, text), "Consistent": self._consistent(policy)}

    def _consistent(self, policy: Policy) -> Fact:
        odd = oddities(policy, Rules(timeout_seconds=self._runtime.settings.default_timeout_seconds))
        if not odd:
            return ("True", PolicyReason.EVERY_RULE_APPLIES, "each of its rules applies to some request")
        text = "; ".join(f"{found.field}: {found.message}" for found in odd)
        return ("False", odd[0].reason, shortened(text, _MOST_TEXT))

    def _enforced(self) -> Fact:
        last = self._wall.last
        if self._wall.proven():
            return ("True", "Proven", "the admission policies are as shipped and refuse a forgery")
        reason = str(last.reason) if last is not None and not last.proven else "NotProven"
        text = last.message if last is not None and not last.proven else "the admission policies were changed just now"
        return ("False", reason, f"nothing is prepared or released: {text}; run: gatehold doctor"[:_MOST_TEXT])

    async def _granted(self, policy: Policy) -> Fact:
        """Whether the operator holds auto-approve wherever a tier of this policy decides alone."""
        places = sorted({ns for tier in policy.tiers if tier.auto_approve for ns in tier.namespaces or ("",)})
        lacking = [place for place in places if not await self._holds(policy.name, place)]
        if not lacking:
            return ("True", PolicyReason.GRANTED, "its automatic tiers decide alone")
        where = ", ".join(f"namespace {place}" if place else "all namespaces" for place in lacking)
        text = (
            f"people are asked instead in {where}: grant verb auto-approve on approvalpolicies/{policy.name} to the operator"
        )
        return ("False", PolicyReason.NOT_GRANTED, text)

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
        "reason": str(reason),
        "message": message,
        "lastTransitionTime": stamp(time(str(since))),
        "observedGeneration": generation,
    }
