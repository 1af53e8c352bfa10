"""Contacts: made, listed, read, changed, removed."""

from typing import Any

from sandbox.zoho import customfields
from sandbox.zoho.calls import Answer, Call, missing, rule
from sandbox.zoho.contact_answers import contact_detail, contact_row, has_transactions
from sandbox.zoho.contact_fields import blank_contact, check_name_is_free, read_contact
from sandbox.zoho.listing import Listing, like, listed, texts
from sandbox.zoho.store import Document, Search

_FILTERS_BY = {
    "Status.All": None,
    "Status.Active": "status = 'active'",
    "Status.Inactive": "status = 'inactive'",
    "Status.Duplicate": (
        "name_key IN (SELECT name_key FROM documents d WHERE d.organization_id = documents.organization_id"
        " AND d.kind = 'contact' GROUP BY name_key HAVING count(*) > 1)"
    ),
}


def _filter_by(_call: Call, search: Search, value: str) -> None:
    condition = _FILTERS_BY.get(value)
    if condition:
        search.where(condition)


def _email(call: Call, search: Search, value: str) -> None:
    collation = "" if call.switch("email_filter") == "exact" else " COLLATE NOCASE"
    search.where(f"email = ?{collation}", value)


def _search_text(_call: Call, search: Search, value: str) -> None:
    wanted = f"%{value}%"
    search.where("(name LIKE ? OR json_extract(body, '$.notes') LIKE ?)", wanted, wanted)


def _contact_type(_call: Call, search: Search, value: str) -> None:
    if value in {"customer", "vendor"}:
        search.where("json_extract(body, '$.contact_type') = ?", value)


def _address(_call: Call, search: Search, value: str) -> None:
    search.where("json_extract(body, '$.billing_address.address') = ?", value)


_LISTING = Listing(
    resource="contacts",
    report="Contacts",
    filters={
        **texts("contact_name", "name"),
        **texts("company_name", "json_extract(body, '$.company_name')"),
        **texts("first_name", "json_extract(body, '$.first_name')"),
        **texts("last_name", "json_extract(body, '$.last_name')"),
        **texts("phone", "json_extract(body, '$.phone')"),
        "email": _email,
        "email_startswith": like("email"),
        "email_contains": like("email", before=True),
        "address": _address,
        "contact_type": _contact_type,
        "search_text": _search_text,
        "filter_by": _filter_by,
    },
    orders={
        "contact_name": "name",
        "first_name": "json_extract(body, '$.first_name')",
        "last_name": "json_extract(body, '$.last_name')",
        "email": "email",
        "created_time": "created",
        "last_modified_time": "modified",
    },
    order="contact_name",
)


def list_contacts(call: Call) -> Answer:
    """GET /contacts."""
    chosen = call.query.get("filter_by", "")
    return listed(call, "contact", _LISTING, contact_row, chosen if chosen in _FILTERS_BY else "Status.All")


def create_contact(call: Call) -> Answer:
    """POST /contacts."""
    return _create(call, call.mapping())


def _create(call: Call, given: dict[str, Any]) -> Answer:
    document = Document(
        id=call.ids.take(),
        kind="contact",
        organization_id=call.organization.organization_id,
        body=blank_contact(call),
        created=call.now,
    )
    read_contact(call, given, document.body)
    save_contact(call, document)
    return _answer(call, document, "The contact has been added.", status=201)


def save_contact(call: Call, document: Document) -> None:
    """Write a contact, with its name and its unique field checked. Its change time becomes now."""
    check_name_is_free(call, document)
    customfields.claim(call, document)
    document.modified = call.now
    call.store.put(document)


def get_contact(call: Call) -> Answer:
    """GET /contacts/{contact_id}."""
    return _answer(call, known_contact(call), "success")


def update_contact(call: Call) -> Answer:
    """PUT /contacts/{contact_id}: what is not named is kept."""
    return _update(call, known_contact(call), call.mapping())


def _update(call: Call, document: Document, given: dict[str, Any]) -> Answer:
    currency_before = document.body["currency_id"]
    read_contact(call, given, document.body)
    if document.body["currency_id"] != currency_before and has_transactions(call, document.id):
        raise rule(3010, "The currency of a contact with transactions cannot be changed.")
    save_contact(call, document)
    return _answer(call, document, "Contact information has been saved.")


def upsert_contact(call: Call) -> Answer:
    """PUT /contacts with the unique field's headers."""
    target = customfields.upsert_target(call, "contact")
    if target is None:
        return customfields.upsert_status(call, _create(call, call.mapping()), created=True)
    return _update(call, known_contact(call, target), call.mapping())


def delete_contact(call: Call) -> Answer:
    """DELETE /contacts/{contact_id}: refused while there are transactions."""
    _delete(call, known_contact(call))
    return Answer(body={"code": 0, "message": "The customer has been deleted."})


def delete_contacts(call: Call) -> Answer:
    """DELETE /contacts?contact_ids=."""
    for contact_id in filter(None, call.query.get("contact_ids", "").split(",")):
        _delete(call, known_contact(call, contact_id))
    return Answer(body={"code": 0, "message": "The customers have been deleted."})


def _delete(call: Call, document: Document) -> None:
    if has_transactions(call, document.id):
        raise rule(3000, "The contact has transactions and cannot be deleted.")
    customfields.release(call, document)
    call.store.delete(document)


def activate(call: Call) -> Answer:
    """POST /contacts/{contact_id}/active."""
    return _set_status(call, "active", "The contact has been marked as active.")


def deactivate(call: Call) -> Answer:
    """POST /contacts/{contact_id}/inactive."""
    return _set_status(call, "inactive", "The contact has been marked as inactive.")


def _set_status(call: Call, status: str, message: str) -> Answer:
    document = known_contact(call)
    document.body["status"] = status
    document.modified = call.now
    call.store.put(document)
    return Answer(body={"code": 0, "message": message})


def known_contact(call: Call, contact_id: str | None = None) -> Document:
    """Read the contact that a call names. Refused with code 1002 where there is none."""
    id_ = call.names["contact_id"] if contact_id is None else contact_id
    document = call.store.get("contact", call.organization.organization_id, id_)
    if document is None:
        raise missing(call, "The contact")
    return document


def _answer(call: Call, document: Document, message: str, *, status: int = 200) -> Answer:
    return Answer(status=status, body={"code": 0, "message": message, "contact": contact_detail(call, document)})
