"""Payments and credit notes: put on invoices, taken off, refunded, and what blocks a deletion."""

from typing import Any

from tests.sandbox.zoho.books import Books, line


async def _sent(books: Books, customer: str, rate: float = 100) -> str:
    invoice = await books.invoice(customer, line_items=[line(rate)])
    await books.good("POST", f"/invoices/{invoice['invoice_id']}/status/sent")
    return str(invoice["invoice_id"])


async def _invoice(books: Books, invoice_id: str) -> dict[str, Any]:
    invoice: dict[str, Any] = (await books.good("GET", f"/invoices/{invoice_id}"))["invoice"]
    return invoice


def _payment(customer: str, amount: float, *shares: tuple[str, float]) -> dict[str, Any]:
    invoices = [{"invoice_id": one, "amount_applied": share} for one, share in shares]
    return {
        "customer_id": customer,
        "payment_mode": "cash",
        "amount": amount,
        "date": "2026-06-09",
        "invoices": invoices,
    }


async def _credit(books: Books, customer: str, rate: float, **more: Any) -> dict[str, Any]:
    body = {"customer_id": customer, "date": "2026-06-09", "line_items": [line(rate)], **more}
    note: dict[str, Any] = (await books.good("POST", "/creditnotes", body))["creditnote"]
    return note


async def test_a_payment_lowers_the_balance_and_pays(books: Books) -> None:
    """40 of 100 leave it partly paid, 60 more pay it."""
    customer = await books.customer()
    invoice_id = await _sent(books, customer)
    await books.good("POST", "/customerpayments", _payment(customer, 40, (invoice_id, 40)))
    partly = await _invoice(books, invoice_id)
    await books.good("POST", "/customerpayments", _payment(customer, 60, (invoice_id, 60)))
    paid = await _invoice(books, invoice_id)
    assert (partly["status"], partly["balance"], partly["payment_made"]) == ("partially_paid", 60, 40)
    assert (paid["status"], paid["balance"], paid["last_payment_date"]) == ("paid", 0, "2026-06-09")


async def test_a_payment_above_the_balance_is_refused_whole(books: Books) -> None:
    """100.01 on 100.00 is 24016 and nothing of it is kept; so is more on invoices than was paid."""
    customer = await books.customer()
    invoice_id = await _sent(books, customer)
    over = _payment(customer, 100.01, (invoice_id, 100.01))
    assert await books.refused("POST", "/customerpayments", over) == (400, 24016)
    short = _payment(customer, 50, (invoice_id, 60))
    assert await books.refused("POST", "/customerpayments", short) == (400, 24016)
    assert (await _invoice(books, invoice_id))["balance"] == 100
    assert (await books.good("GET", "/customerpayments"))["customerpayments"] == []


async def test_wrong_payments_are_refused(books: Books) -> None:
    """Unknown customer 3004, an amount of nothing 4, an unknown mode 2, somebody else's invoice 2."""
    customer, other = await books.customer("Ann"), await books.customer("Bob")
    foreign = await _sent(books, other)
    assert await books.refused("POST", "/customerpayments", _payment("1", 1)) == (400, 3004)
    assert await books.refused("POST", "/customerpayments", _payment(customer, 0)) == (400, 4)
    shells = {**_payment(customer, 1), "payment_mode": "shells"}
    assert await books.refused("POST", "/customerpayments", shells) == (400, 2)
    assert await books.refused("POST", "/customerpayments", _payment(customer, 1, (foreign, 1))) == (400, 2)


async def test_an_invoice_with_a_payment_cannot_be_deleted(books: Books) -> None:
    """4001 until the payment is gone; the customer cannot be changed meanwhile (3010)."""
    customer, other = await books.customer("Ann"), await books.customer("Bob")
    invoice_id = await _sent(books, customer)
    body = _payment(customer, 100, (invoice_id, 100))
    payment = (await books.good("POST", "/customerpayments", body))["payment"]
    assert await books.refused("DELETE", f"/invoices/{invoice_id}") == (400, 4001)
    assert await books.refused("PUT", f"/invoices/{invoice_id}", {"customer_id": other}) == (400, 3010)
    await books.good("DELETE", f"/customerpayments/{payment['payment_id']}")
    assert (await _invoice(books, invoice_id))["status"] == "sent"
    await books.good("DELETE", f"/invoices/{invoice_id}")


async def test_voiding_a_paid_invoice_gives_the_money_back_to_the_customer(books: Books) -> None:
    """The payment is unused afterwards, and counts as the customer's credit."""
    customer = await books.customer()
    invoice_id = await _sent(books, customer)
    body = _payment(customer, 100, (invoice_id, 100))
    payment = (await books.good("POST", "/customerpayments", body))["payment"]
    await books.good("POST", f"/invoices/{invoice_id}/status/void")
    kept = (await books.good("GET", f"/customerpayments/{payment['payment_id']}"))["payment"]
    contact = (await books.good("GET", f"/contacts/{customer}"))["contact"]
    assert (kept["unused_amount"], kept["invoices"]) == (100, [])
    assert contact["unused_credits_receivable_amount"] == 100


