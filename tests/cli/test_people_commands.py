"""`booked order`, `booked parked`, `booked release` and `booked rejected`: words in, words and exit codes out."""

import json
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from consumer.cli import doctor, ordering, people, recovery, rejected
from consumer.cli.app import app
from consumer.cli.exits import Exit
from consumer.domain.asking import Mark, Reception
from consumer.domain.events import Origin, Rejected
from consumer.domain.orders import OrderKey
from consumer.domain.records import Document, DocumentKind
from consumer.domain.states import Ask, OrderState, Priority, Reason, ReasonCode
from consumer.errors import ConfigurationError
from consumer.ports.people import GroupSum
from consumer.ports.rejected import RejectedFilter, RejectedRow, RejectedState
from consumer.services.actions import ActionResult
from consumer.services.rejected import Outcome, Retried

RUNNER = CliRunner()
ENVIRONMENT = {
    "BOOKED_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
    "BOOKED_KAFKA_SERVERS": "127.0.0.1:1",
    "BOOKED_SECRET_KEYS": "one:" + "a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s=",
    "USER": "jane",
    "COLUMNS": "250",
}
INVOICE = Document(
    connection_id="books",
    kind=DocumentKind.INVOICE,
    ledger_id="46",
    number="INV-[1]",
    status="draft",
    live=True,
    reference="1",
    total=Decimal("12.30"),
    currency="EUR",
    url="https://books.test/46",
)
TAX = Reason(code=ReasonCode.TAX_MISSING, message="No tax of 22 %.", fix="Add [it].", group_key="tax_missing:22")
DONE = ActionResult(reception=Reception.TAKEN, answer="Made.", state=OrderState.BOOKED, document=INVOICE, done=True)
PARKED = ActionResult(reception=Reception.TAKEN, answer="", state=OrderState.PARKED, reason=TAX)
ROW = RejectedRow(
    row_id=7,
    rejected=Rejected(
        origin=Origin(topic="order.paid", log=1, partition=0, offset=3),
        reason="malformed_json",
        message="It is not [JSON].",
        value=b'{"a": "\x1b[31mred"}\n\xff\x00',
        size=21,
        digest=sha256(b"x").digest(),
        record_key=b"north/1",
        headers=(("trace", b"\x00\xfe"),),
        shop_id="north",
        order_id="1",
    ),
    state=RejectedState.OPEN,
    received_at=datetime(2026, 3, 2, 12, 0, tzinfo=UTC),
)


class Fakes:
    """The stores of a command, and what it asked of them."""

    def __init__(self) -> None:
        self.said: list[Any] = []
        self.groups: list[GroupSum] = []
        self.rows: list[RejectedRow] = [ROW]
        self.people = SimpleNamespace(groups=self._groups, release=self._release, note=self._note)
        self.rejected = SimpleNamespace(find=self._find, read=self._read, settle=self._settle)
        self.privacy = SimpleNamespace(note_access=self._looked)
        self.looked: list[tuple[str, str]] = []
        self.lanes = SimpleNamespace(resume_connection=self._resume)
        self.intake = SimpleNamespace(note_committed_ahead=self._look_first)
        self.settings = SimpleNamespace(connections=self._connections)

    async def _groups(self, state: OrderState, shop: str | None = None) -> list[GroupSum]:
        return [group for group in self.groups if group.state is state and shop in (None, group.shop_id)]

    async def _release(self, **words: Any) -> int:
        self.said.append(words)
        return 2

    async def _note(self, **words: Any) -> None:
        self.said.append(words)

    async def _find(self, wanted: RejectedFilter, limit: int) -> list[RejectedRow]:
        self.said.append((wanted, limit))
        return self.rows

    async def _read(self, row_id: int) -> RejectedRow | None:
        return next((row for row in self.rows if row.row_id == row_id), None)

    async def _looked(self, *, actor: str, action: str, details: Mapping[str, Any], **of: str) -> None:
        assert actor
        assert set(of) == {"shop_id", "order_id"}
        self.looked.append((action, details["by"]))

    async def _settle(self, row_id: int, state: RejectedState, *, actor: str, note: str = "") -> bool:
        self.said.append((row_id, state, actor, note))
        return any(row.row_id == row_id for row in self.rows)

    async def _resume(self, connection: str) -> None:
        self.said.append(("resumed", connection))

    async def _look_first(self, places: tuple[()]) -> None:
        self.said.append(("look first", places))

    async def _connections(self) -> list[Any]:
        return [SimpleNamespace(connection_id="books")]


