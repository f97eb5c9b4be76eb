"""What one request that waits costs the operator: processor time and memory, step by step. No API server is asked.

`profile` gives it a real request; each copy has a name, a uid and a subject of its own, as in a cluster.
"""

import gc
import json
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from bench.seeds import Seeds
from gatehold.api.approval_request import parse
from gatehold.api.request_status import parse_status
from gatehold.controllers.summary import summarise
from gatehold.domain.decide import decide
from gatehold.domain.plan import Observed
from gatehold.runtime.cache import Store
from gatehold.runtime.packing import pack, unpack
from gatehold.runtime.record import Record

Body = dict[str, Any]


def times(bodies: list[Body]) -> list[tuple[str, float]]:
    """Microseconds of each step for one request."""
    texts = [json.dumps(body) for body in bodies]
    packed = [pack(body) for body in bodies]
    store, now = Store(summarise), datetime.now(UTC)

    def look(body: Body) -> None:
        decide(Observed(request=parse(body), status=parse_status(body)), now)

    return [
        ("parse the JSON of a list or an event", _each(json.loads, texts)),
        ("summarise", _each(summarise, bodies)),
        ("pack (JSON without managedFields, deflated)", _each(pack, bodies)),
        ("take it in: the two before, and the indexes", _each(lambda body: store.upsert(body, 0.0), bodies)),
        ("unpack", _each(unpack, packed)),
        ("read it and decide that there is nothing to do", _each(look, bodies)),
    ]


def sizes(bodies: list[Body]) -> list[tuple[str, float]]:
    """Bytes of one request in the operator's cache."""
    texts = [json.dumps(body) for body in bodies]
    gc.collect()
    tracemalloc.start()
    store = Store(summarise)
    for text in texts:
        store.upsert(json.loads(text), 0.0)
    gc.collect()
    total = tracemalloc.get_traced_memory()[0] / len(bodies)
    tracemalloc.stop()
    records = list(store)
    shares = [
        ("the packed body", _mean(sys.getsizeof(r.packed) for r in records)),
        ("record and summary", _mean(map(_record, records))),
        ("its own strings (uid, name, resourceVersion)", _mean(map(_strings, records))),
        ("the subject's tuples and the place in the ranks", _mean(map(_places, records))),
    ]
    rest = total - sum(size for _, size in shares)
    return [*shares, ("dicts and indexes", rest), ("all", total)]


def copies(body: Body, count: int) -> list[Body]:
    """As a list would bring them, managedFields included."""
    made = list(Seeds(body).idle("copy", count))
    for number, one in enumerate(made):
        one["metadata"]["resourceVersion"] = str(10_000_000 + number)
    return made


def _each(step: Callable[[Any], Any], things: list[Any]) -> float:
    began = time.perf_counter()
    for thing in things:
        step(thing)
    return (time.perf_counter() - began) / len(things) * 1e6


def _record(record: Record) -> int:
    return sys.getsizeof(record) + sys.getsizeof(record.summary)


def _strings(record: Record) -> int:
    return sum(sys.getsizeof(text) for text in (record.uid, record.name, record.resource_version))


def _places(record: Record) -> int:
    subjects = record.summary.subjects
    inner = sum(sys.getsizeof(subject) + sys.getsizeof(subject[3]) for subject in subjects)
    ranks = 2 * sys.getsizeof((record.summary.created, record.order, record.uid))
    return sys.getsizeof(subjects) + inner + ranks + sys.getsizeof(record.order)


def _mean(values: Iterable[float]) -> float:
    found = list(values)
    return sum(found) / len(found)
