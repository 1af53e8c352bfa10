"""The control API: organisations, the record of requests, the books as a whole, and who may ask."""

from pathlib import Path
from typing import Any

import pytest

from sandbox.zoho.app import Application
from sandbox.zoho.client import ControlClient, ControlError
from sandbox.zoho.store import Search, Store
from sandbox.zoho.world import open_world
from tests.sandbox.zoho.books import Books


async def test_an_organization_is_founded_with_all_its_parts(books: Books, control: ControlClient) -> None:
    """Taxes, groups, currencies and items come back under their names, with ids that work."""
    founded = await control.create_organization(
        organization_id=f"9{books.id}",
        name="Whole",
        currency_code="GBP",
        taxes=[{"tax_name": "A", "tax_percentage": 20}, {"tax_name": "B", "tax_percentage": 7.5}],
        tax_groups=[{"tax_group_name": "AB", "taxes": ["A", "B"]}],
        currencies=["EUR"],
        items=[{"name": "Lamp", "rate": 1, "sku": "L"}],
    )
    assert founded.organization_id == f"9{books.id}"
    assert (set(founded.taxes), set(founded.tax_groups)) == ({"A", "B"}, {"AB"})
    assert (set(founded.currencies), set(founded.items)) == ({"GBP", "EUR"}, {"Lamp"})
    books.token = (await control.grant()).access_token
    listed = await books.good("GET", "/settings/taxes", organization_id=founded.organization_id)
    assert [(one["tax_name"], one["tax_percentage"]) for one in listed["taxes"]] == [
        ("A", 20),
        ("B", 7.5),
        ("AB", 27.5),
    ]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"colour": "red"}, "no setting colour"),
        ({"limits": {"per_hour": 1}}, "Limits are"),
        ({"taxes": [{"tax_name": "A", "tax_percentage": 120}]}, "tax_percentage"),
    ],
)
async def test_an_impossible_organization_is_refused(
    control: ControlClient, settings: dict[str, Any], said: str
) -> None:
    """The answer names what is wrong."""
    with pytest.raises(ControlError, match=said):
        await control.create_organization(name="A", **settings)


async def test_organizations_see_their_own_books_only(books: Books, control: ControlClient) -> None:
    """A token for one organisation neither lists nor opens another."""
    other = await control.create_organization(name="Other")
    listed = (await books.good("GET", "/organizations"))["organizations"]
    assert [one["organization_id"] for one in listed] == [books.id]
    assert await books.refused("GET", "/contacts", organization_id=other.organization_id) == (400, 6041)
    assert await books.refused("GET", f"/organizations/{other.organization_id}") == (400, 6041)
    assert (await books.good("GET", f"/organizations/{books.id}"))["organization"]["time_zone"] == "Europe/Berlin"


async def test_an_ended_subscription_is_103001(books: Books) -> None:
    """An organisation that is switched off refuses every call."""
    await books.control.change_organization(books.id, is_active=False)
    assert await books.refused("GET", "/contacts") == (400, 103001)


async def test_every_request_is_recorded_with_its_outcome(books: Books) -> None:
    """Method, address, query, body, status, code, effect and duration; nothing of the token."""
    customer = await books.customer("Ann")
    await books.refused("POST", "/contacts", {"contact_name": "Ann"})
    await books.good("GET", f"/contacts/{customer}")
    records = await books.control.requests(organization_id=books.id)
    seen = [(one["method"], one["template"], one["status"], one["code"], one["committed"]) for one in records]
    assert seen == [
        ("POST", "/books/v3/contacts", 201, 0, 1),
        ("POST", "/books/v3/contacts", 400, 3062, 0),
        ("GET", "/books/v3/contacts/{contact_id}", 200, 0, 0),
    ]
    assert '"contact_name":"Ann"' in records[0]["body"].replace(" ", "")
    assert {one["answer"] for one in records} == {"sent"}
    assert all(one["duration_seconds"] > 0 for one in records)
    assert not any(books.token in str(one) or books.refresh_token in str(one) for one in records)
    assert await books.control.requests(since=records[-1]["seq"], organization_id=books.id) == []
    assert len(await books.control.requests(organization_id=books.id, limit=2)) == 2


