"""The database's roles: an owner that migrates, one for the services without any DDL, one that reads one shop's rows.

Roles belong to the server and are made by whoever runs it, with the SQL that `booked roles` prints. Their rights are
given by `booked migrate`, of those roles that exist: a managed Postgres may not let us make any.
"""

from dataclasses import dataclass

import asyncpg

from consumer.adapters.postgres.sql import load


@dataclass(frozen=True, slots=True, kw_only=True)
class Roles:
    """The names of the roles on this server; another installation on the same server has names of its own."""

    services: str = "booked_services"
    reader: str = "booked_shop_reader"


async def give_rights(connection: "asyncpg.Connection[asyncpg.Record]", roles: Roles) -> list[str]:
    """Give every role that exists its rights, and take what is not its own; gives the names of those not there.

    Runs as the owner of the tables, in one transaction: the rights are never half given.
    """
    queries = load("roles")
    async with connection.transaction():
        # One at a time: two that change the rights of one table at once fail ("tuple concurrently updated").
        await connection.execute(load("partitions").lock_migrations)
        missing = await connection.fetch(queries.missing_roles, [roles.services, roles.reader])
        await connection.execute(queries.name_roles, roles.services, roles.reader)
        await connection.execute(queries.give_rights)
    return [row["role_name"] for row in missing]


def roles_sql(roles: Roles, *, database: str) -> str:
    """Give the SQL that makes the roles, for an administrator of the server. It holds no password.

    ``database`` is the database's name, in which the services' role may then connect and make no temporary tables.
    """
    services, reader, name = _quoted(roles.services), _quoted(roles.reader), _quoted(database)
    return f"""\
-- Run as an administrator of the server, then run `booked migrate` (as the owner) once more: it gives the rights.
-- Neither role can log in. Make logins for them, each with a password of its own (\\password asks for one):
--   CREATE ROLE booked_app LOGIN IN ROLE {services};
{_create(roles.services)}
{_create(roles.reader)}
REVOKE TEMPORARY, CREATE ON DATABASE {name} FROM PUBLIC;
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT CONNECT ON DATABASE {name} TO {services}, {reader};
-- Lets the watchdogs see how old other sessions' snapshots are. Leave it out where the server does not allow it.
DO $$ BEGIN
    GRANT pg_read_all_stats TO {services};
EXCEPTION WHEN insufficient_privilege THEN
    RAISE NOTICE 'pg_read_all_stats was not granted';
END $$;
"""


def reader_sql(roles: Roles, *, login: str, shop_id: str) -> str:
    """Give the SQL that makes a login which reads one shop's rows. Run twice for two shops, it may choose between."""
    quoted, reader = _quoted(login), _quoted(roles.reader)
    return f"""\
-- Run as an administrator of the server who may also write to Booked's tables. \\password asks for the password.
{_create(login, f"LOGIN IN ROLE {reader} CONNECTION LIMIT 5")}
GRANT {reader} TO {quoted};
{_assigned(login, shop_id)}
ALTER ROLE {quoted} SET statement_timeout = '30s';
ALTER ROLE {quoted} SET default_transaction_read_only = on;
\\password {quoted}
"""


def _assigned(login: str, shop_id: str) -> str:
    query = load("roles").assign_shop.splitlines()[-1]
    return query.replace("$1", _literal(login)).replace("$2", _literal(shop_id)) + ";"


def _create(role: str, options: str = "NOLOGIN") -> str:
    return (
        f"DO $$ BEGIN\n    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = {_literal(role)}) THEN\n"
        f"        CREATE ROLE {_quoted(role)} {options};\n    END IF;\nEND $$;"
    )


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
