"""Collects what the judge looks at: from the broker, the stand-in's books and record, and the database as raw SQL."""

import json
from typing import TYPE_CHECKING, Any

import asyncpg
from aiokafka import AIOKafkaConsumer
from aiokafka.structs import TopicPartition

from tests.chaos.oracle import Evidence, Rows, Told
from tests.chaos.story import Place

if TYPE_CHECKING:
    from tests.chaos.rig import World

PAGE = 1000


async def collected(world: "World") -> Evidence:
    """Read everything. Call it when all is quiet: nothing may move while it is read."""
    topics = world.installation.topics
    inputs = [topics[kind] for kind in ("order.paid", "order.updated", "order.cancelled")]
    held = await _whole(world.installation.kafka_servers, inputs)
    told = await _whole(world.installation.kafka_servers, [topics["invoice.synced"]])
    async with world.sql() as connection:
        rows = await rows_of(connection)
    return Evidence(
        log=world.log,
        held=[Place(topic=one.topic, partition=one.partition, offset=one.offset) for one in held],
        told=[_told(one.value) for one in told],
        books=await world.ledger.ledger(world.organization_id),
        requests=await _requests(world),
        limits=world.limits,
        rows=rows,
        creates_max=world.creates_max,
    )


async def rows_of(connection: "asyncpg.Connection[asyncpg.Record]") -> Rows:
    """Read what the database holds, in one snapshot."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        events = await connection.fetch('SELECT topic, partition, "offset" FROM events')
        rejected = await connection.fetch('SELECT topic, partition, "offset" FROM rejected_events')
        orders = await connection.fetch("SELECT order_id, state FROM orders")
        waiting = await connection.fetchval("SELECT count(*) FROM outbox WHERE state = 'waiting'")
        stopped = await connection.fetch("SELECT stopped_cause FROM connections WHERE stopped_cause IS NOT NULL")
    return Rows(
        events=[Place(**dict(row)) for row in events],
        rejected=[Place(**dict(row)) for row in rejected],
        orders={row["order_id"]: row["state"] for row in orders},
        messages_waiting=waiting,
        stopped_causes=[row["stopped_cause"] for row in stopped],
    )


async def _requests(world: "World") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while True:
        since = found[-1]["seq"] if found else 0
        page = await world.ledger.requests(since=since, organization_id=world.organization_id, limit=PAGE)
        found += page
        if len(page) < PAGE:
            return found


async def _whole(servers: str, topics: list[str]) -> list[Any]:
    """Read topics from their beginnings to where they end now, each partition in its order."""
    consumer = AIOKafkaConsumer(*topics, bootstrap_servers=servers, auto_offset_reset="earliest")
    await consumer.start()
    try:
        places = [TopicPartition(topic, number) for topic in topics for number in consumer.partitions_for_topic(topic)]
        ends = await consumer.end_offsets(places)
        records: list[Any] = []
        while any([await consumer.position(place) < ends[place] for place in places]):
            batches = await consumer.getmany(timeout_ms=200)
            records += [record for batch in batches.values() for record in batch]
        return records
    finally:
        await consumer.stop()


def _told(value: bytes) -> Told:
    message = json.loads(value)
    return Told(event_id=message["id"], subject=message["subject"], data=message["data"])