async def test_an_updated_payment_moves_to_other_invoices(books: Books) -> None:
    """The named invoices replace those it was on; a description alone moves nothing."""
    customer = await books.customer()
    first, second = await _sent(books, customer), await _sent(books, customer)
    payment = (await books.good("POST", "/customerpayments", _payment(customer, 100, (first, 100))))["payment"]
    path = f"/customerpayments/{payment['payment_id']}"
    await books.good("PUT", path, {"description": "by card"})
    assert (await _invoice(books, first))["status"] == "paid"
    await books.good("PUT", path, {"invoices": [{"invoice_id": second, "amount_applied": 100}]})
    assert ((await _invoice(books, first))["status"], (await _invoice(books, second))["status"]) == ("sent", "paid")


async def test_unused_money_is_put_on_an_invoice_or_refunded(books: Books) -> None:
    """An advance of 100: 60 on an invoice from the invoice's side, 40 back, and not one more."""
    customer = await books.customer()
    invoice_id = await _sent(books, customer)
    payment_id = (await books.good("POST", "/customerpayments", _payment(customer, 100)))["payment"]["payment_id"]
    share = {"invoice_payments": [{"payment_id": payment_id, "amount_applied": 60}], "apply_creditnotes": []}
    await books.good("POST", f"/invoices/{invoice_id}/credits", share)
    refund = {"date": "2026-06-10", "amount": 40, "from_account_id": "1"}
    await books.good("POST", f"/customerpayments/{payment_id}/refunds", refund)
    assert await books.refused("POST", f"/customerpayments/{payment_id}/refunds", {**refund, "amount": 1}) == (
        400,
        24016,
    )
    rows = (await books.good("GET", f"/invoices/{invoice_id}/payments"))["payments"]
    assert [(one["payment_id"], one["amount"]) for one in rows] == [(payment_id, 60)]
    await books.good("DELETE", f"/invoices/{invoice_id}/payments/{rows[0]['invoice_payment_id']}")
    assert (await _invoice(books, invoice_id))["balance"] == 100


async def test_a_credit_note_is_open_at_once_and_numbered(books: Books) -> None:
    """Open without any further call, CN-00001, or a draft when asked for."""
    customer = await books.customer()
    note = await _credit(books, customer, 30)
    draft = await _credit(books, customer, 30, is_draft=True)
    assert (note["status"], note["creditnote_number"], note["balance"]) == ("open", "CN-00001", 30)
    assert draft["status"] == "draft"


async def test_a_draft_invoice_takes_no_credit(books: Books) -> None:
    """12005 on a draft; on a sent invoice the credit counts, and then blocks the deletion with 12008."""
    customer = await books.customer()
    note = await _credit(books, customer, 30)
    draft = await books.invoice(customer)
    path = f"/creditnotes/{note['creditnote_id']}/invoices"
    share = {"invoices": [{"invoice_id": draft["invoice_id"], "amount_applied": 30}]}
    assert await books.refused("POST", path, share) == (400, 12005)
    await books.good("POST", f"/invoices/{draft['invoice_id']}/status/sent")
    await books.good("POST", path, share)
    credited = await _invoice(books, draft["invoice_id"])
    assert (credited["credits_applied"], credited["balance"]) == (30, 70)
    assert await books.refused("DELETE", f"/invoices/{draft['invoice_id']}") == (400, 12008)
    assert await books.refused("POST", path, share) == (400, 12003)


async def test_a_credit_note_states_are_refused_by_their_codes(books: Books) -> None:
    """Void credit note 12004, void invoice 12007, paid invoice 12006, a number in use 12018."""
    customer = await books.customer()
    note, other = await _credit(books, customer, 30), await _credit(books, customer, 30)
    voided, paid = await _sent(books, customer), await _sent(books, customer)
    await books.good("POST", f"/invoices/{voided}/status/void")
    await books.good("POST", "/customerpayments", _payment(customer, 100, (paid, 100)))
    path = f"/creditnotes/{note['creditnote_id']}"
    for invoice_id, code in ((voided, 12007), (paid, 12006)):
        share = {"invoices": [{"invoice_id": invoice_id, "amount_applied": 1}]}
        assert await books.refused("POST", f"{path}/invoices", share) == (400, code)
    await books.good("POST", f"{path}/status/void")
    assert await books.refused("POST", f"{path}/invoices", {"invoices": []}) == (400, 12004)
    number = {"creditnote_number": other["creditnote_number"]}
    taken = {"customer_id": customer, "line_items": [line()], **number}
    assert await books.refused("POST", "/creditnotes", taken) == (400, 12018)


async def test_a_credit_note_is_made_on_its_invoice_taken_off_and_refunded(books: Books) -> None:
    """`invoice_id` puts it on at once; off again it can be refunded, and then not deleted."""
    customer = await books.customer()
    invoice_id = await _sent(books, customer)
    body = {"customer_id": customer, "date": "2026-06-09", "line_items": [line(100)], "reference_number": "1~credit~1"}
    note = (await books.good("POST", "/creditnotes", body, invoice_id=invoice_id))["creditnote"]
    path = f"/creditnotes/{note['creditnote_id']}"
    assert (note["status"], (await _invoice(books, invoice_id))["status"]) == ("closed", "paid")
    assert (await books.control.live_invoices(books.id))["live"] == 0
    applied = (await books.good("GET", f"{path}/invoices"))["invoices_credited"]
    await books.good("DELETE", f"{path}/invoices/{applied[0]['creditnote_invoice_id']}")
    await books.good("POST", f"{path}/refunds", {"date": "2026-06-10", "amount": 100, "from_account_id": "1"})
    assert await books.refused("DELETE", path) == (400, 12008)
    found = await books.good("GET", "/creditnotes", reference_number="1~credit~1")
    assert [one["balance"] for one in found["creditnotes"]] == [0]
