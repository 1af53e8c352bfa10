"""The change of keys: all secrets are under the new key, none is lost, and what does not open is named, not touched."""

import asyncio

import pytest

from consumer.adapters.memory.keys import MemorySealedStore
from consumer.adapters.postgres.keys import PostgresSealedStore
from consumer.ports.keys import SealAgain, SealedBatch, SealedCount, SealedStore
from consumer.secrets import Keyring
from consumer.services.key_rotation import check_keys, rotate_keys
from tests.conformance.intake.making import connection, shop
from tests.conformance.lanes.bench import Bench, MemoryBench, PostgresBench

OLD = Keyring({"old": b"o" * 32})
BOTH = Keyring({"new": b"n" * 32, "old": b"o" * 32})
NEW = Keyring({"new": b"n" * 32})
NAMES = ("a", "b", "c", "d", "e")
COLUMNS = ("access_token", "client_secret", "refresh_token")


def _store(bench: Bench) -> SealedStore:
    if isinstance(bench, MemoryBench):
        return MemorySealedStore(bench.database)
    assert isinstance(bench, PostgresBench)
    return PostgresSealedStore(bench.database)


async def _grant(bench: Bench, keyring: Keyring, *names: str) -> None:
    for name in names:
        await bench.tokens_with(keyring).save_grant(
            name,
            client_id="client",
            client_secret=f"secret of {name}",
            refresh_token=f"refresh of {name}",
            access_token=f"access of {name}",
            expires_in_seconds=3600.0,
            actor="jane",
        )


async def _granted(bench: Bench) -> SealedStore:
    settings = [connection(name) for name in NAMES]
    await bench.settings.apply(settings, [shop(connection_id="a")], actor="test", dry_run=False)
    await _grant(bench, OLD, *NAMES)
    return _store(bench)


def _counts(key_id: str, count: int) -> list[SealedCount]:
    return [SealedCount(table="tokens", column=column, key_id=key_id, count=count) for column in COLUMNS]


async def _opens(bench: Bench, keyring: Keyring, name: str) -> bool:
    stored = await bench.tokens_with(keyring).read(name)
    assert stored is not None
    return (stored.client_secret, stored.refresh_token, stored.access_token) == (
        f"secret of {name}",
        f"refresh of {name}",
        f"access of {name}",
    )


@pytest.mark.parametrize("batch_rows", [1, 2, 100])
async def test_after_the_change_the_new_key_alone_opens_all(bench: Bench, batch_rows: int) -> None:
    """Whatever the size of a batch: every secret is under the new key, the old one is told to be removable."""
    store = await _granted(bench)
    before = await check_keys(store, BOTH)
    assert (list(before.old), before.removable, before.clean) == (_counts("old", 5), (), False)
    done = await rotate_keys(store, BOTH, batch_rows=batch_rows)
    assert (done.sealed_again, done.failed) == (15, ())
    assert (list(done.check.current), done.check.removable, done.check.clean) == (_counts("new", 5), ("old",), True)
    assert [await _opens(bench, NEW, name) for name in NAMES] == [True] * 5
    assert (await rotate_keys(store, BOTH)).sealed_again == 0


class _Stops(Exception):  # noqa: N818 it stands for a kill, which is no error of anybody's
    """Stands for the death of the process after a batch was committed."""


class _Dying:
    """A store whose process dies after so many batches."""

    def __init__(self, store: SealedStore, batches: int) -> None:
        self._store = store
        self._left = batches

    async def counts(self) -> list[SealedCount]:
        """See the port."""
        return list(await self._store.counts())

    async def seal_again(self, *, prefix: bytes, after: str, limit: int, seal_again: SealAgain) -> SealedBatch:
        """See the port."""
        if self._left == 0:
            raise _Stops
        self._left -= 1
        return await self._store.seal_again(prefix=prefix, after=after, limit=limit, seal_again=seal_again)


async def test_half_done_both_keys_are_needed_and_the_next_run_ends_it(bench: Bench) -> None:
    """After two of five rows the process dies: all still opens with both keys, the next run does the other three."""
    store = await _granted(bench)
    with pytest.raises(_Stops):
        await rotate_keys(_Dying(store, 2), BOTH, batch_rows=1)
    half = await check_keys(store, BOTH)
    assert (list(half.current), list(half.old), half.removable) == (_counts("new", 2), _counts("old", 3), ())
    assert [await _opens(bench, BOTH, name) for name in NAMES] == [True] * 5
    done = await rotate_keys(store, BOTH, batch_rows=1)
    assert (done.sealed_again, done.check.removable) == (9, ("old",))


async def test_a_key_that_nobody_has_is_named(bench: Bench) -> None:
    """Secrets under a key that this process lacks stay as they are; the key and the places are told, and no success."""
    store = await _granted(bench)
    await _grant(bench, Keyring({"lost": b"l" * 32}), "c")
    done = await rotate_keys(store, BOTH, batch_rows=2)
    assert done.sealed_again == 12
    assert sorted(failure.split(" was sealed")[0] for failure in done.failed) == [
        f"The secret of c/{column}" for column in COLUMNS
    ]
    assert list(done.check.unknown) == _counts("lost", 1)
    assert (done.check.removable, done.check.clean) == (("old",), False)


async def test_a_renewal_under_way_is_not_lost(bench: Bench) -> None:
    """Somebody renews while the keys change: his new access token is stored, whichever came first."""
    store = await _granted(bench)
    tokens = bench.tokens_with(BOTH)
    assert await tokens.begin_renewal("a", 1, 20.0) == 0.0
    await rotate_keys(store, BOTH)
    await tokens.save_renewed("a", 1, "renewed", 3600.0)
    stored = await bench.tokens_with(NEW).read("a")
    assert stored is not None
    assert (stored.access_token, stored.refresh_token) == ("renewed", "refresh of a")


async def test_many_at_once_with_renewals_end_right(bench: Bench) -> None:
    """Two changes of keys and a renewal of every connection together: nothing is lost, nothing is under the old key."""
    store = await _granted(bench)
    tokens = bench.tokens_with(BOTH)

    async def renew(name: str) -> None:
        assert await tokens.begin_renewal(name, 1, 20.0) == 0.0
        await tokens.save_renewed(name, 1, f"newer of {name}", 3600.0)

    await asyncio.gather(
        rotate_keys(store, BOTH, batch_rows=1), *(renew(name) for name in NAMES), rotate_keys(store, BOTH, batch_rows=2)
    )
    assert (await check_keys(store, BOTH)).removable == ("old",)
    for name in NAMES:
        stored = await bench.tokens_with(NEW).read(name)
        assert stored is not None
        assert (stored.access_token, stored.client_secret) == (f"newer of {name}", f"secret of {name}")


async def test_what_is_no_sealed_secret_is_named(postgres_bench: PostgresBench) -> None:
    """A damaged value, one cut off and an empty one are counted as no secrets; the change goes on around them."""
    store = await _granted(postgres_bench)
    await postgres_bench.fetch("UPDATE tokens SET access_token = '\\x01ff' WHERE connection_id = 'a'")
    await postgres_bench.fetch("UPDATE tokens SET access_token = '' WHERE connection_id = 'b'")
    await postgres_bench.fetch("UPDATE tokens SET access_token = 'nonsense' WHERE connection_id = 'c'")
    done = await rotate_keys(store, BOTH)
    assert (done.sealed_again, len(done.failed)) == (12, 3)
    assert list(done.check.unknown) == [SealedCount(table="tokens", column="access_token", key_id="", count=3)]
