"""The head of an invoice: its days, number, reference, notes, terms and fields, as the shop's settings have them.

What a setting takes from the order (domain.expressions) is made harmless and fitted here; the limits are those that
the ledger's interface states. Words for people are cut at the end of a character, and stand whole in the notes where
there is room; what a document is found by is never cut without a hash.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from consumer.domain.customers import default_customer_note
from consumer.domain.dates import Moments, due_day, issued_day
from consumer.domain.expressions import ExpressionError, template
from consumer.domain.ledger import InvoiceDraft, LedgerCurrency, Organization
from consumer.domain.orders import Address, Order
from consumer.domain.references import full_reference, reference_of, unique_key_of
from consumer.domain.refusals import expression_failed
from consumer.domain.settings import ConnectionSettings, PaymentRow, ShippingAddressIn, ShopSettings
from consumer.domain.states import Reason
from consumer.domain.tables import payment_row
from consumer.domain.texts import cut, one_line, several_lines

NUMBER_CHARACTERS = 100
NOTES_CHARACTERS = 5000
TERMS_CHARACTERS = 10000
SALESPERSON_CHARACTERS = 200
FIELD_CHARACTERS = 2000
_NOTES_OF_SHOP_MIN = 1000  # characters that the shop's own notes keep beside what is added to them
_LEDGER_ID = re.compile(r"[0-9]{1,30}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """What the head needs that neither the order nor a setting tells.

    ``document_n`` counts the order's invoices from 1. ``reference`` is the one that the order was booked with before,
    which it keeps; empty: by the shop's pattern. ``contact_id`` may be empty while the contact is not made yet.
    """

    moments: Moments
    document_n: int
    contact_id: str = ""
    reference: str = ""


class _UnfitError(Exception):
    """A setting gave no text that fits; carries what to say."""

    def __init__(self, setting: str, fault: str) -> None:
        super().__init__(f"The shop's {setting} gives no value that fits this order: {fault}.")
        self.setting = setting


def head_of(
    order: Order,
    *,
    shop: ShopSettings,
    connection: ConnectionSettings,
    organization: Organization,
    currency: LedgerCurrency,
    occasion: Occasion,
) -> InvoiceDraft | Reason:
    """Give the draft without its lines, or the reason for parking: DATE_MISSING, EXPRESSION_FAILED."""
    issued_on = issued_day(occasion.moments, shop.invoice_date, organization.time_zone)
    if isinstance(issued_on, Reason):
        return issued_on
    try:
        return _head(
            order,
            shop,
            connection,
            issued_on=issued_on,
            organization=organization,
            currency=currency,
            occasion=occasion,
        )
    except _UnfitError as unfit:
        return expression_failed(str(unfit), shop_id=shop.shop_id, setting=unfit.setting)


def _head(
    order: Order,
    shop: ShopSettings,
    connection: ConnectionSettings,
    *,
    issued_on: date,
    organization: Organization,
    currency: LedgerCurrency,
    occasion: Occasion,
) -> InvoiceDraft:
    row = terms_by_payment(order, shop)
    days = shop.payment_terms if row is None or row.payment_terms is None else row.payment_terms
    key = unique_key_of(order.key, kind="invoice", n=occasion.document_n)
    reference = occasion.reference or reference_of(order, shop)
    salesperson = _filled(order, "salesperson", shop.salesperson, fit=one_line)
    return InvoiceDraft(
        contact_id=occasion.contact_id,
        reference=reference,
        issued_on=issued_on,
        due_on=due_day(issued_on, days),
        currency=order.currency,
        currency_id=currency.currency_id,
        exchange_rate=None if order.currency == organization.currency else order.exchange_rate,
        lines=(),
        notes=_notes(order, shop, reference=reference, salesperson=salesperson),
        unique_field=connection.unique_field,
        unique_key=key if connection.unique_field else "",
        payment_terms=days,
        payment_terms_label=_label(shop, row),
        number=_number(order, shop),
        terms=cut(_filled(order, "terms", shop.terms), TERMS_CHARACTERS) if shop.terms else None,
        salesperson=cut(salesperson, SALESPERSON_CHARACTERS) if shop.salesperson else None,
        template_id=_template_id(order, shop),
        custom_fields=_custom_fields(order, shop, connection.unique_field),
    )


# ---- what the settings take from the order ------------------------------------------------------------------------


def _filled(order: Order, setting: str, text: str, *, fit: Callable[[str], str] = several_lines) -> str:
    try:
        return fit(template(text).fill(order.data))
    except ExpressionError as error:
        raise _UnfitError(setting, str(error)) from error


def _number(order: Order, shop: ShopSettings) -> str:
    """A number is never cut: a cut one may be another document's."""
    if not shop.invoice_number:
        return ""
    number = _filled(order, "invoice_number", shop.invoice_number, fit=one_line)
    fixed = one_line("".join(part for part in template(shop.invoice_number).parts if isinstance(part, str)))
    if number in ("", fixed):
        # WEB- alone would be the number of every order that lacks the field.
        raise _UnfitError("invoice_number", f"{shop.invoice_number!r} takes nothing from it")
    if len(number) > NUMBER_CHARACTERS:
        fault = f"{cut(number, 40)!r} has {len(number)} characters, of which the ledger takes {NUMBER_CHARACTERS}"
        raise _UnfitError("invoice_number", fault)
    return number


