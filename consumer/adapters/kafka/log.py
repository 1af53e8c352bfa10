"""Ranges of partitions read as no member of any group: what the replay compares (ports.replay.LogReader)."""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError, OffsetOutOfRangeError
from aiokafka.structs import TopicPartition as KafkaPlace

from consumer.adapters.kafka.closing import close_consumer
from consumer.adapters.kafka.diagnosis import explained
from consumer.adapters.kafka.errors import bounded, unavailable
from consumer.adapters.kafka.settings import ISOLATION, KafkaSettings, SourceLimits
from consumer.adapters.kafka.source import record_of
from consumer.adapters.kafka.topics import partitions_of
from consumer.errors import BrokerUnavailableError
from consumer.ports.events import Bounds, OutOfRangeError, Record
from consumer.ports.intake import TopicPartition

_CLOSE_SECONDS = 2.0
_WAIT_SECONDS = 1.0  # for one answer
_SILENCES_MAX = 30  # answers without a record, one after another, before the broker is taken for unreachable


class KafkaLogReader:
    """See ports.replay.LogReader. One partition is read at a time."""

    def __init__(self, settings: KafkaSettings, consumer: AIOKafkaConsumer) -> None:
        self._settings = settings
        self._consumer = consumer

    @classmethod
    @asynccontextmanager
    async def open(cls, settings: KafkaSettings, limits: SourceLimits | None = None) -> AsyncIterator["KafkaLogReader"]:
        """Connect. Raises BrokerUnavailableError."""
        limits = limits or SourceLimits()
        consumer = AIOKafkaConsumer(
            **settings.client(),
            isolation_level=ISOLATION,
            group_id=None,  # no member of any group: nobody's partitions move because of a replay
            enable_auto_commit=False,
            auto_offset_reset="none",
            fetch_max_bytes=limits.answer_bytes,
            max_partition_fetch_bytes=limits.partition_bytes,
            metadata_max_age_ms=30_000,
        )
        try:
            async with explained(settings), bounded("connect", limits.start_seconds):
                await consumer.start()
            yield cls(settings, consumer)
        finally:
            await close_consumer(consumer, _CLOSE_SECONDS)

    async def partitions(self, topics: Collection[str]) -> Sequence[TopicPartition]:
        """See the port."""
        return sorted(TopicPartition(*place) for place in await partitions_of(self._settings, topics))

    async def bounds(self, places: Collection[TopicPartition]) -> Mapping[TopicPartition, Bounds]:
        """See the port. The beginning first, so that the pair is never wider than the log was."""
        asked = [KafkaPlace(*place) for place in places]
        if not asked:
            return {}
        async with bounded("ask for the bounds", self._settings.call_seconds):
            beginnings = await self._consumer.beginning_offsets(asked)
            ends = await self._consumer.end_offsets(asked)
        return {TopicPartition(*place): Bounds(beginnings[place], ends[place]) for place in asked}

    async def offset_at(self, place: TopicPartition, moment: datetime) -> int | None:
        """See the port."""
        asked = KafkaPlace(*place)
        async with bounded("ask for the offset of a time", self._settings.call_seconds):
            found = await self._consumer.offsets_for_times({asked: max(0, int(moment.timestamp() * 1000))})
        answer = found.get(asked)
        return None if answer is None else int(answer.offset)

    async def read(
        self, place: TopicPartition, from_offset: int, to_offset: int, most: int
    ) -> AsyncIterator[list[Record]]:
        """See the port. The client's position tells the end: the last offsets may hold no record (transactions)."""
        asked = KafkaPlace(*place)
        self._consumer.assign([asked])
        self._consumer.seek(asked, from_offset)
        silences = 0
        while await self._position(asked) < to_offset:
            records = await self._fetch(asked, most)
            # Silent where a fetch has passed over offsets without records, too: then the position has moved.
            silences = 0 if records else silences + 1
            if silences > _SILENCES_MAX:
                raise BrokerUnavailableError(
                    f"Kafka: {place.topic}[{place.partition}] gives no records below {to_offset}"
                )
            wanted = [record_of(place, record) for record in records if record.offset < to_offset]
            if wanted:
                yield wanted

    async def _position(self, asked: KafkaPlace) -> int:
        async with bounded("ask for the position", self._settings.call_seconds):
            return int(await self._consumer.position(asked))

    async def _fetch(self, asked: KafkaPlace, most: int) -> list[Any]:
        try:
            async with asyncio.timeout(self._settings.call_seconds):
                found = await self._consumer.getmany(asked, timeout_ms=round(_WAIT_SECONDS * 1000), max_records=most)
        except OffsetOutOfRangeError as error:
            raise OutOfRangeError({TopicPartition(*asked)}) from error
        except (KafkaError, TimeoutError) as error:
            raise unavailable("fetch", error) from error
        return list(found.get(asked, ()))
