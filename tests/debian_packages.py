"""Programs from Debian's packages, unpacked into a folder of ours; no root is needed."""

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

FETCH_SECONDS = 300


def unpack(packages: Sequence[str], folder: Path) -> None:
    """Download the packages and unpack them into the folder. Raises OSError or subprocess.SubprocessError."""
    parts = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(parts, ignore_errors=True)
    parts.mkdir(parents=True)
    _download(packages, parts)
    for package in sorted(parts.glob("*.deb")):
        _run(["dpkg", "-x", package.name, "unpacked"], parts)
    shutil.rmtree(folder, ignore_errors=True)
    (parts / "unpacked").rename(folder)
    shutil.rmtree(parts)


def _download(packages: Sequence[str], parts: Path) -> None:
    try:
        _run(["apt-get", "download", *packages], parts)
    except subprocess.CalledProcessError:
        # This machine has no lists of packages, or old ones: they are fetched into a folder of our own, without root.
        own = [f"-oDir::State={parts}/state", f"-oDir::Cache={parts}/cache"]
        for folder in ("state/lists/partial", "cache/archives/partial"):
            (parts / folder).mkdir(parents=True)
        _run(["apt-get", *own, "update"], parts)
        _run(["apt-get", *own, "download", *packages], parts)


def _run(command: list[str], folder: Path) -> None:
    subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=FETCH_SECONDS)  # noqa: S603 our words
