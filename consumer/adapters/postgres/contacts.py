"""The index of the ledger's contacts in Postgres."""

from collections.abc import Callable, Sequence

import asyncpg

from consumer.adapters.postgres.codec import load as load_value
from consumer.adapters.postgres.intake_rows import Row, columns, storable
from consumer.adapters.postgres.lane_rows import contact_columns
from consumer.adapters.postgres.pool import Connection, Database
from consumer.adapters.postgres.sql import load
from consumer.domain.customers import email_key as default_email_key
from consumer.domain.customers import name_key as default_name_key
from consumer.domain.ledger import Contact
from consumer.ports.lanes import ContactMatches, IndexState

MATCHES_MAX = 20  # by one key: more are as ambiguous as these


class PostgresContactStore:
    """See consumer.ports.lanes.ContactStore. The keys are those by which find() is asked."""

    def __init__(
        self,
        database: Database,
        *,
        email_key: Callable[[str], str] = default_email_key,
        name_key: Callable[[str], str] = default_name_key,
    ) -> None:
        self._database = database
        self._email_key = email_key
        self._name_key = name_key
        self._sql = load("contacts")

    async def find(
        self, connection_id: str, shop_id: str, customer_key: str, email_key: str, name_key: str
    ) -> ContactMatches:
        """See the port."""
        keys = (storable(customer_key), storable(email_key), storable(name_key))
        async with self._database.connection() as connection:
            found = await connection.fetch(self._sql.find, connection_id, shop_id, *keys, MATCHES_MAX)
        linked = _found_by("linked", found)
        return ContactMatches(
            linked=linked[0] if linked else None, by_email=_found_by("email", found), by_name=_found_by("name", found)
        )

    async def index_state(self, connection_id: str) -> IndexState:
        """See the port."""
        async with self._database.connection() as connection:
            row = await connection.fetchrow(self._sql.index_state, connection_id)
        if row is None:
            return IndexState(complete=False, page=0, seen_until=None, fresh_seconds_ago=None)
        return IndexState(
            complete=row["complete"],
            page=row["page"],
            seen_until=row["seen_until"],
            fresh_seconds_ago=row["fresh_seconds_ago"],
        )

    async def save_page(
        self, connection_id: str, contacts: Sequence[Contact], *, page: int, complete: bool, refresh: bool
    ) -> None:
        """See the port."""
        # One row per contact, sorted: a page may name one twice, and two pages are not to wait for each other.
        newest = {contact.contact_id: contact for contact in contacts}
        table = [self._row(newest[contact_id]) for contact_id in sorted(newest)]
        moments = sorted(c.modified_at for c in contacts if c.modified_at is not None)
        oldest_and_newest = (moments[0], moments[-1]) if moments else (None, None)

        async def save(connection: Connection) -> None:
            if table:
                await connection.execute(self._sql.put_page, connection_id, *columns(table))
            if refresh:
                oldest, latest = oldest_and_newest
                await connection.execute(self._sql.note_refresh, connection_id, page, latest, oldest)
            else:
                await connection.execute(self._sql.note_filling, connection_id, page, complete)

        await self._database.run(save)

    async def save(self, connection_id: str, contact: Contact) -> None:
        """See the port."""
        async with self._database.connection() as connection:
            await connection.execute(self._sql.put_contact, connection_id, *self._row(contact))

    async def drop(self, connection_id: str, contact_id: str) -> None:
        """See the port."""

        async def drop(connection: Connection) -> None:
            await connection.execute(self._sql.drop_contact, connection_id, contact_id)
            await connection.execute(self._sql.drop_links, connection_id, contact_id)

        await self._database.run(drop)

    def _row(self, contact: Contact) -> Row:
        return contact_columns(contact, self._name_key(contact.name), self._email_key(contact.email))


def _found_by(by: str, found: Sequence[asyncpg.Record]) -> tuple[Contact, ...]:
    return tuple(load_value(Contact, row["contact"]) for row in found if row["found_by"] == by)
