"""One order's basket: lines, coupons, shipping, fees and payments, drawn by chance and added up by the shop."""

import random
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from sandbox.shop.arithmetic import ZERO, Bill, Charge, bill_of, decimals_of, line_amount, rounded
from sandbox.shop.customers import Customer
from sandbox.shop.goods import ARTICLES, Article
from sandbox.shop.places import EXPORT, Place

_HUNDRED = Decimal(100)
_WEIGHTS = ("0.250", "0.500", "1.250", "0.125")


@dataclass(slots=True, kw_only=True)
class Basket:
    """What is in the order so far, as the order will state it, and as the shop adds it up."""

    currency: str
    with_tax: bool
    tax_name: str
    fields: dict[str, Any] = field(default_factory=dict)
    charges: list[Charge] = field(default_factory=list)
    coupons: list[Decimal] = field(default_factory=list)

    @property
    def decimals(self) -> int:
        """Give the decimals of the currency."""
        return decimals_of(self.currency)

    def bill(self) -> Bill:
        """Add it up."""
        return bill_of(self.charges, self.coupons, with_tax=self.with_tax, decimals=self.decimals)

    def put(self, where: str, entry: dict[str, Any], charge: Charge) -> None:
        """Put in a line, shipping or a fee."""
        self.fields.setdefault(where, []).append(entry)
        self.charges.append(charge)

    def taxes(self, rate: Decimal) -> list[dict[str, str]]:
        """Give what an entry says of its tax."""
        name = self.tax_name if rate == 0 else f"{self.tax_name} {rate} %"
        return [{"rate": str(rate), "name": name}]

    def products(self) -> Decimal:
        """Give what the products come to before coupons."""
        return sum((charge.amount for charge in self.charges if charge.is_product), ZERO)


def fill_basket(chance: random.Random, customer: Customer) -> Basket:
    """Draw an order's content for a customer."""
    place = customer.place
    untaxed = customer.reverse_charge or not place.rates
    basket = Basket(
        currency=place.currency,
        # Shops show companies, and buyers outside the VAT, prices without tax.
        with_tax=not untaxed and "company" not in customer.fields and chance.random() < 0.7,  # noqa: PLR2004 most of them
        tax_name="Reverse charge" if customer.reverse_charge else EXPORT if untaxed else place.tax_name,
    )
    for article in chance.sample(ARTICLES, k=chance.choice((1, 1, 2, 2, 3, 4, 6))):
        _add_line(chance, basket, article, place, untaxed=untaxed)
    standard = ZERO if untaxed else Decimal(place.rates[0])
    if chance.random() < 0.3:  # noqa: PLR2004 every third order has a coupon
        _add_coupon(chance, basket)
    if chance.random() < 0.7:  # noqa: PLR2004 the others are downloads, or collected
        _add_shipping(chance, basket, standard, place)
    if chance.random() < 0.15:  # noqa: PLR2004 some pay in a way that costs
        _add_fee(chance, basket, standard, place)
    if place.currency == "CHF":
        _round_to_five(basket)
    return basket


def in_currency(net: Decimal, place: Place, decimals: int) -> Decimal:
    """Give a net price in euros in the currency of the place; a price with four decimals keeps them."""
    digits = max(decimals, -int(net.as_tuple().exponent)) if decimals else 0
    rate = Decimal(place.exchange_rate) if place.exchange_rate else Decimal(1)
    return rounded(net / rate, digits)


def _add_line(chance: random.Random, basket: Basket, article: Article, place: Place, *, untaxed: bool) -> None:
    rate = ZERO if untaxed else Decimal(place.rates[0 if article.tax_class == "standard" else chance_of(chance, place)])
    price = in_currency(article.price, place, basket.decimals)
    if basket.with_tax:
        price = rounded(price * (_HUNDRED + rate) / _HUNDRED, basket.decimals)
    quantity = _quantity(chance, article)
    gross = line_amount(quantity, price, ZERO, basket.decimals)
    off = rounded(gross * chance.choice((5, 10, 25)) / _HUNDRED, basket.decimals) if chance.random() < 0.2 else ZERO  # noqa: PLR2004 every fifth line
    amount = line_amount(quantity, price, off, basket.decimals)
    entry: dict[str, Any] = {
        "id": str(len(basket.charges) + 1),
        "sku": article.sku,
        "name": article.name,
        "kind": article.kind,
        "tax_class": article.tax_class,
        "quantity": str(quantity),
        "unit": article.unit,
        "unit_price": str(price),
        "taxes": basket.taxes(rate),
        "total": str(amount),
    }
    entry |= {"description": article.description} if article.description else {}
    entry |= {"discount": str(off)} if off else {}
    basket.put("lines", entry, Charge(amount=amount, rate=rate))


def chance_of(chance: random.Random, place: Place) -> int:
    """Draw which of a place's reduced rates applies; the standard one where there is no other."""
    return chance.randrange(1, len(place.rates)) if len(place.rates) > 1 else 0


def _quantity(chance: random.Random, article: Article) -> Decimal:
    if article.by_weight:
        return Decimal(chance.choice(_WEIGHTS))
    if article.sku.startswith("SCREW"):
        return Decimal(chance.choice((50, 200, 333)))
    return Decimal(chance.choice((1, 1, 1, 2, 3, 12)))


def _add_coupon(chance: random.Random, basket: Basket) -> None:
    percent = chance.choice((5, 10, 15))
    amount = rounded(basket.products() * percent / _HUNDRED, basket.decimals)
    if amount:
        coupon = {"code": f"WELCOME{percent}", "description": f"{percent} % off", "amount": str(amount)}
        basket.fields.setdefault("discounts", []).append(coupon)
        basket.coupons.append(amount)


def _add_shipping(chance: random.Random, basket: Basket, rate: Decimal, place: Place) -> None:
    method, net = chance.choice((("Parcel", "5.74"), ("Express", "12.40"), ("Letterbox", "3.26")))
    amount = _with_tax(in_currency(Decimal(net), place, basket.decimals), rate, basket)
    entry: dict[str, Any] = {"method": method, "amount": str(amount), "taxes": basket.taxes(rate)}
    off = rounded(amount / 2, basket.decimals) if chance.random() < 0.1 else ZERO  # noqa: PLR2004 a promotion now and then
    entry |= {"discount": str(off)} if off else {}
    basket.put("shipping", entry, Charge(amount=amount - off, rate=rate, is_product=False))


def _add_fee(chance: random.Random, basket: Basket, rate: Decimal, place: Place) -> None:
    name, kind = chance.choice((("Pay later", "fee"), ("Gift wrapping 🎁", "fee"), ("Card surcharge", "surcharge")))
    amount = _with_tax(in_currency(Decimal("1.65"), place, basket.decimals), rate, basket)
    entry = {"name": name, "kind": kind, "amount": str(amount), "taxes": basket.taxes(rate)}
    basket.put("fees", entry, Charge(amount=amount, rate=rate, is_product=False))


def _with_tax(net: Decimal, rate: Decimal, basket: Basket) -> Decimal:
    return rounded(net * (_HUNDRED + rate) / _HUNDRED, basket.decimals) if basket.with_tax else net


def _round_to_five(basket: Basket) -> None:
    """Round the total to 0.05 francs, as the till does; the difference is a line of its own, without VAT."""
    total = basket.bill().grand_total
    difference = rounded(total * 20, 0) / 20 - total
    if difference:
        entry = {"name": "Rounding to 0.05", "kind": "rounding", "amount": str(difference)}
        charge = Charge(amount=difference, rate=ZERO, is_product=False, taxed=False)
        basket.put("fees", entry, charge)
