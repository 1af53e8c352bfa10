"""The release after this one: the same code and one migration more, in a folder of its own.

It is what the next release will be to the installations of this one: a column and an index more, of the table that
every booking writes. Both run at the same time from folders of their own, as two images do.
"""

import os
import re
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from consumer.adapters.postgres.migrations import HEAD

ROOT: Final = Path(__file__).resolve().parents[2]
PACKAGES: Final = ("consumer", "schemas")
NEXT: Final = f"{int(HEAD) + 1:04d}"
COLUMN: Final = "of_the_next_release"
INDEX: Final = "orders_of_the_next_release"
MIGRATION: Final = f"""
ALTER TABLE orders ADD COLUMN {COLUMN} text NOT NULL DEFAULT 'nothing';
CREATE INDEX {INDEX} ON orders ({COLUMN}, shop_id);
"""
_MIGRATIONS: Final = Path("consumer") / "adapters" / "postgres" / "migrations"


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """One version of the program in a folder; ``head`` is the version of the schema that it asks for."""

    folder: Path
    head: str

    @property
    def program(self) -> list[str]:
        """Give what `booked` is, of this release. ``-P``: the folder that the tests run in must not come first."""
        return [sys.executable, "-P", "-m", "consumer"]

    def environment(self, base: Mapping[str, str]) -> dict[str, str]:
        """Give an environment in which the program is this release's."""
        kept = base.get("PYTHONPATH")
        return {**base, "PYTHONPATH": os.pathsep.join([str(self.folder), *([kept] if kept else [])])}


def this_release() -> Release:
    """Give the code as it stands here."""
    return Release(folder=ROOT, head=HEAD)


def next_release(folder: Path) -> Release:
    """Make the next release in this folder, which must not be there yet."""
    for package in PACKAGES:
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    migrations = folder / _MIGRATIONS
    newest = next(migrations.joinpath("versions").glob(f"{HEAD}_*.py"))
    script = newest.read_text(encoding="utf-8")
    script = script.replace(f'revision = "{HEAD}"', f'revision = "{NEXT}"', 1)
    script = re.sub(r'down_revision = "\d+"', f'down_revision = "{HEAD}"', script)
    target = newest.with_name(f"{NEXT}_next_release.py")
    target.write_text(script, encoding="utf-8")
    target.with_suffix(".sql").write_text(MIGRATION, encoding="utf-8")
    _raise_head(migrations / "__init__.py")
    return Release(folder=folder, head=NEXT)


def _raise_head(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    raised = text.replace(f'HEAD = "{HEAD}"', f'HEAD = "{NEXT}"', 1)
    if raised == text:
        raise AssertionError(f"{file} does not say which version of the schema is the newest: HEAD is not found")
    file.write_text(raised, encoding="utf-8")
