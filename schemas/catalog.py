"""Every message of the contract: its topic, its direction, its models. All that is published is made from this."""

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, Field, StringConstraints

from schemas.envelope import EventAttributes
from schemas.orders import OrderCancelled, OrderKind, OrderPaid, OrderUpdated
from schemas.rejected import OrderRejectedEvent, RejectedData
from schemas.synced import InvoiceSyncedEvent, SyncedData


def _type_of(kind: str) -> StringConstraints:
    return StringConstraints(strict=True, max_length=500, pattern=rf"(?:^|\.)order\.{kind}(?:\.v1)?$")


class OrderPaidEvent(EventAttributes):
    """`order.paid` as a structured CloudEvent."""

    type: Annotated[str, _type_of("paid")] = Field(description="Ends in order.paid.v1: com.example.shop.order.paid.v1.")
    data: OrderPaid = Field(description="The order.")


class OrderUpdatedEvent(EventAttributes):
    """`order.updated` as a structured CloudEvent."""

    type: Annotated[str, _type_of("updated")] = Field(description="Ends in order.updated.v1.")
    data: OrderUpdated = Field(description="The order.")


class OrderCancelledEvent(EventAttributes):
    """`order.cancelled` as a structured CloudEvent."""

    type: Annotated[str, _type_of("cancelled")] = Field(description="Ends in order.cancelled.v1.")
    data: OrderCancelled = Field(description="The order, or its ids, a revision and `cancelled_at`.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message type. ``action`` is ours: we receive orders and send the rest. ``kind`` is None for what we send."""

    topic: str
    action: Literal["receive", "send"]
    event: type[BaseModel]
    data: type[BaseModel]
    summary: str
    kind: OrderKind | None = None
    version: int = 1

    @property
    def schema_file(self) -> str:
        """Name the file of the JSON Schema of the whole structured event."""
        return f"{self.topic}.v{self.version}.schema.json"

    @property
    def data_schema_file(self) -> str:
        """Name the file of the JSON Schema of the data alone: binary mode and bare orders."""
        return f"{self.topic}.data.v{self.version}.schema.json"


MESSAGES: tuple[Message, ...] = (
    Message(
        topic="order.paid",
        action="receive",
        event=OrderPaidEvent,
        data=OrderPaid,
        kind=OrderKind.PAID,
        summary="An order was paid in full: an invoice is wanted.",
    ),
    Message(
        topic="order.updated",
        action="receive",
        event=OrderUpdatedEvent,
        data=OrderUpdated,
        kind=OrderKind.UPDATED,
        summary="An order changed: an invoice that was made is brought up to date.",
    ),
    Message(
        topic="order.cancelled",
        action="receive",
        event=OrderCancelledEvent,
        data=OrderCancelled,
        kind=OrderKind.CANCELLED,
        summary="An order was cancelled: its invoice is taken back.",
    ),
    Message(
        topic="invoice.synced",
        action="send",
        event=InvoiceSyncedEvent,
        data=SyncedData,
        summary="The state of an order's booking has changed.",
    ),
    Message(
        topic="order.rejected",
        action="send",
        event=OrderRejectedEvent,
        data=RejectedData,
        summary="A message could not be read as an order.",
    ),
)
