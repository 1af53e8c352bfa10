"""The sandbox's folder goes when the sandbox goes, and one left by a crash goes with the next start."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.folders import remove_abandoned, sandbox_folder
from sandbox.ports import FIRST_PORT, LAST_PORT, free_port

ROOT = Path(__file__).resolve().parents[2]
DEADLINE_SECONDS = 20.0
HOLDER = """
import signal, sys
from pathlib import Path
from sandbox.folders import sandbox_folder
with sandbox_folder(Path(sys.argv[1])) as folder:
    print(folder, flush=True)
    signal.pause()
"""


def test_the_folder_is_removed_at_the_end(tmp_path: Path) -> None:
    """What is in the folder is there during the sandbox and gone after it."""
    with sandbox_folder(tmp_path) as folder:
        (folder / "postgres.log").write_text("ready")

    assert list(tmp_path.iterdir()) == []


def test_the_folder_can_be_kept(tmp_path: Path) -> None:
    """Logs can be kept for reading."""
    with sandbox_folder(tmp_path, keep=True) as folder:
        (folder / "postgres.log").write_text("ready")

    assert (folder / "postgres.log").read_text() == "ready"


def test_a_folder_in_use_stays(tmp_path: Path) -> None:
    """Another sandbox that starts does not touch the folder of one that runs."""
    with sandbox_folder(tmp_path) as first, sandbox_folder(tmp_path) as second:
        assert first.is_dir()
        assert second.is_dir()


def test_a_folder_that_was_only_just_made_stays(tmp_path: Path) -> None:
    """A folder whose maker has not locked it yet is not taken for abandoned."""
    made = tmp_path / "booked-sandbox-new"
    made.mkdir()
    (made / ".in-use").touch()

    remove_abandoned(tmp_path)

    assert made.is_dir()


def test_a_folder_left_by_a_crash_is_removed_later(tmp_path: Path) -> None:
    """After ``kill -9`` of a sandbox the next one removes its folder."""
    command = [sys.executable, "-c", HOLDER, str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as holder:  # noqa: S603 - the program above
        assert holder.stdout is not None
        left = Path(holder.stdout.readline().strip())
        holder.kill()
        holder.wait(DEADLINE_SECONDS)
    assert left.is_dir()

    with sandbox_folder(tmp_path):
        assert not left.exists()


def test_a_removal_that_failed_is_taken_up_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where data cannot be removed yet, because a dying server still writes, the next sandbox removes the folder."""
    with monkeypatch.context() as broken:
        broken.setattr(shutil, "rmtree", lambda *_arguments, **_options: None)
        with sandbox_folder(tmp_path) as folder:
            (folder / "postgres-data").mkdir()
    assert (folder / "postgres-data").is_dir()

    remove_abandoned(tmp_path)

    assert not folder.exists()


def test_a_free_port_is_out_of_the_way_of_outgoing_connections() -> None:
    """Ports come from below the range that the kernel gives to outgoing connections, and are not always the same."""
    ports = {free_port() for _ in range(20)}

    assert all(FIRST_PORT <= port <= LAST_PORT for port in ports)
    assert len(ports) > 1


def test_the_folder_can_be_passed_through_but_not_listed(tmp_path: Path) -> None:
    """Postgres's account reaches its own folder inside, and sees nothing else."""
    with sandbox_folder(tmp_path) as folder:
        assert folder.stat().st_mode & 0o777 == 0o711
