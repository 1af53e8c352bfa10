"""What an order charges, in one shape: its products, shipping and fees as positions, its discounts as reductions.

Everything that cannot be booked whatever the figures are is refused here; whether the figures agree is asked next
(domain/totals), and how they are laid out after that (domain/layout).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum

from consumer.domain.ledger import Item, LedgerFacts
from consumer.domain.money import ZERO, round_half_up
from consumer.domain.orders import Discount, Fee, FeeKind, Line, LineKind, Order, Shipping, Tax
from consumer.domain.rate_shares import rate_shares
from consumer.domain.refusals import (
    RefusedError,
    bad_quantity,
    item_missing,
    liability,
    line_does_not_follow,
    tax_would_be_lost,
)
from consumer.domain.settings import ShopSettings
from consumer.domain.states import Reason
from consumer.domain.tables import DISCOUNT, SHIPPING, Tables
from consumer.domain.taxes import NO_TAX, TaxChosen, match_tax, tax_country, wanted_tax
from consumer.domain.texts import plain

_LIABILITIES = (LineKind.GIFT_CARD, LineKind.DEPOSIT)
QUANTITY_DIGITS = 2  # more decimals are not proved to be taken: such a line is booked as one piece


class Charge(StrEnum):
    """What a position is of."""

    PRODUCT = "product"
    SHIPPING = "shipping"
    FEE = "fee"


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """One thing that the order charges. Amounts are with tax exactly when ``inclusive``.

    ``amount`` is exact and before ``reduction``, the position's own discount (positive). ``tax`` is the place of its
    tax in ``Charges.taxes``. ``multiplies``: quantity and unit price, sent as they are, come to the amount.
    ``agrees``: the stated total is that of quantity, price and discount to within half a minor unit.
    """

    charge: Charge
    label: str
    name: str
    amount: Decimal
    inclusive: bool
    tax: int
    reduction: Decimal = ZERO
    quantity: Decimal = Decimal(1)
    unit_price: Decimal = ZERO
    multiplies: bool = True
    agrees: bool = True
    description: str = ""
    unit: str = ""
    item_id: str | None = None
    account_id: str | None = None
    reduction_account_id: str | None = None  # of its own discount, where that is a line of its own
    line_id: str = ""
    stated_taxes: tuple[Tax, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reduction:
    """A discount beyond the positions' own: positive, off the positions named; ``after_tax`` leaves VAT alone."""

    name: str
    amount: Decimal
    positions: tuple[int, ...]
    inclusive: bool
    after_tax: bool = False
    account_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Charges:
    """All that an order charges, and what was noticed on the way, in words."""

    positions: tuple[Position, ...]
    reductions: tuple[Reduction, ...]
    taxes: tuple[TaxChosen, ...]
    digits: int
    inclusive: bool  # as the shop states its prices; of mixed ones, as most are
    mixed: bool
    notes: tuple[str, ...] = ()


def read_charges(
    order: Order,
    *,
    facts: LedgerFacts,
    shop: ShopSettings,
    digits: int,
    items: Mapping[str, Item],
    per_unit: bool = False,
    untaxed: bool = False,
) -> Charges | Reason:
    """Read what the order charges; a Reason where it cannot be booked whatever its figures are.

    ``per_unit`` rounds each unit price before it is multiplied, as some shops do; ``untaxed`` takes the rates of an
    exempt buyer's lines as not charged.
    """
    reader = _Reader(order, facts, shop, digits, items, per_unit=per_unit, untaxed=untaxed)
    try:
        return reader.read()
    except RefusedError as refused:
        return refused.reason


