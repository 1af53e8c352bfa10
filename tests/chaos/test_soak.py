"""The soak writes what it found with the command that finds it again."""

import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from bench.pages import MEASURED, sections
from tests.chaos import soak
from tests.chaos.registry import Trial


def test_the_long_faults_get_their_section_also_where_no_load_follows(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Of ``--minutes 0`` the faults alone are written; the trials themselves are `make soak`'s."""

    async def tried(seed: int) -> Sequence[Trial]:
        return [Trial(name="F10", seed=seed)]

    page = tmp_path / "reliability.md"
    monkeypatch.setattr(soak, "PAGE", page)
    monkeypatch.setattr(soak, "_faults", tried)
    monkeypatch.setattr(sys, "argv", ["soak", "--minutes", "0", "--seed", "7"])
    assert soak.main() == 0
    written = sections(page.read_text(encoding="utf-8"))
    assert list(written) == ["Faults of the long run"]
    origin = MEASURED.search(written["Faults of the long run"])
    assert origin is not None
    assert (origin["command"], origin["seed"]) == ("python -m tests.chaos.soak --minutes 0", ", seed 7")
