"""From an order to the draft invoice that books it, or to the reason why it cannot be booked.

Pure: everything that is known of ledger, shop and connection comes in. The contact may still be missing
(``contact_id`` empty): the draft is the same, so an order is mapped before a customer is made for it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from hashlib import blake2b

from consumer.domain.arithmetic import Figures
from consumer.domain.charges import Charges, read_charges
from consumer.domain.comparison import Expected
from consumer.domain.currencies import ISO_CURRENCIES
from consumer.domain.dates import Moments
from consumer.domain.heading import Occasion, head_of
from consumer.domain.layout import Layout, find_layout, nearest_figures
from consumer.domain.ledger import InvoiceDraft, Item, LedgerCurrency, LedgerFacts, TaxRounding
from consumer.domain.money import ZERO
from consumer.domain.orders import Discount, Fee, Line, Order, Shipping
from consumer.domain.references import full_reference
from consumer.domain.settings import ConnectionSettings, InvoiceDate, ShopSettings
from consumer.domain.splitting import is_whole
from consumer.domain.states import Reason, ReasonCode
from consumer.domain.texts import plain
from consumer.domain.tolerance import differences_in_words, differs_by_a_unit
from consumer.domain.totals import Goal, goals

AMOUNT_MAX = Decimal(10) ** 14  # beyond it exact sums would need more digits than are reckoned with
_OTHER_ROUNDING = {TaxRounding.PER_RATE: TaxRounding.PER_LINE, TaxRounding.PER_LINE: TaxRounding.PER_RATE}
_ROUNDING_WORDS = {TaxRounding.PER_RATE: "once per tax rate", TaxRounding.PER_LINE: "on each line"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapped:
    """An order as it is to be booked: the draft, what the ledger's answer must say, and why it looks as it does."""

    draft: InvoiceDraft
    expected: Expected
    layout: tuple[str, ...]
    notes: tuple[str, ...] = ()
    paid_moment: datetime | None = None  # that its day may be told by
    customer: str = ""  # digest of whose it is and where they are: what the contact is told by
    folded: tuple[str, ...] = ()  # ids of the refunds that are taken off within it
    day_moved: bool = False  # out of a closed period
    day_is_kept: bool = False  # the document's day is that of its first booking, no content of the order

    @property
    def words(self) -> tuple[str, ...]:
        """Give all that is to be said of it: the layout's reasons, then the notes."""
        return self.layout + self.notes


@dataclass(frozen=True, slots=True, kw_only=True)
class _Task:
    order: Order
    facts: LedgerFacts
    shop: ShopSettings
    connection: ConnectionSettings
    items: Mapping[str, Item]
    currency: LedgerCurrency
    header: InvoiceDraft


def map_order(
    order: Order,
    *,
    facts: LedgerFacts,
    shop: ShopSettings,
    connection: ConnectionSettings,
    contact_id: str,
    paid_moment: datetime | None,
    document_n: int,
    items: Mapping[str, Item],
    reference: str = "",
    now: datetime | None = None,
    kept_day: date | None = None,
) -> Mapped | Reason:
    """Map an order to the invoice that books it exactly, or to the reason for parking it.

    ``paid_moment`` is ``paid_at``, else ``placed_at``, else the event's time. ``document_n`` counts the order's
    invoices from 1. ``items`` holds the ledger's items by SKU. ``reference`` is the one that the order was booked
    with before, which it keeps; empty: by the shop's pattern. ``now`` and ``kept_day`` serve a shop that dates its
    invoices by ``today``: the caller's clock, and the day of the live document.
    """
    currency = _currency(order, facts)
    if isinstance(currency, Reason):
        return currency
    header = head_of(
        order,
        shop=shop,
        connection=connection,
        organization=facts.organization,
        currency=currency,
        occasion=Occasion(
            moments=Moments(paid=paid_moment, placed=order.placed_at, now=now, kept_day=kept_day),
            document_n=document_n,
            contact_id=contact_id,
            reference=reference,
        ),
    )
    if isinstance(header, Reason):
        return header
    task = _Task(
        order=order, facts=facts, shop=shop, connection=connection, items=items, currency=currency, header=header
    )
    mapped = _too_large(order) or _map(task)
    return replace(mapped, paid_moment=paid_moment) if isinstance(mapped, Mapped) else mapped


def items_needed(order: Order, shop: ShopSettings) -> tuple[str, ...]:
    """Give the SKUs whose items must be known before the order is mapped: none unless the shop books by items."""
    skus = {line.sku for line in order.lines if line.sku and line.quantity} if shop.items_by_sku else set()
    return tuple(sorted(skus))


# ---- the ways to read an order, one after the other ---------------------------------------------------------------


def _map(task: _Task) -> Mapped | Reason:
    """Read the order as stated; then with unit prices rounded first, and without tax for an exempt buyer."""
    first = _attempt(task)
    if isinstance(first, Mapped):
        return first
    for reading in _other_readings(task, first):
        other = _attempt(task, **reading)
        if isinstance(other, Mapped):
            return other
    return first


