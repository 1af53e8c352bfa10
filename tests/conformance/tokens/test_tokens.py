"""Tokens: sealed at rest, renewed by one at a time and not too often, and a new grant starts the connection again."""

import asyncio

import pytest

from consumer.errors import SecretError, StopCause
from consumer.secrets import Keyring
from tests.conformance.intake.making import connection, shop
from tests.conformance.lanes.bench import Bench, PostgresBench
from tests.conformance.lanes.scenes import BOOKS, open_books


async def _grant(bench: Bench, connection_id: str = BOOKS, **fields: str) -> None:
    given = {"client_id": "client", "client_secret": "s3cret", "refresh_token": "refresh", "access_token": "access"}
    await bench.tokens.save_grant(connection_id, **{**given, **fields}, expires_in_seconds=3600.0, actor="jane")


async def test_a_grant_comes_back_whole(bench: Bench) -> None:
    """What was stored is read, with the seconds left and the age by the database; nothing where there is none."""
    await open_books(bench)
    assert await bench.tokens.read(BOOKS) is None
    await _grant(bench)
    await bench.elapse(600.0)
    stored = await bench.tokens.read(BOOKS)
    assert stored is not None
    assert (stored.client_id, stored.client_secret, stored.refresh_token) == ("client", "s3cret", "refresh")
    assert (stored.access_token, stored.version) == ("access", 1)
    assert stored.expires_in_seconds == pytest.approx(3000.0, abs=2.0)
    assert stored.age_seconds == pytest.approx(600.0, abs=2.0)
    assert "s3cret" not in repr(stored)
    await bench.elapse(4000.0)
    stored = await bench.tokens.read(BOOKS)
    assert stored is not None
    assert stored.expires_in_seconds == 0.0


async def test_one_renews_the_others_wait(bench: Bench) -> None:
    """Of two who find the token too old one renews; the other waits, then finds the new one."""
    await open_books(bench)
    await _grant(bench)
    waits = await asyncio.gather(*(bench.tokens.begin_renewal(BOOKS, 1, 20.0) for _ in range(2)))
    assert sorted(waits) == [0.0, pytest.approx(20.0, abs=1.0)]
    await bench.tokens.save_renewed(BOOKS, 1, "second", 3600.0)
    assert 0.0 < await bench.tokens.begin_renewal(BOOKS, 1, 20.0) < 1.0
    stored = await bench.tokens.read(BOOKS)
    assert stored is not None
    assert (stored.access_token, stored.version) == ("second", 2)


async def test_who_renews_and_dies_blocks_nobody_for_long(bench: Bench) -> None:
    """After the given seconds another may renew; after a failure at once."""
    await open_books(bench)
    await _grant(bench)
    assert await bench.tokens.begin_renewal(BOOKS, 1, 20.0) == 0.0
    await bench.elapse(20.1)
    assert await bench.tokens.begin_renewal(BOOKS, 1, 20.0) == 0.0
    await bench.tokens.end_renewal(BOOKS)
    assert await bench.tokens.begin_renewal(BOOKS, 1, 20.0) == 0.0


async def test_the_tenth_renewal_in_ten_minutes_waits(bench: Bench) -> None:
    """The ledger locks out after ten, failures may count too: nine, then a wait until the first is ten minutes old."""
    await open_books(bench)
    await _grant(bench)
    for _ in range(9):
        assert await bench.tokens.begin_renewal(BOOKS, 1, 20.0) == 0.0
        await bench.tokens.end_renewal(BOOKS)
        await bench.elapse(10.0)
    assert await bench.tokens.begin_renewal(BOOKS, 1, 20.0) == pytest.approx(510.0, abs=2.0)
    await bench.elapse(511.0)
    assert await bench.tokens.begin_renewal(BOOKS, 1, 20.0) == 0.0


async def test_a_renewal_that_comes_too_late_replaces_nothing(bench: Bench) -> None:
    """Somebody has connected anew meanwhile: his token stays."""
    await open_books(bench)
    await _grant(bench)
    assert await bench.tokens.begin_renewal(BOOKS, 1, 20.0) == 0.0
    await _grant(bench, access_token="newer", refresh_token="newer refresh")
    await bench.tokens.save_renewed(BOOKS, 1, "of the old grant", 3600.0)
    stored = await bench.tokens.read(BOOKS)
    assert stored is not None
    assert (stored.access_token, stored.refresh_token, stored.version) == ("newer", "newer refresh", 2)


