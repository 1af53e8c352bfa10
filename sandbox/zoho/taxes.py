"""Taxes, groups of taxes, and exemptions."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from sandbox.zoho import checks
from sandbox.zoho.arithmetic import Tax, TaxPart
from sandbox.zoho.calls import Answer, Call, invalid, missing, rule
from sandbox.zoho.listing import Listing, page
from sandbox.zoho.numbers import decimal_of
from sandbox.zoho.store import Document, Search

_HUNDRED = Decimal(100)
_BLANK = {
    "tax_specific_type": "",
    "tax_factor": "rate",
    "tax_authority_id": "",
    "tax_authority_name": "",
    "is_default_tax": False,
    "is_editable": True,
    "output_tax_account_name": "",
    "purchase_tax_account_name": "",
    "tax_account_id": "",
    "purchase_tax_account_id": "",
}
_LISTING = Listing(resource="taxes", report="Taxes", filters={}, orders={"tax_name": "name"}, order="tax_name")


def tax_of(call: Call, tax_id: str) -> Tax | None:
    """Find what an id on a line means: a tax, a group of taxes, or nothing."""
    organization_id = call.organization.organization_id
    found = call.store.get("tax", organization_id, tax_id)
    if found is not None:
        return Tax(tax_id=tax_id, name=found.body["tax_name"], parts=(_part(found),))
    group = call.store.get("tax_group", organization_id, tax_id)
    if group is None:
        return None
    members = [call.store.get("tax", organization_id, member) for member in group.body["taxes"]]
    parts = tuple(_part(member) for member in members if member is not None)
    return Tax(tax_id=tax_id, name=group.body["tax_group_name"], parts=parts, is_group=True)


def percentage_of(tax: Tax) -> Decimal:
    """Give a tax's percentage as lists and lines show it."""
    return tax.fraction() * _HUNDRED


def _part(document: Document) -> TaxPart:
    return TaxPart(
        tax_id=document.id,
        name=document.body["tax_name"],
        percentage=decimal_of(document.body["tax_percentage"]) or Decimal(0),
        is_compound=document.body["tax_type"] == "compound_tax",
    )


def make_tax(call: Call, body: Mapping[str, Any]) -> Document:
    """Write a new tax. Name and percentage are required; `tax_type` is tax or compound_tax."""
    name = checks.text(call, body, "tax_name", 100)
    percentage = checks.amount(body, "tax_percentage", Decimal(-1))
    kind = checks.text(call, body, "tax_type") or "tax"
    if not name:
        raise invalid("tax_name")
    if not 0 <= percentage <= _HUNDRED:
        raise invalid("tax_percentage", code=4)
    if kind not in {"tax", "compound_tax"}:
        raise invalid("tax_type")
    document = Document(
        id=call.ids.take(),
        kind="tax",
        organization_id=call.organization.organization_id,
        created=call.now,
        modified=call.now,
        body={
            "tax_name": name,
            "tax_percentage": percentage,
            "tax_type": kind,
            "country_code": checks.text(call, body, "country_code", 2),
            "is_value_added": checks.flag(body, "is_value_added", default=True),
            "status": "active",
        },
    )
    call.store.put(document)
    return document


def make_group(call: Call, body: Mapping[str, Any]) -> Document:
    """Write a new group from a comma-separated list of tax ids."""
    members = [one.strip() for one in checks.text(call, body, "taxes").split(",") if one.strip()]
    name = checks.text(call, body, "tax_group_name", 100)
    if not name or not members:
        raise invalid("tax_group_name" if not name else "taxes")
    if any(call.store.get("tax", call.organization.organization_id, member) is None for member in members):
        raise invalid("taxes")
    document = Document(
        id=call.ids.take(),
        kind="tax_group",
        organization_id=call.organization.organization_id,
        created=call.now,
        modified=call.now,
        body={"tax_group_name": name, "taxes": members, "status": "active"},
    )
    call.store.put(document)
    return document


