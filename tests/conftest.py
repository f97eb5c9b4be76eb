"""What all tests share: no test is skipped quietly, and the one session control plane that most of them use."""

import os
from collections.abc import Iterator

import pytest

import tests.domain.conftest  # noqa: F401 - how Hypothesis runs, also where only other rooms are run: no time limit of its own
from controlplane import Cluster, kubernetes, provider


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Where the run is told to people, and not in its workers: say there at once what fails."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if isinstance(reporter, pytest.TerminalReporter) and not hasattr(config, "workerinput"):
        config.pluginmanager.register(_AtOnce(reporter))


class _AtOnce:
    """A run takes an hour: nobody waits until its end to hear what has failed, and whoever ends it before has heard it."""

    def __init__(self, reporter: pytest.TerminalReporter) -> None:
        self._reporter = reporter

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self._reporter.write_line(f"\n{report.nodeid} ({report.when}) failed:\n{report.longreprtext[-3000:]}")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One plain line that counts, for people and for CI."""
    count = {name: len(terminalreporter.stats.get(name, ())) for name in ("passed", "failed", "error", "skipped")}
    failed = count["failed"] + count["error"]
    terminalreporter.write_line(f"{count['passed']} passed, {failed} failed, {count['skipped']} skipped")


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Where the run says that nothing may be skipped, a skipped test is a failure."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = reporter.stats.get("skipped", ()) if isinstance(reporter, pytest.TerminalReporter) else ()
    if os.environ.get("GATEHOLD_NO_SKIPS") and skipped and exitstatus == 0:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_itemcollected(item: pytest.Item) -> None:
    """Say where it belongs now: what is said when the collection is complete comes too late for xdist."""
    item.add_marker(pytest.mark.xdist_group(_room(item)))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What needs no server runs first: a slip in the core is known in seconds. What needs a newer one is left out."""
    order = ("domain", "api", "contract", "cli", "runtime", "controlplane", "wall", "e2e")

    def rank(item: pytest.Item) -> int:
        parts = item.path.parts
        return next((n for n, name in enumerate(order) if name in parts), len(order))

    items.sort(key=rank)
    newer = [item for item in items if any(mark.args > kubernetes() for mark in item.iter_markers("since"))]
    if newer:
        config.hook.pytest_deselected(items=newer)
        items[:] = [item for item in items if item not in newer]


def _room(item: pytest.Item) -> str:
    """Which tests stay together where several processes share the work: those of one control plane, else those of a file.

    A control plane takes seconds to start, and processor time as long as it stands.
    """
    fixtures: list[str] = getattr(item, "fixturenames", [])
    folder = item.path.parent.name
    shared = folder in ("wall", "cli", "runtime", "controlplane", "contract")
    return folder if shared else "e2e" if "gatehold" in fixtures else item.path.stem


@pytest.fixture(scope="session")
def bare_cluster(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """A cluster without Gatehold, one for the whole session: embedded, or kind where GATEHOLD_CLUSTER=kind."""
    with provider(request.getfixturevalue).cluster() as cluster:
        yield cluster
