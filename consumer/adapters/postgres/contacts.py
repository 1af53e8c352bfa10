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
from consumer.ports.contacts import ContactMatches, IndexState

MATCHES_MAX = 20  # by one key: more are as ambiguous as these


class PostgresContactStore:
    """See consumer.ports.contacts.ContactStore. The keys are those by which find() is asked."""

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
        self._wake_now = load("lanes").wake_now

    async def find(
        self, connection_id: str, shop_id: str, customer_key: str, email_key: str, name_key: str, tax_key: str = ""
    ) -> ContactMatches:
        """See the port."""
        keys = tuple(map(storable, (customer_key, email_key, name_key)))
        async with self._database.connection() as connection:
            found = await connection.fetch(
                self._sql.find, connection_id, shop_id, *keys, MATCHES_MAX, storable(tax_key)
            )
        linked = _found_by("linked", found)
        return ContactMatches(
            linked=linked[0] if linked else None,
            by_email=_found_by("email", found),
            by_name=_found_by("name", found),
            by_tax=_found_by("tax", found),
        )

    async def get(self, connection_id: str, contact_id: str) -> Contact | None:
        """See the port."""
        async with self._database.connection() as connection:
            row = await connection.fetchrow(self._sql.get_contact, connection_id, storable(contact_id))
        return None if row is None else load_value(Contact, row["contact"])

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

        usable = [one for one in newest.values() if one.active and one.is_customer]

        async def save(connection: Connection) -> None:
            if refresh:
                await self._let_go_on(connection, connection_id, usable)
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

        async def save(connection: Connection) -> None:
            if contact.active and contact.is_customer:
                await self._let_go_on(connection, connection_id, [contact])
            await connection.execute(self._sql.put_contact, connection_id, *self._row(contact))

        await self._database.run(save)

    async def _let_go_on(self, connection: Connection, connection_id: str, usable: Sequence[Contact]) -> None:
        """Let the orders go on that wait for one of these; first of all, because orders are locked before the rest."""
        if not usable:
            return
        ids = [contact.contact_id for contact in usable]
        helped = await connection.execute(self._sql.unpark_default, connection_id, ids)
        if int(helped.split()[-1]):
            await connection.execute(self._wake_now, connection_id)

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
