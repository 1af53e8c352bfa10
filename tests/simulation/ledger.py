"""A ledger's server as it is seen over a network, with a log of its own: what arrived, and what took effect.

A call that has left goes on without the process that made it: it arrives or is lost, early or late, once or twice, and
its answer finds somebody or nobody. The log is the oracle; no service and no adapter writes to it.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from random import Random
from typing import Any

from consumer.adapters.memory.ledger_book import LedgerBook, operation_name
from consumer.domain.exchanges import Exchange
from consumer.domain.ledger import CreateInvoice, FindInvoices, Invoice, InvoiceStatus, ListInvoices, Operation
from consumer.domain.settings import ConnectionSettings
from consumer.errors import (
    ConfigurationError,
    ConnectionStoppedError,
    LedgerError,
    LedgerUnavailableError,
    NotFoundError,
    NotSentError,
    RefusedError,
    StopCause,
    ThrottledError,
    ThrottleKind,
    UncertainError,
)
from consumer.ports.ledger import Access, Answer
from tests.simulation.aiming import Luck
from tests.simulation.clocks import Clock
from tests.simulation.faults import FaultKind
from tests.simulation.loop import SimulatedLoop

LEAVE_WITHIN_SECONDS = 1.0  # as the adapter for the real ledger keeps it
THROTTLE_SECONDS = 2.0
_ANEW_SHARE = 0.7  # of the doubles; the others look as if somebody had had a hand in them
_UNLUCKY_SHARE = 0.5  # of the calls that the schedule's luck names
_ROAD_SECONDS = (0.0, 0.02, 0.02, 0.05, 0.2)  # one way; half of the calls take one of the short ones
WRITE_FAULTS = (
    FaultKind.CALL_LOST,
    FaultKind.ANSWER_LOST,
    FaultKind.ANSWER_LATE,
    FaultKind.CALL_LATE,
    FaultKind.CALL_REPEATED,
    FaultKind.NOT_SENT,
    FaultKind.THROTTLED,
    FaultKind.REFUSED,
)
READ_FAULTS = (
    FaultKind.CALL_LOST,
    FaultKind.ANSWER_LOST,
    FaultKind.ANSWER_LATE,
    FaultKind.CALL_REPEATED,
    FaultKind.NOT_SENT,
    FaultKind.THROTTLED,
)


@dataclass(frozen=True, slots=True)
class Arrival:
    """A call that reached the server. ``late``: after its sender had given it up; ``counted``: its token was good.

    A ledger looks at the token before it looks whose call it is: what it refuses for that counts for no limit.
    """

    at: float
    operation: Operation
    late: bool
    counted: bool


@dataclass(frozen=True, slots=True)
class Effect:
    """A write that took effect, or what a person did by hand: what stands in the books after it."""

    at: float
    name: str
    operation: Operation | None
    result: Any


class Unauthorized(Exception):  # noqa: N818 an answer, 401, of the server to its client here
    """The token was not good."""


@dataclass(slots=True, kw_only=True)
class LedgerServer:
    """One organisation's server. ``choose`` is asked once per call what goes wrong with it, ``storm`` whether it may.

    ``tokens`` are those that are good now. ``down`` and ``slow_seconds`` concern all calls.
    """

    loop: SimulatedLoop
    book: LedgerBook
    chance: Random
    choose: Callable[[Operation, tuple[FaultKind, ...]], FaultKind | None]
    tokens: set[str]
    deadline_seconds: float
    settle_seconds: float
    arrivals: list[Arrival] = field(default_factory=list)
    effects: list[Effect] = field(default_factory=list)
    under_way: int = 0
    at_once: int = 0  # calls that are being served and were not given up
    most_at_once: int = 0
    down: bool = False
    slow_seconds: float = 0.0
    luck: Luck = field(default_factory=Luck)
    meddle: "Callable[[LedgerServer, Operation], None]" = lambda _server, _operation: None  # as a call arrives

    def accept(self, operation: Operation, token: str, reply: "asyncio.Future[Any]") -> None:
        """Take a call over from its sender; whatever becomes of that one, this goes on."""
        if self.down:
            self._later(self._road(), self._answer, reply, unknown(operation, "503"))
            return
        fault = self._unlucky(operation) or self.choose(operation, self._may_go_wrong(operation))
        if fault is FaultKind.CALL_REPEATED and not self._may_come_twice(operation):
            fault = FaultKind.ANSWER_LOST
        self.under_way += 1
        match fault:
            case FaultKind.NOT_SENT:
                self._later(0.0, self._answer, reply, NotSentError("no connection", exchange(operation, None, "")))
                self.under_way -= 1
            case FaultKind.CALL_LOST:
                # Cut at once, or never heard of again: the sender's deadline tells it then.
                self._later(self._road(), self._answer, reply, unknown(operation, "cut"))
                self.under_way -= 1
            case FaultKind.CALL_LATE:
                beyond = self.chance.uniform(0.0, self.settle_seconds - 0.2)
                self._later(self.deadline_seconds + beyond, self._arrive, operation, token, reply, fault, 0.0)
            case _:
                road = self._road()
                self._later(road, self._arrive, operation, token, reply, fault, self.deadline_seconds - road)

    def _unlucky(self, operation: Operation) -> FaultKind | None:
        """What half of certain calls meet, while faults strike at all."""
        named = self.luck.lost is not None and operation_name(operation) in self.luck.lost_of
        struck = named and self.loop.time() < self.luck.storm_seconds and self.chance.random() < _UNLUCKY_SHARE
        return self.luck.lost if struck else None

    def _lags(self) -> bool:
        lags = self.luck.lists_lag and self.loop.time() < self.luck.storm_seconds
        return lags and self.chance.random() < _UNLUCKY_SHARE

    def _may_go_wrong(self, operation: Operation) -> tuple[FaultKind, ...]:
        if self.luck.looks_refused and isinstance(operation, FindInvoices):
            return (FaultKind.REFUSED, FaultKind.REFUSED, FaultKind.REFUSED, *READ_FAULTS)
        return WRITE_FAULTS if operation.is_write else READ_FAULTS

    def come_back(self) -> None:
        """Answer again."""
        self.down = False

    def by_hand(self, invoice_id: str, status: InvoiceStatus) -> None:
        """Let a person change an invoice's state."""
        self.book.set_status(invoice_id, status)
        self.effects.append(Effect(self.loop.time(), "by hand", None, self.book.invoices[invoice_id]))

    def remove_by_hand(self, invoice_id: str) -> None:
        """Let a person delete an invoice."""
        invoice = self.book.invoices[invoice_id]
        self.book.remove(invoice_id)
        self.effects.append(Effect(self.loop.time(), "removed by hand", None, invoice))

    def double_by_hand(self, invoice_id: str) -> Invoice:
        """Let an invoice be there once more, as after a call that came again days later."""
        double = replace(self.book.invoices[invoice_id], invoice_id=self.book.new_id(), unique_key=None)
        double = replace(double, number=f"X-{double.invoice_id}")
        if self.luck.doubles_anew and self.chance.random() < _ANEW_SHARE:
            double = replace(double, created_at=self.book.moment())
        self.book.put(double)
        self.effects.append(Effect(self.loop.time(), "doubled by hand", None, double))
        return double

    def rename_by_hand(self, invoice_id: str, reference: str) -> None:
        """Let a person give an invoice another reference."""
        # Of a day of another month: of that one's orders it is none, whatever its reference says.
        day = self.chance.choice((self.book.invoices[invoice_id].issued_on, date(2026, 1, 10)))
        self.book.put(replace(self.book.invoices[invoice_id], reference=reference, issued_on=day))
        self.effects.append(Effect(self.loop.time(), "by hand", None, self.book.invoices[invoice_id]))

    def move_by_hand(self, invoice_id: str, contact_id: str) -> None:
        """Let a person give an invoice to another contact."""
        self.book.put(replace(self.book.invoices[invoice_id], contact_id=contact_id))
        self.effects.append(Effect(self.loop.time(), "by hand", None, self.book.invoices[invoice_id]))

    def _may_come_twice(self, operation: Operation) -> bool:
        """A create that comes twice makes two documents unless the ledger itself refuses it: no client can help it."""
        if isinstance(operation, CreateInvoice):
            return self.book.unique_field
        return not operation_name(operation).startswith(("create_credit", "refund", "record", "apply"))

    def _arrive(
        self,
        operation: Operation,
        token: str,
        reply: "asyncio.Future[Any]",
        fault: FaultKind | None,
        patience_seconds: float,
    ) -> None:
        late = fault is FaultKind.CALL_LATE
        self.meddle(self, operation)
        self.arrivals.append(Arrival(self.loop.time(), operation, late, token in self.tokens))
        if not late and fault is not FaultKind.ANSWER_LATE:
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        answer = self._serve(operation, token, fault)
        if fault is FaultKind.CALL_REPEATED:
            answer = self._serve(operation, token, None)
        if fault is FaultKind.ANSWER_LOST:
            answer = unknown(operation, "cut after it had arrived")
        slow_seconds = self.slow_seconds
        if self.loop.time() < self.luck.storm_seconds:
            slow_seconds += self.luck.slow_seconds
        answered_in = self.deadline_seconds + 0.5 if fault is FaultKind.ANSWER_LATE else slow_seconds + self._road()
        counted = not late and fault is not FaultKind.ANSWER_LATE
        if counted and answered_in > patience_seconds:
            # Who has called gives up, its deadline after it has sent (not after this has arrived: its next call may be
            # faster on the road), and closes the connection; what the ledger still does with it nobody can count.
            self._later(patience_seconds, self._give_up)
            counted = False
        self._later(answered_in, self._leave, reply, answer, counted)

    def _serve(self, operation: Operation, token: str, fault: FaultKind | None) -> object:
        if token not in self.tokens:
            return Unauthorized()
        if fault is FaultKind.THROTTLED:
            return ThrottledError(
                "too many calls in a minute",
                ThrottleKind.MINUTE,
                THROTTLE_SECONDS,
                exchange(operation, 429, "ThrottledError", 44),
            )
        if fault is FaultKind.REFUSED and not operation.is_write:
            return NotFoundError("nothing is here", 404, 5, exchange(operation, 404, "NotFoundError", 5))
        if fault is FaultKind.REFUSED:
            return RefusedError("refused for no reason", 400, 9999, exchange(operation, 400, "RefusedError", 9999))
        try:
            result = self.book.apply(operation)
        except RefusedError as error:
            error.exchange = exchange(operation, error.status, type(error).__name__, error.code)
            return error
        if isinstance(operation, ListInvoices) and operation.changed_after is None and self._lags():
            result = replace(result, rows=result.rows[1:])
        if operation.is_write:
            self.effects.append(Effect(self.loop.time(), operation_name(operation), operation, result))
        return Answer(result=result, exchange=exchange(operation, 201 if operation.is_write else 200, "ok", 0))

    def _leave(self, reply: "asyncio.Future[Any]", answer: object, counted: bool) -> None:  # noqa: FBT001 a callback
        self.under_way -= 1
        self.at_once -= counted
        self._answer(reply, answer)

    def _give_up(self) -> None:
        self.at_once -= 1

    def _answer(self, reply: "asyncio.Future[Any]", answer: object) -> None:
        if not reply.done():
            reply.set_result(answer)

    def _road(self) -> float:
        return self.chance.choice(_ROAD_SECONDS)

    def _later(self, seconds: float, callback: Callable[..., None], *given: object) -> None:
        self.loop.outside(seconds, callback, *given)