@pytest.fixture
def fakes(monkeypatch: pytest.MonkeyPatch) -> Fakes:
    """Commands over stores that only note what they are asked."""
    made = Fakes()

    @asynccontextmanager
    async def opened(*_: Any, **__: Any) -> AsyncIterator[Fakes]:
        yield made

    for module in (ordering, people, rejected, doctor, recovery):
        monkeypatch.setattr(module, "open_stores", opened)
    monkeypatch.setattr(ordering, "PostgresWakeups", opened)
    return made


@pytest.fixture
def acted(fakes: Fakes, monkeypatch: pytest.MonkeyPatch) -> "Acted":
    """`booked order` over an action that answers what a test wants."""
    made = Acted(fakes)
    monkeypatch.setattr(ordering, "action_tools", lambda *_: None)
    monkeypatch.setattr(ordering, "act", made)
    return made


class Acted:
    """The service function, in place of the real one."""

    def __init__(self, stores: Fakes) -> None:
        self.stores = stores
        self.result = DONE
        self.calls: list[tuple[OrderKey, Ask | Mark, dict[str, Any]]] = []

    async def __call__(self, key: OrderKey, what: Ask | Mark, **words: Any) -> ActionResult:
        """See services.actions.act."""
        del words["tools"]
        self.calls.append((key, what, words))
        return self.result


def booked(*words: str, text: str | bytes | None = None) -> Any:
    """Run the command."""
    return RUNNER.invoke(app, list(words), env=ENVIRONMENT, input=text)


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["generate"], Ask.GENERATE),
        (["update"], Ask.UPDATE),
        (["delete"], Ask.DELETE),
        (["delete", "--sent"], Ask.DELETE_SENT),
        (["hold"], Mark.HOLD),
        (["release"], Mark.RELEASE),
        (["retry"], Mark.RETRY),
        (["ignore", "--note", "by hand"], Mark.IGNORE),
    ],
)
def test_each_word_is_passed_on_with_who_says_it(acted: Acted, words: list[str], what: Ask | Mark) -> None:
    """The name of the person goes into the audit log; without one it is the machine's user."""
    command, *options = words
    result = booked("order", command, "north", "1", "--as", "john", *options)
    assert result.exit_code == Exit.DONE, result.output
    ((key, said, given),) = acted.calls
    assert (key, said, given["actor"]) == (OrderKey("north", "1"), what, "john")
    assert given["note"] == ("by hand" if what is Mark.IGNORE else "")
    booked("order", command, "north", "1", *options)
    assert acted.calls[1][2]["actor"] == "jane"


def test_the_document_is_told(acted: Acted) -> None:
    """Number, state, total and address, brackets and all."""
    acted.result = DONE
    result = booked("order", "generate", "north", "1")
    assert "Order 1 of shop north is booked. Made." in result.output
    assert "invoice INV-[1] (draft), 12.30 EUR https://books.test/46" in result.output
    plain = json.loads(booked("order", "generate", "north", "1", "--json").output)
    assert (plain["result"], plain["state"], plain["document"]["total"]) == ("done", "booked", "12.30")


@pytest.mark.parametrize(
    ("result", "code", "words"),
    [
        (PARKED, Exit.FINDINGS, "Fix: Add [it]."),
        (ActionResult(reception=Reception.UNKNOWN, answer="Nothing is known."), Exit.NOT_FOUND, "Nothing is known."),
        (ActionResult(reception=Reception.REFUSED, answer="It is cancelled."), Exit.REFUSED, "It is cancelled."),
        (
            ActionResult(reception=Reception.TAKEN, answer="Accepted.", state=OrderState.DUE, accepted=True),
            Exit.DONE,
            "Order 1 of shop north is due. Accepted.",
        ),
        (
            ActionResult(reception=Reception.NOTHING, answer="There is none.", state=OrderState.DUE, done=True),
            Exit.DONE,
            "There is none.",
        ),
    ],
)
def test_what_came_of_it_is_the_exit_code(acted: Acted, result: ActionResult, code: Exit, words: str) -> None:
    """A script can tell done from refused, unknown, and left otherwise."""
    acted.result = result
    ended = booked("order", "generate", "north", "1")
    assert (ended.exit_code, words in ended.output) == (code, True)
    assert json.loads(booked("order", "generate", "north", "1", "--json").stdout)["answer"] == result.answer


