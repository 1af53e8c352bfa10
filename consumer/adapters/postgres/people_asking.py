"""What a person asks of one order, in Postgres: one transaction from the look to the audit log."""

from consumer.adapters.postgres.bookings import read_whole
from consumer.adapters.postgres.intake_rows import reason_columns, storable
from consumer.adapters.postgres.people_held import add_connections, connection_for, lock_settings, read_held
from consumer.adapters.postgres.pool import Connection, Database
from consumer.adapters.postgres.sql import load
from consumer.domain.asking import Mark, Reception, Scene, Spoken, audit_details, speak, unknown_words
from consumer.domain.orders import OrderKey
from consumer.domain.states import Ask
from consumer.ports.people import Asked


class PostgresAsking:
    """The half of consumer.ports.people.PeopleStore that is about one order's actions."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = load("people")

    async def ask(self, key: OrderKey, ask: Ask, *, actor: str, note: str = "") -> Asked:
        """See the port."""
        return await self._database.run(lambda connection: self._speak(connection, key, ask, actor, note))

    async def mark(self, key: OrderKey, mark: Mark, *, actor: str, note: str = "") -> Asked:
        """See the port."""
        return await self._database.run(lambda connection: self._speak(connection, key, mark, actor, note))

    async def _speak(self, connection: Connection, key: OrderKey, what: Ask | Mark, actor: str, note: str) -> Asked:
        scene = await self._scene(connection, key)
        if scene is None:
            return Asked(reception=Reception.UNKNOWN, words=unknown_words(key))
        spoken = speak(scene, what)
        if spoken.reception is Reception.TAKEN:
            await self._write(connection, key, spoken, actor, note)
        details = audit_details(scene, spoken, note)
        await connection.execute(self._sql.audit_order, storable(actor), what.value, *key, _storable(details))
        await self._wake(connection, spoken, scene)
        orders = await connection.fetch(load("bookings").read_order, *key)
        whole = await read_whole(connection, orders)
        return Asked(reception=spoken.reception, words=spoken.words, order=whole.get(key))

    async def _scene(self, connection: Connection, key: OrderKey) -> Scene | None:
        shop, connections = await lock_settings(connection, key.shop_id)
        held = (await read_held(connection, await connection.fetch(self._sql.lock_one, *key))).get(key)
        if held is None:
            return None
        await add_connections(connection, [held], shop, connections)
        now = await connection.fetchval(load("settings").clock)
        return Scene(held=held, shop=shop, connection=connection_for(held, shop, connections), now=now)

    async def _write(self, connection: Connection, key: OrderKey, spoken: Spoken, actor: str, note: str) -> None:
        place = spoken.place
        code, message, fix, group = reason_columns(place.reason)
        await connection.execute(
            self._sql.put_spoken,
            *key,
            place.connection_id,
            place.state.value,
            code,
            message,
            fix,
            group,
            place.due_at,
            place.change,
            place.priority,
            place.takes,
            spoken.wish.value,
            spoken.released,
            None if spoken.asked is None else spoken.asked.value,
            storable(actor),
            storable(note),
        )

    async def _wake(self, connection: Connection, spoken: Spoken, scene: Scene) -> None:
        """Make the order's lane due; last, as every transaction locks the lanes last."""
        place = spoken.place
        if spoken.reception is Reception.TAKEN and place.due_at is not None and place.connection_id is not None:
            await connection.execute(load("lanes").wake_at, place.connection_id, min(place.due_at, scene.now))


def _storable(details: dict[str, str]) -> dict[str, str]:
    return {name: storable(text) for name, text in details.items()}
