"""No bytes of the database are forgotten: each bytea column is known as sealed, or as no secret, with its reason."""

from consumer.ports.keys import SEALED_COLUMNS
from tests.security.roled import Roled

# What else is kept as bytes: contents, digests and checksums. None of it opens anything.
NO_SECRETS = {
    "events.value",
    "orders.announced",
    "orders.content",
    "orders.content_hash",
    "orders.recorded",
    "documents.written_digest",
    "intents.digest",
    "outbox.payload",
    "positions.last_checksum",
    "rejected_events.digest",
    "rejected_events.record_key",
    "rejected_events.value",
}


async def test_every_column_of_bytes_is_sealed_or_named_as_no_secret(roled: Roled) -> None:
    """A new bytea column fails this until somebody says which it is; a sealed one is then rotated and counted."""
    async with roled.as_(roled.owner) as owner:
        rows = await owner.fetch(
            "SELECT c.relname || '.' || a.attname AS name FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid "
            "WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition "
            "AND a.attnum > 0 AND a.atttypid = 'bytea'::regtype AND NOT a.attisdropped"
        )
    sealed = {f"{table}.{column}" for table, columns in SEALED_COLUMNS.items() for column in columns}
    assert {row["name"] for row in rows} == sealed | NO_SECRETS


async def test_no_column_is_named_as_if_it_held_a_secret_in_clear(roled: Roled) -> None:
    """A text column called secret, token, password or key of something is a mistake: secrets are sealed bytes."""
    async with roled.as_(roled.owner) as owner:
        rows = await owner.fetch(
            "SELECT table_name || '.' || column_name AS name FROM information_schema.columns "
            "WHERE table_schema = 'public' AND data_type <> 'bytea' "
            "AND column_name ~ '(secret|password|token|credential|api_key)'"
        )
    assert [row["name"] for row in rows] == []
