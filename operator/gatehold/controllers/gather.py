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
from gatehold.controllers.standing import Trust
from gatehold.controllers.summary import nodes_of, subjects_of
from gatehold.controllers.wall import SAID_AFTER, Wall
from gatehold.domain.model import EffectType, Policy, Request, Verdict, Word
from gatehold.domain.phases import Phase
from gatehold.domain.plan import Observed, Rules
from gatehold.domain.status import EffectState, Resolved, Status
from gatehold.domain.tiers import needs_auto_approve, policy_flaw
from gatehold.kube.client import Access
from gatehold.kube.resources import NODES
from gatehold.runtime.parts import Runtime
from gatehold.runtime.record import Subject
from gatehold.runtime.sightings import Sighting

Body = Mapping[str, Any]
_RELEASING = (EffectType.RELEASE, EffectType.DRAIN, EffectType.PROMOTE)


class Gather:
    """Reads for one operator."""

    def __init__(self, runtime: Runtime, wall: Wall, hands: Hands) -> None:
        """Use the runtime's caches and account, and the wall's history."""
        self._runtime = runtime
        self._wall = wall
        self._hands = hands
        self._claims: dict[Subject, str] = {}
        self._met: dict[str, frozenset[int]] = {}  # by request: what this process knows to have met the wall
        settings = runtime.settings
        self._rules = Rules(
            timeout_seconds=settings.default_timeout_seconds,
            validity_seconds=settings.default_validity_seconds,
            retention_seconds=settings.default_retention_seconds,
            undo_timeout_seconds=settings.undo_timeout_seconds,
            max_pending_per_policy=settings.max_pending_per_policy,
            max_pending_per_author=settings.max_pending_per_author,
            robot_users=frozenset(settings.robot_users),
        )

    async def observe(self, body: Body, now: datetime, *, certain: bool = False) -> Observed:
        """What stands, what is known and what is true of the subject. Raises ParseError and the errors of gatehold.kube.

        `certain`: without any yes of which it is not known whether it met the wall.
        """
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
            left_out=self._hands.left_out(request),
            policy=policy,
            policy_flaw=flaw,
            auto_approve_granted=await self._auto_approve_granted(request, status, policy),
            facts=facts,
            resolved=resolved,
            request_digest=_digest(body, request, resolved, policy),
            rules=self._rules,
        )
        # nothing is awaited from here on: who owns the subject, how full the queues are and what was seen is one moment
        return self._in_this_moment(observed, body, now, certain)

    def _in_this_moment(self, observed: Observed, body: Body, now: datetime, certain: bool) -> Observed:
        request, status = observed.request, observed.status
        admitted = parse_verdicts(body["metadata"].get("annotations"))
        waits_for_nobody = not certain or _urgent(admitted, status, now)
        verdicts = admitted if waits_for_nobody else self._known(request, admitted, status)
        sightings = {v.id: sighting for v in verdicts if (sighting := self._sighting(request.uid, v.id)) is not None}
        counted = self._settled(body)
        trust = {n: self._wall.trust(s.monotonic, recorded=n in counted) for n, s in sightings.items()}
        waits = self._waits(request)
        return replace(
            observed,
            verdicts=verdicts,
            first_seen={n: datetime.fromtimestamp(s.server, UTC) for n, s in sightings.items() if s.server is not None},
            unproven=frozenset(n for n, known in trust.items() if known is Trust.UNPROVEN),
            unread=len(verdicts) < len(admitted) and self._wall.unknown_for() >= SAID_AFTER,
            wall_proven=self._wall.proven(),
            owner=self._owner(body, observed) if request.has_effect and not status.request_digest else "",
            pending_in_policy=self._runtime.requests.rank_in_policy(request.uid) if waits else 0,
            pending_of_author=self._runtime.requests.rank_in_author(request.uid) if waits else 0,
        )

    def _known(self, request: Request, admitted: tuple[Verdict, ...], status: Status) -> tuple[Verdict, ...]:
        """Everything but a fresh yes of which nobody knows yet whether it met the wall."""
        known = {entry.verdict.id for entry in status.verdicts}
        yes = (Word.APPROVE, Word.OVERRIDE)
        return tuple(v for v in admitted if v.id in known or v.word not in yes or not self._open(request.uid, v.id))

    def _open(self, uid: str, number: int) -> bool:
        sighting = self._sighting(uid, number)
        return sighting is None or self._wall.trust(sighting.monotonic) is Trust.OPEN

    async def confirm(self, request: Request, body: Body, status: Status) -> bool:
        """Whether every yes that counts in a planned status met the wall: look at it where that is not settled."""
        settled, yes = self._settled(body), (Word.APPROVE, Word.OVERRIDE)
        asked = [
            e.verdict.id for e in status.verdicts if e.counted and e.verdict.word in yes and e.verdict.id not in settled
        ]
        sightings = [self._sighting(request.uid, number) for number in asked]
        found = [await self._wall.confirm(s.monotonic) for s in sightings if s is not None]
        met = len(found) == len(asked) and all(trust is Trust.GENUINE for trust in found)
        if met:
            self._note_met(request.uid, frozenset(e.verdict.id for e in status.verdicts if e.counted))
        return met

    def _note_met(self, uid: str, numbers: frozenset[int]) -> None:
        known = self._runtime.requests
        if len(self._met) > 2 * len(known) + 64:
            self._met = {other: met for other, met in self._met.items() if other in known}
        self._met[uid] = self._met.get(uid, frozenset()) | numbers

    async def is_genuine(self, body: Body) -> bool:
        """Whether every yes that counts in a request, as it stands, met the wall: for a cycle of another kind."""
        return await self.confirm(parse(body), body, parse_status(body))

    def _settled(self, body: Body) -> frozenset[int]:
        """The verdicts that stand in the status as counted, where that says that they met the wall.

        The status that approves a release is written beside the look that its last yes waits for. Until the release was
        tried, or held with the look done, that status says nothing yet: should the process die in between, look again.
        A promotion is tried once its Rollout has used the yes. Until then counts what this process has found out: a yes of
        before may have been recorded under another wall, that of the former release, which nobody can look at any more.
        """
        uid, status = str(body["metadata"]["uid"]), body.get("status") or {}
        effect = status.get("effect") or {}
        counted = frozenset(entry["id"] for entry in status.get("verdicts") or () if entry.get("counted", True))
        releases = effect.get("type") in _RELEASING  # of all others the look comes before the status
        if releases and status.get("phase") == Phase.APPROVED and effect.get("state") == EffectState.WAITING:
            if any(c["type"] == "Held" and c["status"] == "True" for c in status.get("conditions") or ()):
                self._note_met(uid, counted)
            return counted & self._met.get(uid, frozenset())
        return counted

    def _waits(self, request: Request) -> bool:
        record = self._runtime.requests.get(request.uid)
        return record is not None and record.summary.waiting

    def _sighting(self, uid: str, number: int) -> Sighting | None:
        return self._runtime.requests.sighting(uid, f"{VERDICT_PREFIX}{number}")

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

    def _owner(self, body: Body, observed: Observed) -> str:
        """Another live request that acts on the same subject and came first, or has it already.

        A node is owned by a drain, and from other drains only: held ones are asked about for each person.
        """
        uid, drains = observed.request.uid, observed.request.effect.type is EffectType.DRAIN
        mine = (str(body["metadata"].get("creationTimestamp")), uid)
        for subject in _subjects(body, observed.resolved):
            for record in self._runtime.requests.by_subject(subject):
                summary = record.summary
                shared = subject[1] == NODES.kind and not (drains and summary.drains)
                if record.uid == uid or not summary.effect or shared:
                    continue
                claimed = self._claims.get(subject) == record.uid
                if summary.prepared or claimed or (summary.created, record.uid) < mine:
                    return record.name
        return ""

    def claim(self, body: Body, resolved: Resolved | None) -> None:
        """Note, in the same moment as the decision, that this request owns its subjects from now on."""
        known = self._runtime.requests
        if len(self._claims) > 2 * len(known) + 64:
            self._claims = {s: uid for s, uid in self._claims.items() if uid in known}
        for subject in _subjects(body, resolved):
            self._claims[subject] = str(body["metadata"]["uid"])


def _subjects(body: Body, resolved: Resolved | None) -> tuple[Subject, ...]:
    """What the request acts on; the nodes of a drain as they were just read, since labels may have chosen them."""
    nodes = resolved.nodes if resolved is not None else ()
    return nodes_of(node.name for node in nodes) if nodes else subjects_of(body)


def _urgent(admitted: tuple[Verdict, ...], status: Status, now: datetime) -> bool:
    """Whether an end is due that waits for nobody: by a no, or by the clock. The wall wants every word recorded with it."""
    stopping = any(v.word in (Word.DENY, Word.WITHDRAW) for v in admitted)
    return stopping or (status.phase is Phase.PENDING and status.deadline is not None and now >= status.deadline)


def _digest(body: Body, request: Request, resolved: Resolved | None, policy: Policy | None) -> str:
    """What people would answer to, while nobody was asked yet."""
    if resolved is None or policy is None:
        return ""
    return request_digest(request.uid, body["spec"], render_resolved(resolved), policy.digest)
