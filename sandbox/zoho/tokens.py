"""Clients, codes, refresh tokens and access tokens: what the accounts server knows."""

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from sandbox.zoho.clock import Clock
from sandbox.zoho.numbers import dumps, loads
from sandbox.zoho.store import Store

REFRESH_TOKENS_MAX = 20
ACCESS_TOKENS_MAX = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRules:
    """The accounts server's figures, all of them settable. `window_seconds` belongs to `tokens_per_window`."""

    access_token_seconds: float = 3600.0
    code_seconds: float = 60.0
    tokens_per_window: int = 10
    window_seconds: float = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What a person allowed a client: scopes, and the organisations that this person sees (None: all of them)."""

    token: str
    client_id: str
    scopes: tuple[str, ...]
    organizations: tuple[str, ...] | None
    expires: float | None = None
    refresh_token: str = ""

    def allows(self, scope: str) -> bool:
        """Say whether a scope is granted, itself or by a wider one."""
        module = scope.rpartition(".")[0]
        return not {scope, f"{module}.ALL", "ZohoBooks.fullaccess.all"}.isdisjoint(self.scopes)

    def sees(self, organization_id: str) -> bool:
        """Say whether the person belongs to an organisation."""
        return self.organizations is None or organization_id in self.organizations


class Tokens:
    """The accounts server's store."""

    def __init__(self, *, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        row = store.row("SELECT value FROM settings WHERE name = 'oauth'")
        self.rules = TokenRules(**json.loads(row["value"])) if row is not None else TokenRules()

    def set_rules(self, changes: Mapping[str, Any]) -> TokenRules:
        """Change figures. Raises `TypeError` for one that does not exist."""
        known = {one.name for one in fields(TokenRules)}
        if not set(changes) <= known:
            raise TypeError(f"The accounts server has {', '.join(sorted(known))}.")
        self.rules = TokenRules(**{**asdict(self.rules), **changes})
        self._store.execute("INSERT OR REPLACE INTO settings VALUES ('oauth', ?)", (dumps(asdict(self.rules)),))
        return self.rules

    def add_client(self, client_id: str, client_secret: str, redirect_uris: Sequence[str]) -> None:
        """Register a client, or change it."""
        self._store.execute(
            "INSERT OR REPLACE INTO clients VALUES (?, ?, ?)", (client_id, client_secret, dumps(list(redirect_uris)))
        )

    def client(self, client_id: str) -> tuple[str, list[str]] | None:
        """Give a client's secret and redirect addresses."""
        row = self._store.row("SELECT * FROM clients WHERE client_id = ?", (client_id,))
        return None if row is None else (row["client_secret"], loads(row["redirect_uris"]))

    def make_code(
        self,
        *,
        client_id: str,
        scopes: Sequence[str],
        organizations: Sequence[str] | None,
        redirect_uri: str | None,
        offline: bool,
        seconds: float | None = None,
    ) -> str:
        """Make a code that can be exchanged once."""
        code = f"1000.{secrets.token_hex(16)}.{secrets.token_hex(16)}"
        self._store.execute(
            "INSERT INTO codes VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                code,
                client_id,
                redirect_uri,
                dumps(list(scopes)),
                dumps(None if organizations is None else list(organizations)),
                offline,
                self._clock.now() + (self.rules.code_seconds if seconds is None else seconds),
            ),
        )
        return code

    def take_code(self, code: str) -> Mapping[str, Any] | None:
        """Take a code out of the store; None where it is unknown, used or too old."""
        row = self._store.row("DELETE FROM codes WHERE code = ? RETURNING *", (code,))
        return dict(row) if row is not None and row["expires"] > self._clock.now() else None

    def make_refresh_token(
        self, *, client_id: str, scopes: Sequence[str], organizations: Sequence[str] | None
    ) -> Grant:
        """Make a refresh token. A client's 21st deletes its oldest, with the access tokens of that one."""
        token = f"1000.{secrets.token_hex(16)}.{secrets.token_hex(16)}"
        self._store.execute(
            "INSERT INTO refresh_tokens VALUES (?, ?, ?, ?, ?)",
            (
                token,
                client_id,
                dumps(list(scopes)),
                dumps(None if organizations is None else list(organizations)),
                self._clock.now(),
            ),
        )
        old = self._store.rows(
            "SELECT token FROM refresh_tokens WHERE client_id = ? ORDER BY created DESC, rowid DESC LIMIT -1 OFFSET ?",
            (client_id, REFRESH_TOKENS_MAX),
        )
        for row in old:
            self.revoke(row["token"])
        chosen = None if organizations is None else tuple(organizations)
        return Grant(token=token, client_id=client_id, scopes=tuple(scopes), organizations=chosen)

    def refresh_token(self, token: str) -> Grant | None:
        """Find a refresh token that is in force."""
        row = self._store.row("SELECT * FROM refresh_tokens WHERE token = ?", (token,))
        return None if row is None else _grant(dict(row))

    def has_refresh_token(self, client_id: str) -> bool:
        """Say whether a person has allowed a client before."""
        return self._store.row("SELECT 1 FROM refresh_tokens WHERE client_id = ?", (client_id,)) is not None

    def make_access_token(self, grant: Grant) -> str:
        """Make an access token. The 16th in force of one refresh token ends the oldest."""
        token, now = f"1000.{secrets.token_hex(16)}.{secrets.token_hex(16)}", self._clock.now()
        self._store.execute(
            "INSERT INTO access_tokens VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                token,
                grant.token,
                grant.client_id,
                dumps(list(grant.scopes)),
                dumps(None if grant.organizations is None else list(grant.organizations)),
                now,
                now + self.rules.access_token_seconds,
            ),
        )
        self._store.execute(
            "DELETE FROM access_tokens WHERE refresh_token = ?1 AND token NOT IN (SELECT token FROM access_tokens"
            " WHERE refresh_token = ?1 AND expires > ?2 ORDER BY created DESC, rowid DESC LIMIT ?3)",
            (grant.token, now, ACCESS_TOKENS_MAX),
        )
        return token

    def access_token(self, token: str) -> Grant | None:
        """Find an access token that is in force."""
        row = self._store.row("SELECT * FROM access_tokens WHERE token = ?", (token,))
        if row is None or row["expires"] <= self._clock.now():
            return None
        return _grant(dict(row))

    def is_throttled(self, refresh_token: str) -> bool:
        """Count a request for an access token; True where there were too many within the window.

        The refused ones count as well: asking on and on prolongs the lock-out.
        """
        now = self._clock.now()
        window = (refresh_token, now - self.rules.window_seconds)
        self._store.execute("DELETE FROM token_requests WHERE refresh_token = ? AND at <= ?", window)
        self._store.execute("INSERT INTO token_requests VALUES (?, ?)", (refresh_token, now))
        row = self._store.row("SELECT count(*) AS asked FROM token_requests WHERE refresh_token = ?", (refresh_token,))
        return row is not None and row["asked"] > self.rules.tokens_per_window

    def revoke(self, token: str) -> bool:
        """Revoke a refresh token with its access tokens, or an access token alone."""
        refresh = self._store.execute("DELETE FROM refresh_tokens WHERE token = ?", (token,)).rowcount
        access = self._store.execute("DELETE FROM access_tokens WHERE refresh_token = ?1 OR token = ?1", (token,))
        return bool(refresh or access.rowcount)

    def expire(self, *, refresh_token: str | None = None, access_token: str | None = None) -> int:
        """End access tokens now: one, those of a refresh token, or all. Gives how many."""
        ended = self._store.execute(
            "UPDATE access_tokens SET expires = 0"
            " WHERE (?1 IS NULL OR refresh_token = ?1) AND (?2 IS NULL OR token = ?2)",
            (refresh_token, access_token),
        )
        return ended.rowcount


def _grant(row: Mapping[str, Any]) -> Grant:
    organizations = loads(row["organizations"])
    return Grant(
        token=row["token"],
        client_id=row["client_id"],
        scopes=tuple(loads(row["scopes"])),
        organizations=None if organizations is None else tuple(organizations),
        expires=row.get("expires"),
        refresh_token=row.get("refresh_token", ""),
    )