async def test_a_grant_cures_what_it_can_cure(bench: Bench) -> None:
    """A revoked token is cured by a new authorisation; three differences in a row are not."""
    await open_books(bench, "1001")
    await bench.lanes.stop_connection(BOOKS, StopCause.TOKEN_REVOKED, "revoked")
    await _grant(bench)
    assert (await bench.lanes.view(BOOKS)).stopped is None
    assert len(await bench.lanes.lease_due("one", 15.0, 5)) == 1
    await bench.lanes.stop_connection(BOOKS, StopCause.DIFFERENCES_IN_A_ROW, "three")
    await _grant(bench)
    assert (await bench.lanes.view(BOOKS)).stopped is StopCause.DIFFERENCES_IN_A_ROW


async def test_a_stop_for_what_a_new_grant_has_cured_meanwhile_is_none(bench: Bench) -> None:
    """A lane saw the old token refused, a person connected, and then the lane came to stop it: it goes on."""
    await open_books(bench, "1001")
    await _grant(bench)
    await bench.lanes.stop_connection(BOOKS, StopCause.NOT_CONNECTED, "never authorised", evidence_seconds=60.0)
    assert (await bench.lanes.view(BOOKS)).stopped is None
    await bench.lanes.stop_connection(BOOKS, StopCause.DIFFERENCES_IN_A_ROW, "three", evidence_seconds=60.0)
    assert (await bench.lanes.view(BOOKS)).stopped is StopCause.DIFFERENCES_IN_A_ROW
    await bench.lanes.resume_connection(BOOKS)
    await bench.lanes.stop_connection(BOOKS, StopCause.TOKEN_REVOKED, "revoked since", evidence_seconds=0.0)
    assert (await bench.lanes.view(BOOKS)).stopped is StopCause.TOKEN_REVOKED


async def test_nobody_renews_what_was_never_authorised(bench: Bench) -> None:
    """A fault that names the connection."""
    await open_books(bench)
    with pytest.raises(LookupError, match=BOOKS):
        await bench.tokens.begin_renewal(BOOKS, 1, 20.0)


async def test_another_key_opens_nothing(bench: Bench) -> None:
    """Sealed with a key that this process does not hold: a SecretError, not an empty token."""
    await open_books(bench)
    await _grant(bench)
    keyring = Keyring({"other": b"o" * 32})
    with pytest.raises(SecretError):
        await bench.tokens_with(keyring).read(BOOKS)


async def test_a_token_is_bound_to_its_connection_and_purpose(postgres_bench: PostgresBench) -> None:
    """The database holds no secret in clear; a row copied to another connection, or a column to another, opens not."""
    settings = [connection(BOOKS), connection("other")]
    await postgres_bench.settings.apply(settings, [shop()], actor="test", dry_run=False)
    await _grant(postgres_bench)
    await _grant(postgres_bench, "other")
    (row,) = await postgres_bench.fetch("SELECT * FROM tokens WHERE connection_id = 'books'")
    assert not [name for name, value in row.items() if isinstance(value, bytes) and (b"s3cret" in value)]
    await postgres_bench.fetch(
        "UPDATE tokens t SET access_token = b.access_token FROM tokens b "
        "WHERE t.connection_id = 'other' AND b.connection_id = 'books'"
    )
    with pytest.raises(SecretError):
        await postgres_bench.tokens.read("other")
    await postgres_bench.fetch("UPDATE tokens SET refresh_token = client_secret WHERE connection_id = 'books'")
    with pytest.raises(SecretError):
        await postgres_bench.tokens.read(BOOKS)
    assert (await _version_of(postgres_bench, BOOKS)) == 1


async def _version_of(bench: PostgresBench, connection_id: str) -> int:
    rows = await bench.fetch("SELECT version FROM tokens WHERE connection_id = $1", connection_id)
    return int(rows[0]["version"])
