"""A thousand simulated schedules: no invariant is broken, whatever goes wrong; and much does."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
SCHEDULES = 1000
SECONDS_MAX = 1800  # on a machine that does much else besides


def test_a_thousand_schedules_break_no_invariant() -> None:
    """Each with two processes, three shops on two connections, eight events and two faults, or more."""
    done = subprocess.run(  # noqa: S603 our own module
        [sys.executable, "-m", "tests.simulation", "--seeds", str(SCHEDULES), "--crashes", "1"],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": "0"},
        check=False,
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr[-4000:]}"
    assert _figure(done.stdout, "schedules") == SCHEDULES
    assert _fewest(done.stdout, "events told") >= 8
    assert _fewest(done.stdout, "faults met") >= 2
    assert _figure(done.stdout, "processes killed") > SCHEDULES / 2
    for name in ("create_invoice", "update_invoice", "void_invoice", "delete_invoice", "create_credit_note"):
        assert _figure(done.stdout, f"`{name}` that took effect") > 0


def _figure(text: str, what: str) -> int:
    found = re.search(rf"^\| {re.escape(what)} \| (\d+)", text, re.MULTILINE)
    assert found is not None, f"no figure of {what} in:\n{text}"
    return int(found[1])


def _fewest(text: str, what: str) -> int:
    found = re.search(rf"^\| {re.escape(what)} \(fewest .*in one schedule\) \| \d+ \((\d+)\)", text, re.MULTILINE)
    assert found is not None, f"no figure of {what} in:\n{text}"
    return int(found[1])
