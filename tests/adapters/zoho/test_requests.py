"""What is sent: within Zoho's limits, in the form that its description gives, and never against the wrong document."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from consumer.adapters.zoho.requests import Request, Surroundings, build
from consumer.domain import ledger
from consumer.domain.ledger import ContactData, ContactPerson, InvoiceLine
from consumer.domain.orders import Address
from consumer.errors import ConnectionStoppedError, RefusedError, StopCause
from tests.adapters.zoho.books import CREATE_CONTACT, CREATE_INVOICE, DRAFT, KEYED_DRAFT, READ_INVOICE
from tests.sandbox.zoho import openapi

HERE = Surroundings(organization_id="927270289", currency_ids={"EUR": "460000000000000097"})
FULL_CONTACT = ContactData(
    name="Muster GmbH",
    company="Muster GmbH",
    is_business=True,
    email="ada@example.com",
    first_name="Ada",
    last_name="Muster",
    phone="+49 30 1234",
    tax_number="DE 123456789",
    language="de-AT",
    billing=Address(
        name="Ada Muster", street="Weg", house_number="1a", postal_code="10115", city="Berlin", country="DE"
    ),
    shipping=Address(company="Lager", street="Hof 2", city="Wien", country="AT"),
    currency="EUR",
    notes="from shop",
)
FULL_DRAFT = replace(
    KEYED_DRAFT,
    number="B-1",
    tax_inclusive=True,
    exchange_rate=Decimal("1.0735"),
    adjustment=Decimal("-0.01"),
    adjustment_label="Rounding",
    notes="paid by card",
    lines=(
        *KEYED_DRAFT.lines,
        InvoiceLine(name="Coupon", quantity=Decimal(1), rate=Decimal("-2.00"), tax_id="460000000000000022"),
        InvoiceLine(name="Tea", quantity=Decimal("0.25"), rate=Decimal(40), unit="kg", description="loose"),
    ),
)

OPERATIONS: list[ledger.Operation] = [
    ledger.ReadOrganization(),
    ledger.ListTaxes(page=2),
    ledger.ListCurrencies(),
    ledger.ListContacts(page=3),
    ledger.ListContacts(by_change=True),
    ledger.FindContacts(contact_name="Ada & Söhne"),
    ledger.ReadContact(contact_id="460000000000000017"),
    ledger.FindInvoices(reference="A-1001"),
    ledger.ListInvoices(changed_after=datetime(2026, 6, 9, 17, 18, 34, tzinfo=UTC)),
    READ_INVOICE,
    ledger.FindItems(text="SKU-1"),
    CREATE_CONTACT,
    ledger.CreateContact(data=FULL_CONTACT),
    ledger.UpdateContact(
        contact_id="460000000000000017",
        data=FULL_CONTACT,
        persons=(ContactPerson(person_id="1", email="ada@example.com", primary=True),),
    ),
    CREATE_INVOICE,
    ledger.CreateInvoice(draft=FULL_DRAFT),
    ledger.UpdateInvoice(invoice_id="460000000000000099", draft=FULL_DRAFT, line_ids=("11", "12")),
    ledger.VoidInvoice(invoice_id="460000000000000099"),
    ledger.DeleteInvoice(invoice_id="460000000000000099"),
]


def request(operation: ledger.Operation) -> Request:
    """Build the request of an operation."""
    return build(operation, HERE)


def body(operation: ledger.Operation) -> Any:
    """Give the body of an operation, read back with exact amounts."""
    return json.loads(request(operation).body, parse_float=Decimal)


@openapi.needs_description
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_every_request_fits_zohos_own_description(operation: ledger.Operation) -> None:
    """Method, address, query and body; the description's known defects are listed beside the checker."""
    made = request(operation)
    problems = openapi.check_request(
        made.method, made.path, dict(made.query), json.loads(made.body) if made.body else None
    )
    assert problems == []


