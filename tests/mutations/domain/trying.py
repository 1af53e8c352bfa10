"""Tries mutants: one process that has everything loaded forks a child for each, which runs the tests that reach it.

A fork costs hundredths of a second where starting Python and collecting the tests costs several. The parent never runs
a test, so that no child inherits what another test left behind.
"""

import argparse
import functools
import gc
import json
import os
import resource
import selectors
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.mutations.domain import reach, swapping
from tests.mutations.domain.mutants import Mutant, digest
from tests.mutations.domain.operators import mutants_of
from tests.mutations.domain.steadiness import Steady

MEMORY_BYTES = 4 << 30
WALL_SECONDS = 120.0


@dataclass(kw_only=True)
class _Child:
    """A process that tries one mutant; ``told`` is what it has written so far."""

    mutant: Mutant
    pid: int
    pipe: int
    deadline: float
    told: bytes = b""


@dataclass(kw_only=True)
class Trying:
    """A pytest plugin that tries mutants in place of running the session's tests.

    ``budget_seconds`` bounds the tests run against one mutant, by the time that they took unmutated; ``results`` is
    a file that gets one JSON line for each mutant.
    """

    mutants: Iterator[Mutant]
    reached: reach.Reach
    results: Path
    tests: str
    progress: int
    jobs: int
    budget_seconds: float
    killers: dict[tuple[str, str], list[str]] = field(default_factory=dict)

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Try all of them; in place of pytest's own loop over the tests."""
        items = {item.nodeid: item for item in session.items}
        running: dict[int, _Child] = {}
        selector = selectors.DefaultSelector()
        gc.collect()
        gc.freeze()  # what is loaded is not looked through again in each child, so that its pages stay shared
        done = 0
        with self.results.open("a") as out:
            while True:
                while len(running) < self.jobs and (mutant := next(self.mutants, None)) is not None:
                    child = self._start(mutant, items)
                    running[child.pipe] = child
                    selector.register(child.pipe, selectors.EVENT_READ)
                if not running:
                    return True
                for child in self._ended(selector, running):
                    out.write(json.dumps(self._judged(child)) + "\n")
                    out.flush()
                    done += 1
                    if done % 100 == 0:
                        os.write(self.progress, f"{done} tried, now {child.mutant.module}\n".encode())

    def _ended(self, selector: selectors.BaseSelector, running: dict[int, _Child]) -> Iterator[_Child]:
        for key, _ in selector.select(timeout=1.0):
            child = running[key.fd]
            piece = os.read(key.fd, 65536)
            child.told += piece
            if not piece:
                selector.unregister(key.fd)
                os.close(key.fd)
                yield running.pop(key.fd)
        for child in running.values():
            if time.monotonic() > child.deadline:
                os.kill(child.pid, signal.SIGKILL)
                child.deadline = float("inf")

    def _judged(self, child: _Child) -> dict[str, object]:
        _, status = os.waitpid(child.pid, 0)
        told = child.told.decode().strip()
        verdict = "survived"
        if os.WIFSIGNALED(status):
            verdict = "timeout" if os.WTERMSIG(status) in (signal.SIGPROF, signal.SIGKILL) else "killed"
        elif os.WEXITSTATUS(status) == _NO_MUTANT:
            verdict = "none"
        elif os.WEXITSTATUS(status) != 0:
            verdict = "killed"
        elif told == "unreached":
            verdict = "unreached"
        if verdict == "killed":
            known = self.killers.setdefault((child.mutant.module, child.mutant.function), [])
            if told in known:
                known.remove(told)
            known.insert(0, told)
            del known[8:]
        return {
            "name": child.mutant.name,
            "module": child.mutant.module,
            "verdict": verdict,
            "by": told,
            "tests": self.tests,
            "text": digest(_text(child.mutant.module)),
        }

    def _start(self, mutant: Mutant, items: dict[str, pytest.Item]) -> _Child:
        tests = [items[test] for test in self._tests(mutant) if test in items]
        seconds = sum(self.reached.seconds_by_test[item.nodeid] for item in tests)
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(reading)
            _try(mutant, tests, writing, cpu_seconds=2 + 4 * seconds)
        os.close(writing)
        return _Child(mutant=mutant, pid=pid, pipe=reading, deadline=time.monotonic() + WALL_SECONDS)

    def _tests(self, mutant: Mutant) -> list[str]:
        """Give the tests that reach the mutant: those that killed its neighbours first, then the quickest."""
        lines = mutant.function_lines if mutant.in_default else (mutant.line, mutant.last_line)
        found = self.reached.tests_of(mutant.module, *lines)
        if not found:
            # An expression over several lines: not each of its lines is one that the interpreter stops at.
            found = self.reached.tests_of(mutant.module, mutant.function_lines[0] + 1, mutant.function_lines[1])
        seconds = self.reached.seconds_by_test
        first = [test for test in self.killers.get((mutant.module, mutant.function), ()) if test in found]
        others = sorted(found.difference(first), key=lambda test: (not test.startswith("tests/domain"), seconds[test]))
        chosen: list[str] = []
        spent = 0.0
        for test in [*first, *others]:
            spent += seconds[test]
            if spent > self.budget_seconds and chosen:
                break
            chosen.append(test)
        return chosen


