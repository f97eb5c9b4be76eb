"""The operator with a fault: the real `gatehold run`, which kills itself before or after a certain write, or is unheard.

    OperatorProcess(cluster, "gatehold-0", launch=Launch("tests.faults.operator", {FOLDER: folder}))

Product code is as shipped: this module takes the place of the one method that sends, `Transport.send`. In the folder
  NAME.orders    which write is the last of the process NAME; looked for at each write, so it may come at any time
  NAME.go        with variable WAITS the process loads everything, waits for this file, and then forks the operator: a fresh
                 one is there at the moment when a test wants it, any number of times, and Python is loaded once
  NAME.pid       the operator that it forked
  NAME.code      how that one ended; the next one waits for NAME.go after this file and the other two were removed
  writes.jsonl   every write that was accepted, of all processes that share the folder
`Folder` is the test's side of it.

A write is a call that changes something stored: not a dry run, not a review or a token request (nothing is stored), not
the Lease of the leader (its renewals are a clock and no effect).
"""

import json
import os
import signal
import time
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, unquote, urlsplit

from controlplane.supervisor import death_signal
from tests.faults import rollout_words

FOLDER: Final = "FAULT_FOLDER"
WAITS: Final = "FAULT_WAITS"
_WHOLE: Final = frozenset({"deployments", "controllerrevisions", "approvalrequests", "leases"})
"""Written whole: that they are written is all there is to say."""
LEADERS: Final = "gatehold-operator"
UNHEARD: Final = "the answer was lost"
_PRECONDITIONS: Final = frozenset({"uid", "resourceVersion", "name", "namespace"})
_COMES_BESIDE: Final = frozenset({"taints"})
"""The node controller may be faster with the taint of a cordon, or slower than the uncordon."""


@dataclass(frozen=True, slots=True)
class Written:
    """A write: the object it is about (for an Event, the object that the Event is about), and what it does to it."""

    name: str
    what: str

    @property
    def is_figures(self) -> bool:
        """Whether it only shows how things do: no table has that."""
        return self.what.endswith(f" {rollout_words.FIGURES}")


@dataclass(frozen=True, slots=True)
class Orders:
    """Die before or after the `nth` accepted write that does `what` to `name`; empty texts stand for anything.

    `name` is a pattern (fnmatch), since the names of some objects say what is in them. When `unheard`, nobody dies: the
    answer to every first, third, fifth such write to each object is lost, since what is tried again has to be heard once.
    """

    when: str
    name: str = ""
    what: str = ""
    nth: int = 1

    def concern(self, write: Written) -> bool:
        """Whether that write is one of those that are counted."""
        return (not self.name or fnmatchcase(write.name, self.name)) and self.what in ("", write.what)