@pytest.mark.parametrize(
    ("operation", "method", "path", "query"),
    [
        (OPERATIONS[0], "GET", "/organizations", {}),
        (OPERATIONS[1], "GET", "/settings/taxes", {"page": "2", "per_page": "200"}),
        (
            OPERATIONS[3],
            "GET",
            "/contacts",
            {"page": "3", "per_page": "200", "sort_column": "created_time", "sort_order": "A"},
        ),
        (
            OPERATIONS[4],
            "GET",
            "/contacts",
            {"page": "1", "per_page": "200", "sort_column": "last_modified_time", "sort_order": "D"},
        ),
        (OPERATIONS[5], "GET", "/contacts", {"page": "1", "per_page": "200", "contact_name": "Ada & Söhne"}),
        (OPERATIONS[7], "GET", "/invoices", {"page": "1", "per_page": "200", "reference_number": "A-1001"}),
        (
            OPERATIONS[8],
            "GET",
            "/invoices",
            {
                "page": "1",
                "per_page": "200",
                "sort_column": "created_time",
                "sort_order": "A",
                "last_modified_time": "2026-06-09T17:18:34+0000",
            },
        ),
        (OPERATIONS[14], "POST", "/invoices", {}),
        (OPERATIONS[15], "POST", "/invoices", {"ignore_auto_number_generation": "true"}),
        (OPERATIONS[16], "PUT", "/invoices/460000000000000099", {}),
        (OPERATIONS[17], "POST", "/invoices/460000000000000099/status/void", {}),
        (OPERATIONS[18], "DELETE", "/invoices/460000000000000099", {}),
    ],
)
def test_addresses_and_queries(operation: ledger.Operation, method: str, path: str, query: dict[str, str]) -> None:
    """The organisation is named on all but the list of organisations; the number of rows always is."""
    made = request(operation)
    own = {} if isinstance(operation, ledger.ReadOrganization) else {"organization_id": "927270289"}
    assert (made.method, made.path, dict(made.query)) == (method, f"/books/v3{path}", own | query)


def test_the_body_of_a_plain_invoice() -> None:
    """Nothing but what says something; amounts are numbers with their own digits."""
    assert request(CREATE_INVOICE).body == (
        '{"customer_id":"460000000000000017","reference_number":"A-1001","date":"2026-06-09","due_date":"2026-06-09",'
        '"payment_terms":0,"is_inclusive_tax":false,"currency_id":"460000000000000097","line_items":[{"item_order":1,'
        '"name":"Cup","quantity":2,"rate":9.90,"tax_id":"460000000000000022"}]}'
    )


def test_the_body_of_a_full_invoice() -> None:
    """The unique field by its API name, the tax at each line, the adjustment with its label."""
    sent = body(ledger.CreateInvoice(draft=FULL_DRAFT))
    assert sent["invoice_number"] == "B-1"
    assert sent["custom_fields"] == [{"api_name": "cf_booked_key", "value": "shop/A-1001/invoice//1"}]
    assert (sent["is_inclusive_tax"], sent["exchange_rate"]) == (True, Decimal("1.0735"))
    assert (sent["adjustment"], sent["adjustment_description"]) == (Decimal("-0.01"), "Rounding")
    assert sent["line_items"][1] == {
        "item_order": 2,
        "name": "Coupon",
        "quantity": 1,
        "rate": Decimal("-2.00"),
        "tax_id": "460000000000000022",
    }
    assert sent["line_items"][2] == {
        "item_order": 3,
        "name": "Tea",
        "description": "loose",
        "quantity": Decimal("0.25"),
        "rate": 40,
        "unit": "kg",
    }
    assert not {"billing_address", "shipping_address", "send", "status"} & set(sent)


def test_discounts_are_of_one_kind() -> None:
    """Of the document or of the lines; Zoho has no invoice with both."""
    whole = body(ledger.CreateInvoice(draft=replace(DRAFT, discount=Decimal("1.50"))))
    assert (whole["discount"], whole["discount_type"], whole["is_discount_before_tax"]) == (
        Decimal("1.50"),
        "entity_level",
        True,
    )
    line = replace(DRAFT.lines[0], discount=Decimal("0.50"))
    lines = body(ledger.CreateInvoice(draft=replace(DRAFT, lines=(line,), discount_before_tax=False)))
    assert (lines["discount_type"], lines["is_discount_before_tax"], lines["line_items"][0]["discount"]) == (
        "item_level",
        False,
        Decimal("0.50"),
    )
    with pytest.raises(RefusedError, match="both on lines and as a whole"):
        request(ledger.CreateInvoice(draft=replace(DRAFT, lines=(line,), discount=Decimal(1))))


