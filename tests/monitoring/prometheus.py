"""Prometheus and promtool, from the path, or from Debian's package unpacked into `.sandbox/`; no root is needed.

`python -m tests.monitoring.prometheus` fetches them and says where they are.
"""

import shutil
import subprocess
import sys
from pathlib import Path

from tests.session_processes import not_downloaded

ROOT = Path(__file__).resolve().parents[2]
UNPACKED = ROOT / ".sandbox" / "prometheus"
FETCH_SECONDS = 300


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
    parts = UNPACKED.with_name("prometheus.part")
    shutil.rmtree(parts, ignore_errors=True)
    parts.mkdir(parents=True)
    try:
        _run(["apt-get", "download", "prometheus"], parts)
    except subprocess.CalledProcessError:
        # This machine has no lists of packages, or old ones: they are fetched into a folder of our own, without root.
        own = [f"-oDir::State={parts}/state", f"-oDir::Cache={parts}/cache"]
        for folder in ("state/lists/partial", "cache/archives/partial"):
            (parts / folder).mkdir(parents=True)
        _run(["apt-get", *own, "update"], parts)
        _run(["apt-get", *own, "download", "prometheus"], parts)
    (package,) = parts.glob("prometheus_*.deb")
    _run(["dpkg", "-x", package.name, "unpacked"], parts)
    shutil.rmtree(UNPACKED, ignore_errors=True)
    (parts / "unpacked").rename(UNPACKED)
    shutil.rmtree(parts)


def _run(command: list[str], folder: Path) -> None:
    subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=FETCH_SECONDS)  # noqa: S603 our words


if __name__ == "__main__":
    sys.stdout.write(f"{binary('prometheus')}\n{binary('promtool')}\n")
