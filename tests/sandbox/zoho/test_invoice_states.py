"""What is done to an invoice beside editing: sent, void, draft again, mailed, printed, deleted."""

import pytest

from tests.sandbox.zoho.books import Books, line


async def _status(books: Books, invoice_id: str) -> str:
    return str((await books.good("GET", f"/invoices/{invoice_id}"))["invoice"]["status"])


async def test_an_invoice_goes_from_draft_to_sent_to_void_to_draft(books: Books) -> None:
    """Each step is a POST, and the states follow."""
    invoice = await books.invoice()
    path, states = f"/invoices/{invoice['invoice_id']}", []
    for step in ("sent", "void", "draft"):
        await books.good("POST", f"{path}/status/{step}")
        states.append(await _status(books, invoice["invoice_id"]))
    assert states == ["sent", "void", "draft"]


async def test_only_a_void_invoice_becomes_a_draft(books: Books) -> None:
    """A sent one does not."""
    invoice = await books.invoice()
    await books.good("POST", f"/invoices/{invoice['invoice_id']}/status/sent")
    assert await books.refused("POST", f"/invoices/{invoice['invoice_id']}/status/draft") == (400, 12006)


async def test_a_sent_invoice_past_its_day_is_overdue(books: Books) -> None:
    """A draft of long ago is a draft; sent, it is overdue."""
    invoice = await books.invoice(date="2020-01-01")
    assert await _status(books, invoice["invoice_id"]) == "draft"
    await books.good("POST", f"/invoices/{invoice['invoice_id']}/status/sent")
    assert await _status(books, invoice["invoice_id"]) == "overdue"


async def test_several_are_sent_and_voided_at_once(books: Books) -> None:
    """The bulk calls take ids in the query; an unknown one undoes all of it."""
    customer = await books.customer()
    ids = [(await books.invoice(customer))["invoice_id"] for _ in range(2)]
    await books.good("POST", "/invoices/status/sent", invoice_ids=",".join(ids))
    assert await books.refused("POST", "/invoices/status/void", invoice_ids=f"{ids[0]},1") == (404, 1002)
    assert [await _status(books, one) for one in ids] == ["sent", "sent"]
    await books.good("POST", "/invoices/status/void", invoice_ids=",".join(ids))
    assert [await _status(books, one) for one in ids] == ["void", "void"]


async def test_a_mail_makes_a_draft_sent_and_is_remembered(books: Books) -> None:
    """The first mail says that it is the first; the books show to whom it went."""
    invoice = await books.invoice()
    path = f"/invoices/{invoice['invoice_id']}/email"
    assert await books.refused("POST", path, {"to_mail_ids": []}) == (400, 2)
    first = await books.good("POST", path, {"to_mail_ids": ["ann@example.test"]})
    second = await books.good("POST", path, {"to_mail_ids": ["ann@example.test"]})
    found = (await books.good("GET", f"/invoices/{invoice['invoice_id']}"))["invoice"]
    assert (first["is_first_email"], second["is_first_email"]) == (True, False)
    assert (found["status"], found["is_emailed"]) == ("sent", True)
    ledger = await books.control.ledger(books.id)
    assert [one["to"] for one in ledger["invoices"][0]["mails"]] == [["ann@example.test"]] * 2


async def test_the_mails_content_can_be_read_before(books: Books) -> None:
    """Subject and receiver stand in the answer."""
    customer = await books.customer("Ann", contact_persons=[{"email": "ann@example.test"}])
    invoice = await books.invoice(customer)
    content = (await books.good("GET", f"/invoices/{invoice['invoice_id']}/email"))["data"]
    assert (content["to_mails_str"], content["subject"]) == ("ann@example.test", "Invoice INV-000001")


async def test_an_invoice_is_also_a_pdf(books: Books) -> None:
    """`accept=pdf` gives a file that begins and ends as a PDF does; 26 at once are refused."""
    invoice = await books.invoice()
    answer = await books.raw("GET", f"/invoices/{invoice['invoice_id']}", accept="pdf")
    assert answer.headers["content-type"].startswith("application/pdf")
    assert answer.content.startswith(b"%PDF-1.4")
    assert answer.content.rstrip().endswith(b"%%EOF")
    many = ",".join([invoice["invoice_id"]] * 26)
    assert await books.refused("GET", "/invoices/pdf", invoice_ids=many) == (400, 2)


