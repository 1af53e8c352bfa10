"""What is done to an invoice beside editing: sent, void, draft, mailed, written off; its addresses and own fields."""

from decimal import Decimal
from typing import Any

from sandbox.zoho import checks, customfields
from sandbox.zoho.calls import Answer, Call, invalid, rule
from sandbox.zoho.contact_fields import ADDRESS
from sandbox.zoho.invoice_fields import read_invoice, settle_balance
from sandbox.zoho.invoices import known_invoice, remove_invoice, save_invoice
from sandbox.zoho.sales import check_lock, settle_figures
from sandbox.zoho.shares import release_from_invoice
from sandbox.zoho.store import Document

_MAILS_MAX = 10


def _done(message: str, **more: Any) -> Answer:
    return Answer(body={"code": 0, "message": message, **more})


def mark_sent(call: Call) -> Answer:
    """POST /invoices/{invoice_id}/status/sent: a draft becomes sent, without mail."""
    _send(call, known_invoice(call))
    return _done("Invoice status has been changed to Sent.")


def mark_all_sent(call: Call) -> Answer:
    """POST /invoices/status/sent?invoice_ids=."""
    for document in _named(call):
        _send(call, document)
    return _done("Invoices have been marked as Sent.")


def _send(call: Call, document: Document) -> None:
    if document.body["status"] == "void":
        raise rule(12007, "A void invoice cannot be sent.")
    if document.body["status"] in {"draft", "pending_approval"}:
        document.body["status"] = "sent"
    settle_balance(document.body)
    save_invoice(call, document)


def void(call: Call) -> Answer:
    """POST /invoices/{invoice_id}/status/void: payments and credits become the customer's own again."""
    _void(call, known_invoice(call))
    return _done("Invoice status has been changed to Void.")


def void_all(call: Call) -> Answer:
    """POST /invoices/status/void?invoice_ids=."""
    for document in _named(call):
        _void(call, document)
    return _done("Invoices have been marked as Void.")


def _void(call: Call, document: Document) -> None:
    if document.body["status"] == "draft" and call.switch("void_of_draft") == "refused":
        raise rule(12005, "A draft cannot be voided; delete it.")
    check_lock(call, document.body["date"])
    release_from_invoice(call, document)
    document.body["status"] = "void"
    settle_balance(document.body)
    save_invoice(call, document)


def mark_draft(call: Call) -> Answer:
    """POST /invoices/{invoice_id}/status/draft: only from void."""
    document = known_invoice(call)
    if document.body["status"] != "void":
        raise rule(12006, "Only a void invoice can become a draft again.")
    document.body["status"] = "draft"
    save_invoice(call, document)
    return _done("Status of invoice changed from void to draft.")


def approve(call: Call) -> Answer:
    """POST /invoices/{invoice_id}/approve."""
    document = known_invoice(call)
    if document.body["status"] == "pending_approval":
        document.body["status"] = "draft"
        save_invoice(call, document)
    return _done("The invoice has been approved.")


def mail_content(call: Call) -> Answer:
    """GET /invoices/{invoice_id}/email: what would be sent, and to whom."""
    document = known_invoice(call)
    body = document.body
    data = {
        "to_mails_str": body["email"],
        "cc_mails_str": "",
        "bcc_mails": [],
        "subject": f"Invoice {body['invoice_number']}",
        "body": f"Invoice {body['invoice_number']} of {body['total']} {body['currency_code']}.",
        "customer_id": body["customer_id"],
        "customer_name": body["customer_name"],
        "entity_id": document.id,
        "attach_pdf": True,
        "file_name": f"{body['invoice_number']}.pdf",
        "gateways_configured": False,
        "error_list": [],
        "to_contacts": [],
        "emailtemplates": [],
    }
    return _done("success", data=data)


