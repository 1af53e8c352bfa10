"""The whole books of an organisation, for whoever checks what Booked has made of them."""

from typing import Any

from sandbox.zoho.contact_answers import contact_detail
from sandbox.zoho.creditnote_answers import creditnote_detail
from sandbox.zoho.invoice_answers import invoice_detail
from sandbox.zoho.organizations import Organization
from sandbox.zoho.payments import payment_detail
from sandbox.zoho.store import Search
from sandbox.zoho.world import World

_EVERYTHING = 10_000_000
_SHOWN = {
    "contacts": ("contact", contact_detail),
    "invoices": ("invoice", invoice_detail),
    "creditnotes": ("creditnote", creditnote_detail),
    "payments": ("payment", payment_detail),
}


def ledger_of(world: World, organization: Organization) -> dict[str, Any]:
    """Give everything that is in the books, oldest first, in full, with the mails that were sent."""
    call = world.call_of(organization)
    search = Search(order="created, id", limit=_EVERYTHING)
    books: dict[str, Any] = {}
    for name, (kind, shown) in _SHOWN.items():
        found = world.store.find(kind, organization.organization_id, search)
        books[name] = [{**shown(call, one), "mails": one.body.get("mails", [])} for one in found]
    return books


def live_invoices(world: World, organization: Organization) -> dict[str, Any]:
    """Group the invoices that count by their reference.

    An invoice counts unless it is void or credited in full. `doubles` names the references that have more than one.
    """
    rows = world.store.rows(
        "SELECT id, number, reference, status, json_extract(body, '$.total') AS total,"
        " json_extract(body, '$.credits_applied') AS credited FROM documents"
        " WHERE organization_id = ? AND kind = 'invoice' AND status <> 'void' ORDER BY created, id",
        (organization.organization_id,),
    )
    references: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        if row["credited"] and row["credited"] >= row["total"]:
            continue
        shown = {"invoice_id": row["id"], "invoice_number": row["number"], "total": row["total"]}
        references.setdefault(row["reference"], []).append(shown | {"status": row["status"]})
    doubles = sorted(name for name, found in references.items() if len(found) > 1)
    return {"references": references, "live": sum(map(len, references.values())), "doubles": doubles}