def shown_tax(call: Call, document: Document) -> dict[str, Any]:
    """Give a tax, or a group as lists show it among the taxes."""
    if document.kind == "tax_group":
        tax = tax_of(call, document.id)
        name, kind = document.body["tax_group_name"], "tax_group"
        percentage = percentage_of(tax) if tax is not None else Decimal(0)
    else:
        name, kind = document.body["tax_name"], document.body["tax_type"]
        percentage = document.body["tax_percentage"]
    return {
        "tax_id": document.id,
        "tax_name": name,
        "tax_percentage": percentage,
        "tax_type": kind,
        **_BLANK,
        "is_value_added": document.body.get("is_value_added", True),
    }


def shown_group(call: Call, document: Document) -> dict[str, Any]:
    """Give a group with its members."""
    tax = tax_of(call, document.id)
    members = [call.store.get("tax", document.organization_id, member) for member in document.body["taxes"]]
    return {
        "tax_group_id": document.id,
        "tax_group_name": document.body["tax_group_name"],
        "tax_group_percentage": percentage_of(tax) if tax is not None else 0,
        "taxes": [shown_tax(call, member) for member in members if member is not None],
    }


def _detail(call: Call, document: Document) -> dict[str, Any]:
    code = document.body.get("country_code", "")
    return shown_tax(call, document) | {"country": code, "country_code": code}


def list_taxes(call: Call) -> Answer:
    """GET /settings/taxes: taxes and groups together, by name."""
    everything = Search(order="name, id", limit=10_000)
    taxes = call.store.find("tax", call.organization.organization_id, everything)
    groups = call.store.find("tax_group", call.organization.organization_id, everything)
    rows = [shown_tax(call, one) for one in [*taxes, *groups]]
    extra = {"applied_filter": "Taxes.Active", "as_of_date": call.today, "to_date": call.today}
    return page(call, _LISTING, rows, extra=extra)


def create_tax(call: Call) -> Answer:
    """POST /settings/taxes."""
    document = make_tax(call, call.mapping())
    return Answer(status=201, body={"code": 0, "message": "The tax has been added.", "tax": _detail(call, document)})


def get_tax(call: Call) -> Answer:
    """GET /settings/taxes/{tax_id}."""
    return Answer(body={"code": 0, "message": "success", "tax": _detail(call, _known(call, "tax", "tax_id"))})


def delete_tax(call: Call) -> Answer:
    """DELETE /settings/taxes/{tax_id}: refused while a group has it."""
    document = _known(call, "tax", "tax_id")
    groups = call.store.find("tax_group", document.organization_id, Search(limit=10_000))
    if any(document.id in group.body["taxes"] for group in groups):
        raise rule(3000, "The tax belongs to a group and cannot be deleted.")
    call.store.delete(document)
    return Answer(body={"code": 0, "message": "The tax has been deleted."})


def create_group(call: Call) -> Answer:
    """POST /settings/taxgroups."""
    document = make_group(call, call.mapping())
    shown = shown_group(call, document)
    return Answer(status=201, body={"code": 0, "message": "The tax group has been added.", "tax_group": shown})


def get_group(call: Call) -> Answer:
    """GET /settings/taxgroups/{tax_group_id}."""
    shown = shown_group(call, _known(call, "tax_group", "tax_group_id"))
    return Answer(body={"code": 0, "message": "success", "tax_group": shown})


def list_exemptions(call: Call) -> Answer:
    """GET /settings/taxexemptions: those that the sandbox was given, by default none."""
    found = call.store.find("tax_exemption", call.organization.organization_id, Search(limit=1000))
    rows = [{"tax_exemption_id": one.id, **one.body} for one in found]
    return Answer(body={"code": 0, "message": "success", "tax_exemptions": rows})


def create_exemption(call: Call) -> Answer:
    """POST /settings/taxexemptions."""
    body = call.mapping()
    exemption = {
        "tax_exemption_code": checks.text(call, body, "tax_exemption_code", 100),
        "description": checks.text(call, body, "description", 500),
        "type": checks.text(call, body, "type", 100) or "customer",
    }
    document = Document(
        id=call.ids.take(), kind="tax_exemption", organization_id=call.organization.organization_id, body=exemption
    )
    call.store.put(document)
    shown = {"tax_exemption_id": document.id, **exemption}
    return Answer(body={"code": 0, "message": "The tax exemption has been added.", "tax_exemption": shown})


def _known(call: Call, kind: str, name: str) -> Document:
    document = call.store.get(kind, call.organization.organization_id, call.names[name])
    if document is None:
        raise missing(call, "The tax")
    return document
