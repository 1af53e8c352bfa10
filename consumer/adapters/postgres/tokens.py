"""Tokens in Postgres, sealed at rest, each bound to its connection and purpose."""

from datetime import timedelta

from consumer.adapters.postgres.pool import Connection, Database
from consumer.adapters.postgres.sql import load
from consumer.domain.renewals import recent, renewal_wait_seconds
from consumer.ports.lanes import CURED_BY_GRANT, Sealer, StoredToken


class PostgresTokenStore:
    """See consumer.ports.lanes.TokenStore."""

    def __init__(self, database: Database, *, keyring: Sealer) -> None:
        self._database = database
        self._keyring = keyring
        self._sql = load("tokens")

    async def read(self, connection_id: str) -> StoredToken | None:
        """See the port."""
        async with self._database.connection() as connection:
            row = await connection.fetchrow(self._sql.read_token, connection_id)
        if row is None:
            return None
        access = row["access_token"]
        return StoredToken(
            client_id=row["client_id"],
            client_secret=self._open(row["client_secret"], connection_id, "client_secret"),
            refresh_token=self._open(row["refresh_token"], connection_id, "refresh_token"),
            access_token=None if access is None else self._open(access, connection_id, "access_token"),
            expires_in_seconds=row["expires_in_seconds"] or 0.0,
            version=row["version"],
            age_seconds=row["age_seconds"],
        )

    async def begin_renewal(self, connection_id: str, version: int, seconds: float) -> float:
        """See the port. Raises LookupError for a connection that was never authorised."""

        async def begin(connection: Connection) -> float:
            row = await connection.fetchrow(self._sql.lock_token, connection_id)
            if row is None:
                raise LookupError(f"connection {connection_id} was never authorised")
            now = row["now"]
            wait_seconds = renewal_wait_seconds(
                version_is_current=row["version"] == version,
                renewing_until=row["renewing_until"],
                renewals=row["renewals"],
                now=now,
            )
            if wait_seconds <= 0:
                counted = [*recent(row["renewals"], now), now]
                until = now + timedelta(seconds=seconds)
                await connection.execute(self._sql.begin_renewal, connection_id, until, counted)
            return wait_seconds

        return await self._database.run(begin)

    async def save_renewed(
        self, connection_id: str, version: int, access_token: str, expires_in_seconds: float
    ) -> None:
        """See the port. Where another token was stored meanwhile that one stays."""
        sealed = self._seal(access_token, connection_id, "access_token")
        async with self._database.connection() as connection:
            await connection.execute(self._sql.save_renewed, connection_id, version, sealed, expires_in_seconds)

    async def end_renewal(self, connection_id: str) -> None:
        """See the port."""
        async with self._database.connection() as connection:
            await connection.execute(self._sql.end_renewal, connection_id)

    async def save_grant(
        self,
        connection_id: str,
        *,
        client_id: str,
        client_secret: str,
        refresh_token: str,
        access_token: str,
        expires_in_seconds: float,
        actor: str,
    ) -> None:
        """See the port. The new authorisation, the connection that goes on, and who did it are one transaction."""
        sealed = (
            self._seal(client_secret, connection_id, "client_secret"),
            self._seal(refresh_token, connection_id, "refresh_token"),
            self._seal(access_token, connection_id, "access_token"),
        )
        lanes = load("lanes")

        async def save(connection: Connection) -> None:
            # Before the token: a lane that stops the connection for the old one waits, and then sees the new one.
            await connection.execute(lanes.lock_connection, connection_id)
            await connection.execute(self._sql.save_grant, connection_id, client_id, *sealed, expires_in_seconds, actor)
            causes = sorted(cause.value for cause in CURED_BY_GRANT)
            await connection.execute(lanes.resume_connection, connection_id, causes)
            await connection.execute(lanes.add_audit, actor, "connect", {"connection": connection_id})
            await connection.execute(lanes.wake_now, connection_id)

        await self._database.run(save)

    def _seal(self, plain: str, connection_id: str, purpose: str) -> bytes:
        return self._keyring.seal(plain, bound_to=f"{connection_id}/{purpose}")

    def _open(self, sealed: bytes, connection_id: str, purpose: str) -> str:
        return self._keyring.open(sealed, bound_to=f"{connection_id}/{purpose}")
