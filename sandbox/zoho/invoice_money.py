"""The payments and credits of one invoice, seen and changed from the invoice's side."""

from typing import Any

from sandbox.zoho import checks
from sandbox.zoho.calls import Answer, Call, missing
from sandbox.zoho.creditnotes import known_creditnote
from sandbox.zoho.invoice_fields import settle_balance
from sandbox.zoho.invoices import known_invoice, save_invoice
from sandbox.zoho.payments import known_payment
from sandbox.zoho.shares import put_on, release_from_invoice


def list_payments(call: Call) -> Answer:
    """GET /invoices/{invoice_id}/payments."""
    shares = known_invoice(call).body["payments"]
    rows = [_payment(call, one) for one in shares]
    return Answer(body={"code": 0, "message": "success", "payments": rows})


def _payment(call: Call, share: dict[str, Any]) -> dict[str, Any]:
    payment = known_payment(call, share["source_id"]).body
    return {
        "payment_id": share["source_id"],
        "payment_number": int(payment["payment_number"]),
        "invoice_id": share["invoice_id"],
        "invoice_payment_id": share["share_id"],
        "payment_mode": payment["payment_mode"],
        "description": payment["description"],
        "date": share["date"],
        "reference_number": payment["reference_number"],
        "exchange_rate": payment["exchange_rate"],
        "amount": share["amount_applied"],
        "tax_amount_withheld": 0,
        "online_transaction_id": "",
        "is_single_invoice_payment": len(payment["shares"]) == 1,
    }


def list_credits(call: Call) -> Answer:
    """GET /invoices/{invoice_id}/creditsapplied."""
    rows = [
        {
            "creditnote_id": one["source_id"],
            "creditnotes_invoice_id": one["share_id"],
            "creditnotes_number": known_creditnote(call, one["source_id"]).body["creditnote_number"],
            "credited_date": one["date"],
            "amount_applied": one["amount_applied"],
        }
        for one in known_invoice(call).body["credits"]
    ]
    return Answer(body={"code": 0, "message": "success", "credits": rows})


def apply_credits(call: Call) -> Answer:
    """POST /invoices/{invoice_id}/credits: parts of payments and of credit notes."""
    given, invoice_id = call.mapping(), known_invoice(call).id
    for one in checks.objects(given, "invoice_payments"):
        source = known_payment(call, checks.text(call, one, "payment_id"))
        put_on(call, source, [one | {"invoice_id": invoice_id}])
        call.store.put(source)
    for one in checks.objects(given, "apply_creditnotes"):
        source = known_creditnote(call, checks.text(call, one, "creditnote_id"))
        put_on(call, source, [one | {"invoice_id": invoice_id}])
        call.store.put(source)
    return Answer(body={"code": 0, "message": "Credits have been applied to the invoice."})


def delete_payment(call: Call) -> Answer:
    """DELETE /invoices/{invoice_id}/payments/{invoice_payment_id}: the money stays with the customer."""
    return _take_off(call, call.names["invoice_payment_id"], "payments", "The payment has been deleted.")


def delete_credit(call: Call) -> Answer:
    """DELETE /invoices/{invoice_id}/creditsapplied/{creditnotes_invoice_id}."""
    return _take_off(call, call.names["creditnotes_invoice_id"], "credits", "Credits have been taken off.")


def _take_off(call: Call, share_id: str, side: str, message: str) -> Answer:
    document = known_invoice(call)
    if not any(one["share_id"] == share_id for one in document.body[side]):
        raise missing(call, "What is to be taken off the invoice")
    release_from_invoice(call, document, share_id)
    settle_balance(document.body)
    save_invoice(call, document)
    return Answer(body={"code": 0, "message": message})
