"""A rollback: the version before, on the schema of the version after."""

import asyncpg

from consumer.adapters.postgres.migrations import HEAD, migrate


async def test_migrate_of_an_older_version_leaves_a_newer_schema_alone(migrated_database_url: str) -> None:
    """The Job of the version that was rolled back to ends well, and changes neither schema nor rights."""
    connection = await asyncpg.connect(migrated_database_url)
    try:
        await connection.execute("UPDATE alembic_version SET version_num = '9999'")
        await connection.execute("CREATE TABLE of_the_newer_version (id int)")
        await connection.execute("DROP TABLE outbox CASCADE")
        assert await migrate(migrated_database_url) == []
        assert await connection.fetchval("SELECT version_num FROM alembic_version") == "9999"
        # Giving the rights would have failed for want of the table.
        assert await connection.fetchval("SELECT to_regclass('outbox')") is None
    finally:
        await connection.close()


async def test_migrate_of_this_version_goes_on_from_where_it_is(migrated_database_url: str) -> None:
    """A schema of its own version is known, and stays."""
    connection = await asyncpg.connect(migrated_database_url)
    try:
        await migrate(migrated_database_url)
        assert await connection.fetchval("SELECT version_num FROM alembic_version") == HEAD
    finally:
        await connection.close()
