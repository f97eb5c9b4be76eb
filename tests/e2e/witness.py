"""Sees every version of objects, from before they are made: who looks now and then misses what lasts for a moment."""

import json
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from tests.wall.api import Api, Call

Body = dict[str, Any]


@contextmanager
def watched(api: Api, *where: str) -> Iterator[list[Body]]:
    """Every version of every object of these collections from now on, as the watches tell them; of each in order."""
    seen: list[Body] = []
    with ExitStack() as streams:
        for place in where:
            streams.enter_context(_watch(api, place, seen))
        yield seen


@contextmanager
def _watch(api: Api, place: str, seen: list[Body]) -> Iterator[None]:
    version = api.must(Call(place, how="get"))["metadata"]["resourceVersion"]
    address = f"{api.server}{place}?watch=true&resourceVersion={version}&timeoutSeconds=600"
    stream, over = api._pool.request("GET", address, preload_content=False), threading.Event()

    def read() -> None:
        pending = b""
        try:
            while chunk := stream.read1():
                *lines, pending = (pending + chunk).split(b"\n")
                seen.extend(json.loads(line)["object"] for line in lines)
        except Exception:
            if not over.is_set():  # else the end is our own, whatever it is called where it was read
                raise

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        yield
    finally:
        over.set()
        stream.shutdown()
        reader.join(timeout=10)


def versions(seen: list[Body], name: str) -> list[Body]:
    """The versions of one object."""
    return [body for body in seen if body["metadata"]["name"] == name]
