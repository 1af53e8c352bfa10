"""The Dockerfile keeps what the page about running says: base by digest, hashes, a fixed number, no shell, no root."""

import re
import shlex
import subprocess
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest

from consumer.config import Settings
from deploy.supply_chain.locked import EVERYTHING, ROOT, RUNTIME, TRACING, locked

TEXT = (ROOT / "Dockerfile").read_text(encoding="utf-8")
MEGABYTES_MAX = 200
LOCK = "requirements${EXTRAS:+-$EXTRAS}.lock"
LABELS = {"title", "description", "version", "revision", "created", "source"}


def _instructions() -> list[tuple[str, str]]:
    """Give each instruction with its words, continued lines joined, comments left out."""
    lines = [line for line in TEXT.splitlines() if line.strip() and not line.startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    return [(line.split(" ", 1)[0], line.split(" ", 1)[1].strip()) for line in joined.splitlines()]


def _last_stage() -> list[tuple[str, str]]:
    instructions = _instructions()
    begin = max(number for number, (name, _) in enumerate(instructions) if name == "FROM")
    return instructions[begin:]


def test_the_base_can_be_named_by_its_digest() -> None:
    """Both stages stand on one build argument, which `--build-arg` sets to NAME@sha256:…."""
    instructions = _instructions()
    assert instructions[0] == ("ARG", "BASE_IMAGE=python:3.11-slim-bookworm")
    stages = [words.split()[0] for name, words in instructions if name == "FROM"]
    assert stages == ["${BASE_IMAGE}"] * 2


def test_only_locked_wheels_are_installed() -> None:
    """By hash, as wheels, from the lock file alone: nothing is resolved or compiled in a build."""
    runs = [words for name, words in _instructions() if name == "RUN"]
    installs = [one for words in runs for one in words.split("&&") if re.search(r"\bpip install\b", one)]
    assert len(installs) == 1
    # Compiled by pip the bytecode would bear the time of the build, and be of no use once the files have their date.
    assert "--no-compile" in installs[0]
    assert {"--require-hashes", "--only-binary", ":all:", "-r", LOCK} <= set(shlex.split(installs[0]))
    assert not [words for words in runs if "apt-get" in words or "curl" in words or "wget" in words]


@pytest.mark.parametrize(("extras", "lock"), [("", RUNTIME), ("tracing", TRACING)])
def test_an_extra_is_chosen_by_a_build_argument_and_has_its_lock(extras: str, lock: Path) -> None:
    """None unless it is asked for; the shell of the build makes the name of a lock that is sent to the builder."""
    assert ("ARG", "EXTRAS=") in _instructions()
    named = subprocess.run(  # noqa: S603  # the words of our own Dockerfile
        ["/bin/sh", "-c", f'printf %s "{LOCK}"'], env={"EXTRAS": extras}, capture_output=True, text=True, check=True
    )
    assert ROOT / named.stdout == lock
    assert lock.name in next(words for name, words in _instructions() if name == "COPY").split()
    assert f"!{lock.name}" in (ROOT / ".dockerignore").read_text(encoding="utf-8").split()


def test_the_extra_adds_packages_that_the_tests_ran_on_and_changes_none() -> None:
    """All that the program's own lock names, in the same versions, and what traces need."""
    own, traced, tested = ({one.name: one.version for one in locked(file)} for file in (RUNTIME, TRACING, EVERYTHING))
    assert own.items() < traced.items() <= tested.items()
    assert {"opentelemetry-sdk", "opentelemetry-exporter-otlp-proto-http"} <= traced.keys() - own.keys()
    assert all(one.hashes for one in locked(TRACING))


def test_nothing_comes_from_elsewhere() -> None:
    """COPY takes files of this repository; ADD could fetch and unpack."""
    instructions = _instructions()
    assert [words for name, words in instructions if name == "ADD"] == []
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    assert ignored[0] == "*", "what is not named is not sent to the builder: no .env, no .git"
    sent = {line.removeprefix("!") for line in ignored if line.startswith("!")}
    copied = [words.split()[:-1] for name, words in instructions if name == "COPY" and "--from" not in words]
    assert {path.removeprefix("./") for paths in copied for path in paths} <= sent


def test_two_builds_of_one_commit_hold_the_same_files() -> None:
    """Bytecode does not tell when it was compiled, and every file bears the date that the build was given."""
    run = next(words for name, words in reversed(_instructions()) if name == "RUN")
    assert "PYTHONHASHSEED=0" in run
    assert re.search(r"compileall -q -f --invalidation-mode unchecked-hash", run)
    assert 'touch -h -d "@${SOURCE_DATE_EPOCH}"' in run
    assert ("ARG", "SOURCE_DATE_EPOCH=0") in _instructions()


def test_it_is_nobody_and_keeps_no_tools() -> None:
    """A fixed number that Kubernetes can tell from root's; the stage that runs installs nothing and runs nothing."""
    stage = _last_stage()
    users = [words for name, words in stage if name == "USER"]
    assert users == ["10001:10001"]
    assert [words for name, words in stage if name == "RUN"] == []
    assert {words for name, words in stage if name == "COPY"} == {
        "--from=build /etc/passwd /etc/group /etc/",
        "--from=build /opt/booked /opt/booked",
    }


def test_nothing_that_runs_needs_a_shell() -> None:
    """Entry point, command and health check are lists of words."""
    stage = dict(_last_stage())
    assert (stage["ENTRYPOINT"], stage["CMD"]) == ('["booked"]', '["run"]')
    assert re.search(r'CMD \["python", "-m", "consumer\.web\.probe"\]$', stage["HEALTHCHECK"])


def test_it_says_what_it_is_and_where_it_listens() -> None:
    """Labels of the Open Container Initiative, and the port of the program's settings."""
    stage = dict(_last_stage())
    assert set(re.findall(r"org\.opencontainers\.image\.(\w+)=", stage["LABEL"])) == LABELS
    assert stage["EXPOSE"] == str(Settings.model_fields["http_port"].default)


def test_what_is_added_to_the_base_stays_small() -> None:
    """Less than 200 MB unpacked: the locked packages and the program, their bytecode counted as large as its source."""
    sizes = {one.name: _bytes_of(_files(one.name)) for one in locked(RUNTIME)}
    sizes["the program"] = _bytes_of(file for top in ("consumer", "schemas") for file in (ROOT / top).rglob("*"))
    assert sum(size > 0 for size in sizes.values()) > 25, "the packages are not installed here; nothing was measured"
    megabytes = sum(sizes.values()) / 1_000_000
    largest = sorted(sizes, key=lambda name: sizes[name], reverse=True)[:5]
    assert megabytes < MEGABYTES_MAX, f"{megabytes:.0f} MB; the largest are {', '.join(largest)}"


def _files(package: str) -> Iterator[Path]:
    try:
        listed = distribution(package).files or ()
    except PackageNotFoundError:
        # Of another platform, or of an older Python.
        return
    yield from (Path(str(file.locate())) for file in listed)


def _bytes_of(files: Iterator[Path]) -> int:
    """Add up what an image would hold; bytecode is counted by its source, whether it is here or not."""
    kept = [file for file in files if file.suffix != ".pyc" and file.is_file()]
    return sum(file.stat().st_size * (2 if file.suffix == ".py" else 1) for file in kept)
