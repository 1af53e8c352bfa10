"""`booked keys rotate` as its user sees it: services run on, a kill in the middle costs nothing, the old key can go."""

import signal

import asyncpg

from consumer.secrets import Keyring, generate_key
from tests.acceptance.installation import Installation, order


async def _sealed_with(installation: Installation) -> set[str]:
    connection = await asyncpg.connect(installation.database_url)
    try:
        row = await connection.fetchrow("SELECT client_secret, refresh_token, access_token FROM tokens")
    finally:
        await connection.close()
    assert row is not None
    return {value[2 : 2 + value[1]].decode() for value in row.values()}


async def _copy_tokens(installation: Installation, names: list[str]) -> None:
    """Give other connections tokens of their own, sealed for them with the installation's key."""
    keyring = Keyring.parse(installation.key)
    connection = await asyncpg.connect(installation.database_url)
    try:
        for name in names:
            await connection.execute(
                "INSERT INTO connections (connection_id, settings, active) VALUES ($1, '{}', false)", name
            )
            sealed = [
                keyring.seal(f"of {name}", bound_to=f"{name}/{column}") for column in ("client_secret", "refresh_token")
            ]
            await connection.execute(
                "INSERT INTO tokens (connection_id, client_id, client_secret, refresh_token) VALUES ($1, 'c', $2, $3)",
                name,
                *sealed,
            )
    finally:
        await connection.close()


async def test_keys_are_changed_while_the_services_book(installation: Installation) -> None:
    """Old key; both, new first; rotate beside a running process; the old key is gone, and orders go on being booked."""
    await installation.apply()
    await installation.connect()
    old, new = installation.key, f"k2:{generate_key()}"
    installation.key = f"{new},{old}"
    async with installation.process() as running:
        await installation.publish("paid", [order("1001")])
        await installation.told("1001", state="booked")
        assert await _sealed_with(installation) == {"k1"}
        code, said = await installation.try_command("keys", "check")
        assert (code, "k1: booked keys rotate" in said) == (7, True)
        said = await installation.command("keys", "rotate", "--as", "jane")
        assert "3 secrets sealed again with key k2" in said
        assert "Key k1 seals nothing any more" in said
        await installation.publish("paid", [order("1002")])
        await installation.told("1002", state="booked")
        assert running.running
    assert await _sealed_with(installation) == {"k2"}
    installation.key = new
    async with installation.process():
        await installation.publish("paid", [order("1003")])
        await installation.told("1003", state="booked")
    assert len(await installation.live_invoices()) == 3
    connection = await asyncpg.connect(installation.database_url)
    found = await connection.fetch("SELECT actor, details FROM audit_log WHERE action = 'keys rotate'")
    await connection.close()
    assert [(row["actor"], row["details"]) for row in found] == [("jane", '{"to": "k2"}')]


async def test_killed_in_the_middle_it_goes_on_where_it_was(installation: Installation) -> None:
    """Killed after the first of four connections: both keys are still named as used; started again it ends."""
    await installation.apply()
    await installation.connect()
    await _copy_tokens(installation, ["x", "y", "z"])
    old, new = installation.key, f"k2:{generate_key()}"
    installation.key = f"{new},{old}"
    code, said = await installation.try_command(
        "keys", "rotate", "--batch", "1", "--as", "jane", BOOKED_FAILPOINTS="keys_rotated_half=kill9@1"
    )
    assert code == -signal.SIGKILL, said
    code, said = await installation.try_command("keys", "check")
    assert code == 7, said
    assert "Key k2 writes; it seals 3 secrets." in said
    assert "Key k1 seals nothing" not in said
    said = await installation.command("keys", "rotate", "--batch", "1", "--as", "jane")
    assert "6 secrets sealed again with key k2" in said
    installation.key = new
    assert "it seals 9 secrets" in await installation.command("keys", "check")


async def test_without_the_old_key_nothing_is_lost_and_it_is_said(installation: Installation) -> None:
    """Somebody took the old key out too early: rotate names it and changes nothing; with it again all is well."""
    await installation.apply()
    await installation.connect()
    old, new = installation.key, f"k2:{generate_key()}"
    installation.key = new
    code, said = await installation.try_command("keys", "rotate", "--as", "jane")
    assert code == 7, said
    assert "under key k1, which BOOKED_SECRET_KEYS does not hold" in said
    assert await _sealed_with(installation) == {"k1"}
    installation.key = f"{new},{old}"
    await installation.command("keys", "rotate", "--as", "jane")
    assert await _sealed_with(installation) == {"k2"}
