"""Sees every version of objects, from before they are made: who looks now and then misses what lasts for a moment."""

import json
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

import urllib3

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
    stream = api._pool.request("GET", address, preload_content=False)

    def read() -> None:
        pending = b""
        with suppress(urllib3.exceptions.HTTPError):  # the end is our own: the watch is cut off
            while chunk := stream.read1():
                *lines, pending = (pending + chunk).split(b"\n")
                seen.extend(json.loads(line)["object"] for line in lines)

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        yield
    finally:
        stream.shutdown()
        reader.join(timeout=10)


def versions(seen: list[Body], name: str) -> list[Body]:
    """The versions of one object."""
    return [body for body in seen if body["metadata"]["name"] == name]
