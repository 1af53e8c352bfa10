"""Putting rejected messages in again, after a fix of the schema, the settings or the code."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from consumer.domain.events import EventKind, OrderEvent, Rejected
from consumer.domain.revisions import Verdict
from consumer.domain.states import Priority
from consumer.ports.events import Record
from consumer.ports.intake import IntakeStore, Recorded, Taken, TopicPartition
from consumer.ports.rejected import RejectedRow, RejectedState, RejectedStore
from consumer.services.positions import checksum
from consumer.services.record_reading import RecordReading
from schemas.rejections import MEANINGS, RejectionReason

_REFUSALS = (Verdict.REVISION_MISSING, Verdict.REVISION_IN_FUTURE)
_REFUSED_BY_STORE = "rejected"  # the count of what the store itself could not take


class Outcome(StrEnum):
    """What came of one message."""

    TAKEN_IN = "taken_in"  # it is an order now
    STILL_BAD = "still_bad"  # it stays open and says why
    NOT_OPEN = "not_open"  # somebody has dealt with it already
    UNKNOWN = "unknown"  # there is none of this id


@dataclass(frozen=True, slots=True, kw_only=True)
class Retried:
    """What came of one message, in words too."""

    row_id: int
    outcome: Outcome
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedRetry:
    """Puts messages in again. ``kinds`` says what the installation's topics carry; a shop's own carries all kinds."""

    store: RejectedStore
    intake: IntakeStore
    reading: RecordReading
    kinds: Mapping[str, EventKind]

    async def retry(self, row_id: int, *, actor: str) -> Retried:
        """Read a message by today's rules, at the place and with the time of its coming, and put it in.

        It goes behind live orders. Put in and noted are two transactions: after a crash in between it is put in
        again, which changes nothing, since it is known by its place.
        """
        row = await self.store.read(row_id)
        if row is None:
            return Retried(row_id=row_id, outcome=Outcome.UNKNOWN, words="There is no rejected message of this id.")
        if row.state is not RejectedState.OPEN:
            return Retried(row_id=row_id, outcome=Outcome.NOT_OPEN, words=f"It was {row.state.value} before.")
        return await self._retry(row, actor)

    async def _retry(self, row: RejectedRow, actor: str) -> Retried:
        if not row.is_whole:
            kept, size = len(row.rejected.value or b""), row.rejected.size
            words = f"Of its {size} bytes {kept} are kept; let the shop send the order again."
            return Retried(row_id=row.row_id, outcome=Outcome.STILL_BAD, words=words)
        record = _record(row)
        kind = self.kinds.get(record.place.topic)
        outcome = self.reading.read(record, log=row.rejected.origin.log, kind=kind)
        if not isinstance(outcome, OrderEvent):
            return await self._still_bad(row, outcome, actor)
        taken = Taken(
            place=record.place,
            offset=record.offset,
            checksum=checksum(record),
            outcome=outcome,
            value=record.value,
            record_key=record.key,
            headers=record.headers,
        )
        recorded = await self.intake.put_in([taken], priority=Priority.BACKFILL)
        refused = _refused_again(recorded)
        if refused is not None:
            await self.store.still_bad(row.row_id, *refused, actor=actor)
            return Retried(row_id=row.row_id, outcome=Outcome.STILL_BAD, words=refused[1])
        await self.store.settle(row.row_id, RejectedState.RETRIED, actor=actor)
        words = f"Order {outcome.key.order_id} of shop {outcome.key.shop_id} is taken in ({_verdict(recorded)})."
        return Retried(row_id=row.row_id, outcome=Outcome.TAKEN_IN, words=words)

    async def _still_bad(self, row: RejectedRow, outcome: Rejected | None, actor: str) -> Retried:
        reason, message = ("empty", "It has no value.") if outcome is None else (outcome.reason, outcome.message)
        await self.store.still_bad(row.row_id, reason, message, actor=actor)
        return Retried(row_id=row.row_id, outcome=Outcome.STILL_BAD, words=message)


def _record(row: RejectedRow) -> Record:
    """Make the record as it came; its time is that of its coming, as far as the database noted it."""
    rejected = row.rejected
    return Record(
        place=TopicPartition(rejected.origin.topic, rejected.origin.partition),
        offset=rejected.origin.offset,
        time_ms=int(row.received_at.timestamp() * 1000),
        key=rejected.record_key,
        value=rejected.value,
        headers=rejected.headers,
    )


def _refused_again(recorded: Recorded) -> tuple[str, str] | None:
    """Give reason and message where the store could not place the order among its shop's revisions."""
    for verdict in _REFUSALS:
        if recorded.verdicts.get(verdict.value):
            meaning = MEANINGS[RejectionReason(verdict.value)]
            return verdict.value, f"{meaning.what} {meaning.fix}"
    if recorded.verdicts.get(_REFUSED_BY_STORE):
        meaning = MEANINGS[RejectionReason.REFUSED_BY_DATABASE]
        return RejectionReason.REFUSED_BY_DATABASE.value, f"{meaning.what} {meaning.fix}"
    return None


def _verdict(recorded: Recorded) -> str:
    return ", ".join(sorted(recorded.verdicts)) or "known already"
