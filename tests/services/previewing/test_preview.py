"""A preview is what a booking does: the same requests, the same figures, the same reasons; and it changes nothing."""

import copy
import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from consumer.adapters.zoho.requests import Surroundings, build
from consumer.cli.previewing import describer
from consumer.domain.events import EventKind
from consumer.domain.ledger import CreateContact, CreateInvoice, InvoiceStatus, LedgerFacts, Operation, TaxRounding
from consumer.domain.settings import CustomField, ShopSettings
from consumer.domain.states import ReasonCode
from consumer.services.previewing import NEW_CONTACT, Grounds, Preview, preview
from consumer.sources.own import to_order
from tests.services.sync.test_keeping_up import AUTOMATIC
from tests.services.sync.virtual_time import run
from tests.services.sync.world import BOOKS, CONNECTION, World, content, key

SHOP = replace(
    AUTOMATIC, notes="Order {{ number }}", custom_fields=(CustomField(api_name="cf_n", value="{{ number }}"),)
)


async def previewed(world: World, order_id: str = "1001", *, shop: ShopSettings = SHOP, **record: Any) -> Preview:
    """Preview a stored order; nothing may change in the database and nothing may be asked of the ledger."""
    before, calls = _stored(world), len(world.calls)
    known = await world.booking_store.read(key(order_id))
    assert known is not None
    view = await world.lanes.view(BOOKS)
    facts = view.facts or LedgerFacts(
        organization=world.book.organization,
        taxes=tuple(world.book.taxes),
        currencies=tuple(world.book.currencies),
        rounding=TaxRounding.PER_RATE,
    )
    grounds = Grounds(
        shop=shop,
        connection=view.connection,
        facts=facts,
        lanes=world.lanes,
        contacts=world.contacts,
        describe=describer(view.connection, facts),
        now=world.now,
    )
    known = replace(known, **record)
    shown = await preview(to_order(known.content or b"", "UTC"), known, grounds)
    assert (_stored(world), len(world.calls)) == (before, calls)
    return shown


def _stored(world: World) -> dict[str, Any]:
    database = world.database
    tables = (
        "orders",
        "documents",
        "intents",
        "lanes",
        "contacts",
        "contact_links",
        "decisions",
        "exchanges",
        "outbox",
    )
    return {name: copy.deepcopy(getattr(database, name)) for name in tables}


def request_of(operation: Operation) -> tuple[str, str, dict[str, str], str]:
    """Write an operation that was executed, as the adapter sends it."""
    made = build(operation, Surroundings(organization_id="1", currency_ids={"EUR": "1"}))
    return made.method, made.path, dict(made.query), made.body


def sent(shown: Preview) -> list[tuple[str, str, dict[str, str], str]]:
    """Give the requests of a preview."""
    return [(one.method, one.path, dict(one.query), one.body) for one in shown.sendings]


def test_a_preview_is_to_the_letter_what_the_booking_then_sends() -> None:
    """A new customer: the contact, then the invoice, but for the id that only the ledger gives."""
    world = World()

    async def scene() -> None:
        await world.set_up(SHOP)
        await world.pay("1001")
        shown = await previewed(world)
        assert (shown.decision, shown.customer) == ("create", "a new contact, Anna Bianchi, which is made first")
        async with world.process():
            await world.rest()
        contact, invoice = (one for one in world.book.commits if isinstance(one, CreateContact | CreateInvoice))
        method, path, query, body = request_of(invoice)
        assert isinstance(invoice, CreateInvoice)
        as_shown = body.replace(f'"{invoice.draft.contact_id}"', f'"{NEW_CONTACT}"')
        assert sent(shown) == [request_of(contact), (method, path, query, as_shown)]
        assert json.loads(body)["notes"] == "Order 1001"

    run(scene())


def test_a_known_customer_costs_one_request_and_the_figures_stand_beside_the_shops() -> None:
    """12.20 with 22 % in it: net 10.00, VAT 2.20."""
    world = World()

    async def scene() -> None:
        await world.set_up(SHOP)
        await world.pay("1000")
        async with world.process():
            await world.rest()
        await world.settings.apply([CONNECTION], [replace(SHOP, automatic=False)], actor="t", dry_run=False)
        await world.pay("1001")
        shown = await previewed(world)
        (request,) = sent(shown)
        (contact,) = world.book.contacts.values()
        assert json.loads(request[3])["customer_id"] == contact.contact_id
        assert shown.customer == f"contact {contact.contact_id}, Anna Bianchi"
        ((rate, ours, theirs),) = shown.rates
        assert ours is not None
        assert (rate, ours.net, ours.tax, theirs) == (Decimal(22), Decimal("10.00"), Decimal("2.20"), None)
        assert shown.mapped is not None
        assert (shown.mapped.expected.total, shown.order.totals.grand_total) == (Decimal("12.20"), Decimal("12.20"))
        assert shown.mapped.words == ("Prices are with tax in them.",)

    run(scene())