@dataclass(frozen=True, slots=True)
class Folder:
    """Where a test and its operators meet."""

    path: Path

    def order(self, process: str, orders: Orders) -> None:
        """Give a process its orders, whole or not at all: it may look at any time."""
        draft = self.path / f"{process}.draft"
        draft.write_text(json.dumps(asdict(orders)))
        draft.rename(self.path / f"{process}.orders")

    def countermand(self, process: str) -> None:
        """Let it go on without orders."""
        (self.path / f"{process}.orders").unlink()

    def orders(self, process: str) -> Orders | None:
        """What a process was ordered."""
        try:
            return Orders(**json.loads((self.path / f"{process}.orders").read_text()))
        except FileNotFoundError:
            return None

    def let_go(self, process: str) -> None:
        """Let a loaded process run."""
        (self.path / f"{process}.go").touch()

    def waits(self, process: str) -> bool:
        """Whether a loaded process has to wait still."""
        return not (self.path / f"{process}.go").exists()

    def clear(self, process: str) -> None:
        """No orders, and no leave to run: for the next life of a process that is dead."""
        for kind in ("orders", "go", "pid", "code"):
            (self.path / f"{process}.{kind}").unlink(missing_ok=True)

    def tell(self, process: str, kind: str, number: int) -> None:
        """Write down a number about a process (`pid`, `code`), whole or not at all."""
        draft = self.path / f"{process}.{kind}-draft"
        draft.write_text(str(number))
        draft.rename(self.path / f"{process}.{kind}")

    def told(self, process: str, kind: str) -> int | None:
        """What was written down; None where nothing is."""
        try:
            return int((self.path / f"{process}.{kind}").read_text())
        except FileNotFoundError:
            return None

    def note(self, write: Written) -> None:
        """Write down that this was accepted: in one piece, before anything else happens."""
        log = os.open(self.path / "writes.jsonl", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.write(log, json.dumps(asdict(write)).encode() + b"\n")
        os.close(log)

    def forget_writes(self) -> None:
        """Begin the log anew; what was under way may still come."""
        (self.path / "writes.jsonl").unlink(missing_ok=True)

    def writes(self) -> list[Written]:
        """What was accepted, in order; half of the next line may be there, where it goes beyond a page of the file."""
        try:
            lines = (self.path / "writes.jsonl").read_text().split("\n")[:-1]
        except FileNotFoundError:
            return []
        return [Written(**json.loads(line)) for line in lines]


class Fault:
    """Carries the orders of one process out."""

    def __init__(self, folder: Folder, process: str) -> None:
        """Nothing is written yet."""
        self._folder = folder
        self._process = process

    def before(self, write: Written) -> None:
        """Die here, if so ordered."""
        self._carry_out("before", write, 1)

    def after(self, write: Written) -> bool:
        """Note the write, and die here, if so ordered; answers whether its answer is heard."""
        self._folder.note(write)
        self._carry_out("after", write, 0)
        return self._orders("unheard", write) is None or self._folder.writes().count(write) % 2 == 0

    def _carry_out(self, when: str, write: Written, coming: int) -> None:
        orders = self._orders(when, write)
        if orders is None:
            return
        if sum(orders.concern(other) for other in self._folder.writes()) + coming >= orders.nth:
            os.kill(os.getpid(), signal.SIGKILL)

    def _orders(self, when: str, write: Written) -> Orders | None:
        orders = self._folder.orders(self._process)
        return orders if orders is not None and orders.when == when and orders.concern(write) else None


def written(method: str, path: str, body: Any) -> Written | None:
    """What a call writes; None where it writes nothing that counts."""
    parts = urlsplit(path)
    if method == "GET" or "dryRun" in parse_qs(parts.query):
        return None
    pieces = [unquote(piece) for piece in parts.path.split("/") if piece]
    pieces = pieces[2:] if pieces[0] == "api" else pieces[3:]
    if pieces[0] == "namespaces" and len(pieces) > 2:
        pieces = pieces[2:]
    plural, name, sub = (*pieces, "", "")[:3]
    if plural.endswith("reviews") or sub == "token" or (plural == "leases" and name == LEADERS):
        return None
    if plural == "events":
        return Written(body["regarding"]["name"], f"events {body['reason']}")
    body = json.loads(body) if isinstance(body, bytes) else body  # a template goes out byte by byte as it is kept
    name = name or body["metadata"].get("name", "")
    verb = "" if method == "PATCH" else f" {method.lower()}"
    detail = "" if verb and plural in _WHOLE else _detail(body, plural, sub)
    return Written(name, f"{plural}{'/' if sub else ''}{sub}{verb} {detail}".strip())


def _detail(body: Any, plural: str, sub: str) -> str:
    """What a patch changes, in a few words that are the same in each life; a JSON patch says so on Rollouts of Argo."""
    if not isinstance(body, dict):
        return _patch_detail(body) if (plural, sub) == ("rollouts", "status") else ""
    if plural == "rollouts" and sub == "status":
        return rollout_words.of_status(body.get("status", {}))
    if sub == "status":
        return _status_detail(body.get("status", {}))
    keys = [*body.get("metadata", {}), *body.get("spec", {})]
    return " ".join(sorted(set(keys) - _PRECONDITIONS - _COMES_BESIDE))


def _patch_detail(operations: list[dict[str, Any]]) -> str:
    """What a JSON patch changes, its tests aside."""
    return " ".join(f"{one['op']} {one['path'].rpartition('/')[2]}" for one in operations if one["op"] != "test")


def _status_detail(status: dict[str, Any]) -> str:
    """The phase, else how each node of a drain stands, or the effect, else its undo, else what is new; figures aside."""
    effect = status.get("effect") or {}
    if status.keys() == {"effect"} and effect.keys() == {"progress"}:
        return rollout_words.FIGURES
    undo = effect.get("undo") or {}
    nodes = " ".join(node["state"] for node in effect.get("nodes") or ())
    texts = (("", status.get("phase")), ("nodes ", nodes), ("effect ", effect.get("state")), ("undo ", undo.get("state")))
    return next((f"{kind}{text}" for kind, text in texts if text), " ".join(sorted(status)))


def install(fault: Fault) -> None:
    """Put the fault around the one method that sends."""
    from gatehold.kube.errors import Unavailable
    from gatehold.kube.transport import Call, Transport

    send = Transport.send

    async def faulty(self: Transport, call: Call) -> dict[str, Any]:
        write = written(call.method, call.path, call.body)
        if write is None:
            return await send(self, call)
        fault.before(write)
        answer = await send(self, call)
        if not fault.after(write):
            raise Unavailable(f"{call.method} {call.path}: {UNHEARD}")
        return answer

    Transport.send = faulty  # type: ignore[method-assign]


def main() -> None:
    """Run it."""
    import gatehold.controllers.composition  # noqa: F401 - what takes long is loaded before anybody waits
    from gatehold.cli.main import main as run

    folder, process = Folder(Path(os.environ[FOLDER])), os.environ["POD_NAME"]
    install(Fault(folder, process))
    if WAITS in os.environ:
        _bear(folder, process)
    run()


def _bear(folder: Folder, process: str) -> None:
    """Fork an operator whenever one is let go; returns in each of them, and never in this process."""
    die_with_me = death_signal()
    while True:
        while folder.told(process, "code") is not None or folder.waits(process):  # `clear` removes the code last
            time.sleep(0.03)
        child = os.fork()
        if child == 0:
            if die_with_me is not None:
                die_with_me()
            return
        folder.tell(process, "pid", child)
        folder.tell(process, "code", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))


if __name__ == "__main__":
    main()