def test_the_order_comes_from_a_file_or_from_standard_input(acted: Acted, tmp_path: Path) -> None:
    """As bytes, whatever they are; and the wait is passed on."""
    file = tmp_path / "order.json"
    file.write_bytes(b"{\xff")
    assert booked("order", "generate", "north", "1", "--body", str(file), "--wait", "3").exit_code == Exit.DONE
    assert booked("order", "generate", "north", "1", "--body", "-", text=b"{}").exit_code == Exit.DONE
    assert [given["body"] for _, _, given in acted.calls] == [b"{\xff", b"{}"]
    assert acted.calls[0][2]["wait_seconds"] == 3.0


def test_a_body_that_is_not_there_or_too_large_is_refused(acted: Acted, tmp_path: Path) -> None:
    """Before anything is asked of the database; no more than the limit is ever read."""
    result = booked("order", "generate", "north", "1", "--body", str(tmp_path / "none"))
    assert (result.exit_code, "cannot be read" in result.output) == (Exit.CONFIGURATION, True)
    large = tmp_path / "large"
    large.write_bytes(b"x" * (ordering.BODY_BYTES_MAX + 1))
    with pytest.raises(ConfigurationError, match="longer than 1048576 bytes"):
        ordering.read_body(large)
    assert acted.calls == []


def test_to_ignore_an_order_a_note_has_to_be_given(acted: Acted) -> None:
    """The command's words are off without it."""
    assert booked("order", "ignore", "north", "1").exit_code == Exit.USAGE
    assert acted.calls == []


def group(shop: str, state: OrderState = OrderState.PARKED, count: int = 3) -> GroupSum:
    """Make a group of one shop."""
    return GroupSum(
        shop_id=shop,
        state=state,
        reason_code=ReasonCode.TAX_MISSING,
        group_key="tax_missing:22",
        count=count,
        sums={"EUR": Decimal("36.60")},
        oldest=datetime(2026, 3, 2, 12, 0, tzinfo=UTC),
        fix="Add [it].",
    )


def test_parked_orders_are_shown_by_cause(fakes: Fakes) -> None:
    """One line for all shops that one fix will help."""
    fakes.groups = [group("north"), group("south", count=4)]
    text = booked("parked").output
    (line,) = [line for line in text.splitlines() if "tax_missing:22" in line]
    assert all(cell in line for cell in ("north, south", "7", "73.20 EUR", "2026-03-02 12:00", "Add [it]."))
    (plain,) = json.loads(booked("parked", "--shop", "south", "--json").output)
    assert (plain["count"], plain["shops"], plain["sums"]) == (4, ["south"], {"EUR": "36.60"})
    fakes.groups = []
    assert "No order is parked." in booked("parked").output


def test_a_group_is_released_after_its_sum_was_shown_and_a_yes(fakes: Fakes) -> None:
    """A no releases nothing."""
    fakes.groups = [group("north"), group("south")]
    refused = booked("release", "tax_missing:22", text="n\n")
    assert (refused.exit_code, fakes.said) == (Exit.FAILED, [])
    result = booked("release", "tax_missing:22", "--as", "john", text="y\n")
    assert (result.exit_code, "73.20 EUR" in result.output, "4 released" in result.output) == (0, True, True)
    assert [(said["shop_id"], said["group_key"], said["actor"]) for said in fakes.said] == [
        ("north", "tax_missing:22", "john"),
        ("south", "tax_missing:22", "john"),
    ]
    assert {said["priority"] for said in fakes.said} == {Priority.PERSON}


def test_what_is_no_group_is_told_from_one_that_is_empty(fakes: Fakes) -> None:
    """A shop's name alone is a slip: nothing is released by it."""
    assert booked("release", "north").exit_code == Exit.USAGE
    assert booked("release", "tax_missing:5", "--yes").exit_code == Exit.NOT_FOUND
    assert booked("release", "north", "--reason", "held", "--order", "1").exit_code == Exit.USAGE
    assert booked("release", "north", "--reason", "held", "--shop", "south").exit_code == Exit.USAGE
    assert fakes.said == []


def test_orders_of_a_shop_are_released_as_before(fakes: Fakes) -> None:
    """By reason or by order, the shop first."""
    assert booked("release", "north", "--reason", "before_start", "--yes").exit_code == Exit.DONE
    assert booked("release", "north", "--order", "1").exit_code == Exit.DONE
    by_reason, by_order = fakes.said
    assert (by_reason["shop_id"], by_reason["reason"]) == ("north", ReasonCode.BEFORE_START)
    assert (by_order["order_id"], by_order["actor"]) == ("1", "jane")


