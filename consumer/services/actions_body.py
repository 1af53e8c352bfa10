"""An order that a person's call carries: read by the intake's own reader, and made ready to be put in."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from consumer.domain.events import EventKind, OrderEvent, Rejected
from consumer.domain.orders import OrderKey
from consumer.domain.revisions import Verdict
from consumer.errors import BookedError
from consumer.ports.events import Record
from consumer.ports.intake import Recorded, Taken, TopicPartition
from consumer.services.positions import checksum
from consumer.services.record_reading import RecordReading
from schemas.envelope import SHOP_HEADER
from schemas.rejections import MEANINGS, RejectionReason

_JSON = ("content-type", b"application/json")
_LOG = 1
_REFUSALS = (Verdict.REVISION_MISSING, Verdict.REVISION_IN_FUTURE)


class RefusedBodyError(BookedError):
    """The order that came with a call cannot be taken; the message says what is wrong with it and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BodyReader:
    """Reads bodies. ``reading`` gives the reader with the shops of the moment, ``clock`` the time, aware."""

    reading: Callable[[], Awaitable[RecordReading]]
    clock: Callable[[], datetime]

    async def read(self, key: OrderKey, body: bytes) -> Taken:
        """Read an order in our contract's words or in its shop's platform's. Raises RefusedBodyError.

        A CloudEvent says itself what it tells. A bare order is taken as `order.updated`: it tells what the order is,
        and that it is paid only where it says so itself.
        """
        record = self._record(key, body)
        reading = await self.reading()
        outcome = reading.read(record, log=_LOG, kind=None)
        if isinstance(outcome, Rejected) and outcome.reason == RejectionReason.UNKNOWN_TYPE:
            outcome = reading.read(record, log=_LOG, kind=EventKind.UPDATED)
        return _taken(key, record, outcome)

    def check(self, recorded: Recorded) -> None:
        """Raise RefusedBodyError where the store has rejected the order that was put in."""
        for verdict in _REFUSALS:
            if recorded.verdicts.get(verdict.value):
                meaning = MEANINGS[RejectionReason(verdict.value)]
                raise RefusedBodyError(f"The order cannot be taken: {meaning.what} {meaning.fix}")
        if recorded.verdicts.get("rejected"):
            raise RefusedBodyError("The order cannot be taken: the database refuses its data (booked rejected list).")

    def _record(self, key: OrderKey, body: bytes) -> Record:
        """Give the body the place of its own bytes, so that the same call repeated is the same record."""
        digest = sha256(f"{key}\n".encode() + body).digest()
        return Record(
            place=TopicPartition(f"person:{key.shop_id}", 0),
            offset=int.from_bytes(digest[:8], "big") >> 1,  # as large as the database's column takes
            time_ms=int(self.clock().timestamp() * 1000),
            key=str(key).encode(),
            value=body,
            headers=(_JSON, (SHOP_HEADER, key.shop_id.encode())),
        )


def _taken(key: OrderKey, record: Record, outcome: OrderEvent | Rejected | None) -> Taken:
    if outcome is None:
        raise RefusedBodyError("The order cannot be taken: the body is empty; send the order as JSON.")
    if isinstance(outcome, Rejected):
        raise RefusedBodyError(f"The order cannot be taken ({outcome.reason}): {outcome.message}")
    if outcome.key != key:
        raise RefusedBodyError(f"The order cannot be taken: the call names {key}, and the body is order {outcome.key}.")
    return Taken(
        place=record.place,
        offset=record.offset,
        checksum=checksum(record),
        outcome=outcome,
        value=record.value,
        record_key=record.key,
        headers=record.headers,
    )
