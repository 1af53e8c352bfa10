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
    search = Search(order="created, id", limit=_EVERYTHING)
    search.where("status <> 'void'")
    references: dict[str, list[dict[str, Any]]] = {}
    for one in world.store.find("invoice", organization.organization_id, search):
        body = one.body
        if body["credits_applied"] and body["credits_applied"] >= body["total"]:
            continue
        shown = {"invoice_id": one.id, "invoice_number": body["invoice_number"], "total": body["total"]}
        references.setdefault(body["reference_number"], []).append(shown | {"status": body["status"]})
    doubles = sorted(name for name, found in references.items() if len(found) > 1)
    return {"references": references, "live": sum(map(len, references.values())), "doubles": doubles}
