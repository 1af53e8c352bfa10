"""Prometheus and promtool, from the path, or from Debian's package unpacked into `.sandbox/`; no root is needed.

`python -m tests.monitoring.prometheus` fetches them and says where they are.
"""

import shutil
import subprocess
import sys
from pathlib import Path

from tests.debian_packages import unpack
from tests.session_processes import not_downloaded

ROOT = Path(__file__).resolve().parents[2]
UNPACKED = ROOT / ".sandbox" / "prometheus"


def binary(name: str) -> Path:
    """Give where ``prometheus`` or ``promtool`` is; skips, with the reason, where it cannot be had."""
    found = _found(name)
    if found is None:
        try:
            fetch()
        except (OSError, subprocess.SubprocessError) as error:
            not_downloaded(f"{name} cannot be had: {error}")
        found = _found(name)
    if found is None:
        not_downloaded(f"{name} is not in Debian's package")
    return found


def _found(name: str) -> Path | None:
    ours = UNPACKED / "usr" / "bin" / name
    if ours.is_file():
        return ours
    installed = shutil.which(name)
    return None if installed is None else Path(installed)


def fetch() -> None:
    """Download Debian's package and unpack it. Raises OSError or subprocess.SubprocessError."""
    unpack(["prometheus"], UNPACKED)


if __name__ == "__main__":
    sys.stdout.write(f"{binary('prometheus')}\n{binary('promtool')}\n")
