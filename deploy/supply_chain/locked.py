"""The locked packages: what `requirements.lock` (of the program) and `requirements-dev.lock` (with the tools) name.

`requirements-tracing.lock` is the program's with the extra `tracing`, for an image that has it.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
RUNTIME: Final = ROOT / "requirements.lock"
TRACING: Final = ROOT / "requirements-tracing.lock"
EVERYTHING: Final = ROOT / "requirements-dev.lock"
_PACKAGE: Final = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^ ;\\]+)(?: ; (?P<marker>[^\\]+?))? \\$")
_HASH: Final = re.compile(r"^    --hash=sha256:[0-9a-f]{64}(?: \\)?$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Locked:
    """One package as locked; ``marker`` says where it is installed, empty for everywhere."""

    name: str
    version: str
    marker: str
    hashes: int


def locked(file: Path) -> tuple[Locked, ...]:
    """Read a lock file, in its order."""
    found: list[Locked] = []
    hashes: dict[str, int] = {}
    for line in file.read_text(encoding="utf-8").splitlines():
        package = _PACKAGE.match(line)
        if package is not None:
            name = normal(package["name"])
            found.append(Locked(name=name, version=package["version"], marker=package["marker"] or "", hashes=0))
        elif found and _HASH.match(line):
            hashes[found[-1].name] = hashes.get(found[-1].name, 0) + 1
    return tuple(
        Locked(name=one.name, version=one.version, marker=one.marker, hashes=hashes.get(one.name, 0)) for one in found
    )


def normal(name: str) -> str:
    """Write a package's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()
