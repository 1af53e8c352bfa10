"""How many calls to the ledger an order costs, counted by the ledger's own record of requests."""

from typing import Any

import pytest

from sandbox.zoho.client import ControlClient
from tests.acceptance.installation import Installation, order

pytestmark = pytest.mark.acceptance

KNOWN = {"email": "known@shop.example", "name": "Known Buyer"}
LISTED = {"email": "listed@shop.example", "name": "Listed Buyer"}
MOVED = {"email": "moved@shop.example", "name": "Moved Buyer"}
ROME = {"street": "Via Roma", "house_number": "1", "city": "Roma", "country": "IT"}


class CallCounter:
    """Counts the calls that the ledger received for one order after the other."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._booked = 0

    async def calls_of(self, order_id: str, customer: dict[str, str]) -> list[str]:
        """Publish one order, wait until the shop was told, and give the calls as ``METHOD last-part-of-address``."""
        ledger = self._installation.ledger
        before = await ledger.newest_request()
        await self._installation.publish("paid", [order(order_id, customer=customer, billing_address=ROME)])
        self._booked += 1
        await self._installation.synced(self._booked, state="booked")
        organization_id = self._installation.organization.organization_id
        return [_said(request) for request in await ledger.requests(since=before, organization_id=organization_id)]


def _said(request: dict[str, Any]) -> str:
    return f"{request['method']} {request['template'].removeprefix('/books/v3/')}"


async def _make_contact(ledger: ControlClient, organization_id: str, customer: dict[str, str], street: str) -> None:
    """A person makes a contact in the ledger, before Booked ever sees it."""
    granted = await ledger.grant(client_id=f"by-hand-{customer['email']}", organization_ids=[organization_id])
    first_name, last_name = customer["name"].split()
    person = {"first_name": first_name, "last_name": last_name}
    body = {
        "contact_name": customer["name"],
        "contact_type": "customer",
        "contact_persons": [{**person, "email": customer["email"], "is_primary_contact": True}],
        "billing_address": {"address": street, "city": "Roma", "country": "Italy", "country_code": "IT"},
    }
    answer = await ledger._client.post(
        "/books/v3/contacts",
        params={"organization_id": organization_id},
        headers={"Authorization": f"Zoho-oauthtoken {granted.access_token}"},
        json=body,
    )
    assert answer.status_code == 201, answer.text


async def test_calls_per_order(installation: Installation) -> None:
    """Known customer 1 call; known from a list only 2, or 3 where billing data differ; new customer 2."""
    organization_id = installation.organization.organization_id
    await _make_contact(installation.ledger, organization_id, LISTED, "Via Roma 1")
    await _make_contact(installation.ledger, organization_id, MOVED, "Via Vecchia 9")
    await installation.apply()
    await installation.connect()
    async with installation.process():
        counter = CallCounter(installation)
        # The first order also pays for what the lane reads once: taxes, currencies, the list of contacts.
        first = await counter.calls_of("C-0", KNOWN)
        assert first[-2:] == ["POST contacts", "POST invoices"]
        assert await counter.calls_of("C-1", KNOWN) == ["POST invoices"]
        listed = await counter.calls_of("C-2", LISTED)
        assert len(listed) == 2
        assert listed[-1] == "POST invoices"
        moved = await counter.calls_of("C-3", MOVED)
        assert len(moved) == 3
        assert moved[1].startswith("PUT contacts")
        new = {"email": "new@shop.example", "name": "New Buyer"}
        assert await counter.calls_of("C-4", new) == ["POST contacts", "POST invoices"]
        assert await counter.calls_of("C-5", LISTED) == ["POST invoices"]
