"""What one replay is made of: stores on one database, a reader of the topics, and the shops' own lists."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from consumer.adapters.kafka.log import KafkaLogReader
from consumer.adapters.postgres.replay import PostgresReplayStore
from consumer.adapters.postgres.wakeups import PostgresWakeups
from consumer.bootstrap.parts import kafka_settings, open_stores, steady_clock
from consumer.bootstrap.shop_lists import open_shop_list
from consumer.config import Settings
from consumer.services.record_reading import kinds_of, reading_of
from consumer.services.replay import ReplayParts
from consumer.services.replay_report import ReplayLimits


def replay_limits(settings: Settings) -> ReplayLimits:
    """Take the limits that are settings."""
    return ReplayLimits(
        overlap=timedelta(seconds=settings.replay_overlap_seconds),
        deadline_seconds=settings.replay_deadline_seconds,
        share=settings.replay_share,
        lease_seconds=4 * settings.lease_seconds,
    )


@asynccontextmanager
async def open_replay(settings: Settings, limits: ReplayLimits | None = None) -> AsyncIterator[ReplayParts]:
    """Open all parts. Raises UnavailableError, ConfigurationError."""
    shared = (*settings.topics_in, settings.topic_invoice_synced, settings.topic_order_rejected)
    small = settings.model_copy(update={"pool_connections": min(settings.pool_connections, 3)})
    url = settings.database_url.get_secret_value()
    async with open_stores(small, name="booked-replay") as stores, PostgresWakeups(url) as wakeups:
        shops = await stores.settings.shops()
        async with KafkaLogReader.open(kafka_settings(settings, name="booked-replay")) as log:
            yield ReplayParts(
                store=PostgresReplayStore(stores.database),
                intake=stores.intake,
                lanes=stores.lanes,
                log=log,
                reading=reading_of(shops, shared_topics=shared),
                shops=shops,
                kinds=kinds_of(settings.topics_in),
                open_list=open_shop_list,
                wakeups=wakeups,
                clock=steady_clock,
                limits=limits or replay_limits(settings),
            )
