"""Writes the generated parts of the docs: settings, shops.yaml, reasons, states, commands, metrics and codes.

`python -m consumer.cli.reference` writes them, with ``--check`` it fails where one is stale.
"""

import sys
from collections.abc import Iterator, Mapping
from enum import Enum
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from consumer.adapters.shops.ways import SHOPIFY_VERSION
from consumer.adapters.zoho.errors import CONTACT_UNUSABLE, KEY_TAKEN, LEDGER_CODES, PERIOD_CLOSED, TEMPLATE_UNKNOWN
from consumer.cli import reference_program as program
from consumer.cli.exits import Exit
from consumer.cli.reference_events import events
from consumer.cli.reference_program import row, table
from consumer.cli.shops_order_list import OrderListPart
from consumer.cli.shops_parts import (
    AccountPart,
    ConnectionPart,
    LimitsPart,
    MethodPart,
    PaymentPart,
    ShopPart,
    TaxPart,
)
from consumer.config import PREFIX, Settings
from consumer.domain.reasons import CATALOGUE
from consumer.domain.states import ReasonCode

FOUND_BY_WORDS = (KEY_TAKEN, CONTACT_UNUSABLE, TEMPLATE_UNKNOWN, PERIOD_CLOSED)
DOCS = Path(__file__).resolve().parents[2] / "docs"


def _default(value: Any) -> str:
    if value is PydanticUndefined:
        return "required"
    if isinstance(value, Enum):
        value = value.value
    return "-" if value in (None, "", ()) else f"`{value}`"


def _settings() -> Iterator[str]:
    yield from table("variable", "default", "meaning")
    for name, field in Settings.model_fields.items():
        yield row(f"`{PREFIX}{name.upper()}`", _default(field.default), field.description or "")


def _shops_file(model: type[BaseModel], meanings: Mapping[str, str]) -> Iterator[str]:
    yield from table("key", "default", "meaning")
    for name, field in model.model_fields.items():
        inner = [part for part in get_args(field.annotation) if isinstance(part, type) and issubclass(part, Enum)]
        choices = [str(member.value) for part in inner for member in part]
        if isinstance(field.annotation, type) and issubclass(field.annotation, Enum):
            choices = [str(member.value) for member in field.annotation]
        meaning = meanings[name] + (f" One of {', '.join(choices)}." if choices else "")
        default = "see below" if isinstance(field.default, BaseModel) else _default(field.default)
        yield row(f"`{name}`", default, meaning)


