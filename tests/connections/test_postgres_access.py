"""Postgres is verified to its name, takes certificates of ours, and a refusal says what to do."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from consumer.adapters.postgres.migrations import migrate
from consumer.adapters.postgres.pool import Database
from consumer.adapters.postgres.wakeups import connect_to
from consumer.config import read_settings
from consumer.errors import ConfigurationError, DatabaseUnavailableError
from sandbox.folders import sandbox_folder
from tests.connections.authority import Authority
from tests.connections.conftest import served
from tests.connections.secured_postgres import CERTIFIED, SecuredPostgres

pytestmark = pytest.mark.integration
NEEDED = {"BOOKED_KAFKA_SERVERS": "127.0.0.1:1", "BOOKED_SECRET_KEYS": "one:key"}
HOW = "SELECT ssl, version, client_dn FROM pg_stat_ssl WHERE pid = pg_backend_pid()"


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """The server, and who signs for it."""

    postgres: SecuredPostgres
    authority: Authority


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Give a Postgres with TLS."""
    authority = Authority(tmp_path_factory.mktemp("certificates"))
    with (
        sandbox_folder(None) as folder,
        served(SecuredPostgres(folder=folder / "postgres", authority=authority)) as postgres,
    ):
        yield Server(postgres=postgres, authority=authority)


def url(address: str, **variables: object) -> str:
    """Give Postgres's address as a process uses it, from environment variables without their ``BOOKED_DATABASE_``."""
    given = {f"BOOKED_DATABASE_{name}": str(value) for name, value in variables.items()}
    return read_settings({**NEEDED, "BOOKED_DATABASE_URL": address, **given}).database_url.get_secret_value()


def as_certified(address: str, query: str = "") -> str:
    """Give the address for the user that has a certificate and no password."""
    parts = urlsplit(address)
    return urlunsplit(parts._replace(netloc=f"{CERTIFIED}@{parts.hostname}:{parts.port}", query=query))


async def how(address: str) -> tuple[bool, str, str | None]:
    """Connect as the pool, the wake-ups and the migrations do; gives how the server sees the first."""
    async with Database.open(address) as database, database.connection() as connection:
        row = await connection.fetchrow(HOW)
    (await connect_to(address)).terminate()
    assert row is not None
    return row["ssl"], row["version"], row["client_dn"]


async def test_the_name_of_the_server_is_verified_by_an_authority_of_ones_own(server: Server) -> None:
    """Naming the authority is enough, also for a server on this machine; the whole schema is made that way."""
    address = url(server.postgres.url, CA_FILE=server.authority.file)
    assert "sslmode=verify-full" in address
    assert (await how(address))[0] is True
    await migrate(address)
    assert (await how(url(f"{server.postgres.url}?sslmode=disable")))[0] is False


async def test_the_address_may_say_it_itself(server: Server) -> None:
    """In libpq's words."""
    address = url(f"{server.postgres.url}?sslmode=verify-full&sslrootcert={server.authority.file}")
    assert (await how(address))[0] is True


@pytest.mark.parametrize("way", ["settings", "address", "key with a password"])
async def test_a_certificate_of_ours_lets_us_in(server: Server, way: str) -> None:
    """By settings or in the address; the server sees its name, and has asked for no password."""
    password = "canary of the key" if way == "key with a password" else None
    own = server.authority.certify(CERTIFIED, key_password=password)
    connection = await asyncpg.connect(server.postgres.url)
    exists = await connection.fetchval("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)", CERTIFIED)
    if not exists:
        await connection.execute(f"CREATE ROLE {CERTIFIED} LOGIN")
    await connection.close()
    files = {"CERTIFICATE_FILE": own.certificate, "KEY_FILE": own.key, "CA_FILE": server.authority.file}
    if way == "address":
        query = f"sslmode=verify-full&sslrootcert={server.authority.file}&sslcert={own.certificate}&sslkey={own.key}"
        address = url(as_certified(server.postgres.url, query))
    elif password is not None:
        address = url(as_certified(server.postgres.url), **files, KEY_PASSWORD=password)
    else:
        address = url(as_certified(server.postgres.url), **files)
    encrypted, _, name = await how(address)
    assert (encrypted, name) == (True, f"/CN={CERTIFIED}")


async def refusal(address: str) -> str:
    """Give what is said to who comes that way."""
    with pytest.raises(DatabaseUnavailableError) as error:
        await Database.connect(address)
    return str(error.value)


async def test_a_refusal_says_what_to_do(server: Server, tmp_path: Path) -> None:
    """Unknown authority, another name, wrong password, no certificate, a stranger's; no secret stands in it."""
    plain = server.postgres.url
    stranger = Authority(tmp_path, "strangers").certify(CERTIFIED)
    trusted = {"CA_FILE": server.authority.file}
    wrong = plain.replace(server.postgres.password, "canary-wrong")
    other = plain.replace("@127.0.0.1:", "@localhost:")
    shown = {"CERTIFICATE_FILE": stranger.certificate, "KEY_FILE": stranger.key, **trusted}
    said = {
        "BOOKED_DATABASE_CA_FILE": await refusal(url(plain, TLS="verify-full")),
        "stands in the server's certificate": await refusal(url(other, **trusted)),
        "the password": await refusal(url(wrong, **trusted)),
        "BOOKED_DATABASE_CERTIFICATE_FILE": await refusal(url(as_certified(plain), **trusted)),
    }
    # The server hangs up on a stranger's certificate without a word that the driver passes on; its log has it.
    assert "canary" not in await refusal(url(as_certified(plain), **shown))
    for words, text in said.items():
        assert words in text
        assert "canary" not in text
        assert server.postgres.password not in text


async def test_a_server_without_tls_is_told(postgres_admin_url: str, tmp_path: Path) -> None:
    """The sandbox's own has none."""
    authority = Authority(tmp_path)
    text = await refusal(url(postgres_admin_url, CA_FILE=authority.file))
    assert "BOOKED_DATABASE_TLS=disable" in text


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        ({"CERTIFICATE_FILE": "/nowhere"}, "needed together"),
        ({"KEY_FILE": "/nowhere"}, "needed together"),
        ({"CERTIFICATE_FILE": "/nowhere", "KEY_FILE": "/nowhere"}, "BOOKED_DATABASE_CERTIFICATE_FILE names /nowhere"),
    ],
)
def test_half_a_certificate_is_refused_at_the_start(variables: dict[str, str], says: str) -> None:
    """Before anything connects, by its variable."""
    with pytest.raises(ConfigurationError, match=says):
        url("postgresql://booked@127.0.0.1/booked", **variables)