async def test_requests_are_counted_by_address_and_outcome(books: Books) -> None:
    """Ids do not part the counts, not of refused calls either."""
    ids = [await books.customer(name) for name in ("Ann", "Bob")]
    for contact_id in ids:
        await books.good("GET", f"/contacts/{contact_id}")
    await books.control.change_organization(books.id, limits={"per_minute": 0})
    for contact_id in ids:
        await books.refused("GET", f"/contacts/{contact_id}")
    counts = await books.control.counts(organization_id=books.id)
    assert [(one["method"], one["template"], one["requests"], one["committed"]) for one in counts] == [
        ("GET", "/books/v3/contacts/{contact_id}", 2, 0),
        ("GET", "/books/v3/contacts/{contact_id}", 2, 0),
        ("POST", "/books/v3/contacts", 2, 2),
    ]


async def test_secrets_of_the_accounts_server_are_not_recorded(books: Books) -> None:
    """A refresh leaves its line without query and body."""
    since = await books.control.newest_request()
    await books.client.post(f"{books.url}/oauth/v2/token", data={"refresh_token": books.refresh_token})
    records = await books.control.requests(since=since)
    assert [(one["path"], one["query"], one["body"]) for one in records] == [("/oauth/v2/token", "", "")]


async def test_the_books_show_live_invoices_and_doubles(books: Books) -> None:
    """Two live ones under a reference are a double; a void one is not live."""
    customer = await books.customer()
    for reference in ("A", "A", "B"):
        invoice = await books.invoice(customer, reference_number=reference)
    await books.good("POST", f"/invoices/{invoice['invoice_id']}/status/void")
    live = await books.control.live_invoices(books.id)
    ledger = await books.control.ledger(books.id)
    assert (live["live"], live["doubles"], sorted(live["references"])) == (2, ["A"], ["A"])
    assert [one["reference_number"] for one in ledger["invoices"]] == ["A", "A", "B"]
    assert [one["contact_name"] for one in ledger["contacts"]] == ["Ann Example"]


@pytest.mark.parametrize(
    ("kind", "conditions", "order", "index"),
    [
        ("invoice", ["reference = ?"], "created DESC, id DESC", "documents_by_reference"),
        ("invoice", ["number = ?"], "created DESC, id DESC", "documents_by_number"),
        ("invoice", ["customer_id = ?"], "created DESC, id DESC", "documents_by_customer"),
        ("contact", ["name = ?"], "name ASC, id ASC", "documents_by_name"),
        ("contact", ["email = ? COLLATE NOCASE"], "name ASC, id ASC", "documents_by_email"),
        ("invoice", [], "created DESC, id DESC", "documents_by_created"),
        ("contact", [], "modified DESC, id DESC", "documents_by_modified"),
    ],
)
def test_lists_go_over_an_index(kind: str, conditions: list[str], order: str, index: str) -> None:
    """The plan of every look-up that Booked makes uses the index made for it, however large the books are."""
    store = Store(":memory:")
    statements: list[str] = []
    store.connection.set_trace_callback(statements.append)
    store.find(kind, "1", Search(conditions=conditions, values=["x"] * len(conditions), order=order))
    store.connection.set_trace_callback(None)
    plan = " ".join(str(row["detail"]) for row in store.rows(f"EXPLAIN QUERY PLAN {statements[-1]}"))
    assert f"USING INDEX {index} " in plan
    store.close()


async def test_only_this_machine_may_ask(tmp_path: Path) -> None:
    """A caller from elsewhere gets 403 from the control API."""
    store, sent = Store(tmp_path / "books.sqlite"), []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": "/control/health", "query_string": b"", "headers": []}
    scope |= {"client": ("192.0.2.1", 1), "server": ("127.0.0.1", 1), "scheme": "http"}
    await Application(open_world(store))(scope, receive, send)
    store.close()
    assert sent[0]["status"] == 403
