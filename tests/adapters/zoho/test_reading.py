"""Answers that have drifted are read all the same; what would lose or invent a figure is not."""

from decimal import Decimal
from typing import Any

import pytest

from consumer.adapters.zoho.countries import country_code, country_name
from consumer.adapters.zoho.encoding import UnreadableBodyError, read_json, write_json
from consumer.adapters.zoho.results import Organisation, UnusableAnswerError, read_result
from consumer.domain import ledger
from consumer.domain.ledger import ContactData, InvoiceStatus, LedgerTax, TaxKind, TaxRounding
from consumer.domain.orders import Address, RateFigures
from consumer.errors import ConnectionStoppedError, StopCause
from tests.adapters.zoho.books import CREATE_CONTACT, READ_INVOICE

HERE = Organisation(organization_id="1", unique_field="cf_booked_key", app="https://books.zoho.eu")


def read(operation: ledger.Operation, body: dict[str, Any]) -> Any:
    """Read a body that was written as JSON text before, so that amounts go the real way."""
    return read_result(operation, read_json(write_json({"code": 0} | body).encode()), HERE)


def invoice(**fields: Any) -> Any:
    """Read an invoice with these fields."""
    return read(READ_INVOICE, {"invoice": {"invoice_id": "7", "total": 1} | fields})


def line(rate: int, **fields: Any) -> dict[str, Any]:
    """Make a line under a tax of this rate."""
    return {"line_item_id": "1", "tax_id": f"t{rate}", "tax_name": f"VAT {rate}", "tax_percentage": rate} | fields


def test_amounts_keep_every_digit() -> None:
    """A double would have made 9007199254740994 of it."""
    assert invoice(total=Decimal("9007199254740993.01")).total == Decimal("9007199254740993.01")
    assert invoice(total=" 1,234.50 ").total == Decimal("1234.50")


def test_ids_as_numbers_blanks_and_missing_fields() -> None:
    """All of these have been seen, or are one version away."""
    found = invoice(
        invoice_id=460000000000000099,
        invoice_number="INV-1 ",
        status="Partially_Paid",
        reference_number=1001,
        date=None,
        balance="",
        unheard_of={"a": [1]},
    )
    assert (found.invoice_id, found.number, found.status, found.reference) == (
        "460000000000000099",
        "INV-1",
        InvoiceStatus.PARTIALLY_PAID,
        "1001",
    )
    assert (found.issued_on, found.balance, found.lines) == (None, None, None)
    assert invoice(status="pending_approval").status is InvoiceStatus.OTHER


@pytest.mark.parametrize(
    ("fields", "key"),
    [
        ({"custom_fields": [{"api_name": "cf_booked_key", "value": "s/1"}]}, "s/1"),
        ({"custom_field_hash": {"cf_booked_key": "s/1"}}, "s/1"),
        ({"custom_fields": [{"label": "Booked key", "value": "s/1"}]}, None),
        ({"custom_fields": []}, None),
        ({"custom_fields": [{"api_name": "cf_booked_key", "value": ""}]}, ""),
    ],
)
def test_the_unique_key_is_told_only_where_the_answer_shows_it(fields: dict[str, Any], key: str | None) -> None:
    """None: not shown; empty: shown and empty, so it is not ours."""
    assert invoice(**fields).unique_key == key


@pytest.mark.parametrize(
    ("lines", "taxes", "total", "expected"),
    [
        # One rate: the whole tax is of it, whatever the tax is called.
        ([line(22)], [{"tax_name": "IVA", "tax_amount": Decimal("4.40")}], "4.40", {22: "4.40"}),
        # Two rates, named with their percentage, as Zoho does.
        (
            [line(22), line(10)],
            [
                {"tax_name": "VAT 22 (22%)", "tax_amount": Decimal("4.40")},
                {"tax_name": "VAT 10 (10.0%)", "tax_amount": 1},
            ],
            "5.40",
            {10: "1", 22: "4.40"},
        ),
        # Named without it: the lines tell the rate.
        (
            [line(22), line(10)],
            [{"tax_name": "VAT 22", "tax_amount": Decimal("4.40")}, {"tax_id": "t10", "tax_amount": 1}],
            "5.40",
            {10: "1", 22: "4.40"},
        ),
        # A rate whose tax is zero is left out of the list.
        ([line(22), line(10)], [{"tax_name": "VAT 22 (22%)", "tax_amount": 1}], "1", {10: "0", 22: "1"}),
        # A group: each member under its own rate.
        (
            [line(12, tax_type="tax_group")],
            [{"tax_name": "A (5%)", "tax_amount": 5}, {"tax_name": "B (7%)", "tax_amount": 7}],
            "12",
            {5: "5", 7: "7"},
        ),
        # No tax at all.
        ([{"line_item_id": "1"}], [], "0", {}),
        # They do not add up: nothing is said.
        ([line(22), line(10)], [{"tax_name": "VAT 22 (22%)", "tax_amount": 1}], "1.01", None),
        # A tax that no line has, and of unknown rate.
        ([line(22), line(10)], [{"tax_name": "Eco", "tax_amount": 1}], "1", None),
        # The lines know of no tax, and there is one (of shipping): nothing is said.
        ([{"line_item_id": "1"}], [{"tax_name": "Eco", "tax_amount": 1}], "1", None),
    ],
)
def test_vat_by_rate(lines: list[Any], taxes: list[Any], total: str, expected: dict[int, str] | None) -> None:
    """Told only where every cent of it is accounted for."""
    found = invoice(line_items=lines, taxes=taxes, tax_total=Decimal(total)).tax_by_rate
    wanted = None
    if expected is not None:
        wanted = tuple(RateFigures(rate=Decimal(r), net=None, tax=Decimal(t)) for r, t in sorted(expected.items()))
    assert found == wanted


