"""Rollouts as the API server gives them, and records of every form that the core may write."""

from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st

from gatehold.domain.reasons import ConditionType
from gatehold.domain.rollout.record import (
    Clock,
    Ending,
    LastRun,
    Outcome,
    Override,
    Question,
    Record,
    Rejected,
    RequestRef,
    RolloutPhase,
    Run,
    Stage,
    Target,
    TrackRecord,
    Wanted,
    Weight,
)
from gatehold.domain.status import Condition

UID = "54360c24-2d27-443f-97c6-83b75c05ac82"
TEMPLATE: dict[str, Any] = {
    "metadata": {"labels": {"app": "web"}},
    "spec": {"containers": [{"name": "web", "image": "web:1", "env": [{"name": "LEVEL", "value": "info"}]}]},
}
STEPS = [
    {"setWeight": 20},
    {"pause": {"durationSeconds": 60}},
    {"approval": {"policyRef": {"name": "prod"}, "timeoutSeconds": 90, "links": [{"title": "board", "url": "https://x/y"}]}},
    {"approval": {"policyRef": {"name": "sre"}, "links": [{"url": "https://x/z"}]}},
]


def body(**changes: Any) -> dict[str, Any]:
    """A Rollout; `metadata` and `spec` are merged in."""
    meta = {"name": "web", "namespace": "shop", "uid": UID, "generation": 3}
    spec = {"replicas": 5, "selector": {"matchLabels": {"app": "web"}}, "template": TEMPLATE}
    parts = {"metadata": meta, "spec": spec | {"strategy": {"canary": {"steps": STEPS}}}}
    merged = {key: value | changes.pop(key, {}) for key, value in parts.items()}
    return {"apiVersion": "gatehold.dev/v1alpha1", "kind": "Rollout"} | merged | changes


CONDITIONS = (
    ConditionType.READY,
    ConditionType.RECONCILING,
    ConditionType.STALLED,
    ConditionType.HELD,
    ConditionType.ROLLED_BACK,
    ConditionType.OVERRIDDEN,
)
_texts = st.text(max_size=20)
_words = st.text("abcXYZ", min_size=1, max_size=9)
_names = st.text("abc-", min_size=1, max_size=9)
_digests = st.text("0123456789abcdef", min_size=64, max_size=64).map("sha256:".__add__)
_counts = st.integers(0, 10**6)
_percents = st.integers(0, 100)
_seconds = st.datetimes(datetime(2020, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 (bounds are naive)
_images = st.lists(_texts, max_size=3).map(tuple)
_targets = st.builds(Target, _digests, _digests)
_wanted = st.builds(Wanted, _digests, _counts, _counts, _counts, _texts)
_tracks = st.builds(
    TrackRecord,
    _wanted,
    st.integers(1, 10**6),
    st.none() | _counts,
    _names,
    _counts,
    st.none() | st.builds(Override, _targets, _texts, _texts),
    _images,
    _counts,
    _counts,
)
_questions = st.builds(
    Question, _names, _names, _digests, _counts, _names, _images, _names | st.just(""), st.booleans(), st.none() | _seconds
)
_endings = st.builds(Ending, st.sampled_from(Outcome), _words, _texts, st.booleans())
_runs = st.builds(
    Run,
    _targets,
    st.sampled_from(Stage),
    st.booleans(),
    st.none() | _seconds,
    st.integers(0, 32),
    st.none() | _seconds,
    _percents,
    _counts,
    st.lists(_questions, max_size=3).map(tuple),
    st.just("") | _digests,
    _images,
    st.booleans(),
    st.none() | _endings,
)
_last_runs = st.builds(
    LastRun,
    _targets,
    st.sampled_from(Outcome),
    _words,
    _texts,
    _seconds,
    st.lists(st.builds(RequestRef, _names, _names | st.just("")), max_size=3).map(tuple),
    st.none() | st.booleans(),
    _words | st.just(""),
    _texts,
)
_conditions = st.lists(st.sampled_from(CONDITIONS), unique=True).flatmap(
    lambda kinds: st.tuples(
        *(
            st.builds(
                Condition, st.just(kind), st.sampled_from(["True", "False", "Unknown"]), _words, _texts, _seconds, _counts
            )
            for kind in kinds
        )
    )
)
records = st.builds(
    Record,
    st.integers(-1, 10**6),
    st.sampled_from(RolloutPhase),
    st.none() | _tracks,
    st.none() | _tracks,
    st.none() | _runs,
    st.none() | _last_runs,
    st.none() | _targets,
    _images,
    st.none() | st.builds(Rejected, _targets, _words, _texts, _seconds),
    _texts,
    _counts,
    st.none() | st.builds(Clock, _seconds, st.none() | _seconds),
    st.builds(Weight, _percents, _percents),
    st.just("") | st.tuples(_counts, _counts).map("{0[0]}/{0[1]}".format),
    _names | st.just(""),
    st.none() | _seconds,
    st.none() | _seconds,
    _conditions,
)