def _other_readings(task: _Task, reason: Reason) -> list[dict[str, bool]]:
    if reason.code not in (ReasonCode.TOTALS_DO_NOT_FOLLOW, ReasonCode.NO_EXACT_LAYOUT, ReasonCode.TAX_MISSING):
        return []
    order, digits = task.order, task.currency.digits
    readings = []
    customer = order.customer
    taxed: tuple[Line | Shipping | Fee, ...] = (*order.lines, *order.shipping, *order.fees)
    taxes = [tax for charge in taxed for tax in charge.taxes]
    if (customer.tax_exempt or customer.reverse_charge) and not any(tax.amount for tax in taxes):
        readings.append({"untaxed": True})
    if any(not is_whole(line.unit_price, digits) for line in order.lines):
        readings.append({"per_unit": True})
    return readings


def _attempt(task: _Task, *, per_unit: bool = False, untaxed: bool = False) -> Mapped | Reason:
    charges = read_charges(
        task.order,
        facts=task.facts,
        shop=task.shop,
        digits=task.currency.digits,
        items=task.items,
        per_unit=per_unit,
        untaxed=untaxed,
    )
    if isinstance(charges, Reason):
        return charges
    refused = _refused_total(task.order, task.currency)
    if refused is not None:
        return refused
    wanted = goals(task.order, charges, task.facts.rounding)
    if isinstance(wanted, Reason):
        return wanted
    layout = _layout(task, charges, wanted, task.facts.rounding)
    if layout is None:
        return _no_layout(task, charges, wanted)
    return _mapped(task, charges, layout)


def _layout(task: _Task, charges: Charges, wanted: tuple[Goal, ...], rounding: TaxRounding) -> Layout | None:
    return find_layout(
        charges,
        wanted,
        header=task.header,
        shop=task.shop,
        rounding=rounding,
        negative_lines=task.connection.negative_lines,
    )


def _mapped(task: _Task, charges: Charges, layout: Layout) -> Mapped:
    figures = layout.figures
    expected = Expected(
        total=layout.goal.total,
        tax_total=figures.tax_total,
        tax_by_rate=figures.tax_by_rate,
        currency=task.order.currency,
        group_rates=tuple({(tax.rate, tax.parts): None for tax in charges.taxes if len(tax.parts) > 1}),
    )
    off = differences_in_words(layout.goal, figures, task.currency.digits)
    notes = [*charges.notes, *off, *_said_of_payment(task.order)]
    if task.header.reference != full_reference(task.order, task.shop):
        notes.append("The reference was cut or is an earlier one; the whole order id is in the notes.")
    return Mapped(
        draft=layout.draft,
        expected=expected,
        layout=layout.explanation,
        notes=tuple(notes),
        customer=customer_digest(task.order),
        day_is_kept=task.shop.invoice_date is InvoiceDate.TODAY,
    )


def customer_digest(order: Order) -> str:
    """Give the hash of who bought and of both addresses: where it is another one the contact may be too."""
    who = (order.customer, order.billing_address, order.shipping_address)
    return blake2b(repr(who).encode("utf-8", "replace"), digest_size=16).hexdigest()


def _said_of_payment(order: Order) -> list[str]:
    words = []
    if any(payment.kind != "money" for payment in order.payments):
        words.append("Paid in part by gift card or store credit: a payment, which leaves the invoice as it is.")
    return words


# ---- currency and size ---------------------------------------------------------------------------------------------


def _currency(order: Order, facts: LedgerFacts) -> LedgerCurrency | Reason:
    code = order.currency
    found = next((currency for currency in facts.currencies if currency.code == code), None)
    if found is not None:
        return found
    if code == facts.organization.currency:
        return LedgerCurrency(currency_id="", code=code, digits=facts.organization.digits, is_base=True)
    if code not in ISO_CURRENCIES:
        return Reason(
            code=ReasonCode.UNKNOWN_CURRENCY,
            message=f"{code!r} is no currency of ISO 4217.",
            fix="Correct the currency in the shop and send the order again.",
        )
    return Reason(
        code=ReasonCode.CURRENCY_MISSING,
        message=f"The organisation does not have the currency {code}.",
        fix=f"Add {code} to the currencies of the organisation in the ledger.",
        group_key=f"currency_missing:{code}",
    )


def _too_large(order: Order) -> Reason | None:
    """Refuse amounts that are no money of a shop: with them a sum would lose digits without a word."""
    amounts = [order.totals.grand_total, order.totals.tax or ZERO]
    for line in order.lines:
        amounts += [line.quantity * line.unit_price, line.quantity, line.unit_price, line.discount, line.total or ZERO]
    charges: tuple[Discount | Shipping | Fee, ...] = (*order.discounts, *order.shipping, *order.fees)
    amounts += [charge.amount for charge in charges]
    largest = max(map(abs, amounts))
    if largest < AMOUNT_MAX:
        return None
    return Reason(
        code=ReasonCode.NOT_SUPPORTED,
        message=f"An amount or quantity of the order is {largest:.3E}, which is beyond {AMOUNT_MAX:.0E}.",
        fix="Correct the order in the shop and send it again.",
        group_key="not_supported:too_large",
    )


