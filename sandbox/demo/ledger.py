"""The ledger's side of the demo: organisations with taxes and currencies, and the contacts that are there before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import httpx

from sandbox.demo.books import UNIQUE_FIELD
from sandbox.errors import SandboxError
from sandbox.shop.customers import Customer
from sandbox.shop.expectations import ShopOrder
from sandbox.shop.own_orders import currencies_used, taxes_used
from sandbox.shop.places import currencies_of_the_shop, taxes_of_the_shop
from sandbox.zoho.client import CLIENT_ID, CLIENT_SECRET, ControlClient

BASE_CURRENCY = "EUR"
COUNTRY, TIME_ZONE = "NL", "Europe/Amsterdam"
REQUEST_TIMEOUT_SECONDS = 20.0
_CURRENCY_LETTERS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Organization:
    """One founded organisation; ``rates`` gives the percentage of each of its taxes by the tax's id."""

    organization_id: str
    rates: Mapping[str, Decimal]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The taxes (name, percentage), groups of taxes (names) and currencies that an organisation is to have.

    ``compound`` names those of the taxes that are taken of the net and the other taxes of their group.
    """

    taxes: tuple[tuple[str, Decimal], ...]
    groups: tuple[tuple[str, ...], ...]
    currencies: tuple[str, ...]
    compound: frozenset[str] = frozenset()


def wanted_by_the_shop() -> Wanted:
    """Give what the demo shop's orders need."""
    return Wanted(taxes=taxes_of_the_shop(), groups=(), currencies=currencies_of_the_shop())


def wanted_by(orders: Sequence[ShopOrder]) -> Wanted:
    """Give what somebody's own orders need: every rate that they name, and 0."""
    used = taxes_used(orders)
    taxes = {f"VAT {rate:f}%": rate for rate in (*used.rates, Decimal(0))}
    groups: list[tuple[str, ...]] = []
    compound: set[str] = set()
    for group in used.groups:
        names: list[str] = []
        for tax in group:
            name = f"VAT {tax.rate:f}%" + (" compound" if tax.compound else "")
            # Two taxes of one rate on a line are two taxes.
            name += f" ({names.count(name) + 1})" if name in names else ""
            taxes.setdefault(name, tax.rate)
            names.append(name)
            compound |= {name} if tax.compound else set()
        groups.append(tuple(names))
    return Wanted(
        taxes=tuple(taxes.items()),
        groups=tuple(groups),
        currencies=tuple(code for code in currencies_used(orders) if len(code) == _CURRENCY_LETTERS and code.isascii()),
        compound=frozenset(compound),
    )


async def found(control: ControlClient, *, name: str, wanted: Wanted, limits: Mapping[str, int]) -> Organization:
    """Found an organisation with these limits and with the unique custom field."""
    made = await control.create_organization(
        name=name,
        currency_code=BASE_CURRENCY,
        country_code=COUNTRY,
        time_zone=TIME_ZONE,
        unique_field=UNIQUE_FIELD,
        limits=dict(limits),
        taxes=[
            {
                "tax_name": tax,
                "tax_percentage": format(rate, "f"),
                "tax_type": "compound_tax" if tax in wanted.compound else "tax",
            }
            for tax, rate in wanted.taxes
        ],
        tax_groups=[{"tax_group_name": " + ".join(group), "taxes": list(group)} for group in wanted.groups],
        currencies=[code for code in wanted.currencies if code != BASE_CURRENCY],
    )
    percentages = dict(wanted.taxes)
    rates = {tax_id: percentages[tax] for tax, tax_id in made.taxes.items()}
    return Organization(organization_id=made.organization_id, rates=rates)


async def add_contacts(control: ControlClient, organization: Organization, customers: Sequence[Customer]) -> None:
    """Write customers into the ledger before Booked sees it, through Zoho's own interface, as a person would."""
    granted = await control.grant(client_id=CLIENT_ID, client_secret=CLIENT_SECRET)
    async with httpx.AsyncClient(
        base_url=f"{control.url}/books/v3",
        headers={"Authorization": f"Zoho-oauthtoken {granted.access_token}"},
        params={"organization_id": organization.organization_id},
        timeout=REQUEST_TIMEOUT_SECONDS,
        trust_env=False,
    ) as client:
        for customer in customers:
            answer = await client.post("/contacts", json=_contact(customer))
            if answer.is_error:
                raise SandboxError(f"the contact {customer.fields['name']} was not made: {answer.text}")


def _contact(customer: Customer) -> dict[str, Any]:
    fields = customer.fields
    person = {name: fields.get(name, "") for name in ("first_name", "last_name", "email", "phone")}
    contact: dict[str, Any] = {
        "contact_name": fields.get("company") or fields["name"],
        "contact_type": "customer",
        "customer_sub_type": "business" if "company" in fields else "individual",
        "company_name": fields.get("company", ""),
        "vat_reg_no": fields.get("tax_number", ""),
        "contact_persons": [person | {"is_primary_contact": True}],
    }
    for name, address in customer.addresses.items():
        contact[name] = _address(address, customer.former_street)
    return {name: value for name, value in contact.items() if value}


def _address(address: Mapping[str, Any], former_street: str) -> dict[str, str]:
    return {
        "attention": address["name"],
        "address": former_street or f"{address['street']} {address['house_number']}",
        "zip": address["postal_code"],
        "city": address["city"],
        "country": address["country"],
    }
