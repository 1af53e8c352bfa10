"""One setting chooses where the servers come from, and what is missing is named."""

import io
from pathlib import Path

import jgo
import pytest
import requests
from rich.console import Console

from sandbox import __main__ as command
from sandbox import kafka_jars
from sandbox.errors import SandboxError
from sandbox.progress import OnConsole, Silent
from sandbox.servers import Mode, SandboxSettings, Service, servers

KAFKA = {"BOOKED_KAFKA_SERVERS": "broker:9092"}
DATABASE = {"BOOKED_DATABASE_URL": "postgresql://database/maintenance"}


@pytest.mark.parametrize(
    ("environment", "mode"),
    [
        ({}, Mode.EMBEDDED),
        ({"SANDBOX": ""}, Mode.EMBEDDED),
        ({"SANDBOX": "docker"}, Mode.DOCKER),
        ({"SANDBOX": "given", **KAFKA, **DATABASE}, Mode.GIVEN),
        (KAFKA | DATABASE, Mode.GIVEN),
        (KAFKA, Mode.EMBEDDED),
        ({"SANDBOX": "embedded", **KAFKA, **DATABASE}, Mode.EMBEDDED),
    ],
)
def test_the_environment_chooses_the_mode(environment: dict[str, str], mode: Mode) -> None:
    """`SANDBOX` decides; without it, servers are used as given when both are, else embedded ones are started."""
    assert SandboxSettings.from_environment(environment).mode is mode


def test_an_unknown_mode_is_named() -> None:
    """A mode that does not exist is refused with the ones that do."""
    with pytest.raises(SandboxError, match="SANDBOX=podman is unknown: use embedded, docker, given"):
        SandboxSettings.from_environment({"SANDBOX": "podman"})


async def test_given_servers_are_used_as_they_are() -> None:
    """Given servers are handed on, and nothing is started: there is nothing to kill or restart."""
    async with servers(SandboxSettings.from_environment(KAFKA | DATABASE)) as running:
        assert (running.kafka_servers, running.database_url) == ("broker:9092", "postgresql://database/maintenance")
        assert (running.kafka, running.postgres, running.folder) == (None, None, None)


@pytest.mark.parametrize(("given", "missing"), [(KAFKA, "BOOKED_DATABASE_URL"), (DATABASE, "BOOKED_KAFKA_SERVERS")])
async def test_a_server_that_is_not_given_is_named(given: dict[str, str], missing: str) -> None:
    """With `SANDBOX=given` both addresses are needed; the error names the one that is not there."""
    settings = SandboxSettings.from_environment({"SANDBOX": "given", **given})

    with pytest.raises(SandboxError, match=f"SANDBOX=given needs {missing}"):
        async with servers(settings):
            pass


async def test_a_server_that_is_not_wanted_need_not_be_given() -> None:
    """Who asks for Kafka alone need not give a database."""
    settings = SandboxSettings.from_environment({"SANDBOX": "given", **KAFKA}, services=frozenset({Service.KAFKA}))

    async with servers(settings) as running:
        assert (running.kafka_servers, running.database_url) == ("broker:9092", "")


def test_the_command_says_what_is_missing(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """`python -m sandbox` ends with 69 and the sentence, not with a traceback."""
    monkeypatch.setenv("SANDBOX", "given")
    monkeypatch.delenv("BOOKED_DATABASE_URL", raising=False)

    assert command.main(["postgres"]) == 69
    assert "SANDBOX=given needs BOOKED_DATABASE_URL" in capsys.readouterr().err


def test_a_failed_download_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without the network the error names the reason, the certificates' setting and the other ways."""

    def unreachable(_endpoint: str, **_options: object) -> None:
        raise requests.ConnectionError("certificate verify failed")

    monkeypatch.setattr(jgo, "build", unreachable)
    monkeypatch.setenv("JGO_CACHE_DIR", str(tmp_path))

    with pytest.raises(SandboxError, match=r"certificate verify failed.*REQUESTS_CA_BUNDLE.*SANDBOX=docker"):
        kafka_jars.kafka_jars(Silent())


HELLO = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"  # SHA-256 of "hello"


@pytest.mark.parametrize(
    ("files", "wrong"),
    [
        ({"a.jar": "hello", "b.jar": "changed"}, "b.jar"),
        ({"a.jar": "hello"}, "b.jar"),
        ({"a.jar": "hello", "b.jar": "hello", "c.jar": "hello"}, "c.jar"),
    ],
)
def test_jars_that_are_not_the_known_ones_are_refused(tmp_path: Path, files: dict[str, str], wrong: str) -> None:
    """A jar that was changed, is missing, or was added is named, and nothing is run."""
    jars = _written(tmp_path, files)

    with pytest.raises(SandboxError, match=rf"of Kafka's jars {wrong} are not those"):
        kafka_jars.check(jars, f"{HELLO}  a.jar\n{HELLO}  b.jar\n")


def test_jars_are_checked_once_for_each_list_of_hashes(tmp_path: Path) -> None:
    """Known jars pass and are not read again, until the list of hashes is another one."""
    jars = _written(tmp_path, {"a.jar": "hello"})
    hashes, marker = tmp_path / "hashes", tmp_path / "marker"
    hashes.write_text(f"{HELLO}  a.jar\n")
    kafka_jars.check_once(jars, hashes, marker)
    jars[0].write_text("changed")

    kafka_jars.check_once(jars, hashes, marker)

    hashes.write_text(f"{HELLO} a.jar\n")
    with pytest.raises(SandboxError, match=r"a\.jar"):
        kafka_jars.check_once(jars, hashes, marker)


def test_progress_without_a_terminal_is_lines() -> None:
    """Where the output is a file, a download is one line with its size, and sentences are printed as they are."""
    output = io.StringIO()
    narrator = OnConsole(Console(file=output, width=40))

    narrator.say("Postgres starts on [127.0.0.1]:5432, in a sentence longer than the line")
    with narrator.download("kafka.jar", 5_600_000) as advance:
        advance(5_600_000)

    assert output.getvalue().startswith(
        "Postgres starts on [127.0.0.1]:5432, in a sentence longer than the line\n  kafka.jar, 5.6 MB\n"
    )


def _written(folder: Path, files: dict[str, str]) -> list[Path]:
    for name, content in files.items():
        (folder / name).write_text(content)
    return [folder / name for name in files]
