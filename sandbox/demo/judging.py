"""The judgement: whether every order ended as the shop expected when it made it, by the ledger's own books.

Pure. Three witnesses have to agree on each order: what the shop decided beforehand, what stands in the ledger's books,
and what `invoice.synced` wrote into the shop's list.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from sandbox.demo.books import Books, LedgerInvoice
from sandbox.shop.events import OrderList, Refused, Told
from sandbox.shop.expectations import Booked, Key, NotBooked, Parked, Rejected, ShopOrder, Stated
from sandbox.shop.own_orders import ANY_REASON

BOOKED, PARKED = "booked", "parked"


class Fault(StrEnum):
    """What is wrong with how an order ended."""

    LOST = "lost"  # nothing was told of it: no invoice.synced, no order.rejected
    DOUBLED = "doubled"  # it has more than one live invoice
    OFF = "off"  # the ledger's total or VAT per rate is not the shop's
    OTHER = "other"  # it ended otherwise than expected, or ledger and shop's list disagree


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How one order ended. ``faults`` is empty where it ended as expected; each comes with a sentence."""

    order: ShopOrder
    live: tuple[LedgerInvoice, ...] = ()
    told: Told | None = None
    refused: Refused | None = None
    faults: tuple[tuple[Fault, str], ...] = ()

    @property
    def invoice(self) -> LedgerInvoice | None:
        """Give its live invoice, the first where there are several."""
        return self.live[0] if self.live else None

    @property
    def expected_total(self) -> Decimal | None:
        """Give what it should come to; None where it should not be booked."""
        expected = self.order.expected
        return expected.total if isinstance(expected, Booked | Stated) else None

    @property
    def difference(self) -> Decimal | None:
        """Give the ledger's total less the shop's; None where there are not both."""
        if self.invoice is None or self.expected_total is None:
            return None
        return self.invoice.total - self.expected_total

    @property
    def state(self) -> str:
        """Give where it stands by the shop's list: booked, parked, withdrawn, rejected, or nothing."""
        if self.told is not None:
            return self.told.state
        return "rejected" if self.refused is not None else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """All outcomes, and the live invoices that belong to none of the orders."""

    outcomes: tuple[Outcome, ...]
    strays: tuple[LedgerInvoice, ...] = ()

    @property
    def passed(self) -> bool:
        """Tell whether everything ended as expected."""
        return not self.strays and not any(outcome.faults for outcome in self.outcomes)

    def count(self, fault: Fault) -> int:
        """Count the orders with this fault."""
        return sum(any(found is fault for found, _ in outcome.faults) for outcome in self.outcomes)

    def in_state(self, state: str) -> list[Outcome]:
        """Give the orders that stand so."""
        return [outcome for outcome in self.outcomes if outcome.state == state]


def judge(orders: Sequence[ShopOrder], books: Books, order_list: OrderList) -> Judgement:
    """Judge every order; an order of another run is a stray where it has a live invoice."""
    live = books.live()
    ours = {order.key for order in orders}
    strays = tuple(one for key, found in live.items() if key not in ours for one in found)
    return Judgement(outcomes=tuple(_outcome(order, live, order_list) for order in orders), strays=strays)


def settled(order: ShopOrder, order_list: OrderList) -> bool:
    """Tell whether the shop has heard the end of an order, so that nothing more has to be waited for."""
    told, expected = order_list.told.get(order.key), order.expected
    if isinstance(expected, NotBooked):
        return True  # of an order that is not paid nothing need be told
    may_be_refused = isinstance(expected, Stated) and expected.or_refused and told is None
    if isinstance(expected, Rejected) or (may_be_refused and order.key in order_list.refused):
        return order.key in order_list.refused
    if told is None:
        return False
    if isinstance(expected, Parked):
        return told.state == PARKED and told.reason == expected.reason
    # Until the ledger's first answer has shown how it rounds, some orders wait as parked, and go on by themselves.
    return told.state == BOOKED or (isinstance(expected, Stated) and told.reason != "rounding_unknown")


def _outcome(order: ShopOrder, live: Mapping[Key | None, list[LedgerInvoice]], order_list: OrderList) -> Outcome:
    found = Outcome(
        order=order,
        live=tuple(live.get(order.key, ())),
        told=order_list.told.get(order.key),
        refused=order_list.refused.get(order.key),
    )
    return Outcome(
        order=order, live=found.live, told=found.told, refused=found.refused, faults=tuple(_faults(order, found))
    )