def test_the_sum_of_the_taxes_where_the_total_is_missing() -> None:
    """And None where one of them is not a number."""
    assert invoice(line_items=[line(22)], taxes=[{"tax_name": "a", "tax_amount": "4.40"}]).tax_total == Decimal("4.40")
    assert invoice(line_items=[line(22)], taxes=[{"tax_name": "a", "tax_amount": "?"}]).tax_total is None


def test_how_the_organisation_rounds() -> None:
    """Told by invoices only."""
    assert invoice(tax_rounding="entity_level").rounding is TaxRounding.PER_RATE
    assert invoice(tax_rounding="item_level").rounding is TaxRounding.PER_LINE
    assert invoice(tax_rounding="new_level").rounding is TaxRounding.UNKNOWN


def test_a_contact_with_its_people_and_addresses() -> None:
    """Names of countries become codes; the primary person's data are the contact's where it has none itself."""
    found = read(
        ledger.ReadContact(contact_id="9"),
        {
            "contact": {
                "contact_id": "9",
                "contact_name": "Muster GmbH",
                "customer_sub_type": "business",
                "status": "inactive",
                "contact_persons": [
                    {"contact_person_id": "1", "first_name": "Max", "email": "max@example.com"},
                    {
                        "contact_person_id": 2,
                        "first_name": "Ada",
                        "email": "ada@example.com",
                        "is_primary_contact": "true",
                    },
                ],
                "billing_address": {"street": "Weg 1", "zipcode": "10115", "country": "Germany", "attention": "Ada"},
            }
        },
    )
    assert (found.name, found.email, found.active) == ("Muster GmbH", "ada@example.com", False)
    assert [(person.person_id, person.primary) for person in found.persons] == [("1", False), ("2", True)]
    assert found.data == ContactData(
        name="Muster GmbH",
        is_business=True,
        email="ada@example.com",
        first_name="Ada",
        billing=Address(name="Ada", street="Weg 1", postal_code="10115", country="DE"),
    )


def test_what_an_answer_does_not_show_is_as_it_was_written() -> None:
    """Editions without VAT leave the number out; the contact must not look changed at every order."""
    written = ledger.CreateContact(data=ContactData(name="Ada", tax_number="IT123", language="it", notes="n"))
    silent = read(written, {"contact": {"contact_id": "9", "contact_name": "Ada"}})
    assert (silent.data.tax_number, silent.data.language, silent.data.notes) == ("IT123", "it", "n")
    told = read(written, {"contact": {"contact_id": "9", "contact_name": "Ada", "vat_reg_no": "", "notes": "m"}})
    assert (told.data.tax_number, told.data.notes) == ("", "m")


def test_taxes_and_groups() -> None:
    """A group's rate is its own or the sum of its parts."""
    page = read(
        ledger.ListTaxes(),
        {
            "taxes": [
                {"tax_id": "1", "tax_name": "VAT", "tax_percentage": Decimal("22.0"), "tax_type": "tax"},
                {"tax_id": "2", "tax_name": "C", "tax_percentage": 5, "tax_type": "compound_tax", "country_code": "CA"},
                {"tax_group_id": "3", "tax_name": "G", "taxes": [{"tax_id": "1", "tax_percentage": "2.5"}] * 2},
                {"tax_id": "4", "tax_name": "Old", "tax_percentage": 1, "status": "inactive"},
            ]
        },
    )
    assert page.rows == (
        LedgerTax(tax_id="1", name="VAT", rate=Decimal(22)),
        LedgerTax(tax_id="2", name="C", rate=Decimal(5), kind=TaxKind.COMPOUND, country="CA"),
        LedgerTax(tax_id="3", name="G", rate=Decimal(5), kind=TaxKind.GROUP, parts=(Decimal("2.5"), Decimal("2.5"))),
        LedgerTax(tax_id="4", name="Old", rate=Decimal(1), active=False),
    )


def rows(*references: str, more: Any = None) -> dict[str, Any]:
    """Make a list of invoices with these references."""
    found = [{"invoice_id": str(n), "reference_number": text, "total": 1} for n, text in enumerate(references, 1)]
    return {"invoices": found} | ({} if more is None else {"page_context": more})


