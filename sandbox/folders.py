"""The sandbox's folder for data and logs: new, locked while in use, removed at the end or, after a crash, later."""

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

PREFIX = "booked-sandbox-"
LOCK_NAME = ".in-use"


@contextlib.contextmanager
def sandbox_folder(parent: Path | None = None, *, keep: bool = False) -> Iterator[Path]:
    """A new folder below ``parent`` (default: the machine's temporary folder), removed at the end unless ``keep``.

    A sandbox that was killed leaves its folder behind. The lock on it is gone with the process, which is how the next
    sandbox knows and removes it.
    """
    base = parent or Path(tempfile.gettempdir())
    remove_abandoned(base)
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=base))
    # Another account (that of Postgres, when we are root) must reach its own folder inside; it cannot list this one.
    folder.chmod(0o711)
    with _locked(folder / LOCK_NAME):
        try:
            yield folder
        finally:
            if not keep:
                _remove(folder)


def remove_abandoned(base: Path) -> None:
    """Remove the folders of sandboxes that are no longer there and that belong to us."""
    for folder in base.glob(f"{PREFIX}*"):
        # A folder that another sandbox removes, or has only just made and not locked yet, is passed over.
        with contextlib.suppress(OSError):
            if folder.stat().st_uid == os.geteuid() and _abandoned(folder / LOCK_NAME):
                _remove(folder)


def _remove(folder: Path) -> None:
    """Remove what can be removed, the lock last.

    A server that has only just been killed may still write. Then the folder stays, and without its lock file no later
    sandbox would know it for an abandoned one.
    """
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        elif path.name != LOCK_NAME:
            path.unlink(missing_ok=True)
    if {path.name for path in folder.iterdir()} == {LOCK_NAME}:
        shutil.rmtree(folder, ignore_errors=True)


def _abandoned(lock_file: Path) -> bool:
    with lock_file.open("rb") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        # Made but not yet locked: the maker writes into the file once it holds the lock.
        return lock_file.stat().st_size > 0


@contextlib.contextmanager
def _locked(lock_file: Path) -> Iterator[None]:
    with lock_file.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        yield


@contextlib.contextmanager
def exclusive(lock_file: Path) -> Iterator[None]:
    """Wait for, and hold, a lock between processes; it ends with the process at the latest."""
    lock_file.parent.mkdir(parents=True, exist_ok=True)
    with _locked(lock_file):
        yield
