"""What keeps Postgres from cleaning up is read from its own views, by name."""

import uuid

import asyncpg
import pytest

from consumer.adapters.postgres.figures import PostgresFiguresStore
from consumer.adapters.postgres.pool import Database

QUEUES = {"orders", "lanes", "slots", "intents", "outbox", "positions", "leases"}


async def test_dead_rows_of_the_queue_tables_are_counted(migrated_database_url: str) -> None:
    """All of them are told of, and each change of a row leaves a dead one behind."""
    connection: asyncpg.Connection[asyncpg.Record] = await asyncpg.connect(migrated_database_url)
    try:
        await connection.execute("ALTER TABLE positions SET (autovacuum_enabled = false)")
        await connection.execute("INSERT INTO positions (topic, partition, log, next_offset) VALUES ('t', 0, 1, 0)")
        for offset in range(1, 4):
            await connection.execute("UPDATE positions SET next_offset = $1", offset)
        # A backend tells of its rows now and then; this one is to tell now.
        await connection.fetchval("SELECT pg_stat_force_next_flush()")
    finally:
        await connection.close()
    async with Database.open(migrated_database_url) as database:
        cleaning = (await PostgresFiguresStore(database).figures()).cleaning
    assert set(cleaning.dead_rows) == QUEUES
    assert cleaning.dead_rows["positions"] == 3
    assert cleaning.dead_rows["orders"] == 0
    assert cleaning.prepared_seconds == 0


async def test_a_slot_that_nobody_reads_is_counted(migrated_database_url: str) -> None:
    """From its making to its end; it belongs to the whole server."""
    name = f"idle_{uuid.uuid4().hex[:12]}"
    async with Database.open(migrated_database_url) as database:
        figures = PostgresFiguresStore(database)
        before = (await figures.figures()).cleaning.idle_slots
        async with database.connection() as connection:
            await connection.execute("SELECT pg_create_physical_replication_slot($1)", name)
            try:
                assert (await figures.figures()).cleaning.idle_slots == before + 1
            finally:
                await connection.execute("SELECT pg_drop_replication_slot($1)", name)
        assert (await figures.figures()).cleaning.idle_slots == before


async def test_a_prepared_transaction_ages(migrated_database_url: str) -> None:
    """Where the server allows any; the sandbox's does not."""
    async with Database.open(migrated_database_url) as database, database.connection() as connection:
        if await connection.fetchval("SELECT current_setting('max_prepared_transactions')") == "0":
            pytest.skip("this server allows no prepared transactions (max_prepared_transactions = 0)")
        await connection.execute("BEGIN; UPDATE lanes SET epoch = epoch; PREPARE TRANSACTION 'forgotten'")
        try:
            await connection.execute("SELECT pg_sleep(0.05)")
            assert (await PostgresFiguresStore(database).figures()).cleaning.prepared_seconds >= 0.05
        finally:
            await connection.execute("ROLLBACK PREPARED 'forgotten'")