def mail(call: Call) -> Answer:
    """POST /invoices/{invoice_id}/email: a draft becomes sent by it."""
    document, given = known_invoice(call), call.mapping()
    addresses = given.get("to_mail_ids")
    if not isinstance(addresses, list) or not addresses or not all("@" in str(one) for one in addresses):
        raise invalid("to_mail_ids")
    is_first = not document.body["is_emailed"]
    document.body["is_emailed"] = True
    document.body.setdefault("mails", []).append({"to": [str(one) for one in addresses], "time": call.now})
    _send(call, document)
    return _done("Your invoice has been sent.", is_first_email=is_first)


def mail_all(call: Call) -> Answer:
    """POST /invoices/email?invoice_ids=: at most ten."""
    documents = _named(call)
    if len(documents) > _MAILS_MAX:
        raise invalid("invoice_ids")
    for document in documents:
        document.body["is_emailed"] = True
        _send(call, document)
    return _done("The invoices have been sent.")


def write_off(call: Call) -> Answer:
    """POST /invoices/{invoice_id}/writeoff."""
    document = known_invoice(call)
    if document.body["status"] not in {"sent", "partially_paid"}:
        raise rule(12005, "Only an open invoice can be written off.")
    document.body["write_off_amount"] = document.body["balance"]
    settle_balance(document.body)
    save_invoice(call, document)
    return _done("The invoice has been written off.")


def cancel_write_off(call: Call) -> Answer:
    """POST /invoices/{invoice_id}/writeoff/cancel."""
    document = known_invoice(call)
    document.body["write_off_amount"] = Decimal(0)
    settle_balance(document.body)
    save_invoice(call, document)
    return _done("The write-off has been cancelled.")


def set_billing(call: Call) -> Answer:
    """PUT /invoices/{invoice_id}/address/billing."""
    return _set_address(call, "billing_address")


def set_shipping(call: Call) -> Answer:
    """PUT /invoices/{invoice_id}/address/shipping."""
    return _set_address(call, "shipping_address")


def _set_address(call: Call, name: str) -> Answer:
    document = known_invoice(call)
    document.body[name] |= checks.texts(call, call.mapping(), ADDRESS)
    save_invoice(call, document)
    return _done("The address has been updated.")


def set_custom_fields(call: Call) -> Answer:
    """PUT /invoice/{invoice_id}/customfields: a list of fields, bare or under `custom_fields`."""
    document = known_invoice(call)
    given = call.body.get("custom_fields") if isinstance(call.body, dict) else call.body
    if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
        raise invalid("custom_fields")
    document.body["custom_values"] = customfields.entries(call, given, document.body["custom_values"])
    save_invoice(call, document)
    return _done("Custom fields have been updated.")


def get_custom_fields(call: Call) -> Answer:
    """GET /invoices/{invoice_id}/customfields."""
    shown = customfields.shown(call.organization, known_invoice(call).body["custom_values"])
    return _done("success", custom_fields=shown["custom_fields"])


def delete_line(call: Call) -> Answer:
    """DELETE /invoices/{invoice_id}/lineitems/{line_item_id}: the last line stays."""
    document = known_invoice(call)
    left = [one for one in document.body["line_items"] if one["line_item_id"] != call.names["line_item_id"]]
    if len(left) == len(document.body["line_items"]) or not left:
        raise invalid("line_item_id")
    document.body["line_items"] = left
    settle_figures(call, document.body)
    settle_balance(document.body)
    save_invoice(call, document)
    return _done("The line item has been deleted.")


def _named(call: Call) -> list[Document]:
    ids = [one for one in call.query.get("invoice_ids", "").split(",") if one]
    if not ids:
        raise invalid("invoice_ids")
    return [known_invoice(call, one) for one in ids]


def change_by_hand(call: Call, invoice_id: str, action: str, changes: dict[str, Any]) -> None:
    """Do what a person would do in the books: edit fields, void, delete. Raises `Refusal` as the API would.

    An edit takes the fields of an update and sets the change time, so that Booked can see that somebody was there.
    """
    document = known_invoice(call, invoice_id)
    if action == "delete":
        remove_invoice(call, document)
    elif action == "void":
        _void(call, document)
    elif action == "sent":
        _send(call, document)
    else:
        read_invoice(call, changes, document)
        save_invoice(call, document)
