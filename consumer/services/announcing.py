"""The news for the shop: what `invoice.synced` says of an order, and whether it is news at all."""

import hashlib
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from consumer.domain.deciding.situation import CREDITED, VOIDED_BY_HAND
from consumer.domain.events import Rejected
from consumer.domain.money import minor_digits
from consumer.domain.records import Announcement, Conclusion, Document, DocumentKind, OrderRecord
from consumer.domain.settings import ConnectionSettings
from consumer.domain.states import OrderState
from schemas.rejected import Position, RejectedData, encode_rejected
from schemas.synced import Invoice, Operation, SyncedData, SyncedDocument, SyncedReason, SyncedState, encode_synced

_STATES: dict[OrderState, SyncedState] = {
    OrderState.BOOKED: "booked",
    OrderState.PARKED: "parked",
    OrderState.WITHDRAWN: "withdrawn",
}
# What a conclusion without a call tells of the last thing that was done to the live document.
_OPERATIONS: dict[str, Operation] = {
    "created": "created",
    "updated": "updated",
    "adopted": "adopted",
    "voided": "voided",
    "deleted": "deleted",
    "credited": "credited",
    "paid": "paid",
    "parked": "parked",
}


# How an invoice that is no live one any more is shown, and what was done last to it.
_GONE_AS = {"void": "void", VOIDED_BY_HAND: "void", CREDITED: "credited"}
_TAKEN_AWAY: dict[str, Operation] = {"void": "voided", VOIDED_BY_HAND: "voided", CREDITED: "credited"}


class Announcer:
    """Makes the announcements of one connection. ``trace`` gives the traceparent of what is under way."""

    def __init__(
        self, connection: ConnectionSettings, installation: str, *, trace: Callable[[], str] = lambda: ""
    ) -> None:
        self._connection = connection
        self._installation = installation
        self._trace = trace

    def __call__(self, record: OrderRecord, conclusion: Conclusion, operation: str) -> Announcement | None:
        """Give what is to be told where the conclusion is one for the shop (booked, parked, withdrawn); else None.

        An order that was withdrawn before anything was ever told or made of it is no news.
        """
        state = _STATES.get(conclusion.state)
        if state is None or (state == "withdrawn" and not record.documents and record.sequence == 0):
            return None

        def render(sequence: int, event_id: UUID, at: datetime) -> bytes:
            data = self._data(record, conclusion, state, operation, sequence, at)
            # The step that is under way; where nobody traces, what the shop's own event has brought goes on.
            traceparent = self._trace() or record.traceparent
            return encode_synced(data, event_id=str(event_id), installation=self._installation, traceparent=traceparent)

        return Announcement(digest=self._digest(record, conclusion, state), render=render)

    def _digest(self, record: OrderRecord, conclusion: Conclusion, state: SyncedState) -> bytes:
        """State, reason and documents: the same again is no news, whatever the revision."""
        parts = [
            state,
            "" if conclusion.reason is None else f"{conclusion.reason.code}|{conclusion.reason.message}",
            *(f"{d.kind}|{d.ledger_id}|{d.number}|{d.status}|{d.total}|{d.live}" for d in _documents(record)),
        ]
        return hashlib.sha256("\x1f".join(parts).encode()).digest()

    def _data(
        self,
        record: OrderRecord,
        conclusion: Conclusion,
        state: SyncedState,
        operation: str,
        sequence: int,
        at: datetime,
    ) -> SyncedData:
        reason = conclusion.reason
        return SyncedData(
            shop_id=record.key.shop_id,
            order_id=record.key.order_id,
            order_number=record.number or None,
            order_version=record.version,
            sequence=sequence,
            operation=_operation(record, state, operation),
            state=state,
            ledger=self._connection.ledger,
            organization_id=self._connection.organization_id or "",
            invoice=None if record.live_invoice is None else _invoice(record.live_invoice),
            documents=tuple(_document(document) for document in _documents(record)),
            difference=(
                None if conclusion.difference is None else in_currency(conclusion.difference, _currency(record))
            ),
            reason=None if reason is None else SyncedReason(code=reason.code, message=reason.message, fix=reason.fix),
            synced_at=at,
        )


def _operation(record: OrderRecord, state: SyncedState, operation: str) -> Operation:
    if state == "parked":
        return "parked"
    if operation in _OPERATIONS:
        return _OPERATIONS[operation]
    if state == "booked":
        # Nothing was written in this go: found as it is, or what is known of it has changed since the last message.
        return "updated" if record.sequence else "adopted"
    last = max((d for d in record.documents if d.kind is DocumentKind.INVOICE), key=lambda d: d.n, default=None)
    return "deleted" if last is None else _TAKEN_AWAY.get(last.status, "deleted")


def _documents(record: OrderRecord) -> list[Document]:
    return sorted(record.documents, key=lambda d: (d.kind, d.part, d.n))


def _invoice(document: Document) -> Invoice:
    return Invoice(
        id=document.ledger_id,
        number=document.number,
        status=document.status,
        url=document.url or None,
        total=in_currency(document.total, document.currency),
        tax_total=None if document.tax_total is None else in_currency(document.tax_total, document.currency),
        currency=document.currency,
        date=document.issued_on,
    )


def _document(document: Document) -> SyncedDocument:
    return SyncedDocument(
        kind=document.kind.value,
        id=document.ledger_id,
        number=document.number,
        status=document.status if document.live else _GONE_AS.get(document.status, "deleted"),
        total=in_currency(document.total, document.currency),
    )


def _currency(record: OrderRecord) -> str:
    """Give the currency of the order's figures; a bare order has none of its own, but its documents may."""
    return record.currency or next((document.currency for document in record.documents), "")


def in_currency(amount: Decimal, currency: str) -> Decimal:
    """Give the amount with the currency's decimals, 24.40 EUR and 1005 JPY; further digits of its own stay."""
    bare = amount.normalize()
    exponent = bare.as_tuple().exponent
    digits = max(minor_digits(currency), -exponent if isinstance(exponent, int) else 0)
    return bare.quantize(Decimal(1).scaleb(-digits))


def rejection_renderer(installation: str) -> Callable[[Rejected, UUID, datetime], bytes]:
    """Give the function that writes `order.rejected` messages of this installation."""

    def render(rejected: Rejected, event_id: UUID, at: datetime) -> bytes:
        data = RejectedData(
            reason=rejected.reason,
            message=rejected.message,
            position=Position(
                topic=rejected.origin.topic,
                partition=rejected.origin.partition,
                offset=rejected.origin.offset,
                log=rejected.origin.log,
            ),
            hash=rejected.digest.hex(),
            size=rejected.size,
            shop_id=rejected.shop_id or None,
            order_id=rejected.order_id or None,
        )
        return encode_rejected(data, event_id=str(event_id), time=at, installation=installation)

    return render