def test_an_update_keeps_lines_by_id_and_empties_what_is_gone() -> None:
    """Zoho deletes lines that are not named and keeps fields that are not sent."""
    bare = InvoiceLine(name="Cup", quantity=Decimal(1), rate=Decimal(5))
    sent = body(
        ledger.UpdateInvoice(invoice_id="9", draft=replace(DRAFT, lines=(bare, *DRAFT.lines)), line_ids=("11",))
    )
    kept, made = sent["line_items"]
    assert kept == {
        "line_item_id": "11",
        "item_order": 1,
        "name": "Cup",
        "description": "",
        "unit": "",
        "tax_id": "",
        "discount": 0,
        "quantity": 1,
        "rate": 5,
    }
    assert "line_item_id" not in made
    assert (sent["adjustment"], sent["discount"], sent["notes"]) == (0, 0, "")
    with pytest.raises(RefusedError, match="3 line ids for 1 lines"):
        request(ledger.UpdateInvoice(invoice_id="9", draft=DRAFT, line_ids=("1", "2", "3")))


def test_the_body_of_a_contact() -> None:
    """A customer with one primary person, whole addresses, and the country by name."""
    assert body(ledger.CreateContact(data=FULL_CONTACT)) == {
        "contact_name": "Muster GmbH",
        "customer_sub_type": "business",
        "company_name": "Muster GmbH",
        "language_code": "de",
        "notes": "from shop",
        "vat_reg_no": "DE123456789",
        "contact_type": "customer",
        "currency_id": "460000000000000097",
        "billing_address": {
            "attention": "Ada Muster",
            "address": "Weg 1a",
            "street2": "",
            "city": "Berlin",
            "state": "",
            "zip": "10115",
            "country": "Germany",
            "phone": "",
        },
        "shipping_address": {
            "attention": "Lager",
            "address": "Hof 2",
            "street2": "",
            "city": "Wien",
            "state": "",
            "zip": "",
            "country": "Austria",
            "phone": "",
        },
        "contact_persons": [
            {
                "first_name": "Ada",
                "last_name": "Muster",
                "email": "ada@example.com",
                "phone": "+49 30 1234",
                "is_primary_contact": True,
            }
        ],
    }


def persons_sent(*persons: ContactPerson) -> list[dict[str, Any]]:
    """Give the persons that an update of a contact sends."""
    change = ledger.UpdateContact(contact_id="9", data=FULL_CONTACT, persons=persons)
    sent: list[dict[str, Any]] = body(change)["contact_persons"]
    return sent


def test_an_update_of_a_contact_loses_nobody() -> None:
    """Zoho removes persons that are left out; the one with the e-mail address is changed, the rest stays."""
    boss = ContactPerson(person_id="1", first_name="Eve", email="eve@example.com", phone="7", primary=True)
    ada = ContactPerson(person_id="2", first_name="A.", email="ADA@example.com")
    assert persons_sent(boss, ada) == [
        {
            "contact_person_id": "1",
            "is_primary_contact": True,
            "first_name": "Eve",
            "email": "eve@example.com",
            "phone": "7",
        },
        {
            "contact_person_id": "2",
            "is_primary_contact": False,
            "first_name": "Ada",
            "last_name": "Muster",
            "email": "ada@example.com",
            "phone": "+49 30 1234",
        },
    ]
    assert [person["email"] for person in persons_sent(boss)] == ["eve@example.com", "ada@example.com"]
    (added,) = persons_sent()
    assert "contact_person_id" not in added
    assert added["is_primary_contact"] is True