def _template_id(order: Order, shop: ShopSettings) -> str:
    found = _filled(order, "template_id", shop.template_id, fit=one_line)
    if found and not _LEDGER_ID.fullmatch(found):
        raise _UnfitError("template_id", f"{cut(found, 40)!r} is no id of the ledger, which are digits")
    return found


def _custom_fields(order: Order, shop: ShopSettings, unique_field: str | None) -> tuple[tuple[str, str], ...]:
    """The unique field is ours alone: a shop's value in it would take the guard against a second document away."""
    return tuple(
        (field.api_name, cut(_filled(order, f"custom_fields.{field.api_name}", field.value), FIELD_CHARACTERS))
        for field in shop.custom_fields
        if field.api_name != unique_field
    )


# ---- terms by the way of payment ----------------------------------------------------------------------------------


def terms_by_payment(order: Order, shop: ShopSettings) -> PaymentRow | None:
    """Give the row for the first payment in money, None where there is no such payment or no row for it."""
    method = next((payment.method for payment in order.payments if payment.kind == "money"), None)
    if method is None:
        return None
    return payment_row(shop.payments, method)


def _label(shop: ShopSettings, row: PaymentRow | None) -> str | None:
    """None where no row has a label: then the ledger's own is left alone."""
    if not any(known.label for known in shop.payments):
        return None
    return "" if row is None else one_line(row.label)


# ---- notes ----------------------------------------------------------------------------------------------------------


def _notes(order: Order, shop: ShopSettings, *, reference: str, salesperson: str) -> str:
    """Join the shop's notes and what has no room elsewhere; where all is too long, the shop's own are cut first."""
    added = "\n".join(_added(order, shop, reference=reference, salesperson=salesperson))
    added = cut(several_lines(added), NOTES_CHARACTERS - _NOTES_OF_SHOP_MIN)
    room = NOTES_CHARACTERS - (len(added) + 1 if added else 0)
    notes = cut(_filled(order, "notes", shop.notes), room)
    return "\n".join(part for part in (notes, added) if part)


def _added(order: Order, shop: ShopSettings, *, reference: str, salesperson: str) -> list[str]:
    added = [*default_customer_note(order, shop)]
    whole = full_reference(order, shop)
    if reference != whole:
        added.append(f"Order {whole}")
    if len(salesperson) > SALESPERSON_CHARACTERS:
        added.append(f"Salesperson: {salesperson}")
    if shop.shipping_address is ShippingAddressIn.NOTES and _sent_elsewhere(order):
        added += ["Delivery address:", *address_lines(order.shipping_address)]
    return added


def _sent_elsewhere(order: Order) -> bool:
    shipping, billing = address_lines(order.shipping_address), address_lines(order.billing_address)
    return bool(shipping) and [line.casefold() for line in shipping] != [line.casefold() for line in billing]


def address_lines(address: Address) -> tuple[str, ...]:
    """Write an address as people do, one line each, without what is empty."""
    lines = (
        (address.name,),
        (address.company,),
        (address.street, address.house_number),
        (address.street2,),
        (address.postal_code, address.city),
        (address.state,),
        (address.country,),
        (address.phone,),
    )
    written = (" ".join(part for part in map(one_line, parts) if part) for parts in lines)
    return tuple(line for line in written if line)
