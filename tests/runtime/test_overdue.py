"""How long a request has waited beyond its deadline: answered from an index, as a walk over all of them would."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gatehold.runtime.cache import Store
from tests.runtime.support import request_body, summarise

NOW = datetime(2026, 1, 2, tzinfo=UTC)


def stored(name: str, version: int, phase: str = "Pending", seconds: float | None = None) -> dict[str, Any]:
    """A request whose deadline is so far from now."""
    body = request_body(name, "n")
    body["metadata"] |= {"uid": f"uid-{name}", "resourceVersion": str(version), "creationTimestamp": "2026-01-01T00:00:00Z"}
    body["status"] = {"phase": phase}
    if seconds is not None:
        body["status"]["deadline"] = (NOW + timedelta(seconds=seconds)).isoformat()
    return body


def overdue(store: Store) -> float | None:
    """For how many seconds, or None."""
    since = store.overdue_since(NOW.timestamp())
    return None if since is None else NOW.timestamp() - since


def walked(store: Store) -> float | None:
    """The same by looking at each."""
    due = [record.summary.due_at for record in store if record.summary.waiting and record.summary.due_at is not None]
    late = [NOW.timestamp() - at for at in due if at < NOW.timestamp()]
    return max(late, default=None)


def test_what_waits_beyond_its_deadline_is_known() -> None:
    store = Store(summarise)
    store.upsert(stored("new", 1, phase=""), None)
    assert overdue(store) is None
    store.upsert(stored("later", 2, seconds=10), None)
    store.upsert(stored("over", 3, "Approved", -86_400), None)  # decided: its deadline is nobody's any more
    store.upsert(stored("now", 4, seconds=0), None)
    assert overdue(store) is None
    store.upsert(stored("late", 5, seconds=-30), None)
    store.upsert(stored("later-still", 6, seconds=-10), None)
    assert overdue(store) == 30
    store.upsert(stored("late", 7, "Expired", -30), None)
    assert overdue(store) == 10
    store.remove("uid-later-still")
    assert overdue(store) is None


STEPS = st.tuples(
    st.sampled_from("abcdef"),
    st.sampled_from(["", "Pending", "Approved", "Expired", "gone"]),
    st.none() | st.integers(-3, 3).map(lambda tens: tens * 10.0),
)


@given(st.lists(STEPS, max_size=30))
def test_whatever_comes_and_goes_the_answer_is_that_of_a_walk(steps: list[tuple[str, str, float | None]]) -> None:
    store = Store(summarise)
    for version, (name, phase, seconds) in enumerate(steps, start=1):
        if phase == "gone":
            store.remove(f"uid-{name}", str(version))
        else:
            store.upsert(stored(name, version, phase, seconds), None)
        assert overdue(store) == walked(store)
