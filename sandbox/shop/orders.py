"""The demo shop's orders, all from one seed, each with what the shop expects of it."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from sandbox.shop.arithmetic import Bill, decimals_of, rounded
from sandbox.shop.baskets import Basket, fill_basket
from sandbox.shop.customers import Customer, People
from sandbox.shop.expectations import Booked, ShopOrder, Standing
from sandbox.shop.places import PLACES
from sandbox.shop.spoiling import SPOILED, spoil

SHOP_ID = "demo-shop"
FIRST_NUMBER = 1001
SPOILED_EVERY = 25  # one in 25: 96 % are bookable
TWICE_EVERY = 15
KNOWN_SHARE = 0.4
GUEST_SHARE = 0.08
GIFT_CARD_SHARE = 0.1
LISTED_CUSTOMERS = 4
MOVED_CUSTOMERS = 2
# Below this, the orders that come back and those of namesakes would crowd out the others.
CAST_FROM_ORDERS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Season:
    """All orders of a run, and the customers whom the ledger has to know before it."""

    orders: tuple[ShopOrder, ...]
    in_ledger: tuple[Customer, ...]


def make_season(*, seed: int, orders: int, now: datetime, shop_id: str = SHOP_ID) -> Season:
    """Make so many orders. The same seed gives the same orders, but for their times, which lie shortly before now."""
    return _Season(seed=seed, now=now, shop_id=shop_id).make(orders)


def make_order(*, seed: int, now: datetime, shop_id: str = SHOP_ID) -> ShopOrder:
    """Make the one order of a seed: of a new customer, and bookable."""
    return _Season(seed=seed, now=now, shop_id=shop_id).one()


class _Season:
    def __init__(self, *, seed: int, now: datetime, shop_id: str) -> None:
        self._chance = random.Random(f"{shop_id}/{seed}")  # noqa: S311 the orders of a demo, no secret
        self._seed, self._now, self._shop_id = seed, now, shop_id
        self._people = People(self._chance, prefix=f"{shop_id}-{seed}")
        self._customers: list[Customer] = []

    def make(self, orders: int) -> Season:
        cast = self._cast() if orders >= CAST_FROM_ORDERS else []
        in_ledger = tuple(one for one in cast if one.standing in (Standing.LISTED, Standing.MOVED))
        made = [self._order(at, self._customer(at, cast)) for at in range(orders)]
        return Season(orders=tuple(made), in_ledger=in_ledger)

    def one(self) -> ShopOrder:
        return self._order(0, self._people.new())

    def _cast(self) -> list[Customer]:
        """Make the customers whose first orders show something; one of them is named like another."""
        # In euros, the ledger's own currency: whoever made these contacts by hand left it at that.
        euro = [place for place in PLACES if place.currency == "EUR"]
        standings = [Standing.LISTED] * LISTED_CUSTOMERS + [Standing.MOVED] * MOVED_CUSTOMERS
        cast = [self._people.new(standing, place=self._chance.choice(euro)) for standing in standings]
        person = next((one for one in cast if "company" not in one.fields), None)
        return cast + ([self._people.namesake_of(person)] if person is not None else [])

    def _customer(self, at: int, cast: list[Customer]) -> Customer:
        if at % 3 == 1 and at // 3 < len(cast):
            customer = cast[at // 3]
        elif self._customers and self._chance.random() < KNOWN_SHARE:
            return self._chance.choice(self._customers)
        elif self._chance.random() < GUEST_SHARE:
            return self._people.guest()
        else:
            customer = self._people.new()
        self._customers.append(customer)
        return customer

    def _order(self, at: int, customer: Customer) -> ShopOrder:
        basket = fill_basket(self._chance, customer)
        bill = basket.bill()
        order = ShopOrder(
            data=self._data(at, customer, basket, bill),
            expected=Booked(total=bill.grand_total, vat_by_rate=bill.vat_by_rate),
            standing=customer.standing,
            copies=2 if at % TWICE_EVERY == TWICE_EVERY - 1 else 1,
        )
        turn, rest = divmod(at, SPOILED_EVERY)
        return spoil(order, SPOILED[turn % len(SPOILED)]) if rest == SPOILED_EVERY - 1 else order

    def _data(self, at: int, customer: Customer, basket: Basket, bill: Bill) -> dict[str, Any]:
        paid_at = self._now - timedelta(seconds=self._chance.randrange(60, 3000))
        number = FIRST_NUMBER + at
        data: dict[str, Any] = {
            "shop_id": self._shop_id,
            "order_id": f"{self._seed}-{number}",
            "number": f"#{number}",
            "status": "processing",
            "version": 1,
            "placed_at": (paid_at - timedelta(seconds=40)).astimezone(UTC).isoformat(),
            "paid_at": paid_at.astimezone(UTC).isoformat(),
            "currency": basket.currency,
            "prices_include_tax": basket.with_tax,
            "customer": dict(customer.fields),
            **{name: dict(address) for name, address in customer.addresses.items()},
            **basket.fields,
            "payments": self._payments(bill.grand_total, basket.currency),
            "totals": totals(basket, bill),
        }
        if customer.place.exchange_rate:
            data["exchange_rate"] = customer.place.exchange_rate
        return data

    def _payments(self, total: Decimal, currency: str) -> list[dict[str, str]]:
        """Give how it was paid: a gift card is a payment, and does not lower the total."""
        card = rounded(total / 4, decimals_of(currency)) if self._chance.random() < GIFT_CARD_SHARE else Decimal(0)
        money = {
            "method": self._chance.choice(("ideal", "card", "paypal")),
            "kind": "money",
            "amount": str(total - card),
        }
        gift = {"method": "gift card", "kind": "gift_card", "amount": str(card), "reference": "GC-2291"}
        return [money, *([gift] if card else [])]


def totals(basket: Basket, bill: Bill) -> dict[str, Any]:
    """Give the shop's own figures, as the order states them."""
    lines: Sequence[dict[str, Any]] = basket.fields["lines"]
    rows = [{"rate": str(row.rate), "net": str(row.net), "tax": str(row.tax)} for row in bill.rows]
    return {
        "subtotal": str(sum((Decimal(line["total"]) for line in lines), Decimal(0))),
        "discount": str(sum(basket.coupons, Decimal(0))),
        "tax": str(bill.tax),
        "tax_by_rate": rows,
        "grand_total": str(bill.grand_total),
    }
