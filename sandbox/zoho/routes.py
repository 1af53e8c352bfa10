"""Which handler answers which call, and which scope it needs.

Status changes, mails and voids are POSTs under the scope for creating, as Zoho has it.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sandbox.zoho import (
    contact_parts,
    contacts,
    creditnotes,
    currencies,
    invoice_money,
    invoice_states,
    invoices,
    items,
    locks,
    payments,
    taxes,
)
from sandbox.zoho.calls import Answer, Call

BASE = "/books/v3"
_VERBS = {"GET": "READ", "POST": "CREATE", "PUT": "UPDATE", "DELETE": "DELETE"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One call of the API: method, address with names in braces, the scope's module, and who answers."""

    method: str
    template: str
    module: str
    handler: Callable[[Call], Answer]
    pattern: re.Pattern[str]

    @property
    def scope(self) -> str:
        """The scope that a token needs for this call."""
        return f"ZohoBooks.{self.module}.{_VERBS[self.method]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What an address means: the route and the names in it; without a route, the methods that it would have."""

    route: Route | None
    names: dict[str, str]
    methods: tuple[str, ...]


def _route(line: str, handler: Callable[[Call], Answer]) -> Route:
    method, module, template = line.split()
    inner = re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(template))
    pattern = re.compile(f"{re.escape(BASE)}{inner}/?")
    return Route(method=method, template=f"{BASE}{template}", module=module, handler=handler, pattern=pattern)


_CONTACTS: list[tuple[str, Callable[[Call], Answer]]] = [
    ("GET contacts /contacts", contacts.list_contacts),
    ("POST contacts /contacts", contacts.create_contact),
    ("PUT contacts /contacts", contacts.upsert_contact),
    ("DELETE contacts /contacts", contacts.delete_contacts),
    ("POST contacts /contacts/contactpersons", contact_parts.create_person),
    ("GET contacts /contacts/contactpersons/{contactperson_id}", contact_parts.get_person),
    ("PUT contacts /contacts/contactpersons/{contactperson_id}", contact_parts.update_person),
    ("DELETE contacts /contacts/contactpersons/{contactperson_id}", contact_parts.delete_person),
    ("POST contacts /contacts/contactpersons/{contactperson_id}/primary", contact_parts.mark_primary),
    ("GET contacts /contacts/{contact_id}", contacts.get_contact),
    ("PUT contacts /contacts/{contact_id}", contacts.update_contact),
    ("DELETE contacts /contacts/{contact_id}", contacts.delete_contact),
    ("POST contacts /contacts/{contact_id}/active", contacts.activate),
    ("POST contacts /contacts/{contact_id}/inactive", contacts.deactivate),
    ("GET contacts /contacts/{contact_id}/contactpersons", contact_parts.list_persons),
    ("GET contacts /contacts/{contact_id}/address", contact_parts.list_addresses),
    ("POST contacts /contacts/{contact_id}/address", contact_parts.add_address),
    ("PUT contacts /contacts/{contact_id}/address/{address_id}", contact_parts.edit_address),
    ("DELETE contacts /contacts/{contact_id}/address/{address_id}", contact_parts.delete_address),
    ("POST contacts /contacts/{contact_id}/address/{address_id}/markasbilling", contact_parts.mark_billing),
    ("POST contacts /contacts/{contact_id}/address/{address_id}/markasshipping", contact_parts.mark_shipping),
]

_INVOICES: list[tuple[str, Callable[[Call], Answer]]] = [
    ("GET invoices /invoices", invoices.list_invoices),
    ("POST invoices /invoices", invoices.create_invoice),
    ("PUT invoices /invoices", invoices.upsert_invoice),
    ("DELETE invoices /invoices", invoices.delete_invoices),
    ("GET invoices /invoices/pdf", invoices.get_pdfs),
    ("POST invoices /invoices/email", invoice_states.mail_all),
    ("POST invoices /invoices/status/sent", invoice_states.mark_all_sent),
    ("POST invoices /invoices/status/void", invoice_states.void_all),
    ("GET invoices /invoices/{invoice_id}", invoices.get_invoice),
    ("PUT invoices /invoices/{invoice_id}", invoices.update_invoice),
    ("DELETE invoices /invoices/{invoice_id}", invoices.delete_invoice),
    ("POST invoices /invoices/{invoice_id}/status/sent", invoice_states.mark_sent),
    ("POST invoices /invoices/{invoice_id}/status/void", invoice_states.void),
    ("POST invoices /invoices/{invoice_id}/status/draft", invoice_states.mark_draft),
    ("POST invoices /invoices/{invoice_id}/approve", invoice_states.approve),
    ("GET invoices /invoices/{invoice_id}/email", invoice_states.mail_content),
    ("POST invoices /invoices/{invoice_id}/email", invoice_states.mail),
    ("POST invoices /invoices/{invoice_id}/writeoff", invoice_states.write_off),
    ("POST invoices /invoices/{invoice_id}/writeoff/cancel", invoice_states.cancel_write_off),
    ("PUT invoices /invoices/{invoice_id}/address/billing", invoice_states.set_billing),
    ("PUT invoices /invoices/{invoice_id}/address/shipping", invoice_states.set_shipping),
    ("PUT invoices /invoice/{invoice_id}/customfields", invoice_states.set_custom_fields),
    ("GET invoices /invoices/{invoice_id}/customfields", invoice_states.get_custom_fields),
    ("DELETE invoices /invoices/{invoice_id}/lineitems/{line_item_id}", invoice_states.delete_line),
    ("GET invoices /invoices/{invoice_id}/payments", invoice_money.list_payments),
    ("DELETE invoices /invoices/{invoice_id}/payments/{invoice_payment_id}", invoice_money.delete_payment),
    ("GET invoices /invoices/{invoice_id}/creditsapplied", invoice_money.list_credits),
    ("DELETE invoices /invoices/{invoice_id}/creditsapplied/{creditnotes_invoice_id}", invoice_money.delete_credit),
    ("POST invoices /invoices/{invoice_id}/credits", invoice_money.apply_credits),
]