def test_a_search_gives_only_what_it_asked_for() -> None:
    """Near hits of a filter are no hits."""
    page = read(ledger.FindInvoices(reference="A-1"), rows("A-10", "A-1", "a-1", "A-1 ", more={"has_more_page": False}))
    assert [row.invoice_id for row in page.rows] == ["2", "4"]


def test_an_ignored_filter_proves_no_absence() -> None:
    """Zoho answers a filter it does not know with everything: then the first page says nothing of the others."""
    find = ledger.FindInvoices(reference="A-1")
    with pytest.raises(UnusableAnswerError, match="filter by reference was ignored"):
        read(find, rows("B-1", more={"has_more_page": True}))
    assert read(find, rows("B-1", more={"has_more_page": False})).rows == ()
    contacts = {"contacts": [{"contact_id": "1", "contact_name": "Bob"}], "page_context": {"has_more_page": "true"}}
    with pytest.raises(UnusableAnswerError, match="filter by name was ignored"):
        read(ledger.FindContacts(contact_name="Ada"), contacts)


def test_a_name_is_found_as_the_ledger_compares_it() -> None:
    """Case and blanks make no other name there."""
    body = {
        "contacts": [{"contact_id": str(n), "contact_name": name} for n, name in enumerate(["ADA  Muster", "Adam"])]
    }
    assert [row.contact_id for row in read(ledger.FindContacts(contact_name="Ada Muster"), body).rows] == ["0"]


@pytest.mark.parametrize(
    ("count", "context", "more"),
    [
        (1, None, False),
        (200, None, True),
        (200, {"has_more_page": False}, False),
        (1, {"has_more_page": True}, True),
        (1, [{"has_more_page": True}], True),
        (1, [], False),
    ],
)
def test_whether_another_page_follows(count: int, context: Any, more: bool) -> None:  # noqa: FBT001 a table's column
    """A full page without a context is taken to go on."""
    assert read(ledger.ListInvoices(), rows(*["x"] * count, more=context)).more is more


@pytest.mark.parametrize(
    "body", [{}, {"invoices": None}, {"invoices": {}}, {"invoices": [{"total": 1}]}, {"invoices": ["x"]}]
)
def test_a_list_that_cannot_be_read_is_no_empty_list(body: dict[str, Any]) -> None:
    """An unread row may be the very document that was looked for."""
    with pytest.raises(UnusableAnswerError):
        read(ledger.FindInvoices(reference="A-1"), body)


def test_an_unreadable_contact_is_named_without_its_data() -> None:
    """The text of the error goes to logs."""
    with pytest.raises(UnusableAnswerError) as raised:
        read(CREATE_CONTACT, {"contact": {"contact_id": True, "contact_name": "Ada Muster"}})
    assert "contact_id" in str(raised.value)
    assert "Ada" not in str(raised.value)


def test_the_organisation_that_is_meant() -> None:
    """A token belongs to a user, who may see several; another one is never taken instead."""
    two = {"organizations": [{"organization_id": "8", "name": "Other"}, {"organization_id": 1, "name": "Mine"}]}
    assert read(ledger.ReadOrganization(), two).name == "Mine"
    with pytest.raises(ConnectionStoppedError, match=r"Other \(8\)") as raised:
        read(ledger.ReadOrganization(), {"organizations": [{"organization_id": "8", "name": "Other"}]})
    assert raised.value.cause is StopCause.WRONG_ORGANIZATION


@pytest.mark.parametrize(
    ("texts", "code"),
    [
        (("US", "USA"), "US"),
        (("USA", ""), "US"),
        (("", "United Kingdom"), "GB"),
        (("", "italy "), "IT"),
        (("", "Atlantis"), "Atlantis"),
        (("", ""), ""),
    ],
)
def test_countries_come_in_as_codes(texts: tuple[str, ...], code: str) -> None:
    """A name that nobody knows stays as it is."""
    assert country_code(*texts) == code


def test_countries_go_out_as_names_and_come_back() -> None:
    """The round trip gives the code again, for every country."""
    assert country_name("DE") == "Germany"
    assert country_name("Atlantis") == "Atlantis"
    assert country_code(country_name("DE")) == "DE"


def test_json_with_exact_amounts() -> None:
    """A Decimal leaves as its own digits and never as a float."""
    assert write_json({"a": [Decimal("0.10"), Decimal("1E+2"), 3, True, None, 'ä"\n']}) == (
        '{"a":[0.10,100,3,true,null,"\\u00e4\\"\\n"]}'
    )
    with pytest.raises(TypeError, match="never float"):
        write_json({"a": 0.1})
    for text in (b"{", b"[1e400]", b"[NaN]", b"\xff\xfe", b"[" * 100_000, b"[" + b"9" * 50 + b"]"):
        with pytest.raises(UnreadableBodyError):
            read_json(text)
