"""Tokens in memory, sealed like those at rest."""

from datetime import timedelta

from consumer.adapters.memory.database import MemoryDatabase, TokenRow
from consumer.adapters.memory.intake import wake
from consumer.domain.renewals import recent, renewal_wait_seconds
from consumer.ports.lanes import CURED_BY_GRANT, Sealer, StoredToken


class MemoryTokenStore:
    """See consumer.ports.lanes.TokenStore."""

    def __init__(self, database: MemoryDatabase, *, keyring: Sealer) -> None:
        self._db = database
        self._keyring = keyring

    async def read(self, connection_id: str) -> StoredToken | None:
        """See the port."""
        async with self._db.transaction() as now:
            row = self._db.tokens.get(connection_id)
            if row is None:
                return None
            left = 0.0 if row.access_expires_at is None else (row.access_expires_at - now).total_seconds()
            access = row.access_token
            return StoredToken(
                client_id=row.client_id,
                client_secret=self._open(row.client_secret, connection_id, "client_secret"),
                refresh_token=self._open(row.refresh_token, connection_id, "refresh_token"),
                access_token=None if access is None else self._open(access, connection_id, "access_token"),
                expires_in_seconds=max(0.0, left),
                version=row.version,
                age_seconds=None if row.access_made_at is None else (now - row.access_made_at).total_seconds(),
            )

    async def begin_renewal(self, connection_id: str, version: int, seconds: float) -> float:
        """See the port. Raises LookupError for a connection that was never authorised."""
        async with self._db.transaction() as now:
            row = self._db.tokens.get(connection_id)
            if row is None:
                raise LookupError(f"connection {connection_id} was never authorised")
            wait_seconds = renewal_wait_seconds(
                version_is_current=row.version == version,
                renewing_until=row.renewing_until,
                renewals=row.renewals,
                now=now,
            )
            if wait_seconds <= 0:
                row.renewals = [*recent(row.renewals, now), now]
                row.renewing_until = now + timedelta(seconds=seconds)
            return wait_seconds

    async def save_renewed(
        self, connection_id: str, version: int, access_token: str, expires_in_seconds: float
    ) -> None:
        """See the port. Where another token was stored meanwhile that one stays."""
        sealed = self._seal(access_token, connection_id, "access_token")
        async with self._db.transaction() as now:
            row = self._db.tokens.get(connection_id)
            if row is None or row.version != version:
                return
            row.access_token, row.access_made_at = sealed, now
            row.access_expires_at = now + timedelta(seconds=expires_in_seconds)
            row.renewing_until = None
            row.version += 1

    async def end_renewal(self, connection_id: str) -> None:
        """See the port."""
        async with self._db.transaction():
            row = self._db.tokens.get(connection_id)
            if row is not None:
                row.renewing_until = None

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
        """See the port."""
        async with self._db.transaction() as now:
            before = self._db.tokens.get(connection_id)
            self._db.tokens[connection_id] = TokenRow(
                client_id=client_id,
                client_secret=self._seal(client_secret, connection_id, "client_secret"),
                refresh_token=self._seal(refresh_token, connection_id, "refresh_token"),
                access_token=self._seal(access_token, connection_id, "access_token"),
                access_expires_at=now + timedelta(seconds=expires_in_seconds),
                access_made_at=now,
                connected_by=actor,
                connected_at=now,
                renewals=[] if before is None else before.renewals,
                version=1 if before is None else before.version + 1,
            )
            row = self._db.connections[connection_id]
            if row.stopped in CURED_BY_GRANT:
                row.stopped, row.stopped_message = None, ""
            details = {"connection": connection_id}
            self._db.audit.append({"at": now, "actor": actor, "action": "connect", "details": details})
            wake(self._db, connection_id, now)

    def _seal(self, plain: str, connection_id: str, purpose: str) -> bytes:
        return self._keyring.seal(plain, bound_to=f"{connection_id}/{purpose}")

    def _open(self, sealed: bytes, connection_id: str, purpose: str) -> str:
        return self._keyring.open(sealed, bound_to=f"{connection_id}/{purpose}")
