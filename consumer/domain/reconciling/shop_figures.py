"""What an order comes to per VAT rate by the shop's own figures, and what each of its refunds takes of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from consumer.domain.arithmetic import TaxSum
from consumer.domain.bases import parts_of
from consumer.domain.charges import Charges, read_charges
from consumer.domain.crediting import Given, UnclearError, given_of_refund, tax_within
from consumer.domain.ledger import Item, LedgerFacts
from consumer.domain.mapping import items_needed
from consumer.domain.money import ZERO, minor_digits, round_half_up
from consumer.domain.orders import Order, Refund
from consumer.domain.reconciling.rates import Rates, RateSum, added, tax_of, total_of, untold
from consumer.domain.settings import ShopSettings
from consumer.domain.states import Reason
from consumer.domain.totals import Goal, goals

_HUNDRED = Decimal(100)
_PLAY_UNITS = 5  # minor units that the net of a rate may be off another one, by rounding of lines


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopGrounds:
    """What an order's figures are read by; ``facts`` None where the ledger was never asked for its taxes."""

    shop: ShopSettings
    facts: LedgerFacts | None


def digits_of(currency: str, facts: LedgerFacts | None) -> int:
    """Give the decimals of a currency, as the ledger has it."""
    known = () if facts is None else facts.currencies
    return next((one.digits for one in known if one.code == currency), minor_digits(currency))


def shop_rates(order: Order, grounds: ShopGrounds, like: Rates | None = None) -> Rates:
    """Give net and VAT per rate of all that was sold, by the shop's own figures.

    Where the shop leaves open how it rounded, there may be several answers: ``like`` chooses among them, and says to
    which rate some cents of a line's rounding belong. Total and VAT are the shop's in any case.
    """
    reckoned = next(_readings(order, grounds, {} if like is None else tax_of(like)), None)
    rates = _stated(order) if reckoned is None else reckoned
    return aligned(rates, like, digits_of(order.currency, grounds.facts))


def _readings(order: Order, grounds: ShopGrounds, told: Mapping[Decimal | None, Decimal]) -> Iterator[Rates]:
    facts = grounds.facts
    if facts is None:
        return
    digits = digits_of(order.currency, facts)
    items = {sku: Item(item_id=sku, name=sku, sku=sku) for sku in items_needed(order, grounds.shop)}
    exempt = order.customer.tax_exempt or order.customer.reverse_charge
    for per_unit, untaxed in ((False, False), (False, exempt), (True, False)):
        charges = read_charges(
            order, facts=facts, shop=grounds.shop, digits=digits, items=items, per_unit=per_unit, untaxed=untaxed
        )
        wanted = charges if isinstance(charges, Reason) else goals(order, charges, facts.rounding)
        if isinstance(charges, Charges) and not isinstance(wanted, Reason):
            goal = next((one for one in wanted if dict(one.tax_by_rate) == told), wanted[0])
            yield _of_goal(charges, goal, digits)


def _of_goal(charges: Charges, goal: Goal, digits: int) -> Rates:
    """Put the goal's VAT under the rates of the lines (a group's members together), and the net beside it."""
    exclusive: dict[Decimal, Decimal] = {}
    inclusive: dict[Decimal, Decimal] = {}
    for base in parts_of(charges).by_tax:
        sums, rate = (inclusive if base.inclusive else exclusive), charges.taxes[base.tax].rate
        sums[rate] = sums.get(rate, ZERO) + base.amount
    taxes = dict(goal.tax_by_rate)
    members = {one.rate: one.parts for one in charges.taxes if len(one.parts) > 1}
    rows = []
    for rate in sorted({*exclusive, *inclusive}):
        tax = sum((taxes.pop(part, ZERO) for part in members.get(rate, (rate,))), ZERO)
        on_top = round_half_up(exclusive.get(rate, ZERO) * rate / _HUNDRED, digits) if rate in inclusive else tax
        net = exclusive.get(rate, ZERO) + inclusive.get(rate, ZERO) - (tax - on_top)
        rows.append(RateSum(rate=rate, net=round_half_up(net, digits), tax=tax))
    return added(rows, [RateSum(rate=ZERO, net=goal.total - total_of(rows), tax=ZERO)])


def _stated(order: Order) -> Rates:
    """Give what the shop states where its parts do not follow: with a net per rate, or without any split."""
    totals = order.totals
    rows = [RateSum(rate=row.rate, net=row.net, tax=row.tax) for row in totals.tax_by_rate if row.net is not None]
    if rows and len(rows) == len(totals.tax_by_rate):
        return added(rows, [RateSum(rate=ZERO, net=totals.grand_total - total_of(rows), tax=ZERO)])
    return untold(totals.grand_total, totals.tax or ZERO)


def aligned(rates: Rates, like: Rates | None, digits: int) -> Rates:
    """Take another document's split of net over rates where total and VAT are the same and it is off by cents only."""
    if like is None or total_of(like) != total_of(rates) or tax_of(like) != tax_of(rates):
        return rates
    ours, theirs = ({one.rate: one.net for one in side} for side in (rates, like))
    off = [abs(ours.get(rate, ZERO) - theirs.get(rate, ZERO)) for rate in {*ours, *theirs}]
    return like if max(off, default=ZERO) <= Decimal(_PLAY_UNITS).scaleb(-digits) else rates


# ---- refunds ---------------------------------------------------------------------------------------------------------


def refund_rates(order: Order, whole: Rates, grounds: ShopGrounds) -> dict[str, Rates]:
    """Give what each refund takes of the order per rate, by its id; positive. ``whole`` is all that was sold."""
    digits = digits_of(order.currency, grounds.facts)
    sums = tuple(_tax_sum(one) for one in whole)
    rest, found = sums, {}
    moment = [(one.created_at is None, one.created_at or 0, one.id, one) for one in order.refunds if one.amount]
    for *_, refund in sorted(moment, key=lambda row: row[:3]):
        given = _given(order, refund, rest, sums, digits)
        found[refund.id] = untold(refund.amount) if given is None else added(_row(one, digits) for one in given)
        rest = tuple(_less(one, found[refund.id]) for one in rest)
    return found


def _tax_sum(one: RateSum) -> TaxSum:
    return TaxSum(tax_id=str(one.rate), rate=one.rate or ZERO, gross=one.gross, tax=one.tax)


def _given(
    order: Order, refund: Refund, rest: tuple[TaxSum, ...], whole: tuple[TaxSum, ...], digits: int
) -> list[Given] | None:
    try:
        return given_of_refund(order, refund, rest, label="", digits=digits, whole=whole)
    except UnclearError:
        return None


def _row(one: Given, digits: int) -> RateSum:
    tax = tax_within(one.gross, one.key, digits) if one.tax is None else one.tax
    return RateSum(rate=None if one.key[0] == "None" else one.key[1], net=one.gross - tax, tax=tax)


def _less(one: TaxSum, taken: Rates) -> TaxSum:
    mine = [row for row in taken if str(row.rate) == one.tax_id]
    tax = sum((row.tax for row in mine), ZERO)
    return TaxSum(tax_id=one.tax_id, rate=one.rate, gross=one.gross - total_of(mine), tax=one.tax - tax)
