"""The intake's reader for records that did not come from Kafka just now, with the shops as of one moment."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from consumer.domain.events import EventKind, OrderEvent, Rejected
from consumer.domain.settings import ShopSettings
from consumer.ports.events import Record
from consumer.sources.directory import ShopDirectory, directory_of
from consumer.sources.reading import ShopReader
from consumer.sources.translators import TRANSLATORS


@dataclass(frozen=True, slots=True)
class RecordReading:
    """Reads records as the intake does; see sources.own.read_record."""

    directory: ShopDirectory

    def read(self, record: Record, *, log: int, kind: EventKind | None) -> OrderEvent | Rejected | None:
        """Read one record: an event, why it cannot be one, or None for a tombstone. Never raises."""
        reader = ShopReader(directory=lambda: self.directory, translators=TRANSLATORS)
        return reader.read(record, log=log, kind=kind, zone_of=self.directory.zone_of)


def reading_of(shops: Iterable[ShopSettings], *, shared_topics: Iterable[str]) -> RecordReading:
    """Make the reader of these shops; ``shared_topics`` are the installation's own."""
    return RecordReading(directory_of(list(shops), shared_topics=frozenset(shared_topics)))


def kinds_of(topics: Iterable[str]) -> Mapping[str, EventKind]:
    """Tell what the installation's topics of paid, changed and cancelled orders carry, in this order."""
    return dict(zip(topics, (EventKind.PAID, EventKind.UPDATED, EventKind.CANCELLED), strict=True))