class _Reader:
    """Gathers the positions of one order; the taxes are matched once per kind of charge."""

    def __init__(
        self,
        order: Order,
        facts: LedgerFacts,
        shop: ShopSettings,
        digits: int,
        items: Mapping[str, Item],
        *,
        per_unit: bool,
        untaxed: bool,
    ) -> None:
        self.order, self.facts, self.shop, self.digits, self.items = order, facts, shop, digits, items
        self.per_unit, self.untaxed = per_unit, untaxed
        self.country = tax_country(order)
        customer = order.customer
        self.cause = "reverse_charge" if customer.reverse_charge else "exempt" if customer.tax_exempt else ""
        self.tables = Tables(order, shop, self.country)
        self.taxes: list[TaxChosen] = [NO_TAX]
        self.matched: dict[object, int] = {}
        self.notes: list[str] = []

    def read(self) -> Charges:
        order = self.order
        positions = [self._line(line, at) for at, line in enumerate(order.lines, 1) if self._counts(line, at)]
        for at, shipping in enumerate(order.shipping):
            positions += self._shipping(shipping, at) if shipping.amount or shipping.discount else ()
        for at, fee in enumerate(order.fees):
            positions += self._fee(fee, at) if fee.amount else ()
        if not positions:
            positions = [self._nothing()]
        self._check_lost_tax(positions)
        reductions = [
            self._reduction(discount, at, positions) for at, discount in enumerate(order.discounts) if discount.amount
        ]
        inclusive, mixed = _mode(positions, self.taxes, default=order.prices_include_tax)
        return Charges(
            positions=tuple(positions),
            reductions=tuple(reductions),
            taxes=tuple(self.taxes),
            digits=self.digits,
            inclusive=inclusive,
            mixed=mixed,
            notes=tuple(self.notes),
        )

    # ---- products

    def _counts(self, line: Line, at: int) -> bool:
        label = _label(line, at)
        worth = line.total if line.total is not None else line.quantity * line.unit_price - line.discount
        if line.quantity < 0 or (line.quantity == 0 and worth != 0):
            raise RefusedError(bad_quantity(line, label))
        if line.quantity == 0:
            self.notes.append(f"{label} has quantity 0 and costs nothing: left out.")
            return False
        return True

    def _line(self, line: Line, at: int) -> Position:
        label = _label(line, at)
        amount, multiplies, agrees = self._amount(line, label)
        reduction = line.discount
        if reduction < 0:
            # A negative discount makes the line dearer: there is nothing to be taken off, so it goes into the price.
            amount, reduction, multiplies = amount - reduction, ZERO, False
        return Position(
            charge=Charge.PRODUCT,
            label=label,
            name=line.name or line.sku or label,
            amount=amount,
            inclusive=line.prices_include_tax,
            tax=self._tax(line.taxes, kind=line.kind.value, tax_class=line.tax_class, label=label),
            reduction=reduction,
            quantity=line.quantity,
            unit_price=line.unit_price,
            multiplies=multiplies,
            agrees=agrees,
            description=_description(line),
            unit=line.unit,
            item_id=self._item(line, label),
            account_id=self._account(line, at - 1, label),
            reduction_account_id=self._discount_account(line, at - 1) if reduction else None,
            line_id=line.id,
            stated_taxes=line.taxes,
        )

    def _account(self, line: Line, at: int, label: str) -> str | None:
        account_id = self.tables.account(line.kind.value, tax_class=line.tax_class, within="lines", at=at)
        if account_id is None and line.kind in _LIABILITIES and (line.unit_price or line.total):
            raise RefusedError(liability(line, label))
        return account_id

    def _discount_account(self, line: Line, at: int) -> str | None:
        return self.tables.account(DISCOUNT, tax_class=line.tax_class, within="lines", at=at)

    def _amount(self, line: Line, label: str) -> tuple[Decimal, bool, bool]:
        """Give the amount before the line's discount, whether it can be sent as stated, and whether it agrees."""
        price = round_half_up(line.unit_price, self.digits) if self.per_unit else line.unit_price
        product = line.quantity * price
        amount = product if line.total is None else line.total + line.discount
        off = abs(amount - product)
        half = Decimal(5).scaleb(-self.digits - 1)
        if off > half and not self._is_price_rounded(line.quantity, price, amount):
            raise RefusedError(line_does_not_follow(line, label, product - line.discount))
        fits = _decimals(line.unit_price) <= self.digits and _decimals(line.quantity) <= QUANTITY_DIGITS
        multiplies = fits and round_half_up(product, self.digits) == round_half_up(amount, self.digits)
        return amount, multiplies, off <= half

    def _is_price_rounded(self, quantity: Decimal, price: Decimal, amount: Decimal) -> bool:
        """Tell whether the unit price is the amount's rounded share: 10.00 / 3 = 3.33."""
        digits = max(self.digits, _decimals(price))
        return round_half_up(amount / quantity, digits) == round_half_up(price, digits)

    def _item(self, line: Line, label: str) -> str | None:
        if not self.shop.items_by_sku:
            return None
        item = self.items.get(line.sku) if line.sku else None
        if item is None:
            raise RefusedError(item_missing(line, label))
        return item.item_id

    # ---- shipping, fees, discounts

    def _shipping(self, shipping: Shipping, at: int) -> Iterator[Position]:
        place = self.tables.method(shipping.method, within="shipping", at=at)
        name = f"{self.shop.shipping_label}: {shipping.method}" if shipping.method else self.shop.shipping_label
        charge = Position(
            charge=Charge.SHIPPING,
            label=f"shipping ({shipping.method})" if shipping.method else "shipping",
            name=place.label or name,
            amount=shipping.amount,
            inclusive=self.order.prices_include_tax,
            tax=0,
            reduction=shipping.discount,
            item_id=place.item_id or None,
            account_id=place.account_id or self.tables.account(SHIPPING, within="shipping", at=at),
            reduction_account_id=self.tables.account(DISCOUNT, within="shipping", at=at) if shipping.discount else None,
            stated_taxes=shipping.taxes,
        )
        return self._taxed(charge, kind="shipping")

    def _fee(self, fee: Fee, at: int) -> Iterator[Position]:
        name = fee.name or (self.shop.rounding_label if fee.kind is FeeKind.ROUNDING else fee.kind.value.capitalize())
        place = self.tables.method(fee.name, within="fees", at=at)
        charge = Position(
            charge=Charge.FEE,
            label=f"fee ({name})",
            name=place.label or name,
            amount=fee.amount,
            inclusive=self.order.prices_include_tax,
            tax=0,
            item_id=place.item_id or None,
            account_id=place.account_id or self.tables.account(fee.kind.value, within="fees", at=at),
            stated_taxes=fee.taxes,
        )
        return self._taxed(charge, kind="fee")

    def _taxed(self, charge: Position, *, kind: str) -> Iterator[Position]:
        """Give a charge under its tax; under several that share it, one position for each rate."""
        shares = rate_shares(
            charge.stated_taxes,
            amount=charge.amount,
            reduction=charge.reduction,
            inclusive=charge.inclusive,
            digits=self.digits,
        )
        if shares:
            parts = ", ".join(f"{plain(share.amount)} at {plain(share.tax.rate)} %" for share in shares)
            self.notes.append(f"{charge.label}: split over its rates, as the amounts of its taxes say: {parts}.")
        for share in shares or (None,):
            taxes = (share.tax,) if share else charge.stated_taxes
            amount = share.amount if share else charge.amount
            yield replace(
                charge,
                name=f"{charge.name} ({plain(share.tax.rate)} %)" if share else charge.name,
                amount=amount,
                reduction=share.reduction if share else charge.reduction,
                tax=self._tax(taxes, kind=kind, tax_class="", label=charge.label),
                unit_price=amount,
                multiplies=_decimals(amount) <= self.digits,
                stated_taxes=taxes,
            )

    def _nothing(self) -> Position:
        self.notes.append("The order charges nothing: booked as one line of 0.")
        name = f"Order {self.order.number or self.order.key.order_id}"
        return Position(charge=Charge.PRODUCT, label="order", name=name, amount=ZERO, inclusive=False, tax=0)

    def _reduction(self, discount: Discount, at: int, positions: Sequence[Position]) -> Reduction:
        what = discount.description or discount.code
        if discount.description and discount.code and discount.code not in discount.description:
            what = f"{discount.code} ({discount.description})"
        return Reduction(
            name=f"{self.shop.discount_label}: {what}" if what else self.shop.discount_label,
            amount=discount.amount,
            positions=_reduced(discount, positions),
            inclusive=self.order.prices_include_tax,
            after_tax=not discount.before_tax,
            account_id=self.tables.account(DISCOUNT, within="discounts", at=at),
        )

    # ---- taxes

    def _tax(self, taxes: Sequence[Tax], *, kind: str, tax_class: str, label: str) -> int:
        if self.cause and (self.untaxed or (taxes and all(tax.amount == 0 for tax in taxes))):
            taxes = (Tax(rate=ZERO),)
        known = (tuple((tax.rate, tax.name, tax.compound) for tax in taxes), kind, tax_class)
        if known not in self.matched:
            self.matched[known] = self._match(taxes, kind=kind, tax_class=tax_class, label=label)
        return self.matched[known]

    def _match(self, taxes: Sequence[Tax], *, kind: str, tax_class: str, label: str) -> int:
        wanted = wanted_tax(taxes, kind=kind, tax_class=tax_class, country=self.country, cause=self.cause)
        # Where nothing is said of tax none is booked, and the totals tell whether that is right.
        is_told = bool(taxes or self.cause)
        chosen = match_tax(wanted, self.facts.taxes, self.shop.tax_overrides, is_told=is_told)
        if isinstance(chosen, Reason):
            raise RefusedError(chosen)
        if chosen.tax_id is None and taxes:
            self.notes.append(f"{label}: rate 0 and the organisation has no tax of 0 %: booked without tax.")
        if chosen not in self.taxes:
            self.taxes.append(chosen)
        return self.taxes.index(chosen)

    def _check_lost_tax(self, positions: Sequence[Position]) -> None:
        """Refuse tax that is stated where nothing has a rate for it: on the order, and on each of its charges."""
        for position in positions:
            lost = sum((tax.amount or ZERO for tax in position.stated_taxes if not tax.rate), ZERO)
            if not self.taxes[position.tax].rate:
                lost = sum((tax.amount or ZERO for tax in position.stated_taxes), ZERO)
            if lost:
                what = f"{position.label} states {{tax}} of tax at a rate of 0 %."
                raise RefusedError(tax_would_be_lost(what, lost, self.order.currency))
        if any(self.taxes[position.tax].rate for position in positions):
            return
        stated = self.order.totals.tax or sum((row.tax for row in self.order.totals.tax_by_rate), ZERO)
        if stated:
            what = "The order states {tax} of tax, but none of its lines has a rate."
            raise RefusedError(tax_would_be_lost(what, stated, self.order.currency))