def _refused_total(order: Order, currency: LedgerCurrency) -> Reason | None:
    total = order.totals.grand_total
    if total < 0:
        return Reason(
            code=ReasonCode.NOT_SUPPORTED,
            message=f"The order comes to {plain(total)} {order.currency}; an invoice cannot be below zero.",
            fix="Send what is given back as a refund of the order that it belongs to.",
            group_key="not_supported:negative_total",
        )
    if not is_whole(total, currency.digits):
        return Reason(
            code=ReasonCode.NO_EXACT_LAYOUT,
            message=f"The shop states {plain(total)} {order.currency}; the ledger keeps {currency.digits} decimals.",
            fix="Send the total rounded to the currency's decimals.",
        )
    return None


# ---- no exact layout ------------------------------------------------------------------------------------------------


def _no_layout(task: _Task, charges: Charges, wanted: tuple[Goal, ...]) -> Reason:
    rounding = task.facts.rounding
    if rounding is TaxRounding.UNKNOWN:
        if any(_layout(task, charges, wanted, known) for known in _OTHER_ROUNDING):
            return _rounding_unknown()
    elif _layout(task, charges, wanted, _OTHER_ROUNDING[rounding]):
        return _rounding_differs(task, charges, wanted[0], _OTHER_ROUNDING[rounding])
    if not charges.mixed and differs_by_a_unit(wanted[0], _nearest(task, charges), task.currency.digits):
        return _by_a_unit(task, charges, wanted[0])
    return Reason(
        code=ReasonCode.NO_EXACT_LAYOUT,
        message=f"No layout gives the shop's figures. {_shown(task, charges, wanted[0])}",
        fix=(
            "The order mixes prices with and without tax: send them in one way."
            if charges.mixed
            else "Correct the order in the shop, or book it by hand and choose ignore."
        ),
    )


def _by_a_unit(task: _Task, charges: Charges, goal: Goal) -> Reason:
    return Reason(
        code=ReasonCode.NO_EXACT_LAYOUT,
        message=f"Only the last digit of VAT differs. {_shown(task, charges, goal)}",
        fix=(
            "If the shop rounds half a cent of VAT down, set vat_tolerance_units: 1 for it and run `booked apply`: "
            "such orders go on. Else correct the order in the shop."
        ),
        group_key="vat_differs_by_a_unit",
    )


def _rounding_unknown() -> Reason:
    return Reason(
        code=ReasonCode.ROUNDING_UNKNOWN,
        message="It is exact under one way of rounding VAT only, and the organisation's way is not known yet.",
        fix="Nothing: it goes on by itself when the ledger's first answer has shown how it rounds.",
        group_key="rounding_unknown",
    )


def _rounding_differs(task: _Task, charges: Charges, goal: Goal, needed: TaxRounding) -> Reason:
    return Reason(
        code=ReasonCode.NO_EXACT_LAYOUT,
        message=(
            f"The shop rounds VAT {_ROUNDING_WORDS[needed]}, the organisation "
            f"{_ROUNDING_WORDS[_OTHER_ROUNDING[needed]]}. {_shown(task, charges, goal)}"
        ),
        fix=(
            f"Set the organisation's tax rounding in the ledger to: {_ROUNDING_WORDS[needed]}; "
            f"then: booked release {task.shop.shop_id} --reason no_exact_layout"
        ),
        group_key=f"rounding_differs:{needed.value}",
    )


def _nearest(task: _Task, charges: Charges) -> Figures:
    return nearest_figures(charges, header=task.header, shop=task.shop, rounding=task.facts.rounding)


def _shown(task: _Task, charges: Charges, goal: Goal) -> str:
    """Show both figures and the difference, of the total and of each rate."""
    figures = _nearest(task, charges)
    currency = task.order.currency
    words = [_difference("Total", figures.total, goal.total, currency)]
    computed = {row.rate: row.tax for row in figures.tax_by_rate}
    for rate in sorted({*computed, *goal.tax_by_rate}):
        ours, theirs = computed.get(rate, ZERO), goal.tax_by_rate.get(rate, ZERO)
        if ours != theirs:
            words.append(_difference(f"VAT at {plain(rate)} %", ours, theirs, currency))
    return " ".join(words)


def _difference(what: str, ours: Decimal, theirs: Decimal, currency: str) -> str:
    return f"{what}: ledger {plain(ours)}, shop {plain(theirs)}, difference {plain(ours - theirs)} {currency}."
