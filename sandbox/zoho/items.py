"""Items: what the organisation sells, with its price, its tax and its SKU."""

from collections.abc import Mapping
from typing import Any

from sandbox.zoho import checks, customfields
from sandbox.zoho.calls import Answer, Call, invalid, rule
from sandbox.zoho.clock import stamp
from sandbox.zoho.contact_answers import LOCK
from sandbox.zoho.invoice_answers import SALES
from sandbox.zoho.listing import Listing, equal_to, listed, number, texts
from sandbox.zoho.shapes import ITEM, ITEM_ROW
from sandbox.zoho.store import Document, Search
from sandbox.zoho.taxes import percentage_of, tax_of

_TEXTS: dict[str, int | None] = {"description": 2000, "sku": 100, "unit": 100, "tax_id": 100, "account_id": 100}
_CHOICES = {
    "product_type": {"goods", "service", "digital_service"},
    "item_type": {"sales", "purchases", "sales_and_purchases", "inventory"},
}
_NAME_MAX = 100


def _search_text(_call: Call, search: Search, value: str) -> None:
    wanted = f"%{value}%"
    search.where("(name LIKE ? OR number LIKE ? OR json_extract(body, '$.description') LIKE ?)", wanted, wanted, wanted)


_LISTING = Listing(
    resource="items",
    report="Items",
    filters={
        **texts("name", "name"),
        **texts("description", "json_extract(body, '$.description')"),
        "rate": number("json_extract(body, '$.rate')"),
        "tax_id": equal_to("json_extract(body, '$.tax_id')"),
        "account_id": equal_to("json_extract(body, '$.account_id')"),
        "search_text": _search_text,
    },
    orders={"name": "name", "rate": "json_extract(body, '$.rate')", "tax_name": "json_extract(body, '$.tax_id')"},
    order="name",
)


def list_items(call: Call) -> Answer:
    """GET /items. There is no filter by SKU: `sku=` is ignored like every unknown one."""
    return listed(call, "item", _LISTING, _row, "Status.All")


def create_item(call: Call) -> Answer:
    """POST /items: a name that exists is refused with code 1000."""
    document = Document(
        id=call.ids.take(),
        kind="item",
        organization_id=call.organization.organization_id,
        body={**dict.fromkeys(_TEXTS, ""), "name": "", "rate": None, "status": "active", "custom_values": {}}
        | {"product_type": "goods", "item_type": "sales"},
        created=call.now,
    )
    _read(call, call.mapping(), document)
    return _answer(call, document, "The item has been added.", status=201)


def _read(call: Call, given: Mapping[str, Any], document: Document) -> None:
    body = document.body
    if "name" in given or not body["name"]:
        body["name"] = checks.text(call, given, "name", _NAME_MAX)
    if not body["name"]:
        raise invalid("name")
    if body["rate"] is None and given.get("rate") is None:
        raise invalid("rate")
    if given.get("rate") is not None:
        body["rate"] = checks.amount(given, "rate")
    body |= checks.texts(call, given, _TEXTS)
    for name, choices in _CHOICES.items():
        body[name] = checks.text(call, given, name) or body[name]
        if body[name] not in choices:
            raise invalid(name)
    if body["tax_id"] and tax_of(call, body["tax_id"]) is None:
        raise invalid("tax_id")
    body["custom_values"] = customfields.read(call, given, body["custom_values"])
    _save(call, document)


def _save(call: Call, document: Document) -> None:
    body = document.body
    for column, value, message in (
        ("name_key", body["name"].casefold(), f'The item "{body["name"]}" already exists.'),
        ("number", body["sku"], f'The SKU "{body["sku"]}" already exists.'),
    ):
        condition = f"{column} = ? AND id <> ?"
        if value and call.store.first("item", document.organization_id, condition, value, document.id) is not None:
            raise rule(1000, message)
    customfields.claim(call, document)
    document.modified = call.now
    call.store.put(document)


def get_item(call: Call) -> Answer:
    """GET /items/{item_id}."""
    return _answer(call, _known(call), "success")


def get_details(call: Call) -> Answer:
    """GET /itemdetails?item_ids=: several items at once; unknown ids are left out."""
    ids = [one for one in call.query.get("item_ids", "").split(",") if one][:100]
    found = [call.store.get("item", call.organization.organization_id, one) for one in ids]
    rows = [_detail(call, one) for one in found if one is not None]
    return Answer(body={"code": 0, "message": "success", "items": rows})


def update_item(call: Call) -> Answer:
    """PUT /items/{item_id}: what is not named is kept."""
    document = _known(call)
    _read(call, call.mapping(), document)
    return _answer(call, document, "Item details have been saved.")


def delete_item(call: Call) -> Answer:
    """DELETE /items/{item_id}: refused with 2049 while an invoice has it."""
    document = _known(call)
    used = call.store.first("invoice", document.organization_id, "instr(body, ?) > 0", f'"item_id":"{document.id}"')
    if used is not None:
        raise rule(2049, "The item is part of a transaction and cannot be deleted.")
    customfields.release(call, document)
    call.store.delete(document)
    return Answer(body={"code": 0, "message": "The item has been deleted."})


def activate(call: Call) -> Answer:
    """POST /items/{item_id}/active."""
    return _set_status(call, "active")


def deactivate(call: Call) -> Answer:
    """POST /items/{item_id}/inactive."""
    return _set_status(call, "inactive")


def _set_status(call: Call, status: str) -> Answer:
    document = _known(call)
    document.body["status"] = status
    _save(call, document)
    return Answer(body={"code": 0, "message": f"The item has been marked as {status}."})


def _known(call: Call) -> Document:
    document = call.store.get("item", call.organization.organization_id, call.names["item_id"])
    if document is None:
        raise rule(2006, "The item does not exist.")
    return document


def _common(call: Call, document: Document) -> dict[str, Any]:
    body = document.body
    tax = tax_of(call, body["tax_id"]) if body["tax_id"] else None
    names = ("name", "sku", "status", "unit", "description", "rate", "tax_id", "item_type", "product_type")
    return {
        "item_id": document.id,
        **{name: body[name] for name in names},
        **SALES,
        "tax_name": tax.name if tax else "",
        "tax_percentage": percentage_of(tax) if tax else 0,
        "source": "api",
        "created_time": stamp(document.created, call.organization.time_zone),
        "last_modified_time": stamp(document.modified, call.organization.time_zone),
    }


def _row(call: Call, document: Document) -> dict[str, Any]:
    return {**ITEM_ROW, **_common(call, document), "item_name": document.body["name"]}


def _detail(call: Call, document: Document) -> dict[str, Any]:
    common = _common(call, document)
    bracket = {"start_quantity": 1, "end_quantity": 1, "pricebook_rate": common["rate"]}
    return {
        **ITEM,
        **common,
        **customfields.shown(call.organization, document.body["custom_values"]),
        "group_id": document.id,
        "unit_id": "",
        "tax_type": "tax" if common["tax_id"] else "",
        "pricebook_rate": common["rate"],
        "sales_rate": common["rate"],
        "pricing_scheme": "unit",
        "default_price_brackets": [bracket],
        "created_at": call.clock.date(call.organization.time_zone, at=document.created),
        "lock_details": {"can_lock": False},
        "lock_detail": LOCK,
    }


def _answer(call: Call, document: Document, message: str, *, status: int = 200) -> Answer:
    return Answer(status=status, body={"code": 0, "message": message, "item": _detail(call, document)})
