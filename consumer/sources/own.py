"""Our own schema, from the wire to the domain: records to order events, and stored content to orders. Pure."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from decimal import Decimal
from hashlib import sha256
from zoneinfo import ZoneInfo

from consumer.domain.events import EventKind, OrderEvent, Origin, Rejected
from consumer.domain.orders import (
    Address,
    Customer,
    Discount,
    Fee,
    FeeKind,
    Line,
    LineKind,
    Order,
    OrderKey,
    Payment,
    RateFigures,
    Refund,
    RefundLine,
    Shipping,
    Tax,
    Totals,
)
from consumer.ports.events import Record
from schemas import lines as wire
from schemas import parties
from schemas.json_text import SIZE_MAX_BYTES
from schemas.orders import OrderData, OrderKind
from schemas.reading import ReadEvent, Route, Tombstone, read_message
from schemas.rejections import MEANINGS, RejectionReason

_ZERO = Decimal(0)
WIRE_KINDS = {
    EventKind.PAID: OrderKind.PAID,
    EventKind.UPDATED: OrderKind.UPDATED,
    EventKind.CANCELLED: OrderKind.CANCELLED,
}
_KINDS = {wire_kind: kind for kind, wire_kind in WIRE_KINDS.items()}


def read_record(
    record: Record,
    *,
    log: int,
    kind: EventKind | None,
    zone_of: Callable[[str], tzinfo],
    route: Route | None = None,
) -> OrderEvent | Rejected | None:
    """Read one record of a topic: an event, why it cannot be one, or None for a tombstone. Never raises.

    ``kind`` is what the topic carries, None for all kinds; ``zone_of`` gives a shop's time zone; ``route`` finds the
    shop and translates what is not of our contract (sources.reading).
    """
    origin = Origin(topic=record.place.topic, log=log, partition=record.place.partition, offset=record.offset)
    try:
        read = read_message(
            topic_kind=None if kind is None else WIRE_KINDS[kind],
            key=record.key,
            value=record.value,
            headers=record.headers,
            record_time_ms=record.time_ms,
            route=route,
        )
        if isinstance(read, ReadEvent):
            return to_event(read, origin, zone_of(read.shop_id))
    except Exception as error:  # noqa: BLE001 a fault of ours in one message must not stop its partition for all
        failed = f"Reading failed with {type(error).__name__}. {MEANINGS[RejectionReason.READER_FAILED].fix}"
        return to_rejected(record, origin, reason=RejectionReason.READER_FAILED, message=failed)
    if isinstance(read, Tombstone):
        return None
    return to_rejected(
        record, origin, reason=read.reason, message=read.message, shop_id=read.shop_id, order_id=read.order_id
    )


def to_rejected(
    record: Record, origin: Origin, *, reason: str, message: str, shop_id: str = "", order_id: str = ""
) -> Rejected:
    """Keep what came, up to 1 MiB, with the digest of all of it."""
    value = record.value or b""
    return Rejected(
        origin=origin,
        reason=str(reason),
        message=message,
        value=value[:SIZE_MAX_BYTES],
        size=len(value),
        digest=sha256(value).digest(),
        record_key=record.key,
        headers=tuple(record.headers),
        shop_id=shop_id,
        order_id=order_id,
    )


def to_event(read: ReadEvent, origin: Origin, zone: tzinfo) -> OrderEvent:
    """Make the domain's event; times without an offset are read in the shop's time zone."""
    return OrderEvent(
        key=OrderKey(read.shop_id, read.order_id),
        kind=_KINDS[read.kind],
        origin=origin,
        event_id=read.event_id,
        time=aware(read.time, zone) or read.record_time,
        version=read.version,
        updated_at=aware(read.updated_at, zone),
        content=None if read.bare else read.content,
        content_hash=read.content_hash,
        number=read.number,
        currency=read.currency,
        grand_total=read.grand_total,
        placed_at=aware(read.placed_at, zone),
        paid_at=aware(read.paid_at, zone),
        cancelled_at=aware(read.cancelled_at, zone),
        cancelled_null=read.cancelled_null,
        refunds=read.refunds,
        unknown_fields=read.unknown_fields,
        replaced_characters=read.replaced,
        key_differs=read.key_differs,
        traceparent=read.traceparent,
    )


def aware(moment: datetime | None, zone: tzinfo) -> datetime | None:
    """Read a time without an offset in this zone; of an hour that the autumn repeats, the first."""
    if moment is None or moment.tzinfo is not None:
        return moment
    return moment.replace(tzinfo=zone)


def to_order(content: bytes, time_zone: str, kept_refunds: Sequence[bytes] = ()) -> Order:
    """Make the order from the stored canonical content of an event that was not bare.

    ``kept_refunds`` are those of older revisions, which the content does not tell of, each in canonical form.

    ``time_zone`` is the shop's, an IANA name. Raises ValueError where these are not such bytes, and zoneinfo's
    ZoneInfoNotFoundError, a KeyError, where there is no such zone.
    """
    stored = json.loads(content)
    data = OrderData.model_validate(stored)
    reader = _Reader(zone=ZoneInfo(time_zone), includes_tax=bool(data.prices_include_tax))
    order = reader.order(data)
    kept = tuple(reader.refund(wire.Refund.model_validate_json(refund)) for refund in kept_refunds)
    later = {refund.id for refund in kept}  # a bare cancellation may tell a refund anew
    return replace(order, data=stored, refunds=(*(one for one in order.refunds if one.id not in later), *kept))


@dataclass(frozen=True, slots=True)
class _Reader:
    """Makes the parts of one order: its time zone and its default for prices reach down into them."""

    zone: tzinfo
    includes_tax: bool

    def order(self, data: OrderData) -> Order:
        return Order(
            key=OrderKey(data.shop_id, data.order_id),
            number=data.number or "",
            currency=data.currency,
            lines=tuple(self.line(line, position) for position, line in enumerate(data.lines, 1)),
            totals=_totals(data.totals),
            status=data.status or "",
            placed_at=aware(data.placed_at, self.zone),
            paid_at=aware(data.paid_at, self.zone),
            cancelled_at=aware(data.cancelled_at, self.zone),
            payment_taken_back=bool(data.payment_taken_back),
            exchange_rate=data.exchange_rate,
            prices_include_tax=self.includes_tax,
            customer=_customer(data.customer),
            billing_address=_address(data.billing_address),
            shipping_address=_address(data.shipping_address),
            discounts=tuple(map(_discount, data.discounts)),
            shipping=tuple(map(_shipping, data.shipping)),
            fees=tuple(map(_fee, data.fees)),
            payments=tuple(map(self.payment, data.payments)),
            refunds=tuple(map(self.refund, data.refunds)),
            note=data.note or "",
            meta=data.meta or {},
        )

    def line(self, line: wire.Line, position: int) -> Line:
        """A line without an id gets its position: `discounts` and refunds can name it only where it has one."""
        own = line.prices_include_tax
        return Line(
            id=line.id or str(position),
            name=line.name,
            quantity=line.quantity,
            unit_price=line.unit_price,
            prices_include_tax=self.includes_tax if own is None else own,
            parent_id=line.parent_id or "",
            sku=line.sku or "",
            description=line.description or "",
            kind=LineKind(line.kind or LineKind.GOODS),
            tax_class=line.tax_class or "",
            unit=line.unit or "",
            discount=line.discount or _ZERO,
            taxes=_taxes(line.taxes),
            total=line.total,
        )

    def payment(self, payment: wire.Payment) -> Payment:
        return Payment(
            method=payment.method or "",
            amount=payment.amount,
            kind=payment.kind or "money",
            paid_at=aware(payment.paid_at, self.zone),
            reference=payment.reference or "",
        )

    def refund(self, refund: wire.Refund) -> Refund:
        return Refund(
            id=refund.id,
            amount=refund.amount,
            created_at=aware(refund.created_at, self.zone),
            reason=refund.reason or "",
            shipping=refund.shipping or _ZERO,
            lines=tuple(
                RefundLine(
                    line_id=line.id or "",
                    quantity=line.quantity,
                    amount=line.amount,
                    taxes=_taxes(line.taxes),
                )
                for line in refund.lines
            ),
        )


def _taxes(taxes: tuple[wire.Tax, ...]) -> tuple[Tax, ...]:
    return tuple(
        Tax(rate=tax.rate, name=tax.name or "", amount=tax.amount, compound=bool(tax.compound)) for tax in taxes
    )


def _discount(discount: wire.Discount) -> Discount:
    return Discount(
        amount=discount.amount,
        code=discount.code or "",
        description=discount.description or "",
        target=discount.target or "order",
        line_ids=discount.line_ids,
        before_tax=discount.before_tax is not False,
    )


def _shipping(shipping: wire.Shipping) -> Shipping:
    return Shipping(
        amount=shipping.amount,
        method=shipping.method or "",
        discount=shipping.discount or _ZERO,
        taxes=_taxes(shipping.taxes),
    )


def _fee(fee: wire.Fee) -> Fee:
    return Fee(name=fee.name or "", amount=fee.amount, kind=FeeKind(fee.kind or FeeKind.FEE), taxes=_taxes(fee.taxes))


def _totals(totals: wire.Totals) -> Totals:
    return Totals(
        grand_total=totals.grand_total,
        subtotal=totals.subtotal,
        discount=totals.discount,
        shipping=totals.shipping,
        fees=totals.fees,
        tax=totals.tax,
        tax_by_rate=tuple(RateFigures(rate=part.rate, net=part.net, tax=part.tax) for part in totals.tax_by_rate),
    )


def _customer(customer: parties.Customer | None) -> Customer:
    if customer is None:
        return Customer()
    return Customer(
        id=customer.id or "",
        email=customer.email or "",
        name=customer.name or "",
        first_name=customer.first_name or "",
        last_name=customer.last_name or "",
        company=customer.company or "",
        phone=customer.phone or "",
        tax_number=customer.tax_number or "",
        tax_exempt=bool(customer.tax_exempt),
        reverse_charge=bool(customer.reverse_charge),
        language=customer.language or "",
    )


def _address(address: parties.Address | None) -> Address:
    if address is None:
        return Address()
    return Address(
        name=address.name or "",
        company=address.company or "",
        street=address.street or "",
        house_number=address.house_number or "",
        street2=address.street2 or "",
        postal_code=address.postal_code or "",
        city=address.city or "",
        state=address.state or "",
        country=address.country or "",
        phone=address.phone or "",
    )
