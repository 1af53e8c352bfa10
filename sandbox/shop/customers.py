"""The shop's customers: companies and people of many countries, some of them in the ledger already."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

from sandbox.shop.expectations import Standing
from sandbox.shop.places import EU, HOME, PLACES, Place

_COMPANY_SHARE = 0.2
_PHONE_SHARE = 0.4
_SECOND_ADDRESS_SHARE = 0.15
_LONG_NAME_EVERY = 23
_LEGAL_FORMS = {"NL": "B.V.", "DE": "GmbH", "FR": "SARL", "IT": "S.r.l.", "AT": "GmbH", "BE": "BV", "JP": "株式会社"}
_TRADES = ("Interiors", "Catering", "Bookshop", "Atelier", "Trading", "Studio", "Garden Supplies", "Coffee Roasters")
_LONG_COMPANY = "Association for the Restoration and Continued Operation of Historic Wind and Water Mills of the Region"


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """One customer. ``fields`` and ``addresses`` are as orders state them; ``former_street`` is where MOVED lived."""

    place: Place
    standing: Standing
    fields: dict[str, Any]
    addresses: dict[str, Any]
    former_street: str = ""

    @property
    def reverse_charge(self) -> bool:
        """Tell whether the customer is a company of another EU state, which owes the VAT itself."""
        return bool(self.fields.get("reverse_charge"))


class People:
    """Makes customers, one unlike the other. ``chance`` decides; the same chance gives the same customers."""

    def __init__(self, chance: random.Random, *, prefix: str = "c") -> None:
        self._chance = chance
        self._prefix = prefix
        self._numbers = count(1)
        self._names: dict[str, Iterator[tuple[str, str]]] = {place.country: _names(place) for place in PLACES}

    def new(self, standing: Standing = Standing.NEW, *, place: Place | None = None) -> Customer:
        """Make a customer with an account."""
        chance = self._chance
        place = place or chance.choices(PLACES, weights=[one.weight for one in PLACES])[0]
        number = next(self._numbers)
        first, last = next(self._names[place.country])
        fields: dict[str, Any] = {
            "id": f"{self._prefix}-{number}",
            "email": f"{self._prefix}-{number}@mail.{place.country.lower()}.example",
            "name": f"{first} {last}",
            "first_name": first,
            "last_name": last,
            "language": place.country.lower(),
        }
        if chance.random() < _PHONE_SHARE:
            fields["phone"] = f"+{chance.randint(10, 99)} {chance.randint(1000000, 9999999)}"
        if chance.random() < _COMPANY_SHARE:
            fields |= self._company(place, number, last)
        return Customer(
            place=place,
            standing=standing,
            fields=fields,
            addresses=self._addresses(place, fields),
            former_street="Former Street 1" if standing is Standing.MOVED else "",
        )

    def namesake_of(self, other: Customer) -> Customer:
        """Make another customer of the same name, as happens; their e-mail addresses tell them apart."""
        made = self.new(Standing.NAMESAKE, place=other.place)
        plain = {name: value for name, value in made.fields.items() if name not in _COMPANY_FIELDS}
        names = {name: other.fields[name] for name in ("name", "first_name", "last_name")}
        fields = {**plain, **names}
        return Customer(
            place=made.place,
            standing=Standing.NAMESAKE,
            fields=fields,
            addresses={
                "billing_address": {**_without_company(made.addresses["billing_address"]), "name": names["name"]}
            },
        )

    def guest(self) -> Customer:
        """Make a guest: no account and no name; half of them leave an e-mail address."""
        place = self._chance.choice([one for one in PLACES if one.rates])
        number = next(self._numbers)
        fields: dict[str, Any] = {}
        if self._chance.random() < 0.5:  # noqa: PLR2004 half of them
            fields["email"] = f"guest.{self._prefix}-{number}@mail.{place.country.lower()}.example"
        postal_code, town = self._chance.choice(place.towns)
        address = {"postal_code": postal_code, "city": town, "country": place.country}
        return Customer(place=place, standing=Standing.GUEST, fields=fields, addresses={"billing_address": address})

    def _company(self, place: Place, number: int, last: str) -> dict[str, Any]:
        form = _LEGAL_FORMS.get(place.country, "Ltd")
        name = f"{last} {self._chance.choice(_TRADES)} {number} {form}"
        company: dict[str, Any] = {"company": f"{_LONG_COMPANY} {name}" if number % _LONG_NAME_EVERY == 0 else name}
        if place.country in EU:
            company["tax_number"] = f"{place.country}{100_000_000 + number}"
            company["reverse_charge"] = place.country != HOME
        return company

    def _addresses(self, place: Place, fields: dict[str, Any]) -> dict[str, Any]:
        addresses = {"billing_address": self._address(place, fields)}
        if self._chance.random() < _SECOND_ADDRESS_SHARE:
            addresses["shipping_address"] = self._address(place, fields)
        return addresses

    def _address(self, place: Place, fields: dict[str, Any]) -> dict[str, Any]:
        postal_code, town = self._chance.choice(place.towns)
        address = {
            "name": fields["name"],
            "street": self._chance.choice(place.streets),
            "house_number": str(self._chance.randint(1, 240)),
            "postal_code": postal_code,
            "city": town,
            "country": place.country,
        }
        return address | ({"company": fields["company"]} if "company" in fields else {})


_COMPANY_FIELDS = frozenset({"company", "tax_number", "reverse_charge"})


def _without_company(address: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in address.items() if name != "company"}


def _names(place: Place) -> Iterator[tuple[str, str]]:
    """Give every pair of names once, then the same pairs with a number behind: no two customers share one by chance."""
    pairs = [(first, last) for last in place.family for first in place.given]
    for turn in count(1):
        for at in range(len(pairs)):
            # A step that has no divisor in common with the number of pairs meets each of them once, well mixed.
            first, last = pairs[at * 7 % len(pairs)] if len(pairs) % 7 else pairs[at]
            yield first, last if turn == 1 else f"{last} {turn}"
