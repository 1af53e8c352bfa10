"""What the stand-in has in its books, read for the judgement: exact amounts, VAT by rate, whose order it is."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import unquote

import httpx

from sandbox.shop.expectations import Key

UNIQUE_FIELD = "cf_order_key"
READ_TIMEOUT_SECONDS = 60.0
_PARTS_OF_KEY = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerInvoice:
    """One invoice as the ledger computed it. ``vat_by_rate`` holds the rates (percent) that have any VAT.

    ``live`` is false for one that is void or credited in full. ``order`` is None where nothing tells whose it is.
    """

    invoice_id: str
    number: str
    status: str
    order: Key | None
    customer_id: str
    total: Decimal
    currency: str
    vat_by_rate: Mapping[Decimal, Decimal]
    live: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Contacts:
    """The ids of the ledger's contacts, by what a request to make one names."""

    by_email: Mapping[str, str]
    by_name: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """All invoices of an organisation, void ones too, and its contacts."""

    invoices: tuple[LedgerInvoice, ...]
    contacts: Contacts

    def live(self) -> dict[Key | None, list[LedgerInvoice]]:
        """Give the live invoices by order."""
        found: dict[Key | None, list[LedgerInvoice]] = {}
        for invoice in self.invoices:
            if invoice.live:
                found.setdefault(invoice.order, []).append(invoice)
        return found


def order_of(unique_value: str) -> Key | None:
    """Read shop and order from the unique field, ``shop/order/…``; None where it holds nothing of the kind."""
    parts = unique_value.split("/")
    return (unquote(parts[0]), unquote(parts[1])) if len(parts) > _PARTS_OF_KEY else None


async def fetch_ledger(url: str, organization_id: str) -> dict[str, Any]:
    """Fetch an organisation's whole books through the control API, amounts as exact decimals."""
    async with httpx.AsyncClient(base_url=url, timeout=READ_TIMEOUT_SECONDS, trust_env=False) as client:
        answer = await client.get(f"/control/ledger/{organization_id}")
        answer.raise_for_status()
        read: dict[str, Any] = json.loads(answer.content, parse_float=Decimal)
        return read


def read_books(ledger: Mapping[str, Any], rates: Mapping[str, Decimal], orders: Sequence[Key]) -> Books:
    """Read the books. ``rates`` gives the percentage of each tax id; ``orders`` are those whose references count."""
    by_reference = {order_id: (shop_id, order_id) for shop_id, order_id in orders}
    by_reference |= {"/".join(key): key for key in orders}
    return Books(
        invoices=tuple(_invoice(one, rates, by_reference) for one in ledger["invoices"]),
        contacts=_contacts(ledger["contacts"]),
    )


def _invoice(one: Mapping[str, Any], rates: Mapping[str, Decimal], by_reference: Mapping[str, Key]) -> LedgerInvoice:
    vat: dict[Decimal, Decimal] = {}
    for tax in one["taxes"]:
        rate = rates[tax["tax_id"]]
        vat[rate] = vat.get(rate, Decimal(0)) + Decimal(tax["tax_amount"])
    total, credited = Decimal(one["total"]), Decimal(one.get("credits_applied") or 0)
    return LedgerInvoice(
        invoice_id=str(one["invoice_id"]),
        number=str(one["invoice_number"]),
        status=str(one["status"]),
        # The reference is what a bookkeeper sees; a long one is cut, and then the unique field tells.
        order=by_reference.get(str(one["reference_number"])) or order_of(_unique_value(one)),
        customer_id=str(one["customer_id"]),
        total=total,
        currency=str(one["currency_code"]),
        vat_by_rate={rate: tax for rate, tax in vat.items() if tax},
        live=one["status"] != "void" and not (credited and credited >= total),
    )


def _unique_value(one: Mapping[str, Any]) -> str:
    fields = one.get("custom_fields") or ()
    return next((str(field["value"]) for field in fields if field.get("api_name") == UNIQUE_FIELD), "")


def _contacts(contacts: Sequence[Mapping[str, Any]]) -> Contacts:
    return Contacts(
        by_email={str(one["email"]): str(one["contact_id"]) for one in contacts if one.get("email")},
        by_name={str(one["contact_name"]): str(one["contact_id"]) for one in contacts},
    )