async def test_addresses_are_set_after_the_invoice(books: Books) -> None:
    """Billing and shipping have a call each; the invoice's own copy changes, the customer's stays."""
    customer = await books.customer("Ann", billing_address={"city": "Bonn"})
    invoice = await books.invoice(customer)
    path = f"/invoices/{invoice['invoice_id']}"
    await books.good("PUT", f"{path}/address/billing", {"city": "Köln"})
    await books.good("PUT", f"{path}/address/shipping", {"city": "Mainz"})
    found = (await books.good("GET", path))["invoice"]
    contact = (await books.good("GET", f"/contacts/{customer}"))["contact"]
    cities = [one["city"] for one in (found["billing_address"], found["shipping_address"], contact["billing_address"])]
    assert cities == ["Köln", "Mainz", "Bonn"]
    assert await books.refused("PUT", f"{path}/address/billing", {"zip": "1" * 51}) == (400, 15)


@pytest.mark.parametrize("state", ["draft", "sent", "void"])
async def test_without_money_on_it_an_invoice_can_be_deleted(books: Books, state: str) -> None:
    """Draft, sent or void: gone, and its id answers 1002."""
    invoice = await books.invoice()
    path = f"/invoices/{invoice['invoice_id']}"
    if state != "draft":
        await books.good("POST", f"{path}/status/{state}")
    await books.good("DELETE", path)
    assert await books.refused("GET", path) == (404, 1002)


async def test_a_void_invoice_is_not_edited(books: Books) -> None:
    """It has to be a draft again first."""
    invoice = await books.invoice()
    path = f"/invoices/{invoice['invoice_id']}"
    await books.good("POST", f"{path}/status/void")
    assert await books.refused("PUT", path, {"notes": "x"}) == (400, 12007)


async def test_an_open_invoice_is_written_off_and_back(books: Books) -> None:
    """Written off it is paid with nothing left; cancelled, it owes again."""
    invoice = await books.invoice()
    path = f"/invoices/{invoice['invoice_id']}"
    assert await books.refused("POST", f"{path}/writeoff") == (400, 12005)
    await books.good("POST", f"{path}/status/sent")
    await books.good("POST", f"{path}/writeoff")
    off = (await books.good("GET", path))["invoice"]
    await books.good("POST", f"{path}/writeoff/cancel")
    back = (await books.good("GET", path))["invoice"]
    assert (off["status"], off["balance"], back["status"], back["balance"]) == ("paid", 0, "sent", 100)


async def test_a_line_is_deleted_but_not_the_last(books: Books) -> None:
    """Two lines: one goes, the total follows; the other stays."""
    invoice = await books.invoice(line_items=[line(1), line(2)])
    path = f"/invoices/{invoice['invoice_id']}"
    first, second = (one["line_item_id"] for one in invoice["line_items"])
    await books.good("DELETE", f"{path}/lineitems/{first}")
    assert (await books.good("GET", path))["invoice"]["total"] == 2
    assert await books.refused("DELETE", f"{path}/lineitems/{second}") == (400, 2)


async def test_a_person_in_the_books_leaves_a_trace(books: Books) -> None:
    """An edit by hand changes the time of change, a deletion leaves nothing, a void leaves a void invoice."""
    customer = await books.customer()
    edited, voided, gone = [(await books.invoice(customer))["invoice_id"] for _ in range(3)]
    before = {one["invoice_id"]: one for one in (await books.control.ledger(books.id))["invoices"]}
    await books.control.by_hand(books.id, edited, "edit", notes="by hand")
    await books.control.by_hand(books.id, voided, "void")
    await books.control.by_hand(books.id, gone, "delete")
    after = {one["invoice_id"]: one for one in (await books.control.ledger(books.id))["invoices"]}
    assert (after[edited]["notes"], after[voided]["status"], gone in after) == ("by hand", "void", False)
    assert after[edited]["last_modified_time"] >= before[edited]["last_modified_time"]