def _faults(order: ShopOrder, found: Outcome) -> Iterator[tuple[Fault, str]]:
    if len(found.live) > 1:
        numbers = ", ".join(invoice.number for invoice in found.live)
        yield Fault.DOUBLED, f"it has {len(found.live)} live invoices: {numbers}"
    expected = order.expected
    if isinstance(expected, NotBooked):
        yield from _no_invoice(found)
        return
    if found.told is None and found.refused is None:
        yield Fault.LOST, "nothing was told of it"
        return
    if isinstance(expected, Stated) and expected.or_refused and found.told is None:
        expected = Rejected(reason=ANY_REASON)
    if isinstance(expected, Stated) and found.told is not None and found.told.state != BOOKED:
        expected = Parked(reason=ANY_REASON)
    if isinstance(expected, Parked):
        yield from _parked_faults(expected, found)
    elif isinstance(expected, Rejected):
        yield from _rejected_faults(expected, found)
    else:
        yield from _booked_faults(expected, found)


def _booked_faults(expected: Booked | Stated, found: Outcome) -> Iterator[tuple[Fault, str]]:
    if found.told is None or found.told.state != BOOKED:
        yield Fault.OTHER, f"it should be booked and is {_standing(found)}"
    if found.invoice is None:
        yield Fault.OTHER, "it should be booked and the ledger has no live invoice of it"
        return
    yield from _figures_off(expected, found.order, found.invoice)
    if found.told is not None and found.told.state == BOOKED:
        yield from _list_disagrees(found.told, found.invoice)


def _figures_off(expected: Booked | Stated, order: ShopOrder, invoice: LedgerInvoice) -> Iterator[tuple[Fault, str]]:
    if invoice.total != expected.total:
        yield Fault.OFF, f"the ledger's total is {invoice.total}, the shop's {expected.total}"
    if invoice.currency != order.currency.upper():
        yield Fault.OTHER, f"the invoice is in {invoice.currency}, the order in {order.currency}"
    wanted = expected.vat_by_rate
    if wanted is None:
        return
    for rate in sorted({*wanted, *invoice.vat_by_rate}):
        ledger, shop = invoice.vat_by_rate.get(rate, Decimal(0)), wanted.get(rate, Decimal(0))
        if ledger != shop:
            yield Fault.OFF, f"the ledger's VAT at {rate} % is {ledger}, the shop's {shop}"


def _list_disagrees(told: Told, invoice: LedgerInvoice) -> Iterator[tuple[Fault, str]]:
    if told.invoice_number != invoice.number or told.invoice_id != invoice.invoice_id:
        yield Fault.OTHER, f"the shop was told invoice {told.invoice_number}, the ledger has {invoice.number}"
    if told.invoice_total != invoice.total:
        yield Fault.OTHER, f"the shop was told a total of {told.invoice_total}, the ledger has {invoice.total}"


def _parked_faults(expected: Parked, found: Outcome) -> Iterator[tuple[Fault, str]]:
    told = found.told
    right_reason = told is not None and expected.reason in (ANY_REASON, told.reason)
    if told is None or told.state != PARKED or not right_reason:
        yield Fault.OTHER, f"it should be parked as {expected.reason or 'anything'} and is {_standing(found)}"
    yield from _no_invoice(found)


def _rejected_faults(expected: Rejected, found: Outcome) -> Iterator[tuple[Fault, str]]:
    if found.refused is None or expected.reason not in (ANY_REASON, found.refused.reason):
        yield Fault.OTHER, f"it should be rejected as {expected.reason or 'anything'} and is {_standing(found)}"
    yield from _no_invoice(found)


def _no_invoice(found: Outcome) -> Iterator[tuple[Fault, str]]:
    if found.invoice is not None:
        yield Fault.OTHER, f"it should have no invoice and has {found.invoice.number}"


def _standing(found: Outcome) -> str:
    if found.refused is not None:
        return f"rejected as {found.refused.reason}"
    if found.told is None:
        return "not told of"
    return f"{found.told.state} as {found.told.reason}" if found.told.reason else found.told.state