@pytest.mark.parametrize(
    ("shop", "code"),
    [
        (replace(SHOP, invoice_number="{{ meta.invoice }}"), ReasonCode.EXPRESSION_FAILED),
        (replace(SHOP, notes="{{ lines[0] }}"), ReasonCode.EXPRESSION_FAILED),
    ],
)
def test_what_would_park_says_why_and_sends_nothing(shop: ShopSettings, code: ReasonCode) -> None:
    """The reason that the order would have."""
    world = World()

    async def scene() -> None:
        await world.set_up(shop)
        await world.pay("1001")
        shown = await previewed(world, shop=shop)
        assert shown.reason is not None
        assert (shown.decision, shown.reason.code, shown.sendings) == ("park", code, ())
        async with world.process():
            await world.rest()
        assert world.reason() == code.value

    run(scene())


def test_a_booked_order_is_left_alone_and_a_changed_one_updates_its_draft() -> None:
    """The same invoice by its id, after it was read; nothing for an order that says the same."""
    world = World()

    async def scene() -> None:
        await world.set_up(SHOP)
        await world.pay("1001")
        async with world.process():
            await world.rest()
        assert (await previewed(world)).decision == "nothing"
        await world.settings.apply([CONNECTION], [replace(SHOP, automatic=False)], actor="t", dry_run=False)
        await world.take("1001", EventKind.UPDATED, version=2, price="24.40")
        shown = await previewed(world)
        (document,) = world.documents()
        assert shown.decision == "update"
        assert [one[:2] for one in sent(shown)] == [
            ("GET", f"/books/v3/invoices/{document.ledger_id}"),
            ("PUT", f"/books/v3/invoices/{document.ledger_id}"),
        ]
        assert json.loads(shown.sendings[1].body)["line_items"][0]["rate"] == 24.4
        assert document.number in shown.remarks[0]

    run(scene())


def test_a_cancelled_order_takes_its_draft_down_or_has_nothing_to_take_down() -> None:
    """Read, then void; without an invoice nothing."""
    world = World()

    async def scene() -> None:
        await world.set_up(SHOP)
        await world.pay("1001", "1002")
        async with world.process():
            await world.rest()
        known = await world.booking_store.read(key("1001"))
        assert known is not None
        facts = replace(known.facts, cancelled=True)
        shown = await previewed(world, facts=facts)
        assert (shown.decision, [one.method for one in shown.sendings]) == ("void", ["GET", "POST"])
        assert (await previewed(world, facts=facts, documents=())).decision == "nothing"

    run(scene())


def test_a_document_that_is_there_already_is_looked_at_first() -> None:
    """After a restore: the look first has seen one of the order's reference."""
    world = World()

    async def scene() -> None:
        await world.set_up(SHOP)
        await world.pay("1001")
        async with world.process():
            await world.rest()
        (invoice,) = world.book.invoices.values()
        assert invoice.status is InvoiceStatus.DRAFT
        await world.lanes.save_seen(BOOKS, [replace(invoice, lines=None)])
        shown = await previewed(world, documents=())
        assert (shown.decision, shown.sendings[-1].path) == ("look", f"/books/v3/invoices/{invoice.invoice_id}")

    run(scene())


def test_items_that_only_the_ledger_knows_are_named_by_their_sku() -> None:
    """A preview asks nobody: the id stands as words in its place, and a remark says so."""
    world = World()
    shop = replace(SHOP, items_by_sku=True)

    async def scene() -> None:
        await world.set_up(shop)
        await world.pay("1001")
        data = json.loads(content("1001", "12.20", None, "Anna"))
        data["lines"][0]["sku"] = "MUG"
        shown = await previewed(world, shop=shop, content=json.dumps(data).encode())
        assert json.loads(shown.sendings[-1].body)["line_items"][0]["item_id"] == "(id of item MUG)"
        assert "SKU" in shown.remarks[0]

    run(scene())


def test_an_order_that_may_be_sent_as_a_probe_says_so() -> None:
    """Three times 0.34 with VAT of 0.07 on each: exact where the ledger rounds each line, and this one does not."""
    world = World()

    async def scene() -> None:
        await world.set_up(SHOP)
        await world.pay("1001")
        data = json.loads(content("1001", "1.23", None, "Anna"))
        data["prices_include_tax"] = False
        data["lines"] = [{**data["lines"][0], "unit_price": "0.34"}] * 3
        data["totals"] = {"grand_total": "1.23", "tax_by_rate": [{"rate": "22", "tax": "0.21"}]}
        shown = await previewed(world, content=json.dumps(data).encode())
        assert shown.reason is not None
        assert (shown.reason.group, shown.sendings) == ("rounding_differs:per_line", ())
        assert "find out how the organisation rounds" in shown.remarks[0]

    run(scene())
