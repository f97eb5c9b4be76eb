"""The questions of a run: what was answered, what has to be asked anew, and the next one."""

from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256

from gatehold.domain.phases import Phase
from gatehold.domain.rollout.course import is_covered, with_run
from gatehold.domain.rollout.model import Approval, GateFacts, QuestionFacts, Sight
from gatehold.domain.rollout.reasons import RolloutReason
from gatehold.domain.rollout.record import Ending, Outcome, Question, Record, Run, Stage
from gatehold.domain.rollout.writes import Ask

MOST_QUESTIONS = 20  # of one run: what is asked anew for ever is asked about something that never stands still
UNGATED = "rollouts"  # label gatehold.dev/gate of a question that only a step asks for

ENDS: dict[Phase, tuple[Outcome, RolloutReason]] = {
    Phase.DENIED: (Outcome.DENIED, RolloutReason.DENIED_BY_REVIEWER),
    Phase.EXPIRED: (Outcome.EXPIRED, RolloutReason.DEADLINE_PASSED),
    Phase.LAPSED: (Outcome.EXPIRED, RolloutReason.VALIDITY_PASSED),
    Phase.WITHDRAWN: (Outcome.WITHDRAWN, RolloutReason.WITHDRAWN_BY_REQUESTER),
    Phase.FAILED: (Outcome.FAILED, RolloutReason.REQUEST_FAILED),
}
"""How the end of a request ends the run that asked. Superseded is no answer: it is asked anew."""


@dataclass(frozen=True, slots=True)
class Heard:
    """The run with the answers in it. `unproven`: a yes waits for the wall."""

    run: Run
    unproven: bool = False


def ended(sight: Sight, run: Run) -> Ending | None:
    """How the answer to one of its questions ends the run, or None."""
    for question in run.questions:
        facts = _facts(sight, question)
        if facts is None or facts.phase not in ENDS or _is_superseded(facts):
            continue
        outcome, reason = ENDS[facts.phase]
        text = f"request {question.name} is {facts.phase}"
        return Ending(outcome, reason, f"{text}: {facts.message}"[:1024] if facts.message else text)
    return None


def heard(sight: Sight, run: Run, now: datetime, *, may_pass: bool) -> Heard:
    """Take in what the requests say now. A yes is used once: with this digest, in time, while the wall is proven."""
    kept: list[Question] = []
    unproven = False
    for question in run.questions:
        facts = _facts(sight, question)
        if run.stage is Stage.CANARY and _is_void(sight, question, facts):
            continue
        if facts is not None:
            question = replace(question, uid=facts.uid)
        if may_pass and facts is not None and _is_yes(question, facts, now):
            if sight.wall_proven:
                question = replace(question, passed=True, passed_at=now)
            else:
                unproven = True
        kept.append(question)
    return Heard(replace(run, questions=tuple(kept)), unproven)


def _facts(sight: Sight, question: Question) -> QuestionFacts | None:
    """The request of a question, and no other of that name."""
    facts = sight.question(question.name)
    return None if facts is None or (question.uid and facts.uid != question.uid) else facts


def _is_superseded(facts: QuestionFacts) -> bool:
    """No answer: what was asked about went on. A request that was overtaken before it could be prepared has failed."""
    failed = facts.phase is Phase.FAILED and facts.reason == RolloutReason.SUBJECT_CHANGED
    return facts.phase is Phase.SUPERSEDED or failed


def _is_void(sight: Sight, question: Question, facts: QuestionFacts | None) -> bool:
    """Whether a question does not stand any more: superseded, taken away, or about other image ids than those that run."""
    if facts is not None and (_is_superseded(facts) or facts.digest != question.digest):
        return True
    if facts is None and question.uid and not question.passed:
        return True
    images = sight.canary.images if sight.canary is not None else None
    return bool(question.images) and not is_covered(images, question.images)


def _is_yes(question: Question, facts: QuestionFacts, now: datetime) -> bool:
    in_time = facts.valid_until is not None and now < facts.valid_until
    same = (facts.digest, facts.policy) == (question.digest, question.policy)
    return not question.passed and facts.phase is Phase.APPROVED and in_time and same


def doubted(sight: Sight, run: Run) -> Question | None:
    """A question whose yes is recorded while its request is not decided: one of the two is wrong, or old."""
    for question in run.questions:
        facts = _facts(sight, question)
        if question.passed and facts is not None and facts.phase in (Phase.UNSET, Phase.PENDING):
            return question
    return None


def has_passed(run: Run, policy: str) -> bool:
    """Whether that policy was asked in this run, and said yes."""
    return any(question.passed and question.policy == policy for question in run.questions)


def open_question(run: Run) -> Question | None:
    """The question that waits for its answer: at most one."""
    return next((question for question in run.questions if not question.passed), None)


def is_spent(record: Record, run: Run) -> bool:
    """Whether the run has asked so often that asking again makes no sense."""
    return record.attempts - run.first_attempt + 1 >= MOST_QUESTIONS


def asked(sight: Sight, record: Record, run: Run, policy: str, *, bare: bool) -> Record:
    """The record with one more question. `bare`: nothing runs yet, so it is about template and steps alone."""
    images = () if bare or sight.canary is None else sight.canary.images or ()
    digest = sight.bare_digest if bare else sight.digest
    known = {facts.name for facts in sight.questions}
    attempt = record.attempts + 1
    while (name := _name(sight, digest, policy, attempt)) in known:
        attempt += 1
    gate = sight.gate.name if isinstance(sight.gate, GateFacts) else UNGATED
    question = Question(policy, name, digest, attempt, gate, images)
    return with_run(replace(record, attempts=attempt), replace(run, questions=(*run.questions, question)))


def _name(sight: Sight, digest: str, policy: str, attempt: int) -> str:
    """The same after a crash: its own request is then found, not made twice.

    Anybody can foresee it; so the wall (10-requests.yaml) lets nobody but the operator make a request with such an end.
    """
    mark = sha256(f"{policy}\n{sight.rollout.uid}\n{attempt}".encode()).hexdigest()[:4]
    return f"{sight.rollout.name}-{digest.removeprefix('sha256:')[:8]}-q{mark}"


def ask(sight: Sight, run: Run) -> tuple[Ask, ...]:
    """The write that makes the request of the open question, until it is seen."""
    question = open_question(run)
    if question is None or question.uid:
        return ()
    step = _step(sight, run, question.policy)
    links = tuple((link.title, link.url) for link in step.links)
    return (Ask(question, step.timeout_seconds, links),)


def _step(sight: Sight, run: Run, policy: str) -> Approval:
    """The step that asks that policy: the one being taken, or the next that names it; the Gate's own has none."""
    steps = () if run.first else sight.rollout.steps[run.step :]
    found = (step for step in steps if isinstance(step, Approval) and step.policy == policy)
    return next(found, Approval(policy))
