"""The `booked` command: help that helps, exit codes that mean something, and words from outside that are only words."""

import base64
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from consumer.cli import explaining, people
from consumer.cli.app import app
from consumer.cli.exits import Exit, complain, exit_of, exits
from consumer.cli.reference import filled, pages
from consumer.cli.reference_program import named_commands
from consumer.domain.orders import OrderKey
from consumer.domain.records import OrderRecord
from consumer.domain.standing import Facts
from consumer.domain.states import OrderState, Priority, Reason, ReasonCode
from consumer.errors import (
    BookedError,
    BrokerUnavailableError,
    ConfigurationError,
    ConnectionStoppedError,
    DatabaseUnavailableError,
    FencedError,
    SecretError,
    StopCause,
)
from consumer.ports.people import GroupSum, Story, StoryLine
from consumer.secrets import Keyring

COMMANDS = [name for name, _ in named_commands()]
RUNNER = CliRunner()


@contextmanager
def nothing_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Take away what a developer's shell may have set."""
    import os  # noqa: PLC0415 only here

    for name in list(os.environ):
        if name.startswith("BOOKED_"):
            monkeypatch.delenv(name)
    yield


def test_there_are_the_commands_that_the_docs_name() -> None:
    """Those of the first steps among them."""
    assert {"run", "migrate", "apply", "connect", "doctor", "explain", "release", "orders", "resume"} <= set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself_and_its_options(name: str) -> None:
    """A newcomer reads `--help` and knows what it does and what each option is."""
    result = RUNNER.invoke(app, [*name.split(), "--help"], env={"COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb"})
    assert result.exit_code == 0
    command = dict(named_commands())[name]
    sentence = " ".join((command.help or "").split())
    assert len(sentence) > 20
    assert all(parameter.help for parameter in command.params if parameter.name != "help")
    text = re.sub(r"[\s│╭╮╰╯─]+", " ", result.output)
    assert " ".join(sentence.split()[:4]) in text


def test_the_whole_command_tells_the_first_steps() -> None:
    """In the sequence in which they are taken."""
    text = RUNNER.invoke(app, ["--help"], env={"COLUMNS": "200"}).output
    steps = [text.index(step) for step in ("booked migrate", "booked apply", "booked connect", "booked doctor")]
    assert steps == sorted(steps)


def test_the_version_is_told() -> None:
    """Name and figure."""
    result = RUNNER.invoke(app, ["--version"])
    assert (result.exit_code, result.output.startswith("booked ")) == (0, True)


def test_a_missing_setting_ends_with_its_name_and_its_code(monkeypatch: pytest.MonkeyPatch) -> None:
    """3: configuration; nothing is asked of any server."""
    with nothing_in_the_environment(monkeypatch):
        result = RUNNER.invoke(app, ["doctor"])
    assert result.exit_code == Exit.CONFIGURATION
    assert "BOOKED_" in result.stderr


def test_wrong_words_end_with_the_code_of_usage() -> None:
    """2, as everywhere."""
    assert RUNNER.invoke(app, ["explain", "--nonsense"]).exit_code == Exit.USAGE
    assert RUNNER.invoke(app, ["release", "shop"]).exit_code == Exit.USAGE


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigurationError("BOOKED_X", "no"), Exit.CONFIGURATION),
        (SecretError("no"), Exit.CONFIGURATION),
        (DatabaseUnavailableError("no"), Exit.UNAVAILABLE),
        (BrokerUnavailableError("no"), Exit.UNAVAILABLE),
        (ConnectionStoppedError("no", StopCause.NOT_CONNECTED), Exit.REFUSED),
        (FencedError("no"), Exit.FAILED),
    ],
)
def test_each_kind_of_error_has_its_exit_code(error: BookedError, code: Exit) -> None:
    """What a script decides by."""
    assert exit_of(error) is code
    with pytest.raises(typer.Exit) as ended, exits():
        raise error
    assert ended.value.exit_code == code


@pytest.mark.parametrize("words", ["order [/red] x", "[bold]", "a \\[b] c", "[/]", "C:\\[x]"])
def test_words_from_outside_are_printed_as_they_are(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Brackets of an order's id or of the ledger's words are no markup, and stop no command."""
    complain(words)
    assert words in capsys.readouterr().err


def _record(**fields: Any) -> OrderRecord:
    given: dict[str, Any] = {
        "key": OrderKey("shop[/]", "[/bold]1001"),
        "connection_id": None,
        "number": "[/x]7",
        "content": None,
        "content_hash": None,
        "facts": Facts(paid=True, paid_moment=None, cancelled=False),
        "state": OrderState.PARKED,
        "change": 1,
        "priority": Priority.LIVE,
        "takes": 0,
        "attempts": 0,
        "reason": Reason(code=ReasonCode.LEDGER_REFUSED, message="[/oops] refused", fix="[do] it"),
    }
    return OrderRecord(**{**given, **fields})


def test_a_story_with_brackets_is_told(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Number, reason, fix and lines as they are."""
    monkeypatch.setenv("COLUMNS", "200")
    line = StoryLine(at=datetime(2026, 3, 1, tzinfo=UTC), kind="decision", text="park [/y]", details={})
    explaining._print(Story(order=_record(), lines=(line,)), None)
    told = capsys.readouterr().out
    assert all(words in told for words in ("[/x]7", "shop[/]", "[/oops] refused", "[do] it", "park [/y]"))


def test_groups_with_brackets_are_told(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The fix comes from the ledger's words sometimes."""
    monkeypatch.setenv("COLUMNS", "200")
    group = GroupSum(
        shop_id="north",
        state=OrderState.PARKED,
        reason_code=ReasonCode.LEDGER_REFUSED,
        group_key="ledger_refused:[/2]",
        count=3,
        sums={"EUR": Decimal("36.60")},
        oldest=None,
        fix="see [/here]",
    )
    people._print([group], OrderState.PARKED)
    told = capsys.readouterr().out
    assert all(words in told for words in ("ledger_refused:[/2]", "see [/here]", "36.60 EUR"))


def test_a_new_key_opens_what_it_sealed_and_two_keys_differ() -> None:
    """As the setting takes it, with the id that was asked for."""
    first, second = (RUNNER.invoke(app, ["keys", "new", "--id", "one"]).output.strip() for _ in range(2))
    assert first != second
    key_id, _, encoded = first.partition(":")
    assert (key_id, len(base64.b64decode(encoded))) == ("one", 32)
    ring = Keyring.parse(f"{first},{second.replace('one', 'two')}")
    assert ring.open(ring.seal("secret", bound_to="books/token"), bound_to="books/token") == "secret"


@pytest.mark.parametrize("path", sorted(pages(), key=str), ids=lambda path: path.name)
def test_the_generated_parts_of_the_docs_are_fresh(path: Any) -> None:
    """`make schemas` writes them; a setting, reason, command or metric that is not in the docs fails here."""
    text = path.read_text(encoding="utf-8")
    assert filled(text, pages()[path]) == text


def test_a_page_without_its_marker_is_refused() -> None:
    """A part that could not be put anywhere would be lost in silence."""
    with pytest.raises(ValueError, match="the markers of settings are missing"):
        filled("# A page", {"settings": iter(())})