def test_what_a_person_does_to_connections_is_audited_before_it_is_done(fakes: Fakes) -> None:
    """`resume` and `look-first` name who did it."""
    assert booked("resume", "books", "--as", "john").exit_code == Exit.DONE
    assert booked("look-first", "--as", "john").exit_code == Exit.DONE
    assert fakes.said == [
        {"actor": "john", "action": "resume", "details": {"connection": "books"}},
        ("resumed", "books"),
        {"actor": "john", "action": "look-first", "details": {}},
        ("look first", ()),
    ]


def test_rejected_messages_are_listed_by_filter(fakes: Fakes) -> None:
    """By shop, reason and time; the open ones by default."""
    text = booked(
        "rejected", "list", "--shop", "north", "--reason", "x", "--since", "2026-03-01", "--limit", "5"
    ).output
    assert "order.paid[0]@3" in text
    assert "It is not [JSON]." in text
    ((wanted, limit),) = fakes.said
    assert limit == 5
    assert wanted == RejectedFilter(shop_id="north", reason="x", since=datetime(2026, 3, 1, tzinfo=UTC))
    fakes.rows = []
    assert "No rejected message is dropped." in booked("rejected", "list", "--state", "dropped").output


def test_a_rejected_message_is_shown_without_harm_to_the_terminal(fakes: Fakes) -> None:
    """Control characters and what is no UTF-8 are escaped; --raw writes the very bytes, --json base64."""
    text = booked("rejected", "show", "7").output
    assert "\x1b" not in text
    assert "\x00" not in text
    assert r'{"a": "\x1b[31mred"}' in text
    assert r"\xff\x00" in text
    assert r"Header trace: \x00\xfe" in text
    assert booked("rejected", "show", "7", "--raw").stdout_bytes == ROW.rejected.value
    assert json.loads(booked("rejected", "show", "7", "--json").output)["value"] == "eyJhIjogIhtbMzFtcmVkIn0K/wA="
    assert booked("rejected", "show", "8").exit_code == Exit.NOT_FOUND
    assert fakes.said == []
    assert fakes.looked == [("looked at", "rejected show")] * 3


@contextmanager
def retried(monkeypatch: pytest.MonkeyPatch, **outcomes: Outcome) -> Iterator[list[tuple[int, str]]]:
    """Let each id come to something."""
    said: list[tuple[int, str]] = []

    class Way:
        async def retry(self, row_id: int, *, actor: str) -> Retried:
            said.append((row_id, actor))
            return Retried(row_id=row_id, outcome=outcomes[f"id{row_id}"], words="Words [/x].")

    async def way(*_: Any) -> Way:
        return Way()

    monkeypatch.setattr(rejected, "rejected_retry", way)
    yield said


def test_messages_are_retried_by_id_or_by_filter(fakes: Fakes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Never all of them by an empty command; the exit code tells whether one is still bad."""
    outcomes = {"id7": Outcome.TAKEN_IN, "id8": Outcome.STILL_BAD, "id9": Outcome.UNKNOWN}
    with retried(monkeypatch, **outcomes) as said:
        assert booked("rejected", "retry").exit_code == Exit.USAGE
        assert booked("rejected", "retry", "7", "--shop", "north").exit_code == Exit.USAGE
        assert said == []
        good = booked("rejected", "retry", "--shop", "north")
        assert (good.exit_code, "7: taken in. Words [/x]." in good.output) == (Exit.DONE, True)
        bad = booked("rejected", "retry", "7", "8", "9", "--as", "john")
        assert (bad.exit_code, "1 of 3 taken in" in bad.output) == (Exit.FINDINGS, True)
        assert booked("rejected", "retry", "9").exit_code == Exit.NOT_FOUND
        assert said == [(7, "jane"), (7, "john"), (8, "john"), (9, "john"), (9, "jane")]
    assert fakes.said == [(RejectedFilter(shop_id="north"), 1000)]


def test_messages_are_dropped_with_a_note(fakes: Fakes) -> None:
    """By filter only after a yes; an id that is none is told."""
    assert booked("rejected", "drop", "7", "--note", "a test").exit_code == Exit.DONE
    assert booked("rejected", "drop", "--shop", "north", text="n\n").exit_code == Exit.FAILED
    assert booked("rejected", "drop", "--shop", "north", "--yes").exit_code == Exit.DONE
    assert booked("rejected", "drop", "8").exit_code == Exit.NOT_FOUND
    settled = [said for said in fakes.said if said[1] is RejectedState.DROPPED]
    assert settled == [
        (7, RejectedState.DROPPED, "jane", "a test"),
        (7, RejectedState.DROPPED, "jane", ""),
        (8, RejectedState.DROPPED, "jane", ""),
    ]
