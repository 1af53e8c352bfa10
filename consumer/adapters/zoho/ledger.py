"""Zoho Books behind the Ledger port: one operation, one call, one answer or one error that says what is known."""

import functools
import logging
import ssl
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

import httpx

from consumer.adapters.zoho import classify
from consumer.adapters.zoho.auth import AccessAuth
from consumer.adapters.zoho.calls import Calls, NoAnswerError, Received, make_transport
from consumer.adapters.zoho.classify import Reply
from consumer.adapters.zoho.data_centers import DataCenter, DataCenters
from consumer.adapters.zoho.departure import Departure
from consumer.adapters.zoho.encoding import UnreadableBodyError, read_json
from consumer.adapters.zoho.exchanges import kept, masked, path_with_query, quota
from consumer.adapters.zoho.requests import BASE_PATH, Request, Surroundings, build
from consumer.adapters.zoho.results import Organisation, UnusableAnswerError, read_currency_ids, read_result
from consumer.domain.exchanges import Exchange
from consumer.domain.ledger import Operation
from consumer.domain.settings import ConnectionSettings
from consumer.errors import LedgerError, NotSentError
from consumer.ports.ledger import Access, Answer

LEAVE_WITHIN_SECONDS: Final = 1.0
"""A write leaves within this time after ``execute`` was called, or never: its intent counts from its commit."""

_MAX_CURRENCIES: Final = 500


def quiet_http_loggers() -> None:
    """Keep httpx and httpcore from logging addresses and headers, whatever the level of the rest is."""
    for name in ("httpx", "httpcore"):
        logger = logging.getLogger(name)
        logger.setLevel(max(logger.level, logging.WARNING))


@functools.cache
def tls_context() -> ssl.SSLContext:
    """Make the process's TLS settings once: they take longer to make than a call takes, and are the same for all."""
    return httpx.create_ssl_context(trust_env=False)