class SimulatedLedger:
    """Implements ports.Ledger over a server: the client's side, which is in the process and dies with it."""

    def __init__(self, server: LedgerServer, access: Access, clock: Clock) -> None:
        self._server = server
        self._access = access
        self._clock = clock
        self._closed = False

    async def ready(self) -> None:
        """Have a good token at hand."""
        await self._access.token()

    async def execute(self, operation: Operation, *, deadline_seconds: float) -> Answer:
        """Make the call. Raises LedgerError's subclasses, each with its exchange."""
        began = self._clock.steady()
        token = await self._access.token()
        answer = await self._send(operation, token, began, deadline_seconds)
        if isinstance(answer, Unauthorized):
            # A 401 is for certain no effect; the call that repeats it has what is left of the deadline.
            token = await self._access.renewed(token)
            answer = await self._send(operation, token, began, deadline_seconds)
        if isinstance(answer, Unauthorized):
            words = "not authorised with a new token either"
            kept = exchange(operation, 401, "ConnectionStoppedError")
            raise ConnectionStoppedError(words, StopCause.TOKEN_REVOKED, kept)
        if isinstance(answer, LedgerError):
            raise answer
        assert isinstance(answer, Answer), answer
        return answer

    async def _send(self, operation: Operation, token: str, began: float, deadline_seconds: float) -> Any:
        late = self._clock.steady() - began > (LEAVE_WITHIN_SECONDS if operation.is_write else deadline_seconds)
        if self._closed or late:
            raise NotSentError("held back" if late else "closed", exchange(operation, None, "NotSentError"))
        reply = asyncio.get_running_loop().create_future()
        self._server.accept(operation, token, reply)
        await asyncio.wait({reply}, timeout=deadline_seconds)
        return reply.result() if reply.done() else unknown(operation, f"no answer within {deadline_seconds} s")

    async def aclose(self) -> None:
        """Take no more calls."""
        self._closed = True
        await asyncio.sleep(0)