def test_a_person_is_sent_again_with_every_field_it_has() -> None:
    """Zoho may empty what is left out: salutation, department and the like go back as they came."""
    others = (("salutation", '"Dr."'), ("communication_preference", '{"is_sms_enabled": true}'))
    eve = ContactPerson(person_id="1", email="eve@example.com", mobile="+49 170 1", others=others, primary=True)
    ada = ContactPerson(person_id="2", email="ada@example.com", mobile="+49 30 1234")
    first, second = persons_sent(eve, ada)
    assert first == {
        "contact_person_id": "1",
        "is_primary_contact": True,
        "email": "eve@example.com",
        "mobile": "+49 170 1",
        "salutation": "Dr.",
        "communication_preference": {"is_sms_enabled": True},
    }
    # The number that the order tells is there already, as the mobile one.
    assert (second["mobile"], "phone" in second) == ("+49 30 1234", False)


def test_an_update_does_not_turn_a_company_into_a_private_person() -> None:
    """An order that tells no company says nothing about the kind of customer that a person has chosen."""
    private = ledger.UpdateContact(contact_id="9", data=ledger.ContactData(name="Ada"), persons=())
    company = ledger.UpdateContact(contact_id="9", data=FULL_CONTACT, persons=())
    assert "customer_sub_type" not in body(private)
    assert body(company)["customer_sub_type"] == "business"


def test_texts_for_people_are_cut_and_identities_are_not() -> None:
    """A cut reference or name would find another document; a cut e-mail address is somebody else's."""
    long = "x" * 3000
    line = replace(DRAFT.lines[0], name=long, description=long, unit=long)
    sent = body(ledger.CreateInvoice(draft=replace(DRAFT, lines=(line,), notes="n" * 6000)))
    assert [len(sent["line_items"][0][name]) for name in ("name", "description", "unit")] == [100, 2000, 100]
    assert len(sent["notes"]) == 5000
    address = Address(name=long, street=long, street2=long, city=long, state=long, postal_code=long, country=long)
    contact = body(
        ledger.CreateContact(data=ContactData(name="A", email=f"{long}@example.com", phone=long, billing=address))
    )
    assert [len(value) for value in contact["billing_address"].values()] == [100, 500, 255, 100, 100, 50, 100, 0]
    assert contact["contact_persons"] == [{"phone": "x" * 49 + "…", "is_primary_contact": True}]
    for draft in (replace(DRAFT, reference="x" * 101), replace(DRAFT, reference=""), replace(DRAFT, contact_id="")):
        with pytest.raises(RefusedError, match="must not be cut"):
            request(ledger.CreateInvoice(draft=draft))
    with pytest.raises(RefusedError, match="contact name"):
        request(ledger.CreateContact(data=ContactData(name="x" * 201)))


@pytest.mark.parametrize("bad", ["", " ", ".", ".."])
@pytest.mark.parametrize("kind", [ledger.ReadInvoice, ledger.DeleteInvoice, ledger.VoidInvoice])
def test_a_missing_id_never_becomes_another_address(bad: str, kind: Any) -> None:
    """DELETE /invoices without an id would be a bulk deletion."""
    with pytest.raises(RefusedError, match="lacks its invoice id"):
        request(kind(invoice_id=bad))


def test_an_id_cannot_leave_its_place_in_the_path() -> None:
    """It comes from the ledger and from our database, and is quoted all the same."""
    made = request(ledger.ReadInvoice(invoice_id="1/status/void?x=1"))
    assert made.path == "/books/v3/invoices/1%2Fstatus%2Fvoid%3Fx%3D1"


def test_a_long_name_is_looked_up_by_its_beginning() -> None:
    """The filter takes 100 characters and names have up to 200."""
    query = request(ledger.FindContacts(contact_name="x" * 150)).query
    assert query["contact_name_startswith"] == "x" * 100
    assert "contact_name" not in query


def test_the_currency_by_code_while_its_id_is_not_known() -> None:
    """Nothing is sent where no currency is wanted."""
    around = Surroundings(organization_id="1")
    assert json.loads(build(CREATE_INVOICE, around).body)["currency_code"] == "EUR"
    assert "currency_code" not in json.loads(build(CREATE_CONTACT, around).body)


def test_without_an_organisation_nothing_is_made() -> None:
    """Only the list of organisations can be asked for."""
    around = Surroundings(organization_id=None)
    assert build(ledger.ReadOrganization(), around).query == {}
    with pytest.raises(ConnectionStoppedError) as raised:
        build(CREATE_INVOICE, around)
    assert raised.value.cause is StopCause.WRONG_ORGANIZATION