_KILLED, _NO_MUTANT = 1, 3


class _Bell:
    """Ends the child at its first failing test."""

    def __init__(self, pipe: int) -> None:
        self._pipe = pipe

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> None:
        # Before the report is made: writing out where and why a test failed takes longer than most tests do.
        if call.excinfo is not None and not call.excinfo.errisinstance(pytest.skip.Exception):
            os.write(self._pipe, item.nodeid.encode())
            os._exit(_KILLED)


def _try(mutant: Mutant, tests: list[pytest.Item], pipe: int, *, cpu_seconds: float) -> None:
    """Be the child: put the mutant in place, run the tests, and end at once, with nothing torn down."""
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_PROF, cpu_seconds)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    try:
        swapping.apply(mutant)
    except swapping.NotAMutantError as problem:
        os.write(pipe, str(problem).encode())
        os._exit(_NO_MUTANT)
    if not tests:
        os.write(pipe, b"unreached")
        os._exit(0)
    try:
        bell = _Bell(pipe)
        tests[0].config.pluginmanager.register(bell)
        for item, following in zip(tests, [*tests[1:], None], strict=True):
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
    except BaseException as problem:  # noqa: BLE001 a mutant that breaks the run itself has been noticed
        os.write(pipe, f"the run itself: {type(problem).__name__}".encode())
        os._exit(_KILLED)
    os._exit(0)


@functools.cache
def _text(module: str) -> str:
    """Give the module's text; it stays the same for as long as this process lives: nobody writes into the copy."""
    return Path("consumer/domain", module + ".py").read_text(encoding="utf-8")


def main() -> int:
    """Try the mutants of the modules named, but for those already judged."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--reach", type=Path, required=True)
    parser.add_argument("--results", type=Path, required=True)
    parser.add_argument("--skip", type=Path, required=True, help="a JSON list of names that are judged already")
    parser.add_argument("--tests", default="", help="kept with each result: which state of the tests judged it")
    parser.add_argument("--jobs", type=int, required=True)
    parser.add_argument("--budget-seconds", type=float, required=True)
    parser.add_argument("modules", nargs="+")
    options = parser.parse_args()
    skipped = set(json.loads(options.skip.read_text()))
    mutants = (
        mutant
        for module in options.modules
        for mutant in mutants_of(module, _text(module))
        if mutant.name not in skipped
    )
    trying = Trying(
        mutants=mutants,
        reached=reach.read(options.reach),
        results=options.results,
        tests=options.tests,
        progress=os.dup(2),
        jobs=options.jobs,
        budget_seconds=options.budget_seconds,
    )
    return int(pytest.main([*reach.PYTEST, "--assert=plain"], plugins=[Steady(), trying]))


if __name__ == "__main__":
    sys.exit(main())
