"""The Ledger port over books in memory, with faults that can be put in before and after the commit."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

from consumer.adapters.memory.ledger_book import LedgerBook, operation_name
from consumer.domain.exchanges import Exchange
from consumer.domain.ledger import Operation
from consumer.domain.settings import ConnectionSettings
from consumer.errors import (
    ConfigurationError,
    ConnectionStoppedError,
    LedgerError,
    LedgerUnavailableError,
    NotSentError,
    RefusedError,
    StopCause,
    ThrottledError,
    ThrottleKind,
    UncertainError,
)
from consumer.ports.ledger import Access, Answer


class Fault(StrEnum):
    """What can go wrong with a call."""

    NOT_SENT = "not_sent"  # nothing left us
    CUT_BEFORE_COMMIT = "cut_before_commit"  # sent, no effect, no answer
    CUT_AFTER_COMMIT = "cut_after_commit"  # sent, in effect, no answer
    ARRIVES_LATE = "arrives_late"  # no answer; takes effect when `deliver_late` is called
    THROTTLED = "throttled"  # 429, code 44
    UNAUTHORIZED = "unauthorized"  # 401; goes through the access' renewal once


ChooseFault = Callable[[Operation], Fault | None]
Pause = Callable[[], Awaitable[None]]


async def _give_way() -> None:
    await asyncio.sleep(0)


@dataclass(slots=True, kw_only=True)
class MemoryLedgerFactory:
    """Opens ledgers over books, one per organisation id. ``choose_fault`` is asked once per call.

    ``pause`` is awaited before and after the commit: a simulator puts its own scheduler there. ``late`` holds the
    calls that have not arrived yet.
    """

    books: Mapping[str, LedgerBook]
    choose_fault: ChooseFault = lambda _: None
    pause: Pause = _give_way
    throttle_seconds: float = 60.0
    late: list[tuple[LedgerBook, Operation]] = field(default_factory=list)

    def open(self, connection: ConnectionSettings, access: Access) -> "MemoryLedger":
        """Open the ledger of a connection. Raises ConfigurationError where there is no such organisation."""
        book = self.books.get(connection.organization_id or "")
        if book is None:
            raise ConfigurationError("organization_id", f"there are no books of {connection.organization_id!r}")
        return MemoryLedger(self, book, access)

    def deliver_late(self) -> None:
        """Let the calls arrive that were late; one that is refused by then has no effect."""
        while self.late:
            book, operation = self.late.pop(0)
            try:
                book.apply(operation)
            except RefusedError:
                continue


class MemoryLedger:
    """Implements ports.Ledger."""

    def __init__(self, factory: MemoryLedgerFactory, book: LedgerBook, access: Access) -> None:
        self._factory = factory
        self._book = book
        self._access = access
        self._closed = False

    async def ready(self) -> None:
        """Have a good token at hand."""
        await self._access.token()

    async def execute(self, operation: Operation, *, deadline_seconds: float) -> Answer:
        """Do the operation in the books. Raises LedgerError's subclasses, each with its exchange."""
        del deadline_seconds  # nothing here takes time
        token = await self._access.token()
        await self._factory.pause()
        fault = self._factory.choose_fault(operation)
        if self._closed or fault is Fault.NOT_SENT:
            raise NotSentError(f"{operation_name(operation)}: not sent", _exchange(operation, None, "NotSentError"))
        if fault is Fault.UNAUTHORIZED and await self._access.renewed(token) == token:
            raise ConnectionStoppedError(
                f"{operation_name(operation)}: not authorised",
                StopCause.TOKEN_REVOKED,
                _exchange(operation, 401, "ConnectionStoppedError"),
            )
        self._fail_before(operation, fault)
        result = self._apply(operation)
        await self._factory.pause()
        if fault is Fault.CUT_AFTER_COMMIT:
            raise _unknown(operation)
        return Answer(result=result, exchange=_exchange(operation, 201 if operation.is_write else 200, "ok", 0))

    async def aclose(self) -> None:
        """Take no more calls."""
        self._closed = True

    def _fail_before(self, operation: Operation, fault: Fault | None) -> None:
        if fault is Fault.THROTTLED:
            raise ThrottledError(
                f"{operation_name(operation)}: too many calls in a minute",
                ThrottleKind.MINUTE,
                self._factory.throttle_seconds,
                _exchange(operation, 429, "ThrottledError", 44),
            )
        if fault is Fault.ARRIVES_LATE:
            self._factory.late.append((self._book, operation))
        if fault in {Fault.ARRIVES_LATE, Fault.CUT_BEFORE_COMMIT}:
            raise _unknown(operation)

    def _apply(self, operation: Operation) -> object:
        try:
            return self._book.apply(operation)
        except RefusedError as error:
            error.exchange = _exchange(operation, error.status, type(error).__name__, error.code)
            raise


def _unknown(operation: Operation) -> LedgerError:
    if operation.is_write:
        return UncertainError(f"{operation_name(operation)}: no answer", _exchange(operation, None, "UncertainError"))
    return LedgerUnavailableError(
        f"{operation_name(operation)}: no answer", _exchange(operation, None, "LedgerUnavailableError")
    )


def _exchange(operation: Operation, status: int | None, outcome: str, code: int | None = None) -> Exchange:
    return Exchange(
        operation=operation_name(operation),
        method="POST" if operation.is_write else "GET",
        path=f"/memory/{operation_name(operation)}",
        request="",
        response="",
        status=status,
        code=code,
        duration_seconds=0.0,
        outcome=outcome,
        started_at=datetime.now(UTC),
    )
