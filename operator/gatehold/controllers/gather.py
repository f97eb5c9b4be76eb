"""Gather: everything that `decide` may look at, in one value, from the cache or, where that will not do, live."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from gatehold.api import approval_policy
from gatehold.api.approval_request import VERDICT_PREFIX, parse, parse_verdicts
from gatehold.api.common import ParseError
from gatehold.api.digest import request_digest
from gatehold.api.request_status import parse_status, render_resolved
from gatehold.controllers.effects import Hands
from gatehold.controllers.summary import subjects_of
from gatehold.controllers.wall import Wall
from gatehold.domain.model import Policy, Request, Verdict, Word
from gatehold.domain.phases import Phase
from gatehold.domain.plan import Observed, Rules
from gatehold.domain.status import Resolved, Status
from gatehold.domain.tiers import needs_auto_approve, policy_flaw
from gatehold.kube.client import Access
from gatehold.runtime.cache import Subject
from gatehold.runtime.parts import Runtime

Body = Mapping[str, Any]


class Gather:
    """Reads for one operator."""

    def __init__(self, runtime: Runtime, wall: Wall, hands: Hands) -> None:
        """Use the runtime's caches and account, and the wall's history."""
        self._runtime = runtime
        self._wall = wall
        self._hands = hands
        self._claims: dict[Subject, str] = {}
        settings = runtime.settings
        self._rules = Rules(
            timeout_seconds=settings.default_timeout_seconds,
            validity_seconds=settings.default_validity_seconds,
            retention_seconds=settings.default_retention_seconds,
            max_pending_per_policy=settings.max_pending_per_policy,
            max_pending_per_author=settings.max_pending_per_author,
            robot_users=frozenset(settings.robot_users),
        )

    async def observe(self, body: Body, now: datetime) -> Observed:
        """What stands, what is known and what is true of the subject. Raises ParseError and the errors of gatehold.kube."""
        request, status = parse(body), parse_status(body)
        policy, flaw = self._policy(request.policy)
        unasked = not status.request_digest and status.phase in (Phase.UNSET, Phase.PENDING)
        hands = self._hands.of(request)
        resolved: Resolved | None = None
        if unasked and policy is not None:
            facts, resolved = await hands.resolve(request)
        else:
            facts = await hands.facts(request, status)
        observed = Observed(
            request=request,
            status=status,
            policy=policy,
            policy_flaw=flaw,
            auto_approve_granted=await self._auto_approve_granted(request, status, policy),
            facts=facts,
            resolved=resolved,
            request_digest=_digest(body, request, resolved, policy),
            rules=self._rules,
        )
        # nothing is awaited from here on: who owns the subject, how full the queues are and what was seen is one moment
        return self._in_this_moment(observed, body, now)

    def _in_this_moment(self, observed: Observed, body: Body, now: datetime) -> Observed:
        request = observed.request
        verdicts = self._to_record(parse_verdicts(body["metadata"].get("annotations")), observed.status, now)
        seen = {v.id: self._seen_at(request.uid, v) for v in verdicts}
        kept = {e.verdict.id: e.observed_at.timestamp() for e in observed.status.verdicts if e.counted}
        said = {number: kept.get(number, now.timestamp() if at is None else at) for number, at in seen.items()}
        waits = self._waits(request)
        return replace(
            observed,
            verdicts=verdicts,
            first_seen={n: datetime.fromtimestamp(t, UTC) for n, t in seen.items() if t is not None},
            unproven=frozenset(n for n, at in said.items() if self._wall.unproven_at(at, recorded=n in kept)),
            wall_proven=self._wall.proven(),
            owner=self._owner(body, request) if request.has_effect and not observed.status.request_digest else "",
            pending_in_policy=self._runtime.requests.rank_in_policy(request.uid) if waits else 0,
            pending_of_author=self._runtime.requests.rank_in_author(request.uid) if waits else 0,
        )

    def _to_record(self, verdicts: tuple[Verdict, ...], status: Status, now: datetime) -> tuple[Verdict, ...]:
        """Leave a yes for a moment while it is not known whether the wall stands; a no and the deadline do not wait."""
        stopping = any(v.word in (Word.DENY, Word.WITHDRAW) for v in verdicts)
        late = status.deadline is not None and now >= status.deadline
        if not self._wall.unknown() or stopping or late or status.phase is not Phase.PENDING:
            return verdicts
        return ()

    def _waits(self, request: Request) -> bool:
        record = self._runtime.requests.get(request.uid)
        return record is not None and record.summary.waiting

    def _seen_at(self, uid: str, verdict: Verdict) -> float | None:
        return self._runtime.requests.seen_at(uid, f"{VERDICT_PREFIX}{verdict.id}")

    def _policy(self, name: str) -> tuple[Policy | None, str]:
        """The policy and what is wrong with it. One that cannot be read is there, and unusable."""
        body = self._runtime.policies.get("", name)
        if body is None:
            return None, ""
        try:
            policy = approval_policy.parse(body)
        except ParseError as error:
            return Policy(name, str(body["metadata"]["uid"]), 0, "", ()), str(error)
        return policy, policy_flaw(policy)

    async def _auto_approve_granted(self, request: Request, status: Status, policy: Policy | None) -> bool:
        """Ask the API server, and only where a tier could decide alone."""
        could = status.phase in (Phase.UNSET, Phase.PENDING) and not status.quorum
        if not could or policy is None or not needs_auto_approve(policy):
            return False
        access = Access("auto-approve", "gatehold.dev", "approvalpolicies", name=policy.name, namespace=request.namespace)
        return await self._runtime.cluster.access_review_self(access)

    def _owner(self, body: Body, request: Request) -> str:
        """Another live request that acts on the same subject and came first, or has it already."""
        mine = (str(body["metadata"].get("creationTimestamp")), request.uid)
        for subject in subjects_of(body):
            for record in self._runtime.requests.by_subject(subject):
                summary = record.summary
                if record.uid == request.uid or not summary.effect:
                    continue
                claimed = self._claims.get(subject) == record.uid
                if summary.prepared or claimed or (summary.created, record.uid) < mine:
                    return record.name
        return ""

    def claim(self, body: Body) -> None:
        """Note, in the same moment as the decision, that this request owns its subjects from now on."""
        known = self._runtime.requests
        if len(self._claims) > 2 * len(known) + 64:
            self._claims = {s: uid for s, uid in self._claims.items() if uid in known}
        for subject in subjects_of(body):
            self._claims[subject] = str(body["metadata"]["uid"])


def _digest(body: Body, request: Request, resolved: Resolved | None, policy: Policy | None) -> str:
    """What people would answer to, while nobody was asked yet."""
    if resolved is None or policy is None:
        return ""
    return request_digest(request.uid, body["spec"], render_resolved(resolved), policy.digest)
