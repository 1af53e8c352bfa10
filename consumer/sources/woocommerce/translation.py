"""One WooCommerce order becomes one of our contract. Pure; the order's own figures decide."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_DOWN, Decimal, DecimalException, localcontext
from typing import Any

from consumer.domain.money import minor_digits, round_half_up
from consumer.domain.settings import ShopSettings
from consumer.sources.platforms import NotTranslatedError, Translated
from consumer.sources.woocommerce import money_given, rendering
from consumer.sources.woocommerce.charges import (
    Charge,
    ShopTax,
    known_taxes,
    read_charges,
    stated_taxes,
    with_shipping_tax,
)
from consumer.sources.woocommerce.parties import parties
from consumer.sources.woocommerce.payload import (
    NAME_CHARACTERS_MAX,
    PROSE_CHARACTERS_MAX,
    ZERO,
    Row,
    amount,
    decimal,
    first_text,
    flag,
    id_text,
    mapping,
    metas,
    text,
    told,
    written,
)
from consumer.sources.woocommerce.presenting import Figures, Shape, shape_of
from consumer.sources.woocommerce.standing import kind_of, moments, payment_failed, status_of

META_ENTRIES_MAX = 200
_CURRENCY = re.compile("[A-Z]{3}")
_NAMED_META = ("payment_method", "payment_method_title", "created_via")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sum:
    """The order's money: its charges, its taxes, and what they come to."""

    charges: tuple[Charge, ...]
    taxes: dict[str, ShopTax]
    total: Decimal  # as stated
    tax: Decimal
    used: tuple[money_given.Credit, ...]
    after_tax: Decimal  # a discount of old shops that left the tax as it was
    digits: int
    inclusive: bool

    @property
    def owed(self) -> Decimal:
        """Give the total before gift cards and credit."""
        return self.total + sum((credit.amount for credit in self.used), ZERO)

    def shape(self) -> Shape:
        figures = Figures(total=self.owed + self.after_tax, tax=self.tax, digits=self.digits, inclusive=self.inclusive)
        return shape_of(self.charges, self.taxes, figures)


def translate(payload: Mapping[str, Any], shop: ShopSettings) -> Translated:
    """Translate one order of WooCommerce. Raises NotTranslatedError with the place where it is none."""
    order = _order_of(payload)
    with localcontext(prec=50):  # sums of long figures must not be rounded on the way, whatever the caller has set
        try:
            return _translated(order, shop)
        except DecimalException as error:
            raise NotTranslatedError("an amount of the order is too large to be reckoned with; correct it") from error


def _order_of(payload: object) -> Row:
    order = mapping(payload)
    wrapped = mapping(order.get("order"))
    return wrapped if wrapped and "id" in wrapped else order


def _translated(order: Row, shop: ShopSettings) -> Translated:
    order_id = id_text(order.get("id"))
    if not order_id or order_id == "0":
        raise NotTranslatedError("id is missing: a WooCommerce order has a number there; send the whole order")
    if "line_items" not in order or order.get("total") in (None, ""):
        raise NotTranslatedError(f"order {order_id} has no line_items or no total; send the whole order")
    currency = text(order.get("currency")).upper()
    if not _CURRENCY.fullmatch(currency):
        raise NotTranslatedError(f"currency of order {order_id} should be of three letters, and is {currency!r}")
    kind = kind_of(order, shop)
    money = _sum_of(order, minor_digits(currency))
    shape = money.shape()
    data = {
        "shop_id": shop.shop_id,
        "order_id": order_id,
        "currency": currency,
        "prices_include_tax": shape.inclusive,
        **moments(order, kind),
        **parties(order, money.tax),
        **told(
            number=_number(order, order_id),
            status=status_of(order),
            payment_taken_back=payment_failed(order, kind) or None,
            discounts=_discounts(money),
            shipping=rendering.shipping(shape, money.taxes, money.digits),
            fees=rendering.fees(shape, money.taxes, money.digits),
            payments=money_given.payments(order, kind, money.total, money.used),
            refunds=money_given.refunds(order),
            note=first_text(order.get("customer_note"), order.get("note"), characters_max=PROSE_CHARACTERS_MAX),
            meta=_meta(order),
        ),
        "lines": rendering.lines(shape, money.taxes),
        "totals": _totals(order, money, shape),
    }
    return Translated(kind=kind, data=data)


def _number(order: Row, order_id: str) -> str:
    return first_text(order.get("number"), order.get("order_number")) or order_id


