"""The data of `invoice.synced`: the whole state of one order's booking, as the shop shall show it.

Each message holds everything, so a shop keeps the one with the greatest `sequence` per order and forgets the others.
Every field is always there; null where there is nothing to say. Fields may be added; a reader passes over what it
does not know. Amounts have the decimals of their currency: 24.40 EUR, 1005 JPY.
"""

import datetime as dt
from typing import Annotated, Literal

from pydantic import Field

from schemas.envelope import EventOut, OwnAttributes, encode_event
from schemas.fields import Id, Name, Part, Prose, ShopId, Time, Word
from schemas.money import LedgerAmount

SYNCED_TYPE = "booked.invoice.synced.v1"

Operation = Literal["created", "updated", "adopted", "voided", "deleted", "credited", "paid", "parked"]
SyncedState = Literal["booked", "parked", "withdrawn"]


class Invoice(Part):
    """The order's live invoice in the ledger."""

    id: Id = Field(description="The ledger's id; a string of digits, too long for a double.")
    number: Word = Field(description="The invoice's number: INV-000123.")
    status: Word = Field(description="The ledger's status: draft, sent, paid, ….")
    url: Name | None = Field(description="The ledger's own page, for people with a login; never the customer's link.")
    total: LedgerAmount = Field(description="What the ledger computed, with tax; equal to the order's `grand_total`.")
    tax_total: LedgerAmount | None = Field(description="The tax within it.")
    currency: Word = Field(description="ISO 4217.")
    date: dt.date | None = Field(description="The invoice's date, YYYY-MM-DD.")


class SyncedDocument(Part):
    """One document in the ledger that was made for the order, live or not."""

    kind: Literal["invoice", "credit_note", "payment", "refund"] = Field(description="What it is.")
    id: Id = Field(description="The ledger's id.")
    number: Word = Field(description="Its number; empty where the ledger gives none.")
    status: Word = Field(
        description="Its status: the ledger's own; or deleted, or credited (all of it was given back)."
    )
    total: LedgerAmount = Field(description="Its total with tax, in the order's currency.")


class SyncedReason(Part):
    """Why the order is not booked, and what helps."""

    code: Word = Field(description="For machines: tax_missing, …. More may be added.")
    message: Prose = Field(description="What is wrong, in a sentence.")
    fix: Prose = Field(description="What to do about it; may be empty.")


class SyncedData(Part):
    """What is known of one order's booking."""

    shop_id: ShopId = Field(description="The shop.")
    order_id: Id = Field(description="The order.")
    order_number: Word | None = Field(description="The order's number as the shop sent it.")
    order_version: int | None = Field(
        ge=0, description="`version` of the revision that this state is about; null where the shop sends none."
    )
    sequence: int = Field(ge=1, description="Grows by one with every message of this order; the greatest holds.")
    operation: Operation = Field(description="What was done last.")
    state: SyncedState = Field(
        description="booked: the ledger agrees with the order. parked: it does not, see `reason`. withdrawn: there is "
        "no live invoice and none is wanted."
    )
    ledger: Word = Field(description="The accounting system: zoho_books.")
    organization_id: Word = Field(description="The organisation in it.")
    invoice: Invoice | None = Field(description="The live invoice, also while the order is parked; else null.")
    documents: Annotated[tuple[SyncedDocument, ...], Field(max_length=1_000)] = Field(
        description="All documents made for the order, oldest first."
    )
    difference: LedgerAmount | None = Field(
        description="The ledger's total less the order's; null where they were not compared; 0 unless parked."
    )
    reason: SyncedReason | None = Field(description="Why it is parked or withdrawn; null when booked.")
    synced_at: Time = Field(description="When this was recorded, in UTC.")


class InvoiceSyncedEvent(OwnAttributes):
    """`invoice.synced` as it lies in Kafka."""

    type: Literal["booked.invoice.synced.v1"] = Field(description="Always booked.invoice.synced.v1.")
    data: SyncedData = Field(description="The state.")


def encode_synced(data: SyncedData, *, event_id: str, installation: str, traceparent: str = "") -> bytes:
    """Write the message's value; its record key is the subject, shop_id/order_id."""
    return encode_event(
        EventOut(
            type=SYNCED_TYPE,
            id=event_id,
            time=data.synced_at,
            subject=f"{data.shop_id}/{data.order_id}",
            installation=installation,
            data=data,
            traceparent=traceparent,
        )
    )
