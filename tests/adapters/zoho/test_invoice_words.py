"""The words of an invoice as they are sent: what a shop has a setting for, within limits, and nothing else."""

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from consumer.adapters.zoho.classify import Reply, failure
from consumer.adapters.zoho.documents import InvoiceDocument
from consumer.adapters.zoho.reading import invoice
from consumer.adapters.zoho.requests import Surroundings, build
from consumer.domain.invoice_words import InvoiceWords
from consumer.domain.ledger import CreateInvoice, InvoiceDraft, UpdateInvoice
from consumer.errors import KeyTakenError, NotFoundError, NumberTakenError, RefusedError
from tests.adapters.zoho.books import DRAFT, INVOICE, KEYED_DRAFT
from tests.sandbox.zoho import openapi

WORDED = replace(
    KEYED_DRAFT,
    number="WEB-7",
    notes="Thank you.",
    terms="14 days.",
    salesperson="Web shop",
    template_id="460000000000017001",
    payment_terms=14,
    payment_terms_label="Within 14 days",
    custom_fields=(("cf_po", "PO 7"), ("cf_gone", "")),
)
ALL = {"terms", "salesperson_name", "template_id", "payment_terms_label", "custom_fields"}


def created(draft: InvoiceDraft) -> dict[str, Any]:
    """Give the body that makes it."""
    return _body(CreateInvoice(draft=draft))


def updated(draft: InvoiceDraft) -> dict[str, Any]:
    """Give the body that changes an invoice to it."""
    return _body(UpdateInvoice(invoice_id="460000000000000099", draft=draft))


def _body(operation: CreateInvoice | UpdateInvoice) -> dict[str, Any]:
    made = build(operation, Surroundings(organization_id="1"))
    body: dict[str, Any] = json.loads(made.body)
    if openapi.FOLDER.is_dir():
        assert openapi.check_request(made.method, made.path, dict(made.query), body) == []
    return body


def test_what_the_shop_sets_is_sent_and_an_empty_field_is_not() -> None:
    """A new invoice has nothing that would have to be taken away; the unique field comes first."""
    sent = created(WORDED)
    assert {name: sent[name] for name in ALL - {"custom_fields"}} == {
        "terms": "14 days.",
        "salesperson_name": "Web shop",
        "template_id": "460000000000017001",
        "payment_terms_label": "Within 14 days",
    }
    assert (sent["payment_terms"], sent["notes"], sent["invoice_number"]) == (14, "Thank you.", "WEB-7")
    assert sent["custom_fields"] == [
        {"api_name": "cf_booked_key", "value": "shop/A-1001/invoice//1"},
        {"api_name": "cf_po", "value": "PO 7"},
    ]


def test_an_update_takes_away_what_is_empty_now_and_keeps_the_number() -> None:
    """Zoho keeps what is not sent. The label of other terms gives way to the usual words for the days."""
    sent = updated(replace(WORDED, terms="", salesperson="", payment_terms_label=""))
    assert (sent["terms"], sent["salesperson_name"], sent["payment_terms_label"]) == ("", "", "Net 14")
    assert updated(replace(WORDED, payment_terms=0, payment_terms_label=""))["payment_terms_label"] == "Due on Receipt"
    assert sent["custom_fields"][1:] == [{"api_name": "cf_po", "value": "PO 7"}, {"api_name": "cf_gone", "value": ""}]
    assert "invoice_number" not in sent


def test_what_the_shop_has_no_setting_for_is_never_sent() -> None:
    """The organisation's own terms, salesperson and layout stay, also in an update."""
    assert not ALL & set(created(DRAFT))
    assert not ALL & set(updated(DRAFT))


def test_the_unique_field_cannot_be_overwritten() -> None:
    """Whatever the draft's other fields say."""
    sent = created(replace(KEYED_DRAFT, custom_fields=(("cf_booked_key", "stolen"),)))
    assert sent["custom_fields"] == [{"api_name": "cf_booked_key", "value": "shop/A-1001/invoice//1"}]


@pytest.mark.parametrize(
    ("field", "name", "limit"),
    [
        ("terms", "terms", 10_000),
        ("notes", "notes", 5000),
        ("salesperson", "salesperson_name", 200),
        ("payment_terms_label", "payment_terms_label", 100),
    ],
)
def test_words_are_cut_to_zohos_limits(field: str, name: str, limit: int) -> None:
    """With an ellipsis, and never in the middle of a character: é as e and its accent."""
    long: dict[str, Any] = {field: "x" * (limit - 2) + "e\u0301" + "y"}
    written = created(replace(DRAFT, **long))[name]
    assert written == "x" * (limit - 2) + "\u2026"


def test_the_words_are_read_back() -> None:
    """From a whole invoice; a row of a list tells none."""
    shown = {
        **INVOICE["invoice"],  # type: ignore[dict-item] # an object of the answer
        "total": Decimal("24.16"),
        "due_date": "2026-06-23",
        "notes": "n",
        "terms": "",
        "salesperson_name": "s",
        "template_id": 7,
        "custom_fields": [{"api_name": "cf_po", "value": "PO"}, {"label": "no name"}],
    }
    read = invoice(InvoiceDocument.model_validate(shown), unique_field=None, url="")
    assert read.words is not None
    assert read.words.due_on is not None
    assert replace(read.words, due_on=None) == InvoiceWords(
        notes="n", terms="", salesperson="s", template_id="7", custom_fields=(("cf_po", "PO"),)
    )
    row = InvoiceDocument.model_validate({**shown, "line_items": None})
    assert invoice(row, unique_field=None, url="").words is None


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ('Invoice "WEB-7" already exists.', NumberTakenError),
        ("Invoice number already exists", NumberTakenError),
        ("The value shop/WEB-7/invoice//1 of cf_booked_key is in use already.", KeyTakenError),
    ],
)
def test_a_taken_number_is_told_from_a_taken_key(words: str, kind: type[RefusedError]) -> None:
    """Also where the order's id, which is a part of the key, is the number."""
    draft = replace(WORDED, unique_key="shop/WEB-7/invoice//1")
    reply = Reply(status=400, body={"code": 1001, "message": words})
    assert type(failure(CreateInvoice(draft=draft), reply)) is kind
    # An update sends no number, so that only the key can be taken.
    assert type(failure(UpdateInvoice(invoice_id="1", draft=draft), reply)) is KeyTakenError


def test_an_unknown_layout_is_not_taken_for_an_unknown_customer() -> None:
    """With the customer's code too: the contact must not be looked up or made anew for it."""
    reply = Reply(status=404, body={"code": 1002, "message": "The template does not exist."})
    error = failure(CreateInvoice(draft=WORDED), reply)
    assert type(error) is RefusedError
    assert "template_id" in str(error)
    assert type(failure(CreateInvoice(draft=DRAFT), reply)) is NotFoundError
