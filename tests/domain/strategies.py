"""Hypothesis strategies for what `decide` looks at: wide, and of the form that the API server lets through."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from hypothesis import strategies as st

from gatehold.domain import ledger
from gatehold.domain.model import (
    Declared,
    Effect,
    EffectType,
    EscalationRule,
    Option,
    QuorumEntry,
    RecordedVerdict,
    Request,
    Subject,
    Tier,
    UndoRef,
    UnknownRequester,
    Verdict,
    Word,
)
from gatehold.domain.phases import MOVES, Phase
from gatehold.domain.plan import (
    DropFinalizer,
    Facts,
    JobFacts,
    Observed,
    PodFacts,
    Refusal,
    ReleaseJob,
    Rules,
    SuspendJob,
)
from gatehold.domain.reasons import ConditionType, Reason
from gatehold.domain.rollout.record import Outcome
from gatehold.domain.schedule import planned_escalations
from gatehold.domain.status import (
    By,
    Condition,
    Decision,
    EffectState,
    EffectStatus,
    EscalationStep,
    NodeDrain,
    NodeState,
    ObjectRef,
    PolicySnapshot,
    Price,
    Progress,
    Resolved,
    ResolvedDrain,
    ResolvedJob,
    ResolvedNode,
    Status,
    UndoStatus,
)
from tests.builders import (
    DIGEST,
    JOB_DIGEST,
    NOW,
    UID,
    after,
    concluded,
    job,
    policy,
    release_request,
    resolved,
    undo_job,
)
from tests.promotions import CANARY, IMAGES, at_rest, ending, last_run, passed, promote_request, question, rollout

ROLES = ("sre", "finance", "duty", "boss")
PEOPLE = ("ci", "alice", "bob", "carol", "zoe", "system:serviceaccount:shop:bot")
TERMINAL = [phase for phase in Phase if not MOVES[phase]]

instants = st.integers(-7200, 7200).map(after)
digests = st.sampled_from([DIGEST, DIGEST, DIGEST, "", "sha256:" + "e" * 64])
comments = st.sampled_from(["go", "no", "x" * 1024, "a|b"])
amounts = st.decimals(0, 1000, places=2) | st.none()


@st.composite
def quorums(draw: st.DrawFn) -> tuple[QuorumEntry, ...]:
    """A usable quorum: roles and backups are all different."""
    roles = draw(st.permutations(ROLES))
    size = draw(st.integers(1, 2))
    backups = roles[size : size + draw(st.integers(0, 2))]
    counts = draw(st.lists(st.integers(1, 3), min_size=size, max_size=size))
    first, *rest = [QuorumEntry(role, count) for role, count in zip(roles, counts, strict=False)]
    return (replace(first, backups=tuple(backups)), *rest)


tiers = st.builds(
    Tier,
    name=st.sampled_from(["cheap", "risky"]),
    effects=st.sampled_from([(), (EffectType.RELEASE,), (EffectType.NONE,)]),
    namespaces=st.sampled_from([(), ("shop",), ("else",)]),
    max_price=amounts,
    at_least_risk=st.none() | st.integers(0, 100),
    at_least_cost=amounts,
    quorum=quorums(),
    auto_approve=st.booleans(),
)

escalations = st.lists(
    st.builds(EscalationRule, st.integers(1, 7200), st.sampled_from([("duty",), ("boss", "duty")])),
    max_size=2,
    unique_by=lambda rule: rule.after_seconds,
).map(tuple)

policies = st.builds(
    policy,
    quorum=quorums() | st.just(()),
    effects=st.sampled_from([(), (EffectType.NONE, EffectType.PROMOTE, EffectType.RELEASE)]),
    timeout_default=st.none() | st.integers(1, 7200),
    timeout_max=st.none() | st.integers(1, 7200),
    validity_seconds=st.none() | st.integers(1, 3600),
    retention_seconds=st.none() | st.integers(0, 3600),
    escalation=escalations,
    max_pending=st.none() | st.integers(1, 3),
    on_unknown_requester=st.sampled_from(UnknownRequester),
    tiers=st.lists(tiers, max_size=2).map(tuple),
)

subjects = st.sampled_from(
    [
        Subject("batch/v1", "Job", "shop", "migrate", "job-uid"),
        Subject("batch/v1", "Job", "shop", "migrate", "job-uid", JOB_DIGEST),
        Subject("v1", "Node", "", "node-1", "node-uid"),
        None,
    ]
)
effects = st.sampled_from(
    [
        Effect(),
        Effect(EffectType.PROMOTE),
        Effect(EffectType.RELEASE, UndoRef("undo", "undo-uid"), 600),
        Effect(EffectType.RELEASE, UndoRef("undo", "undo-uid"), 600),
        Effect(EffectType.RELEASE),
        Effect(EffectType.DRAIN),
    ]
)


@st.composite
def requests(draw: st.DrawFn, effects: st.SearchStrategy[Effect] = effects) -> Request:
    """A request of ci in any state of its metadata."""
    names = st.lists(st.sampled_from(PEOPLE[1:]), max_size=1).map(tuple)
    options = draw(st.sampled_from([(), (Option("slow"), Option("fast", "", Decimal(9)))]))
    effect = draw(effects)
    usually = effect.type is EffectType.PROMOTE and draw(st.integers(0, 5)) > 0
    return release_request(
        effect=effect,
        subject=promote_request().subject if usually else draw(subjects),
        options=options,
        declared=Declared(draw(st.none() | st.integers(0, 100)), draw(amounts)),
        timeout_seconds=draw(st.none() | st.integers(1, 9000)),
        on_behalf_of=draw(names),
        authors=draw(names),
        gate="prod" if usually else draw(st.sampled_from(["", "", "prod"])),
        noted=draw(st.integers(0, 9)) > 0,
        done=draw(st.integers(0, 9)) == 9,
        deleting=draw(st.integers(0, 9)) == 9,
    )


def verdicts(number: int) -> st.SearchStrategy[Verdict]:
    """Any word of anybody, under that number."""
    return st.builds(
        Verdict,
        st.just(number),
        st.sampled_from([Word.APPROVE] * 4 + list(Word)),
        digests,
        st.sampled_from(ROLES),
        st.sampled_from(PEOPLE),
        st.sampled_from(["", "", "slow", "fast"]),
        comments,
    )


ledgers = st.integers(0, 5).flatmap(lambda n: st.tuples(*(verdicts(i) for i in range(n))))


def jobs(good: JobFacts) -> st.SearchStrategy[JobFacts]:
    """A Job in any state; mostly the one that is meant."""
    usually = st.integers(0, 7).map(lambda n: n > 0)
    return st.builds(
        lambda **c: replace(
            good,
            uid=good.uid if c.pop("same") else "new-uid",
            digest=good.digest if c.pop("equal") else "sha256:" + "9" * 64,
            **c,
        ),
        same=usually,
        equal=usually,
        hold=st.sampled_from(["prod", "prod", "prod", "dev", ""]),
        suspended=st.booleans(),
        released_by=st.sampled_from(["", "", UID, UID, "older"]),
        closed_by=st.sampled_from(["", UID]),
        overridden=st.sampled_from(["", "", "INC-1"]),
        has_finalizer=st.booleans(),
        deleting=st.integers(0, 5).map(lambda n: n == 0),
        complete=st.integers(0, 3).map(lambda n: n == 0),
        failed=st.integers(0, 3).map(lambda n: n == 0),
        failure=st.sampled_from(["", "BackoffLimitExceeded", "y" * 3000]),
        active=st.integers(0, 3),
        succeeded=st.integers(0, 3),
    )


pod_facts = st.builds(PodFacts, st.sampled_from(["a", "b" * 253]), st.sampled_from(["", "n" * 253]), st.integers(0, 600))
pods = st.none() | st.lists(pod_facts, max_size=4).map(tuple)

outcomes = st.sampled_from(Outcome)
words = st.sampled_from(["", "CrashLoopBackOff", "z" * 3000])
questions = st.builds(
    question,
    digest=st.sampled_from([CANARY, CANARY, CANARY, ""]),
    passed=st.booleans(),
    passed_at=st.none() | st.integers(-7200, -1).map(after),
)
run_reasons = st.sampled_from(["", "NothingToUndo", "SubjectOverridden", "WordOfANewerOperator"])
runs_over = st.builds(
    last_run,
    outcomes,
    message=words,
    reason=run_reasons,
    rolled_back=st.none() | st.booleans(),
    rolled_back_reason=run_reasons,
    rolled_back_message=words,
)
usual_rollouts = st.sampled_from([rollout(), rollout(), rollout(question=passed()), at_rest(over=last_run())])
rollouts = usual_rollouts | st.builds(
    rollout,
    uid=st.sampled_from(["rollout-uid"] * 7 + ["new"]),
    digest=st.sampled_from([CANARY] * 5 + [""]),
    deleting=st.integers(0, 7).map(lambda n: n == 0),
    unread=st.sampled_from([""] * 7 + ["status: KeyError"]),
    busy=st.booleans(),
    question=st.none() | questions,
    ending=st.none() | st.none() | st.builds(ending, outcomes, message=words),
    stuck=words,
    over=st.none() | st.none() | runs_over,
)
facts = st.builds(
    Facts,
    st.none() | jobs(job()),
    st.none() | jobs(undo_job()),
    pods,
    pods,
    st.integers(0, 7).flatmap(lambda n: rollouts if n else st.none()),
)

refusals = st.none() | st.builds(
    Refusal,
    st.sampled_from([ReleaseJob(job()), ReleaseJob(undo_job(), undo=True), SuspendJob(job()), DropFinalizer(job())]),
    st.sampled_from(["no", "x" * 3000]),
)

objects = st.builds(ObjectRef, st.just("batch/v1"), st.just("Job"), st.just("migrate"), st.just("job-uid"), st.just("10"))
rollout_objects = st.just(ObjectRef("gatehold.dev/v1alpha1", "Rollout", "web", "rollout-uid"))
undo_objects = st.just(ObjectRef("batch/v1", "Job", "undo", "undo-uid", "20"))


@st.composite
def undo_statuses(draw: st.DrawFn) -> UndoStatus:
    """The record of an undo Job that is under way."""
    state = draw(st.sampled_from([EffectState.WAITING, EffectState.RUNNING]))
    started = draw(instants) if state is EffectState.RUNNING else None
    return UndoStatus(state, draw(undo_objects), started, draw(st.none() | instants) if started is not None else None)


@st.composite
def effect_statuses(draw: st.DrawFn, kind: EffectType, states: tuple[EffectState, ...]) -> EffectStatus:
    """The record of an effect in one of the states."""
    state = draw(st.sampled_from(states))
    started = None if state is EffectState.WAITING else draw(instants)
    if kind is EffectType.PROMOTE:
        return EffectStatus(kind, state, draw(rollout_objects), started_at=started)
    progress = st.none() if started is None else st.none() | st.builds(Progress, instants, st.integers(0, 3))
    undo = undo_statuses() if state is EffectState.UNDOING else st.none()
    stopped = draw(st.none() | instants) if state is EffectState.UNDOING else None
    found = EffectStatus(kind, state, draw(objects), True, started, stopped, progress=draw(progress))
    return replace(found, undo=draw(st.none() | undo))


@st.composite
def statuses(draw: st.DrawFn, request: Request, said: tuple[Verdict, ...]) -> Status:
    """A status that the operator could have written, with some of the verdicts recorded in it."""
    phase = draw(st.sampled_from([Phase.UNSET, Phase.PENDING, Phase.PENDING, Phase.APPROVED, Phase.APPROVED, *TERMINAL]))
    if phase is Phase.UNSET or (phase is Phase.RELEASED and not request.has_effect):
        return Status()
    if phase is Phase.PENDING and draw(st.integers(0, 3)) == 0:
        return Status(observed_generation=1, phase=phase, deadline=draw(instants))
    waits = draw(_prepared(request))
    seen = Observed(request, waits, said[: draw(st.integers(0, len(said)))])
    waits = ledger.record(seen, waits, after(-5))
    return waits if phase is Phase.PENDING else draw(_decided(request, waits, phase))


@st.composite
def _prepared(draw: st.DrawFn, request: Request) -> Status:
    asked, deadline = policy(escalation=draw(escalations)), draw(instants)
    quorum = tuple(replace(q, accepted=(q.role,)) for q in draw(quorums() | st.just(())))
    named = {EffectType.RELEASE: resolved(undo=request.effect.undo is not None), EffectType.PROMOTE: IMAGES}
    return Status(
        observed_generation=1,
        phase=Phase.PENDING,
        request_digest=DIGEST,
        policy=PolicySnapshot("prod", "policy-uid", 4, asked.digest, 900, 86400),
        quorum=quorum,
        resolved=named.get(request.effect.type),
        prepared_at=after(-7200),
        deadline=deadline,
        escalations=planned_escalations(asked, after(-7200), deadline) if quorum else (),
    )


@st.composite
def _decided(draw: st.DrawFn, request: Request, waits: Status, phase: Phase) -> Status:
    by = draw(st.sampled_from(By))
    decision = Decision(Phase.APPROVED if phase is Phase.RELEASED else phase, by, after(-9), reason=draw(reasons))
    status = replace(waits, phase=phase, decision=decision, valid_until=draw(instants))
    states = {
        Phase.APPROVED: (EffectState.WAITING, EffectState.RUNNING),
        Phase.RELEASED: (EffectState.DONE,),
    }.get(phase, (EffectState.WAITING, EffectState.RUNNING, EffectState.FAILED, EffectState.UNDOING))
    if request.has_effect:
        status = replace(status, effect=draw(effect_statuses(request.effect.type, states)))
    return concluded(status) if phase in TERMINAL and draw(st.booleans()) else status


reasons = st.sampled_from([Reason.QUORUM_MET.value, Reason.OVERRIDE.value, "", "WordOfANewerOperator"])


@st.composite
def observeds(draw: st.DrawFn, effects: st.SearchStrategy[Effect] = effects) -> Observed:
    """Anything that may be observed."""
    request, said = draw(requests(effects)), draw(ledgers)
    numbers = st.sets(st.sampled_from([v.id for v in said])) if said else st.just(set())
    return Observed(
        request=request,
        status=draw(statuses(request, said)),
        verdicts=said,
        first_seen={n: draw(instants) for n in draw(numbers)},
        unproven=frozenset(draw(numbers) if draw(st.integers(0, 3)) == 0 else ()),
        wall_proven=draw(st.integers(0, 3)) > 0,
        policy=draw(policies | st.none()) if draw(st.booleans()) else policy(),
        policy_flaw=draw(st.sampled_from(["", "", "", "its quorum is empty"])),
        auto_approve_granted=draw(st.booleans()),
        facts=draw(facts),
        resolved=IMAGES if request.effect.type is EffectType.PROMOTE else resolved(undo=request.effect.undo is not None),
        request_digest=draw(st.sampled_from([DIGEST, DIGEST, DIGEST, ""])),
        refusal=draw(refusals),
        owner=draw(st.sampled_from(["", "", "", "web-2"])),
        pending_in_policy=draw(st.integers(0, 3)),
        pending_of_author=draw(st.sampled_from([0, 0, 100])),
        rules=Rules(robot_users=frozenset({"ci"}) if draw(st.booleans()) else frozenset()),
    )


# ---- any status at all, for the round trip over the wire
texts = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)
any_text = texts | st.just("")
times = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(NOW.tzinfo))  # noqa: DTZ001
maybe_times = st.none() | times
roles = st.lists(texts, min_size=1, max_size=3).map(tuple)
counts = st.integers(0, 10_000)
refs = st.builds(ObjectRef, texts, texts, texts, texts, any_text)
prices = st.builds(Price, st.decimals(0, 10**9, places=3), any_text, any_text)
resolved_jobs = st.builds(
    ResolvedJob, texts, texts, texts, st.lists(any_text).map(tuple), st.lists(any_text).map(tuple), any_text
)
lines = st.lists(texts, max_size=3).map(tuple)
any_resolved = st.builds(
    Resolved,
    st.none() | resolved_jobs,
    st.none() | resolved_jobs,
    st.none() | prices,
    st.lists(texts).map(tuple),
    st.lists(st.builds(ResolvedNode, texts, texts, any_text, st.booleans()), max_size=3).map(tuple),
    st.none() | st.builds(ResolvedDrain, counts, counts, lines, lines, lines),
).filter(lambda resolved: resolved != Resolved())  # nothing read is written as nothing
any_nodes = st.builds(
    NodeDrain,
    texts,
    texts,
    st.sampled_from(NodeState),
    st.booleans(),
    lines,
    st.none() | counts,
    st.none() | counts,
    any_text,
    maybe_times,
    any_text,
)
any_verdicts = st.builds(Verdict, counts, st.sampled_from(Word), any_text, any_text, any_text, any_text, any_text)
any_recorded = st.builds(RecordedVerdict, any_verdicts, times) | st.builds(
    RecordedVerdict,
    any_verdicts,
    times,
    st.just(False),
    st.sampled_from([Reason.LATE.value, Reason.UNPROVEN.value, Reason.INELIGIBLE.value]),
)
any_undo = st.builds(UndoStatus, st.sampled_from(EffectState), refs, maybe_times, maybe_times, maybe_times, any_text)
any_effects = st.builds(
    EffectStatus,
    st.sampled_from(EffectType),
    st.sampled_from(EffectState),
    st.none() | refs,
    st.none() | st.booleans(),
    maybe_times,
    maybe_times,
    maybe_times,
    st.none() | st.builds(Progress, times, counts, counts, counts),
    any_text,
    st.none() | any_undo,
    st.lists(any_nodes, max_size=3).map(tuple),
    maybe_times,
)
any_conditions = st.builds(
    Condition, st.sampled_from(ConditionType), st.sampled_from(["True", "False", "Unknown"]), texts, any_text, times, counts
)
any_statuses = st.builds(
    Status,
    observed_generation=st.integers(-1, 99),
    phase=st.sampled_from(Phase),
    request_digest=any_text,
    policy=st.none() | st.builds(PolicySnapshot, texts, any_text, counts, any_text, counts, counts),
    quorum=st.lists(st.builds(QuorumEntry, texts, counts, roles | st.just(()), roles), max_size=2).map(tuple),
    resolved=st.none() | any_resolved,
    approvals=any_text,
    prepared_at=maybe_times,
    deadline=maybe_times,
    valid_until=maybe_times,
    verdicts=st.lists(any_recorded, max_size=3).map(tuple),
    decision=st.none()
    | st.builds(
        Decision,
        st.sampled_from([p for p in Phase if p]),
        st.sampled_from(By),
        times,
        any_text,
        any_text,
        any_text,
        any_text,
    ),
    effect=st.none() | any_effects,
    escalations=st.lists(st.builds(EscalationStep, counts, times, roles, maybe_times), max_size=2).map(tuple),
    conditions=st.lists(any_conditions, max_size=3).map(tuple),
)