CONNECTION = {
    "data_center": "Where the organisation lives: us, eu, in, au, jp, ca, cn, sa, uk.",
    "organization_id": "The organisation. Without it nothing is made: its orders wait and say so.",
    "unique_field": "API name (cf_…) of an invoice field that refuses duplicates; see docs/connecting-zoho.md.",
    "credit_note_unique_field": "The same of credit notes, which have fields of their own.",
    "negative_lines": "Whether the organisation takes lines with a negative rate (discounts).",
    "limits": "The ledger's limits and our share of them.",
}
LIMITS = {
    "calls_per_minute": "Calls a minute; smaller where other programs share the organisation.",
    "calls_at_once": "Calls under way at the same time.",
    "calls_per_day": "Calls a day, until the ledger's first answer tells the plan's own figure.",
    "burst_calls": "Calls that may leave without spacing after a pause.",
    "people_calls": "Calls of the window that are kept for people's clicks.",
    "call_deadline_seconds": "Longest time for one call.",
    "settle_seconds": "After a lost answer's deadline nobody writes for the order for so long.",
    "settle_seconds_with_unique_field": "The same where the unique field guards.",
    "look_again_seconds": "Between the two looks for a document that was not found.",
    "window_seconds": "Length of the ledger's minute; for tests.",
    "contacts_fresh_seconds": "How old the index of contacts may be.",
    "facts_fresh_seconds": "How old taxes, currencies and the organisation's data may be.",
    "watch_share": "Share of the day's calls for looking at what people changed; 0: none. See docs/watch.md.",
    "reconcile_share": "Share of the day's calls that `booked reconcile` may take. See docs/reconcile.md.",
}
SHOP = {
    "connection": "The connection that its orders are booked into.",
    "source": "In whose words its payloads are; see docs/platforms.md.",
    "event_sources": "CloudEvents `source` values that mean this shop.",
    "topics": "Topics that carry this shop's orders alone, of all kinds.",
    "paid_statuses": "The platform's statuses that mean paid; empty: the platform's default.",
    "cancelled_statuses": "The platform's statuses that mean cancelled; empty: the platform's default.",
    "name": "A name for people.",
    "automatic": "Whether orders are booked by themselves. Off until somebody switches it on.",
    "book_from": "Orders paid before it wait; by default the moment automatic was switched on.",
    "time_zone": "IANA name; times without an offset are read in it.",
    "revision": "What tells newer revisions from older; by default fixed by the shop's first event.",
    "reference": "Pattern of the document's reference: {order_id}, {number}, {shop_id}.",
    "customer_name_match": "When a contact of exactly the same name may be taken.",
    "update_customers": "Whether a contact's billing data are brought up to date.",
    "default_customer": "Id of one contact of the ledger that stands for guests, or for all.",
    "default_customer_for": "Whose orders are booked under it.",
    "items_by_sku": "Whether lines name the ledger's items by SKU.",
    "taxes": "The shop's own table of taxes: rows as below; the first that fits is taken.",
    "accounts": "Table of accounts by kind, country and tax class; rows as below.",
    "methods": "Table of shipping methods and fees; rows as below.",
    "vat_tolerance_units": "Minor units that the VAT of one rate may differ by, 0 or 1; it is shown on the order.",
    "rounding_units_max": "Most minor units of a labelled rounding line of one document; 0 allows none.",
    "discount_label": "What discount lines are called where the order does not say.",
    "shipping_label": "What shipping lines are called where the order does not say.",
    "rounding_label": "What a rounding adjustment is called.",
    "invoice_date": "Which day the invoice bears; `today` is the day of its first booking.",
    "invoice_number": "The invoice's number, a template; empty: the ledger counts.",
    "notes": "The notes of the invoice, a template.",
    "terms": "The terms and conditions of the invoice, a template.",
    "payments": "Table of payment methods with their terms; rows as below.",
    "salesperson": "The salesperson's name, a template.",
    "template_id": "Id of the ledger's layout for print, a template.",
    "custom_fields": "Custom fields of the invoice: API name (cf_…) and a template for the value.",
    "shipping_address": "Where the address that the goods go to is shown.",
    "cancelled_draft": "What becomes of a draft whose order was cancelled: void keeps its number.",
    "cancelled_sent": "What becomes of a sent invoice whose order was cancelled; a paid one is credited in any case.",
    "changed_sent": "How a sent or paid invoice is corrected whose order has changed.",
    "refund_on_draft": "What a refund does while the invoice is a draft, which takes no credits.",
    "deleted_in_ledger": "What follows when somebody deletes or voids an invoice of ours in the ledger.",
    "closed_period": "What is done with a document whose day lies in a closed period.",
    "unpaid_after_booking": "What follows when a booked order's payment is taken back.",
    "refund_label": "Text of the lines that give back.",
    "refund_account": "Account that refunds of credit notes are recorded from; without it the credit stays open.",
    "refund_mode": "The ledger's payment mode of such a refund, such as banktransfer; without it others.",
    "mark_sent": "Mark each invoice as sent when it is right.",
    "email_invoice": "Have the ledger mail each invoice to the customer when it is right.",
    "record_payment": "Record the order's payments, never above what is owed; the invoice is marked as sent first.",
    "payment_terms_days": "Days until it is due; 0: on its own day.",
    "order_list": "Where the shop lists its own orders, so that `booked replay` can ask it; see docs/order-list.md.",
}
ORDER_LIST = {
    "url": "The list's address, https; of WooCommerce and Shopify the shop's address is enough.",
    "kind": "How it is asked; by default as `source` says.",
    "token_variable": "Name of the environment variable that holds the secret (or, with `_FILE` behind it, names the "
    "file that does): a bearer token, WooCommerce's `ck_…:cs_…`, or Shopify's access token.",
    "api_version": f"Version of Shopify's interface; by default {SHOPIFY_VERSION}.",
    "allow_private": "Whether it may lie in a private network or on this machine.",
    "allow_http": "Whether it may be asked without encryption, which shows the secret to anybody on the way.",
}
TAX = {
    "tax_id": "The tax of the ledger, by its id.",
    "country": "Country of the order, two letters; empty fits any.",
    "rate": "Rate in percent; empty fits any.",
    "tax_class": "The line's tax class; empty fits any.",
}
ACCOUNT = {
    "account_id": "The ledger's id of the account, or a template.",
    "kind": "goods, service, digital, gift_card, deposit, shipping, fee, tip, surcharge, rounding or discount; empty "
    "fits all but gift cards and deposits, which are liabilities, and discounts.",
    "country": "Country of the order, two letters; empty fits any.",
    "tax_class": "The line's tax class; empty fits any.",
}
METHOD = {
    "name": "Name of the shipping method or fee, without case; may end in *.",
    "item_id": "The ledger's item for the line, or a template.",
    "account_id": "The account of the line, or a template; before the table of accounts.",
    "label": "What the line is called, or a template.",
}
PAYMENT = {
    "method": "The payment method, without case; may end in *.",
    "payment_terms_days": "Days until it is due; without it the shop's own.",
    "label": "What the ledger calls these terms.",
    "mode": "The ledger's payment mode of recorded payments: creditcard, banktransfer, cash …; without it others.",
    "account_id": "Account that the money goes to; without it the ledger's own default.",
}