class ZohoLedgerFactory:
    """Opens ledgers. ``leave_within_seconds`` is for writes; it is raised where the way to Zoho is very slow."""

    def __init__(
        self,
        data_centers: DataCenters,
        *,
        base_path: str = BASE_PATH,
        leave_within_seconds: float = LEAVE_WITHIN_SECONDS,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._data_centers = data_centers
        self._base_path = base_path
        self._leave_within_seconds = leave_within_seconds
        self._now = now

    def open(self, connection: ConnectionSettings, access: Access) -> "ZohoLedger":
        """Make the client of one connection; nothing is sent yet. Raises ConfigurationError (unknown data centre)."""
        quiet_http_loggers()
        center = self._data_centers.get(connection.data_center)
        deadline = connection.limits.call_deadline_seconds
        calls = Calls(
            center.api, transport=functools.partial(make_transport, deadline_seconds=deadline, tls=tls_context())
        )
        return ZohoLedger(
            connection,
            access,
            center=center,
            calls=calls,
            base_path=self._base_path,
            leave_within_seconds=self._leave_within_seconds,
            now=self._now,
        )


class ZohoLedger:
    """One organisation of Zoho Books. Implements ports.Ledger."""

    def __init__(
        self,
        connection: ConnectionSettings,
        access: Access,
        *,
        center: DataCenter,
        calls: Calls,
        now: Callable[[], datetime],
        base_path: str = BASE_PATH,
        leave_within_seconds: float = LEAVE_WITHIN_SECONDS,
    ) -> None:
        self._access = access
        self._calls = calls
        self._now = now
        self._leave_within_seconds = leave_within_seconds
        self._currency_ids: dict[str, str] = {}
        self._surroundings = Surroundings(
            organization_id=connection.organization_id, currency_ids=self._currency_ids, base_path=base_path
        )
        self._organisation = Organisation(
            credit_note_unique_field=connection.credit_note_unique_field,
            organization_id=connection.organization_id,
            unique_field=connection.unique_field,
            app=center.app,
        )

    async def ready(self) -> None:
        """Have a good token at hand."""
        await self._access.token()

    async def execute(self, operation: Operation, *, deadline_seconds: float) -> Answer:
        """Make the one call. Raises LedgerError's subclasses; the exchange is on the error where a request was made.

        A caller that is cancelled leaves the call to itself: if it has left, it ends without anybody reading it.
        """
        request = build(operation, self._surroundings)
        record = _Record(operation, request, self._now())
        try:
            received = await self._send(operation, request, deadline_seconds)
        except NoAnswerError as error:
            failure = classify.unknown(operation, str(error)) if error.sent else _not_sent(operation, error)
            raise record.on(failure, None) from None
        reply = _reply(received)
        failed = classify.failure(operation, reply)
        if failed is not None:
            raise record.on(failed, received, reply)
        return self._answer(operation, record, received, reply)

    async def aclose(self) -> None:
        """Wait shortly for calls under way and close the connections."""
        await self._calls.aclose()

    async def _send(self, operation: Operation, request: Request, deadline_seconds: float) -> Received:
        within = min(self._leave_within_seconds, deadline_seconds) if operation.is_write else deadline_seconds
        departure = Departure(within_seconds=within)
        auth = AccessAuth(self._access, departure)
        return await self._calls.call(request, auth=auth, departure=departure, deadline=deadline_seconds)

    def _answer(self, operation: Operation, record: "_Record", received: Received, reply: Reply) -> Answer:
        body = reply.body or {}
        try:
            result = read_result(operation, body, self._organisation)
        except UnusableAnswerError as error:
            raise record.on(classify.unusable(operation, str(error)), received, reply) from None
        except LedgerError as error:
            raise record.on(error, received, reply) from None
        if len(self._currency_ids) < _MAX_CURRENCIES:
            self._currency_ids.update(read_currency_ids(body))
        return Answer(result=result, exchange=record.exchange("ok", received, reply))


class _Record:
    """What becomes the exchange of one call."""

    def __init__(self, operation: Operation, request: Request, started_at: datetime) -> None:
        self._operation = operation
        self._request = request
        self._started_at = started_at
        self._begun = time.monotonic()

    def on(self, error: LedgerError, received: Received | None, reply: Reply | None = None) -> LedgerError:
        """Put the exchange on an error and give the error."""
        error.exchange = self.exchange(type(error).__name__, received, reply)
        return error

    def exchange(self, outcome: str, received: Received | None, reply: Reply | None) -> Exchange:
        """Make the exchange, redacted."""
        return Exchange(
            operation=classify.operation_name(self._operation),
            method=self._request.method,
            path=kept(masked(path_with_query(self._request))),
            request=kept(masked(self._request.body)),
            response=kept(reply.text) if reply is not None else "",
            status=received.status if received is not None else None,
            code=reply.code if reply is not None else None,
            duration_seconds=time.monotonic() - self._begun,
            outcome=outcome,
            quota=quota(received.headers) if received is not None else None,
            started_at=self._started_at,
        )


def _not_sent(operation: Operation, error: NoAnswerError) -> NotSentError:
    return NotSentError(
        f"{classify.operation_name(operation)}: not sent to Zoho Books: {error}; it will be tried again"
    )


def _reply(received: Received) -> Reply:
    """Read an answer. It is masked before anything else sees it: its words also become the texts of errors."""
    text = masked(received.body.decode("utf-8", "replace"), received.tokens)
    body, unreadable = None, received.unreadable
    try:
        parsed = None if unreadable else read_json(text.encode("utf-8", "replace"))
        body = parsed if isinstance(parsed, dict) else None
        unreadable = unreadable or ("" if body is not None else "no JSON object")
    except UnreadableBodyError as error:
        unreadable = str(error)
    return Reply(status=received.status, body=body, text=text, unreadable=unreadable, headers=received.headers)
