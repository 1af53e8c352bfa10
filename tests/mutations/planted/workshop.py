"""A copy of the tree in which a bug is planted, checked and looked for; the tree that is worked in stays as it is."""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.mutations.planted.bug import ROOT, Bug

CHECK_SECONDS: Final = 600
SEARCH_SECONDS: Final = 1800
_FAILED: Final = re.compile(r"^(?:FAILED|ERROR) (\S+)", re.MULTILINE)
_SEED: Final = re.compile(r"^FOUND seed (\S+) after (\d+) schedules: (.*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What came of one bug: ``caught_by`` is empty where nobody noticed; ``trouble`` says why it was no fair trial."""

    bug: Bug
    caught_by: str = ""
    trouble: str = ""
    seconds: float = 0.0


class Workshop:
    """A copy of the tree in a folder of its own, as git sees it: what is ignored is not copied."""

    def __init__(self, folder: Path) -> None:
        self._tree = folder / "tree"
        listed = _run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], ROOT, CHECK_SECONDS)
        for name in filter(None, listed.stdout.split("\0")):
            if (ROOT / name).is_file():
                target = self._tree / name
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, target)
        shared = ROOT.parent / "shared"
        if shared.exists():
            (folder / "shared").symlink_to(shared)  # the real orders that some tests read

    def try_bug(self, bug: Bug) -> Verdict:
        """Plant it, see that the linters have nothing against it, and look who notices; then take it out again."""
        begun = time.monotonic()
        before = {change.file: (self._tree / change.file).read_bytes() for change in bug.changes}
        try:
            bug.plant(self._tree)
            trouble = self._linters(sorted(before))
            caught_by = "" if trouble else self._caught(bug)
        finally:
            for name, content in before.items():
                (self._tree / name).write_bytes(content)
        return Verdict(bug=bug, caught_by=caught_by, trouble=trouble, seconds=time.monotonic() - begun)

    def try_sound(self, bug: Bug) -> Verdict:
        """Run the same tests without the bug: what fails then would prove nothing."""
        begun = time.monotonic()
        caught = self._caught(bug)
        trouble = f"fails without the bug too: {caught}" if caught else ""
        return Verdict(bug=bug, trouble=trouble, seconds=time.monotonic() - begun)

    def _linters(self, files: Sequence[str]) -> str:
        """Give what ruff or mypy say about these files: a bug that they see would not need a test."""
        python = [name for name in files if name.endswith(".py")]
        if not python:
            return ""
        for command in (["ruff", "check", "--no-cache"], ["mypy", "--no-error-summary"]):
            done = _run([sys.executable, "-m", *command, *python], self._tree, CHECK_SECONDS)
            if done.returncode:
                return f"{command[0]}: {done.stdout.strip()[:500]}"
        return ""

    def _caught(self, bug: Bug) -> str:
        if bug.schedules:
            command = ["tests.simulation", "--seeds", str(bug.schedules), "--until-failure"]
            done = _run([sys.executable, "-m", *command], self._tree, SEARCH_SECONDS)
            found = _SEED.search(done.stdout)
            if found:
                return f"the simulator, seed {found[1]}, after {found[2]} schedules: {found[3][:120]}"
            if done.returncode:
                return f"the simulator, which ended with {done.returncode}: {done.stdout.strip()[-200:]}"
        if bug.tests:
            done = _run([sys.executable, "-m", "pytest", "-x", "-q", *bug.tests], self._tree, SEARCH_SECONDS)
            failed = _FAILED.search(done.stdout)
            if failed:
                return failed[1]
            if done.returncode:
                return f"pytest, which ended with {done.returncode}: {done.stdout.strip()[-200:]}"
        return ""


def _run(command: Sequence[str], folder: Path, seconds: float) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603  # commands of our own
        command,
        cwd=folder,
        check=False,
        capture_output=True,
        text=True,
        timeout=seconds,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )
