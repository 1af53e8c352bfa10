"""The data of `order.rejected`: a message that could not be read as an order, without its payload."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from schemas.envelope import EventOut, OwnAttributes, encode_event
from schemas.fields import Name, Part, Prose, Word

REJECTED_TYPE = "booked.order.rejected.v1"

Code = Annotated[str, StringConstraints(strict=True, max_length=100, pattern="^[a-z0-9_]+$")]
Digest = Annotated[str, StringConstraints(strict=True, pattern="^[0-9a-f]{64}$")]


class Position(Part):
    """Where the message lies in Kafka."""

    topic: Name = Field(description="The topic.")
    partition: int = Field(ge=0, description="The partition.")
    offset: int = Field(ge=0, description="The offset within it.")
    log: int = Field(ge=1, description="Grows by one whenever the topic was made again or truncated.")


class RejectedData(Part):
    """Why a message was not taken, and which one."""

    reason: Code = Field(description="The reason's code; more may be added.")
    message: Prose = Field(
        description="What was found, where in the JSON, and what to do. Quotes nothing of the order."
    )
    position: Position = Field(description="Where the message lies.")
    hash: Digest = Field(description="SHA-256 of its value, in hexadecimal digits.")
    size: int = Field(ge=0, description="Length of its value in bytes.")
    shop_id: Word | None = Field(description="The shop, where it could be read; a hint.")
    order_id: Word | None = Field(description="The order, where it could be read; a hint.")


class OrderRejectedEvent(OwnAttributes):
    """`order.rejected` as it lies in Kafka."""

    type: Literal["booked.order.rejected.v1"] = Field(description="Always booked.order.rejected.v1.")
    data: RejectedData = Field(description="The finding.")


def rejected_key(data: RejectedData) -> str:
    """Give record key and subject: the order where it could be read, else the position."""
    if data.shop_id and data.order_id:
        return f"{data.shop_id}/{data.order_id}"
    position = data.position
    return f"{position.topic}/{position.partition}/{position.offset}"


def encode_rejected(data: RejectedData, *, event_id: str, time: datetime, installation: str) -> bytes:
    """Write the message's value; ``time`` is aware, the moment of the commit."""
    return encode_event(
        EventOut(
            type=REJECTED_TYPE,
            id=event_id,
            time=time,
            subject=rejected_key(data),
            installation=installation,
            data=data,
        )
    )