def _reasons() -> Iterator[str]:
    yield from table("code", "what happened", "what to do")
    for code in ReasonCode:
        yield row(f"`{code.value}`", *CATALOGUE[code])


def _ledger_codes() -> Iterator[str]:
    yield from table("HTTP", "code", "what happened", "what to do")
    for known in LEDGER_CODES:
        yield row(str(known.status or "any"), str(known.code), known.sentence, known.fix)
    for known in FOUND_BY_WORDS:
        yield row("by its message", str(known.code), known.sentence, known.fix)


def pages() -> dict[Path, dict[str, Iterator[str]]]:
    """Give each page with its generated parts by name."""
    return {
        DOCS / "configuration.md": {
            "settings": _settings(),
            "connection": _shops_file(ConnectionPart, CONNECTION),
            "limits": _shops_file(LimitsPart, LIMITS),
            "shop": _shops_file(ShopPart, SHOP),
            "order list": _shops_file(OrderListPart, ORDER_LIST),
            "taxes": _shops_file(TaxPart, TAX),
            "accounts": _shops_file(AccountPart, ACCOUNT),
            "methods": _shops_file(MethodPart, METHOD),
            "payments": _shops_file(PaymentPart, PAYMENT),
        },
        DOCS / "errors.md": {"reasons": _reasons(), "ledger": _ledger_codes()},
        DOCS / "states.md": {
            "states": program.states(),
            "drawing": program.drawing(),
            "steps": program.steps(),
            "events": events(),
        },
        DOCS / "commands.md": {"exit codes": program.exit_codes(), "commands": program.commands()},
        DOCS / "metrics.md": {"metrics": program.metrics()},
    }


def filled(text: str, parts: Mapping[str, Iterator[str]]) -> str:
    """Put generated parts between their markers. Raises ValueError where a marker is missing."""
    for name, lines in parts.items():
        begin, end = f"<!-- begin {name} -->", f"<!-- end {name} -->"
        if begin not in text or end not in text:
            raise ValueError(f"the markers of {name} are missing")
        before, after = text.partition(begin)[0], text.partition(end)[2]
        text = before + begin + "\n" + "\n".join(lines) + "\n" + end + after
    return text


def main(arguments: list[str]) -> int:
    """Write the pages, or with --check tell which are stale."""
    stale = []
    for path, parts in pages().items():
        text = path.read_text(encoding="utf-8")
        new = filled(text, parts)
        if new != text:
            stale.append(path.name)
            if "--check" not in arguments:
                path.write_text(new, encoding="utf-8")
    if stale and "--check" in arguments:
        sys.stderr.write(f"stale: {', '.join(stale)}; run: make schemas\n")
        return Exit.FINDINGS
    return Exit.DONE


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
