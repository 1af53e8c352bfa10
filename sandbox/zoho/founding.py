"""Founding an organisation: its settings, currencies and taxes, as its people would have made them."""

from collections.abc import Mapping
from typing import Any

from sandbox.zoho.calls import Refusal
from sandbox.zoho.currencies import currency_by_code, make_currency
from sandbox.zoho.items import create_item
from sandbox.zoho.organizations import Limits, Organization, changed
from sandbox.zoho.store import Document
from sandbox.zoho.taxes import make_group, make_tax
from sandbox.zoho.world import World

_OWN = {"organization_id", "currency_code", "taxes", "tax_groups", "currencies", "tax_exemptions", "items", "email"}


def found_organization(world: World, body: Mapping[str, Any]) -> dict[str, Any]:
    """Make an organisation with everything in it, and give the ids of all of it.

    `taxes` are bodies of POST /settings/taxes; `tax_groups` are `{tax_group_name, taxes: [names]}`; `currencies` are
    codes or `{currency_code, price_precision, exchange_rate}`. Raises `ValueError` for what cannot be.
    """
    organization = _settled(world, body)
    world.keep_organization(organization)
    make_currency(
        world.store,
        organization.organization_id,
        currency_id=organization.currency_id,
        code=organization.currency_code,
        precision=organization.price_precision if "price_precision" in body else None,
    )
    for one in body.get("currencies", []):
        _add_currency(world, organization, one)
    try:
        return _ids(world, organization, body)
    except Refusal as refusal:
        raise ValueError(refusal.message) from refusal


def _settled(world: World, body: Mapping[str, Any]) -> Organization:
    organization_id = str(body.get("organization_id") or world.ids.take()[-9:])
    if organization_id in world.organizations:
        raise ValueError(f"The organization {organization_id} exists already; change it with PATCH.")
    organization = Organization(
        organization_id=organization_id,
        name=str(body.get("name", "Sandbox")),
        currency_id=world.ids.take(),
        currency_code=str(body.get("currency_code", "EUR")),
        email=str(body.get("email", "books@sandbox.test")),
        created=world.clock.now(),
        limits=Limits(),
        unique_field_id=world.ids.take(),
    )
    return changed(organization, {name: value for name, value in body.items() if name not in _OWN})


def _add_currency(world: World, organization: Organization, given: str | Mapping[str, Any]) -> None:
    one: Mapping[str, Any] = {"currency_code": given} if isinstance(given, str) else given
    code = str(one["currency_code"])
    if code != organization.currency_code:
        make_currency(
            world.store,
            organization.organization_id,
            currency_id=world.ids.take(),
            code=code,
            precision=one.get("price_precision"),
            rate=one.get("exchange_rate", 1),
        )


def _ids(world: World, organization: Organization, body: Mapping[str, Any]) -> dict[str, Any]:
    call = world.call_of(organization)
    taxes = {one["tax_name"]: make_tax(call, one).id for one in body.get("taxes", [])}
    groups = {
        one["tax_group_name"]: make_group(
            call, {**one, "taxes": ",".join(taxes.get(name, name) for name in one["taxes"])}
        ).id
        for one in body.get("tax_groups", [])
    }
    for one in body.get("tax_exemptions", []):
        world.store.put(
            Document(
                id=world.ids.take(), kind="tax_exemption", organization_id=organization.organization_id, body=dict(one)
            )
        )
    items = {
        one["name"]: create_item(world.call_of(organization, body=one)).body["item"]["item_id"]
        for one in body.get("items", [])
    }
    codes = [
        organization.currency_code,
        *(one if isinstance(one, str) else one["currency_code"] for one in body.get("currencies", [])),
    ]
    currencies = {code: found.id for code in codes if (found := currency_by_code(call, code)) is not None}
    return {
        "organization_id": organization.organization_id,
        "unique_field_id": organization.unique_field_id if organization.unique_field else "",
        "taxes": taxes,
        "tax_groups": groups,
        "currencies": currencies,
        "items": items,
    }