# ---- money ----------------------------------------------------------------------------------------------------------


def _sum_of(order: Row, digits: int) -> _Sum:
    stated = stated_taxes(order)
    ids = tuple(tax.tax_id for tax in stated)
    shipping = read_charges(_with_shipping(order), "shipping_lines", digits, ids)
    shipping = with_shipping_tax(shipping, amount(order, "shipping_tax"), digits)
    charges = (
        *read_charges(order, "line_items", digits, ids),
        *shipping,
        *read_charges(order, "fee_lines", digits, ids),
    )
    total = decimal(order.get("total"), "total") or ZERO
    own_tax = decimal(order.get("total_tax"), "total_tax")
    tax = sum((charge.tax for charge in charges), ZERO) if own_tax is None else own_tax
    inclusive = flag(order.get("prices_include_tax"))
    tax = _whole(tax, digits, inclusive=inclusive)
    missing = round_half_up(sum((charge.net_fine for charge in charges), ZERO) + tax, digits) - total
    used = money_given.credits_used(order, missing, _play(charges, digits)) if missing > 0 else ()
    after_tax = amount(order, "order_discount")
    return _Sum(
        charges=charges,
        taxes=known_taxes(order, stated, charges, digits),
        total=total,
        tax=tax,
        used=used,
        after_tax=after_tax if after_tax > 0 and after_tax == missing else ZERO,
        digits=digits,
        inclusive=inclusive,
    )


def _play(charges: Sequence[Charge], digits: int) -> Decimal:
    return Decimal(5).scaleb(-digits - 1) * len(charges)


def _with_shipping(order: Row) -> Row:
    """Give the order a shipping line where it states shipping in sum only, as exports do."""
    total = decimal(order.get("shipping_total", order.get("total_shipping")), "shipping_total")
    if order.get("shipping_lines") or not total:
        return order
    return {**order, "shipping_lines": [{"method_title": order.get("shipping_methods"), "total": total}]}


def _whole(tax: Decimal, digits: int, *, inclusive: bool) -> Decimal:
    """Round a tax to minor units as WooCommerce does: halves go down where prices are entered with tax."""
    return (
        tax.quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_DOWN) if inclusive else round_half_up(tax, digits)
    )


def _discounts(money: _Sum) -> list[dict[str, Any]]:
    return [{"amount": written(money.after_tax), "before_tax": False}] if money.after_tax else []


def _totals(order: Row, money: _Sum, shape: Shape) -> dict[str, Any]:
    discount = amount(order, "discount_total") or amount(order, "total_discount")
    shipping = amount(order, "shipping_total") or amount(order, "total_shipping")
    if shape.inclusive:
        discount += amount(order, "discount_tax")
        shipping += amount(order, "shipping_tax")
    lines = [one.before for one in shape.shown if one.charge.group == "line_items"]
    fields = told(
        subtotal=written(sum(lines, ZERO)),
        discount=written(discount),
        shipping=written(shipping),
        tax=written(money.tax),
        tax_by_rate=_tax_by_rate(money),
    )
    return {**fields, "grand_total": written(money.owed)}


def _tax_by_rate(money: _Sum) -> list[dict[str, str]]:
    """Give the tax per rate as the tax lines state it; nothing where a rate, or what is stated of it, is not known."""
    found: dict[Decimal, Decimal] = {}
    used = {part.tax_id for charge in money.charges for part in charge.taxes if part.amount}
    for tax in money.taxes.values():
        if tax.total is None or tax.rate is None:
            if tax.total or tax.tax_id in used:
                return []
            continue
        whole = _whole(tax.total, money.digits, inclusive=money.inclusive)
        found[tax.rate] = found.get(tax.rate, ZERO) + whole
    return [{"rate": written(rate), "tax": written(tax)} for rate, tax in found.items()]


# ---- what else there is ---------------------------------------------------------------------------------------------


def _meta(order: Row) -> dict[str, Any]:
    """Give the order's own fields and its metadata that are plain values, at most 200 of bounded size."""
    found: dict[str, Any] = {name: text(order.get(name)) for name in _NAMED_META if text(order.get(name))}
    for key, value in metas(order).items():
        if len(found) >= META_ENTRIES_MAX:
            break
        if isinstance(value, bool) or (isinstance(value, int) and abs(value) < 10**15):
            found[key] = value
        elif text(value):
            found[key] = text(value, NAME_CHARACTERS_MAX)
    return found
