"""A start of `booked` imports what the command called needs, and its help is that of the whole command."""

import subprocess
import sys

import pytest
import typer
from typer.testing import CliRunner

from consumer.cli.app import app
from consumer.cli.commands import COMMANDS, booked_app
from tests.acceptance.installation import ROOT

RUNNER = CliRunner()
HELP_SECONDS = 60
PLAIN = {"COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb"}


def test_the_table_of_commands_is_that_of_the_whole_command() -> None:
    """A command that a module adds, and the first sentence of its help, stand in consumer/cli/commands.py."""
    whole = typer.main.get_command(app).commands  # type: ignore[attr-defined] # of a group, which it is
    told = {
        name: (command.callback.__module__.rpartition(".")[2], command.help.partition("\n")[0])
        for name, command in whole.items()
    }
    assert told == COMMANDS
    assert list(told) == list(COMMANDS)


def test_the_help_without_the_modules_is_that_of_the_whole_command() -> None:
    """What a newcomer reads first does not hang on how fast it comes."""
    quick, whole = (RUNNER.invoke(one, ["--help"], env=PLAIN) for one in (booked_app(["--help"]), app))
    assert quick.exit_code == 0
    assert quick.output == whole.output


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_is_found_by_its_name(name: str) -> None:
    """Started alone it shows the same help as in the whole command."""
    alone, whole = (RUNNER.invoke(one, [name, "--help"], env=PLAIN) for one in (booked_app([name]), app))
    assert alone.exit_code == 0
    assert alone.output == whole.output


@pytest.mark.parametrize(
    ("words", "absent"),
    [
        (["--help"], ["consumer.bootstrap", "asyncpg", "aiokafka", "httpx", "pydantic"]),
        (["run", "--help"], ["alembic", "sqlalchemy", "consumer.services.replay", "consumer.services.reconciling"]),
        (["replay", "--help"], ["alembic", "sqlalchemy"]),
    ],
    ids=lambda words: words[0],
)
def test_a_start_imports_nothing_that_it_does_not_need(words: list[str], absent: list[str]) -> None:
    """Alembic alone would be a third of the start of every process, and only `booked migrate` needs it."""
    program = (
        "import sys\n"
        "from consumer.cli.commands import booked_app\n"
        "booked_app(sys.argv[1:])(standalone_mode=False)\n"
        "print('\\n'.join(sys.modules))\n"
    )
    done = subprocess.run(  # noqa: S603  # the interpreter of the tests
        [sys.executable, "-c", program, *words],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
        timeout=HELP_SECONDS,
    )
    imported = set(done.stdout.splitlines())
    assert "typer" in imported
    assert [name for name in absent if name in imported] == []