_CREDIT_NOTES: list[tuple[str, Callable[[Call], Answer]]] = [
    ("GET creditnotes /creditnotes", creditnotes.list_creditnotes),
    ("POST creditnotes /creditnotes", creditnotes.create_creditnote),
    ("PUT creditnotes /creditnotes", creditnotes.upsert_creditnote),
    ("GET creditnotes /creditnotes/{creditnote_id}", creditnotes.get_creditnote),
    ("PUT creditnotes /creditnotes/{creditnote_id}", creditnotes.update_creditnote),
    ("DELETE creditnotes /creditnotes/{creditnote_id}", creditnotes.delete_creditnote),
    ("POST creditnotes /creditnotes/{creditnote_id}/email", creditnotes.mail),
    ("POST creditnotes /creditnotes/{creditnote_id}/status/void", creditnotes.void),
    ("POST creditnotes /creditnotes/{creditnote_id}/status/draft", creditnotes.mark_draft),
    ("POST creditnotes /creditnotes/{creditnote_id}/status/open", creditnotes.mark_open),
    ("GET creditnotes /creditnotes/{creditnote_id}/invoices", creditnotes.list_applied),
    ("POST creditnotes /creditnotes/{creditnote_id}/invoices", creditnotes.apply_creditnote),
    ("DELETE creditnotes /creditnotes/{creditnote_id}/invoices/{creditnote_invoice_id}", creditnotes.unapply),
    ("GET creditnotes /creditnotes/{creditnote_id}/refunds", creditnotes.list_refunds),
    ("POST creditnotes /creditnotes/{creditnote_id}/refunds", creditnotes.refund),
]

_OTHERS: list[tuple[str, Callable[[Call], Answer]]] = [
    ("GET customerpayments /customerpayments", payments.list_payments),
    ("POST customerpayments /customerpayments", payments.create_payment),
    ("PUT customerpayments /customerpayments", payments.upsert_payment),
    ("GET customerpayments /customerpayments/{payment_id}", payments.get_payment),
    ("PUT customerpayments /customerpayments/{payment_id}", payments.update_payment),
    ("DELETE customerpayments /customerpayments/{payment_id}", payments.delete_payment),
    ("GET customerpayments /customerpayments/{payment_id}/refunds", payments.list_refunds),
    ("POST customerpayments /customerpayments/{payment_id}/refunds", payments.refund_payment),
    ("GET settings /items", items.list_items),
    ("POST settings /items", items.create_item),
    ("GET settings /itemdetails", items.get_details),
    ("GET settings /items/{item_id}", items.get_item),
    ("PUT settings /items/{item_id}", items.update_item),
    ("DELETE settings /items/{item_id}", items.delete_item),
    ("POST settings /items/{item_id}/active", items.activate),
    ("POST settings /items/{item_id}/inactive", items.deactivate),
    ("GET settings /settings/currencies", currencies.list_currencies),
    ("POST settings /settings/currencies", currencies.create_currency),
    ("GET settings /settings/currencies/{currency_id}", currencies.get_currency),
    ("GET settings /settings/taxes", taxes.list_taxes),
    ("POST settings /settings/taxes", taxes.create_tax),
    ("GET settings /settings/taxes/{tax_id}", taxes.get_tax),
    ("DELETE settings /settings/taxes/{tax_id}", taxes.delete_tax),
    ("POST settings /settings/taxgroups", taxes.create_group),
    ("GET settings /settings/taxgroups/{tax_group_id}", taxes.get_group),
    ("GET accountants /transactionlocks", locks.read_locks),
    ("GET settings /settings/taxexemptions", taxes.list_exemptions),
    ("POST settings /settings/taxexemptions", taxes.create_exemption),
]

ROUTES: Sequence[Route] = tuple(_route(*one) for one in [*_CONTACTS, *_INVOICES, *_CREDIT_NOTES, *_OTHERS])
"""Every call that needs an organisation, the more particular addresses first."""


def find(method: str, path: str) -> Found:
    """Find the route of a call."""
    matches = [(route, matched) for route in ROUTES if (matched := route.pattern.fullmatch(path))]
    for route, matched in matches:
        if route.method == method:
            return Found(route=route, names=matched.groupdict(), methods=())
    return Found(route=None, names={}, methods=tuple(sorted({route.method for route, _ in matches})))
