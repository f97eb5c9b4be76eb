"""What has left stays away whatever old news come, and a listing that is not the first is known as one."""

from __future__ import annotations

from typing import Any

from gatehold.runtime.cache import Store
from gatehold.runtime.departed import Departed
from gatehold.runtime.objects import Objects
from gatehold.runtime.resync import Listings
from tests.runtime.support import request_body, summarise


def body(version: int) -> dict[str, Any]:
    found = request_body("a", "n")
    found["metadata"] |= {"uid": "uid-a", "resourceVersion": str(version), "creationTimestamp": "2026-01-01T00:00:00Z"}
    return found


def test_a_request_that_left_is_not_brought_back_by_what_it_was() -> None:
    store = Store(summarise)
    store.upsert(body(5), None)
    store.remove("uid-a", "7")
    assert not store.upsert(body(6), None)
    assert not store.upsert(body(7), None)
    assert len(store) == 0
    assert store.upsert(body(8), None), "somebody took the label off: it is there again"
    assert len(store) == 1


def test_what_left_without_a_word_left_at_the_version_that_was_known() -> None:
    for cache in (Store(summarise), Objects()):
        cache.upsert(body(5), None)
        cache.remove("uid-a")
        assert not cache.upsert(body(5), None)
        assert not cache.upsert(body(4), None)
        assert cache.upsert(body(6), None)


def test_an_object_that_nobody_knew_may_leave_too() -> None:
    cache = Objects()
    cache.remove("uid-a", "7")
    assert not cache.upsert(body(6), None)
    assert cache.upsert(body(9), None)


def test_only_the_latest_are_remembered() -> None:
    departed = Departed()
    for number in range(10_001):
        departed.note(f"uid-{number}", "5")
    assert not departed.outlived("uid-0", "4")
    assert departed.outlived("uid-1", "4")
    assert departed.outlived("uid-10000", "5")


def test_of_those_that_left_long_ago_few_are_remembered() -> None:
    now = [0.0]
    departed = Departed(lambda: now[0])
    for number in range(5_000):
        departed.note(f"uid-{number}", "5")
    assert departed.outlived("uid-0", "4"), "all of them left a moment ago"
    now[0] += 400
    for number in range(5_000, 9_000):
        departed.note(f"uid-{number}", "5")
    assert not departed.outlived("uid-0", "4")
    assert departed.outlived("uid-5000", "4")
    now[0] += 400
    for number in range(9_000, 14_000):
        departed.note(f"uid-{number}", "5")
        now[0] += 1
    assert len(departed) < 350
    assert departed.outlived("uid-13999", "5")


def test_a_listing_after_the_watch_began_is_a_new_one() -> None:
    now = [100.0]
    listings = Listings(lambda: now[0])
    listed, watched = {"type": None}, {"type": "MODIFIED"}
    assert [listings.begins_anew(listed) for _ in range(3)] == [False] * 3
    assert not listings.begins_anew(watched)
    assert [listings.begins_anew(listed) for _ in range(3)] == [True, False, False]


def test_a_listing_long_after_the_last_is_a_new_one_though_nothing_happened_between() -> None:
    now = [100.0]
    listings = Listings(lambda: now[0])
    assert not listings.begins_anew({"type": None})
    now[0] += 9.0
    assert not listings.begins_anew({"type": None}), "a slow page of the same listing"
    now[0] += 11.0
    assert listings.begins_anew({"type": None})
    assert not listings.begins_anew({"type": None})
