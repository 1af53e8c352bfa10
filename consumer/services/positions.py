"""Where to begin to read a partition, and how to tell that it is still the same log. Pure.

Postgres's position is the truth. Kafka's committed offset only serves to notice that Postgres forgot something.
"""

from dataclasses import dataclass
from hashlib import blake2b
from typing import NamedTuple

from consumer.ports.events import Bounds, Record
from consumer.ports.intake import Position, TopicPartition

FIRST_LOG = 1


class Proof(NamedTuple):
    """The last record taken: the first one read must be this very one."""

    offset: int
    checksum: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Where a partition is to be read from, and what has to be recorded before.

    ``made_again``: the log is not the one that we know; nothing else here holds then. ``gap_from``: the offsets from
    there to ``next_offset`` are gone. ``forgot``: the group committed further than Postgres remembers.
    """

    place: TopicPartition
    next_offset: int
    log: int = FIRST_LOG
    proof: Proof | None = None
    gap_from: int | None = None
    made_again: bool = False
    forgot: bool = False

    @property
    def seek_to(self) -> int:
        """Give the offset to read from: one early, where the last record taken is to be seen again."""
        return self.next_offset if self.proof is None else self.proof.offset


def placement(place: TopicPartition, position: Position | None, bounds: Bounds, committed: int | None) -> Placement:
    """Decide where to begin. A partition never taken begins at its beginning, whatever the group has committed."""
    if position is None:
        # The group has taken records that nobody remembers: a fresh or restored database.
        forgot = committed is not None and committed > 0
        return Placement(place=place, next_offset=bounds.beginning, forgot=forgot)
    if position.next_offset > bounds.end:
        return Placement(place=place, next_offset=bounds.beginning, log=position.log, made_again=True)
    forgot = committed is not None and committed > position.next_offset
    if position.next_offset < bounds.beginning:
        return Placement(
            place=place,
            next_offset=bounds.beginning,
            log=position.log,
            gap_from=position.next_offset,
            forgot=forgot,
        )
    return Placement(
        place=place,
        next_offset=position.next_offset,
        log=position.log,
        proof=_proof(position, bounds),
        forgot=forgot,
    )


def _proof(position: Position, bounds: Bounds) -> Proof | None:
    """Give what the log can still prove: the last record taken, if it stands right before the next and was kept."""
    last, checksum = position.last_offset, position.last_checksum
    if last is None or checksum is None or last < bounds.beginning or last != position.next_offset - 1:
        return None
    return Proof(last, checksum)


def checksum(record: Record) -> bytes:
    """Tell records apart, eight bytes: key, value and time; a topic made again differs at least in the times."""
    key, value = record.key, record.value
    digest = blake2b(record.time_ms.to_bytes(8, "big", signed=True), digest_size=8)
    # With the key's length before it: else key "a", value "bc" and key "ab", value "c" would be one. -1: no key.
    digest.update((-1 if key is None else len(key)).to_bytes(8, "big", signed=True))
    digest.update(key or b"")
    digest.update(b"\x00" if value is None else b"\x01" + value)
    return digest.digest()


def proves(proof: Proof, record: Record) -> bool:
    """Tell whether this is the last record taken, at its old place."""
    return record.offset == proof.offset and checksum(record) == proof.checksum
