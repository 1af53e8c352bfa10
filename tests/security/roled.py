"""A database with roles as a careful installation has them: a plain owner, the services' login, readers of shops."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from consumer.adapters.postgres.migrations import migrate
from consumer.adapters.postgres.roles import Roles, reader_sql, roles_sql
from sandbox.postgres import admin_connection, drop_database, with_database

PASSWORD = "of-a-test"

Raw: TypeAlias = "asyncpg.Connection[asyncpg.Record]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Roled:
    """One such database. The names of roles are the test's own, since roles belong to the whole server."""

    admin_url: str
    name: str
    roles: Roles
    owner: str
    app: str

    @property
    def owner_url(self) -> str:
        """The address for migrations."""
        return self.url_of(self.owner)

    @property
    def services_url(self) -> str:
        """The address for the services."""
        return self.url_of(self.app)

    def url_of(self, login: str) -> str:
        """Give the address of a login."""
        parts = urlsplit(with_database(self.admin_url, self.name))
        return urlunsplit(parts._replace(netloc=f"{login}:{PASSWORD}@{parts.hostname}:{parts.port}"))

    @asynccontextmanager
    async def as_(self, login: str) -> AsyncIterator[Raw]:
        """Connect as a login."""
        async with admin_connection(self.url_of(login)) as connection:
            yield connection

    async def give(self) -> list[str]:
        """Migrate as the owner, which gives the rights; the roles that are missing."""
        return await migrate(self.owner_url, roles=self.roles)

    async def add_reader(self, login: str, *shops: str) -> str:
        """Make a login for these shops by the SQL that the command prints; its name, the test's own."""
        name = f"{self.owner}_{login}"
        async with admin_connection(with_database(self.admin_url, self.name)) as admin:
            for shop in shops or ("",):
                script = reader_sql(self.roles, login=name, shop_id=shop or "none")
                await admin.execute("\n".join(line for line in script.splitlines() if not line.startswith("\\")))
            if not shops:
                await admin.execute("DELETE FROM shop_readers WHERE role_name = $1", name)
            await admin.execute(f"ALTER ROLE \"{name}\" PASSWORD '{PASSWORD}'")
        return name


@asynccontextmanager
async def roled_database(admin_url: str, *, with_roles: bool = True) -> AsyncIterator[Roled]:
    """Make such a database, migrated; without the roles where their SQL was never run."""
    mark = f"t{uuid.uuid4().hex[:12]}"
    roles = Roles(services=f"{mark}_services", reader=f"{mark}_reader")
    made = Roled(admin_url=admin_url, name=f"test_{mark}", roles=roles, owner=mark, app=f"{mark}_app")
    async with admin_connection(admin_url) as admin:
        await admin.execute(f"CREATE ROLE {made.owner} LOGIN NOSUPERUSER NOCREATEROLE PASSWORD '{PASSWORD}'")
        await admin.execute(f'CREATE DATABASE "{made.name}" OWNER {made.owner}')
    try:
        await made.give()
        if with_roles:
            async with admin_connection(with_database(admin_url, made.name)) as admin:
                await admin.execute(roles_sql(roles, database=made.name))
                await admin.execute(f"CREATE ROLE {made.app} LOGIN PASSWORD '{PASSWORD}' IN ROLE {roles.services}")
            await made.give()
        yield made
    finally:
        await drop_database(admin_url, made.name)
        async with admin_connection(admin_url) as admin:
            found = await admin.fetch("SELECT rolname FROM pg_roles WHERE starts_with(rolname, $1)", mark)
            for row in found:
                await admin.execute(f'DROP OWNED BY "{row["rolname"]}"')
            for row in sorted(found, key=lambda one: -len(one["rolname"])):
                await admin.execute(f'DROP ROLE "{row["rolname"]}"')


@contextmanager
def shared_roled_database(admin_url: str, rows: str = "") -> Iterator[Roled]:
    """Make such a database for many tests, with these rows.

    On a loop of its own, in a thread: each test has a loop of its own too.
    """

    async def make(stack: AsyncExitStack) -> Roled:
        made = await stack.enter_async_context(roled_database(admin_url))
        if rows:
            async with made.as_(made.owner) as owner:
                await owner.execute(rows)
        return made

    with ThreadPoolExecutor(1) as pool, asyncio.Runner() as runner:
        stack = AsyncExitStack()
        try:
            yield pool.submit(runner.run, make(stack)).result()
        finally:
            pool.submit(runner.run, stack.aclose()).result()
