"""The counting of calls: each is put to the order that it was made for, by what the ledger recorded."""

import json
from decimal import Decimal
from typing import Any

from sandbox.demo.books import Books, Contacts, LedgerInvoice
from sandbox.demo.counting import CallCount, Case, count_calls
from sandbox.shop.expectations import Booked, ShopOrder, Standing

NOTHING = Booked(total=Decimal(0), vat_by_rate={})


def row(seq: int, method: str, path: str, body: Any = None, status: int = 200) -> dict[str, Any]:
    """Give a recorded request."""
    text = "" if body is None else json.dumps(body)
    return {"seq": seq, "method": method, "path": f"/books/v3/{path}", "body": text, "query": "", "status": status}


def sale(seq: int, order_id: str, contact_id: str, status: int = 201) -> dict[str, Any]:
    """Give the request that makes an order's invoice."""
    fields = [{"api_name": "cf_order_key", "value": f"shop/{order_id}/invoice//1"}]
    return row(seq, "POST", "invoices", {"customer_id": contact_id, "custom_fields": fields}, status)


def person(email: str, name: str = "Name") -> dict[str, Any]:
    """Give the body that makes a contact."""
    return {"contact_name": name, "contact_persons": [{"email": email}]}


def counted(*rows: dict[str, Any], standings: dict[str, Standing] | None = None) -> CallCount:
    """Count these requests for orders 1 to 3; contact 8 has an e-mail address, contact 9 only a name."""
    contacts = Contacts(by_email={"a@b.example": "8"}, by_name={"Guest 3": "9", "Name": "8"})
    orders = [
        ShopOrder(
            data={"shop_id": "shop", "order_id": one},
            expected=NOTHING,
            standing=(standings or {}).get(one, Standing.NEW),
        )
        for one in ("1", "2", "3")
    ]
    invoice = LedgerInvoice(
        invoice_id="71",
        number="INV-1",
        status="draft",
        order=("shop", "1"),
        customer_id="8",
        total=Decimal(0),
        currency="EUR",
        vat_by_rate={},
        live=True,
    )
    return count_calls(rows, Books(invoices=(invoice,), contacts=contacts), orders)


def test_a_new_customers_first_order_costs_two_and_the_next_one_one() -> None:
    """Making the contact belongs to the order that it was made for; lists belong to nobody, and to the total."""
    count = counted(
        row(1, "GET", "settings/taxes"),
        row(2, "GET", "contacts"),
        row(3, "POST", "contacts", person("a@b.example"), 201),
        sale(4, "1", "8"),
        sale(5, "2", "8"),
        row(6, "POST", "contacts", person("", "Guest 3"), 201),
        sale(7, "3", "9"),
    )
    assert count.by_order == {("shop", "1"): 2, ("shop", "2"): 1, ("shop", "3"): 2}
    assert count.total == 7
    assert {key[1]: case for key, case in count.cases.items()} == {"1": Case.NEW, "2": Case.KNOWN, "3": Case.NEW}
    assert (count.calls_of(Case.NEW), count.calls_of(Case.KNOWN)) == ([2, 2], [1])


def test_a_customer_from_a_list_is_read_and_where_he_moved_written() -> None:
    """Read, written, invoiced: three calls of the one order, though another one is invoiced to somebody in between."""
    count = counted(
        row(1, "GET", "contacts/8"),
        sale(2, "3", "9"),
        row(3, "PUT", "contacts/8", {"notes": ""}),
        sale(4, "1", "8"),
        standings={"1": Standing.MOVED, "3": Standing.LISTED},
    )
    assert count.by_order == {("shop", "1"): 3, ("shop", "3"): 1}
    assert (count.calls_of(Case.MOVED), count.calls_of(Case.LISTED)) == ([3], [1])


def test_a_second_try_and_a_look_at_the_invoice_count_for_the_order() -> None:
    """A refused POST, the one that went through, and reading the invoice are three calls of order 1, and one sale."""
    count = counted(sale(1, "1", "8", status=429), sale(2, "1", "8"), row(3, "GET", "invoices/71"))
    assert count.by_order == {("shop", "1"): 3}
    assert list(count.cases) == [("shop", "1")]


def test_a_body_that_was_cut_is_counted_and_put_to_nobody() -> None:
    """Half a JSON text does not stop the counting."""
    cut = row(1, "POST", "invoices") | {"body": '{"customer_id": "8", "custom'}
    assert (counted(cut).by_order, counted(cut).total) == ({}, 1)
