"""Which tests reach which lines of the domain, and how long each takes: found by running all of them once."""

import json
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import coverage
import pytest

from tests.mutations.domain.steadiness import Steady

# What is run against mutants. Tests that need servers are left out, and those whose fixtures take seconds by design.
SELECTION = (
    "tests/domain",
    "tests/sources",
    "tests/services",
    "tests/money/test_platform_orders.py",
    "tests/conformance",
    "tests/reconcile",
    "tests/privacy",
    "tests/cli",
    "tests/web",
    "tests/adapters",
    "-m",
    "not integration and not acceptance",
    "-k",
    "not postgres and not kafka",
)
PYTEST = ("-q", "--no-header", "-p", "no:cacheprovider", *SELECTION)

SLOWEST_SECONDS = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """``seconds_by_test``: every test that passed. ``tests_by_line``: by module, by line, who runs it."""

    seconds_by_test: dict[str, float]
    tests_by_line: dict[str, dict[int, list[str]]]

    def tests_of(self, module: str, first: int, last: int) -> set[str]:
        """Give the tests that run any of the lines."""
        lines = self.tests_by_line.get(module, {})
        return {test for line in range(first, last + 1) for test in lines.get(line, ())}


class _Recorder:
    """A pytest plugin: tells coverage which test is running, and keeps how long each took."""

    def __init__(self, measured: coverage.Coverage) -> None:
        self._measured = measured
        self.seconds: dict[str, float] = {}
        self._failed: set[str] = set()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        self._measured.switch_context(item.nodeid)
        # The processor's time and not the clock's: what else the machine does says nothing about a test.
        begun = time.process_time()
        result = yield
        self.seconds[item.nodeid] = time.process_time() - begun
        self._measured.switch_context("")
        return result

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if not report.passed:
            self._failed.add(report.nodeid)

    def passed(self) -> dict[str, float]:
        """Give the tests worth running against a mutant: passed, and not too long."""
        return {
            test: seconds
            for test, seconds in self.seconds.items()
            if test not in self._failed and seconds <= SLOWEST_SECONDS
        }


def read(path: Path) -> Reach:
    """Read what ``record`` wrote."""
    told = json.loads(path.read_text())
    names = told["tests"]
    return Reach(
        seconds_by_test=dict(zip(names, told["seconds"], strict=True)),
        tests_by_line={
            module: {int(line): [names[number] for number in numbers] for line, numbers in lines.items()}
            for module, lines in told["lines"].items()
        },
    )


def record(path: Path) -> int:
    """Run the tests once and write who reaches what; give pytest's exit code."""
    domain = Path("consumer/domain").resolve()
    measured = coverage.Coverage(data_file=None, config_file=False, include=[f"{domain}/*"])
    measured.start()
    recorder = _Recorder(measured)
    code = pytest.main([*PYTEST], plugins=[Steady(), recorder])
    measured.stop()
    seconds = recorder.passed()
    numbers = {test: number for number, test in enumerate(seconds)}
    data = measured.get_data()
    lines = {
        str(Path(file).relative_to(domain).with_suffix("")): {
            line: sorted(numbers[test] for test in tests if test in numbers)
            for line, tests in data.contexts_by_lineno(file).items()
        }
        for file in data.measured_files()
    }
    path.write_text(json.dumps({"tests": list(seconds), "seconds": list(seconds.values()), "lines": lines}))
    return int(code)


if __name__ == "__main__":
    sys.exit(record(Path(sys.argv[1])))
