"""How the books in memory show and lay over what they keep."""

from dataclasses import replace
from typing import Any

from consumer.domain.invoice_words import InvoiceWords
from consumer.domain.ledger import ContactData, Invoice, InvoiceDraft, TaxRounding
from consumer.domain.orders import Address


def row(invoice: Invoice) -> Invoice:
    """Give an invoice as a list shows it."""
    return replace(invoice, lines=None, words=None, tax_total=None, tax_by_rate=None, rounding=TaxRounding.UNKNOWN)


def name_key(name: str) -> str:
    """Give what names are unique by."""
    return " ".join(name.split()).casefold()


def merged(before: ContactData, wanted: ContactData) -> ContactData:
    """Write over what was there; what is not wanted anything of stays (the ledger's updates are partial)."""
    changes: dict[str, Any] = {
        name: value for name in ContactData.__dataclass_fields__ if (value := getattr(wanted, name))
    }
    empty = Address()
    changes = {name: value for name, value in changes.items() if value != empty}
    return replace(before, **{**changes, "is_business": before.is_business or wanted.is_business})


def written_words(draft: InvoiceDraft, before: InvoiceWords) -> InvoiceWords:
    """Lay a draft's words over those that are there: what it is silent about stays."""
    fields = {**dict(before.custom_fields or ()), **dict(draft.custom_fields)}
    return InvoiceWords(
        due_on=draft.due_on,
        notes=draft.notes,
        terms=before.terms or "" if draft.terms is None else draft.terms,
        salesperson=before.salesperson or "" if draft.salesperson is None else draft.salesperson,
        template_id=draft.template_id or before.template_id,
        payment_terms_label=draft.payment_terms_label or before.payment_terms_label,
        custom_fields=tuple(sorted(fields.items())),
    )
