"""What a shop wants done with an invoice that is right: sent, mailed, its payment recorded. Off by default."""

from dataclasses import replace
from decimal import Decimal

from consumer.domain.credits import EmailInvoice, MarkSent, RecordPayment
from consumer.domain.deciding.credit_use import REFERENCE_CHARACTERS
from consumer.domain.deciding.situation import Call, Decision, Restate, Situation, order_subject
from consumer.domain.deciding.wanted import day_of
from consumer.domain.ledger import Invoice, InvoiceStatus, ReadInvoice
from consumer.domain.money import ZERO
from consumer.domain.orders import Order, Payment
from consumer.domain.records import Document, DocumentKind, Note
from consumer.domain.settings import PaymentRow, ShopSettings
from consumer.domain.tables import payment_row
from consumer.domain.texts import cut_with_hash, plain


def leaves_more(situation: Situation) -> bool:
    """Tell whether anything may be left to do after the invoice itself was written."""
    shop = situation.shop
    return shop is not None and (shop.mark_sent or shop.email_invoice or shop.record_payment)


def settle(situation: Situation, live: Document) -> Decision | None:
    """Decide the next step of what the shop wants done; None where nothing is left."""
    shop, order = situation.shop, situation.order
    if shop is None or order is None or not leaves_more(situation):
        return None
    mails = shop.email_invoice and not live.emailed and bool(order.customer.email)
    payment = _open_payment(situation, live, order) if shop.record_payment else None
    sends = live.status == InvoiceStatus.DRAFT.value and (shop.mark_sent or payment is not None)
    if not (mails or sends or payment is not None):
        return None
    if live.ledger_id not in situation.known.invoices:
        return Call(operation=ReadInvoice(invoice_id=live.ledger_id))
    now = situation.known.invoices[live.ledger_id]
    return (
        None if now is None or now.status is InvoiceStatus.VOID else _next(situation, live, now, payment, mails=mails)
    )


def _next(
    situation: Situation, live: Document, now: Invoice, payment: tuple[str, Payment] | None, *, mails: bool
) -> Decision:
    shop, order = situation.shop, situation.order
    if shop is None or order is None:
        raise ValueError(f"order {situation.record.key} has no shop or no content")
    if mails:
        return _mail(situation, live, order.customer.email)
    if now.status is InvoiceStatus.DRAFT:
        return _mark_sent(situation, live)
    return _as_it_is(live, now) if payment is None else _pay(situation, live, now, payment, shop)


def _open_payment(situation: Situation, live: Document, order: Order) -> tuple[str, Payment] | None:
    """Give the first payment of money that is not recorded yet, with its part: its place among the order's payments."""
    if live.balance is not None and live.balance <= 0:
        return None
    done = {d.part for d in situation.record.documents if d.kind is DocumentKind.PAYMENT}
    payments = order.payments or (Payment(method="", amount=order.totals.grand_total, paid_at=order.paid_at),)
    for place, payment in enumerate(payments, 1):
        if payment.kind == "money" and payment.amount > 0 and str(place) not in done:
            return str(place), payment
    return None


def _mark_sent(situation: Situation, live: Document) -> Call:
    return Call(
        operation=MarkSent(invoice_id=live.ledger_id),
        note=Note(decision="mark_sent", words=(f"Invoice {live.number} is marked as sent.",)),
        subject=order_subject(situation.record),
        sought={"invoice_id": live.ledger_id},
        more=True,
    )


def _mail(situation: Situation, live: Document, address: str) -> Call:
    return Call(
        operation=EmailInvoice(invoice_id=live.ledger_id, to=(address,)),
        note=Note(decision="email", words=(f"Invoice {live.number} is mailed to the customer.",)),
        subject=order_subject(situation.record),
        sought={"invoice_id": live.ledger_id},
        more=True,
    )


def _as_it_is(live: Document, now: Invoice) -> Restate:
    words = f"Invoice {live.number} is {now.status} in the ledger already."
    return Restate(document=seen_as(live, now), note=Note(decision="seen", words=(words,)))


def seen_as(live: Document, now: Invoice) -> Document:
    """Give our record of an invoice with the state that was seen; what was written stays what it was."""
    return replace(live, status=now.status.value, balance=now.balance)


def _pay(
    situation: Situation, live: Document, now: Invoice, payment: tuple[str, Payment], shop: ShopSettings
) -> Decision:
    """Record a payment, never above what the ledger says is owed at this moment."""
    part, paid = payment
    owed = ZERO if now.balance is None else now.balance
    amount = min(paid.amount, owed)
    if amount <= 0:
        return _as_it_is(live, now)
    row = payment_row(shop.payments, paid.method) or PaymentRow(method="")
    moment = paid.paid_at or situation.record.facts.paid_moment
    day = situation.today or live.issued_on
    if moment is not None:
        day = day_of(situation, moment)
    if day is None:
        raise ValueError(f"order {situation.record.key} has no day for its payment")
    reference = cut_with_hash(f"{situation.record.reference}~payment~{part}", REFERENCE_CHARACTERS)
    about = Document(
        connection_id=live.connection_id,
        kind=DocumentKind.PAYMENT,
        ledger_id="",
        number="",
        status="recorded",
        live=True,
        reference=reference,
        total=amount,
        currency=live.currency,
        part=part,
        issued_on=day,
        contact_id=now.contact_id,
        settles=live.ledger_id,
    )
    return Call(
        operation=RecordPayment(
            contact_id=now.contact_id,
            invoice_id=live.ledger_id,
            amount=amount,
            paid_on=day,
            reference=reference,
            mode=row.mode,
            account_id=row.account_id,
        ),
        note=Note(decision="record_payment", words=(_said(amount, paid.amount, live),)),
        subject=order_subject(situation.record),
        sought={"reference": reference, "contact_id": now.contact_id, "total": str(amount), "part": part},
        about=about,
        more=True,
    )


def _said(amount: Decimal, paid: Decimal, live: Document) -> str:
    words = f"{plain(amount)} {live.currency} are recorded as paid on invoice {live.number}."
    return words if amount == paid else f"{words} The order says {plain(paid)}; no more than that is owed."
