"""The invariants of the domain, checked on what the API server told. Pure: a story goes in, sentences come out.

Two tables, one of checks on a request and one of checks on a Job; the checks stand in recorded, decided, jobs and undoing.
"""

from collections.abc import Callable, Iterable, Iterator

from tests.soak import decided, jobs, recorded, undoing
from tests.soak.record import Facts, Story, Violation

Check = Callable[[Story, Facts], Iterator[str]]

REQUEST: tuple[Check, ...] = (
    recorded.phases_move_along_the_table,
    recorded.the_ledger_only_grows,
    recorded.what_is_set_once_stays,
    recorded.every_admitted_word_is_recorded,
    recorded.nothing_is_recorded_that_nobody_said,
    recorded.no_forged_yes_counts,
    recorded.the_digest_is_of_what_stands,
    decided.the_quorum_is_the_policys,
    decided.approved_means_that_somebody_may_and_did,
    decided.a_no_was_said_by_somebody,
    decided.looked_at_in_time,
    decided.decided_in_time,
    decided.it_came_to_rest,
    decided.it_is_not_lost,
    jobs.a_released_job_ran_to_its_end,
    recorded.done_is_said_of_an_end_only,
    undoing.the_undo_ran_where_it_was_due,
)
JOB: tuple[Check, ...] = (
    jobs.a_job_runs_by_approval_only,
    jobs.a_job_is_let_go_once,
    jobs.a_suspended_job_has_no_pods_left,
)


def violations(checks: Iterable[Check], story: Story, facts: Facts) -> Iterator[Violation]:
    """Everything that does not hold for one object."""
    whole = Story(list(story.versions))  # a journal unpacks versions one by one: once is enough
    for check in checks:
        try:
            texts = list(check(whole, facts))
        except (LookupError, TypeError, ValueError, AttributeError) as error:  # not of a form that anybody should write
            texts = [f"cannot be checked: {error!r}"]
        for text in texts:
            yield Violation(check.__name__, story.uid, story.name, text)


def of_all(facts: Facts) -> Iterator[Violation]:
    """Everything that does not hold."""
    for story in facts.requests.values():
        yield from violations(REQUEST, story, facts)
    for story in facts.jobs.values():
        yield from violations(JOB, story, facts)