def _mode(positions: Sequence[Position], taxes: Sequence[TaxChosen], *, default: bool) -> tuple[bool, bool]:
    """Tell how most taxed positions are stated, and whether they are mixed; without tax it makes no difference."""
    modes = [position.inclusive for position in positions if taxes[position.tax].rate]
    inclusive = sum(modes)
    if not modes:
        return False, False
    mixed = 0 < inclusive < len(modes)
    return (default if 2 * inclusive == len(modes) else 2 * inclusive > len(modes)), mixed


def _reduced(discount: Discount, positions: Sequence[Position]) -> tuple[int, ...]:
    """Find the positions that a discount comes off: those it names, else all of its kind, else all there are."""
    wanted = Charge.SHIPPING if discount.target == "shipping" else Charge.PRODUCT
    named = [at for at, position in enumerate(positions) if position.line_id and position.line_id in discount.line_ids]
    of_kind = [at for at, position in enumerate(positions) if position.charge is wanted]
    return tuple(named or of_kind or range(len(positions)))


def _decimals(amount: Decimal) -> int:
    exponent = amount.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _label(line: Line, at: int) -> str:
    return f"Line {at} ({line.name or line.sku or line.id})"


def _description(line: Line) -> str:
    return "\n".join(part for part in (line.description, f"SKU: {line.sku}" if line.sku else "") if part)