class LedgerServers:
    """The servers of all organisations, by id."""

    def __init__(self, servers: dict[str, LedgerServer]) -> None:
        self._servers = servers

    def open(self, connection: ConnectionSettings, access: Access, clock: Clock) -> SimulatedLedger:
        """Open one. Raises ConfigurationError for an organisation that is none."""
        server = self._servers.get(connection.organization_id or "")
        if server is None:
            raise ConfigurationError("organization_id", f"there is no organisation {connection.organization_id!r}")
        return SimulatedLedger(server, access, clock)


def unknown(operation: Operation, words: str) -> LedgerError:
    """Say that no usable answer came."""
    kind = UncertainError if operation.is_write else LedgerUnavailableError
    return kind(words, exchange(operation, None, kind.__name__))


def exchange(operation: Operation, status: int | None, outcome: str, code: int | None = None) -> Exchange:
    """Describe a call as it is kept in the log of the product."""
    name = operation_name(operation)
    return Exchange(
        operation=name,
        method="POST" if operation.is_write else "GET",
        path=f"/simulated/{name}",
        request="",
        response="",
        status=status,
        code=code,
        duration_seconds=0.0,
        outcome=outcome,
        started_at=datetime.fromisoformat("2026-03-14T12:00:00+00:00"),
    )
