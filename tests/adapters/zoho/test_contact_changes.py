"""A changed contact at the stand-in, which removes persons, and fields of persons, that a change leaves out."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from consumer.adapters.zoho.data_centers import DataCenters
from consumer.adapters.zoho.ledger import ZohoLedgerFactory
from consumer.domain.customer_changes import changed, differs
from consumer.domain.ledger import Contact, ContactData, Operation, ReadContact, UpdateContact
from consumer.domain.orders import Address
from consumer.domain.settings import SANDBOX_DATA_CENTER, ConnectionSettings
from consumer.ports.ledger import Ledger
from sandbox.zoho.client import ControlClient
from tests.adapters.zoho.books import DEADLINE, ScriptedAccess

EVE = {
    "salutation": "Dr.",
    "first_name": "Eve",
    "last_name": "Adams",
    "email": "eve@example.com",
    "phone": "7",
    "mobile": "8",
    "designation": "Head of buying",
    "department": "Purchasing",
    "skype": "eve.adams",
    "is_primary_contact": True,
    "communication_preference": {"is_sms_enabled": True, "is_whatsapp_enabled": False},
}
ADA = {"salutation": "Ms.", "first_name": "A.", "email": "ada@example.com", "mobile": "9", "department": "Accounts"}
BERG: dict[str, Any] = {
    "contact_name": "Berg (Berlin)",
    "company_name": "Berg GmbH",
    "customer_sub_type": "business",
    "notes": "Pays late",
    "website": "https://berg.example",
    "contact_persons": [EVE, ADA],
    "billing_address": {"address": "Weg 1", "street2": "2nd floor", "zip": "10115", "city": "Berlin", "fax": "5"},
}


@dataclass(frozen=True, kw_only=True)
class Scene:
    """One organisation with one contact, as the adapter and as a person sees it."""

    ledger: Ledger
    client: httpx.AsyncClient
    contact_id: str

    async def ask(self, operation: Operation) -> Contact:
        """Make a call through the adapter."""
        found: Contact = (await self.ledger.execute(operation, deadline_seconds=DEADLINE)).result
        return found

    async def seen(self) -> dict[str, Any]:
        """Look at the contact in the ledger itself."""
        contact: dict[str, Any] = (await self.client.get(f"/contacts/{self.contact_id}")).json()["contact"]
        return contact


@pytest.fixture
async def scene(zoho_url: str) -> AsyncIterator[Scene]:
    """Found an organisation and enter the contact by hand."""
    async with ControlClient(zoho_url) as control:
        founded = await control.create_organization(
            name="Books", currency_code="EUR", time_zone="Europe/Rome", country_code="IT"
        )
        granted = await control.grant(organization_ids=[founded.organization_id])
        settings = ConnectionSettings(
            connection_id="main", data_center=SANDBOX_DATA_CENTER, organization_id=founded.organization_id
        )
        factory = ZohoLedgerFactory(DataCenters.make(sandbox_url=zoho_url), leave_within_seconds=DEADLINE)
        ledger = factory.open(settings, ScriptedAccess([granted.access_token] * 2))
        async with httpx.AsyncClient(
            base_url=f"{zoho_url}/books/v3",
            params={"organization_id": founded.organization_id},
            headers={"Authorization": f"Zoho-oauthtoken {granted.access_token}"},
            timeout=DEADLINE,
        ) as client:
            made = (await client.post("/contacts", json=BERG)).json()
            yield Scene(ledger=ledger, client=client, contact_id=made["contact"]["contact_id"])
        await ledger.aclose()


def told(person: dict[str, Any], of: dict[str, Any]) -> dict[str, Any]:
    """Give those fields of a person that were entered."""
    return {name: person.get(name) for name in of}


async def write(scene: Scene, want: ContactData) -> Contact:
    """Bring the contact up to date as a lane does, and see that it is."""
    before = await scene.ask(ReadContact(contact_id=scene.contact_id))
    assert differs(before, want)
    data = changed(before, want)
    after = await scene.ask(UpdateContact(contact_id=scene.contact_id, data=data, persons=before.persons))
    assert not differs(after, want)
    return await scene.ask(ReadContact(contact_id=scene.contact_id))


async def test_a_change_keeps_every_person_with_every_field(scene: Scene) -> None:
    """Ada's name and VAT number are told by an order; Eve keeps all that is hers, Ada what the order does not tell."""
    want = ContactData(name="x", email="ada@example.com", first_name="Ada", last_name="Berg", tax_number="DE811569869")
    read = await write(scene, want)
    assert not differs(read, want)
    seen = await scene.seen()
    eve, ada = seen["contact_persons"]
    assert told(eve, EVE) == EVE
    assert told(ada, ADA) == {**ADA, "first_name": "Ada"}
    assert (ada["last_name"], seen["vat_reg_no"]) == ("Berg", "DE811569869")


async def test_a_change_empties_nothing_that_people_filled_in(scene: Scene) -> None:
    """Name, kind, notes, website and the rest of the address stay; the order tells a receiver alone."""
    place = Address(name="Goods in", street="Weg 1", postal_code="10115", city="Berlin")
    await write(scene, ContactData(name="x", notes="Name: y", billing=place))
    seen = await scene.seen()
    kept = {name: seen[name] for name in ("contact_name", "company_name", "customer_sub_type", "notes", "website")}
    assert kept == {name: BERG[name] for name in kept}
    billing = seen["billing_address"]
    assert (billing["attention"], billing["street2"], billing["fax"]) == ("Goods in", "2nd floor", "5")


async def test_somebody_new_is_added_beside_those_that_are_there(scene: Scene) -> None:
    """Another mailbox is another person; the primary one stays who it was."""
    read = await write(scene, ContactData(name="x", email="otto@example.com", first_name="Otto"))
    assert [(one.email, one.primary) for one in read.persons] == [
        ("eve@example.com", True),
        ("ada@example.com", False),
        ("otto@example.com", False),
    ]
