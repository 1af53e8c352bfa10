"""Every call to a server has an end of its own: nothing waits without limit for one that is frozen."""

import asyncio
import inspect
import ssl
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from time import monotonic
from typing import Any
from unittest.mock import MagicMock

import pytest

from consumer.adapters.kafka.log import KafkaLogReader
from consumer.adapters.kafka.settings import KafkaSettings, SourceLimits
from consumer.adapters.kafka.sink import KafkaSink
from consumer.adapters.kafka.source import KafkaSource
from consumer.adapters.postgres.bookings import PostgresBookingStore
from consumer.adapters.postgres.calls import PostgresCallStore
from consumer.adapters.postgres.contacts import PostgresContactStore
from consumer.adapters.postgres.figures import PostgresFiguresStore
from consumer.adapters.postgres.health import PostgresHealthStore
from consumer.adapters.postgres.intake import PostgresIntakeStore
from consumer.adapters.postgres.lanes import PostgresLaneStore
from consumer.adapters.postgres.outbox import PostgresOutboxStore
from consumer.adapters.postgres.people import PostgresPeopleStore
from consumer.adapters.postgres.pool import Database, PoolLimits
from consumer.adapters.postgres.rejected import PostgresRejectedStore
from consumer.adapters.postgres.replay import PostgresReplayStore
from consumer.adapters.postgres.settings import PostgresSettingsStore
from consumer.adapters.postgres.tokens import PostgresTokenStore
from consumer.adapters.postgres.watch import PostgresWatchStore
from consumer.adapters.zoho.calls import Calls, NoAnswerError, make_transport
from consumer.adapters.zoho.departure import Departure
from consumer.adapters.zoho.requests import Request
from consumer.errors import BrokerUnavailableError, DatabaseUnavailableError
from consumer.ports.intake import TopicPartition
from consumer.ports.messages import Message
from consumer.secrets import Keyring, generate_key
from sandbox.folders import sandbox_folder
from sandbox.kafka import create_topics
from tests.chaos.faults.stage import ProxiedKafka, port_of, through
from tests.chaos.proxy import Proxy

COMMAND_SECONDS = 1.0
# Acquiring, one statement, and the release of a connection that is no longer good.
POSTGRES_SECONDS = 4 * COMMAND_SECONDS + 2.0
KAFKA_SECONDS = 1.5
PATIENCE_SECONDS = 3.0  # of the test, for a busy machine


def stores_of(database: Database) -> Mapping[str, object]:
    """Every store that a service or command works with."""
    keyring = Keyring.parse(f"k1:{generate_key()}")
    as_it_is: Callable[[str], str] = lambda text: text  # noqa: E731 - two parameters want the same small function
    return {
        "bookings": PostgresBookingStore(database, email_key=as_it_is, name_key=as_it_is),
        "calls": PostgresCallStore(database),
        "contacts": PostgresContactStore(database, email_key=as_it_is, name_key=as_it_is),
        "figures": PostgresFiguresStore(database),
        "health": PostgresHealthStore(database),
        "intake": PostgresIntakeStore(database, render_rejected=MagicMock()),
        "lanes": PostgresLaneStore(database),
        "outbox": PostgresOutboxStore(database),
        "people": PostgresPeopleStore(database),
        "rejected": PostgresRejectedStore(database),
        "replay": PostgresReplayStore(database),
        "settings": PostgresSettingsStore(database),
        "tokens": PostgresTokenStore(database, keyring=keyring),
        "watch": PostgresWatchStore(database),
    }


def calls_of(stores: Mapping[str, object]) -> dict[str, Callable[[], Awaitable[object]]]:
    """Every public coroutine of every store, with arguments that are good enough to come as far as the database."""
    found: dict[str, Callable[[], Awaitable[object]]] = {}
    for name, store in stores.items():
        for method_name, method in inspect.getmembers(store, inspect.iscoroutinefunction):
            if not method_name.startswith("_"):
                found[f"{name}.{method_name}"] = _call(method)
    return found


def _call(method: Callable[..., Awaitable[object]]) -> Callable[[], Awaitable[object]]:
    wanted = [one for one in inspect.signature(method).parameters.values() if one.default is inspect.Parameter.empty]
    by_name = {one.name: _value(one) for one in wanted if one.kind is inspect.Parameter.KEYWORD_ONLY}
    in_line = [_value(one) for one in wanted if one.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD]
    return lambda: method(*in_line, **by_name)


def _value(parameter: inspect.Parameter) -> Any:
    kind = str(parameter.annotation)
    if "Sequence" in kind or "Collection" in kind or "Iterable" in kind:
        return [MagicMock()]
    if "float" in kind or "int" in kind:
        return 1
    return "x" if kind in {"str", "<class 'str'>"} else MagicMock()


async def test_every_call_of_every_store_ends_when_postgres_is_frozen(migrated_database_url: str) -> None:
    """All at once, each over a connection of its own that is open already: the case in which no error ever comes."""
    async with Proxy(port_of(migrated_database_url.partition("@")[2])) as proxy:
        limits = PoolLimits(
            max_size=1,
            command_timeout_seconds=COMMAND_SECONDS,
            acquire_timeout_seconds=COMMAND_SECONDS,
            connect_timeout_seconds=COMMAND_SECONDS,
            release_timeout_seconds=COMMAND_SECONDS,
        )
        names = sorted(calls_of(stores_of(MagicMock())))
        pools = [await Database.connect(through(proxy)(migrated_database_url), limits=limits) for _ in names]
        proxy.freeze()
        ends = await asyncio.gather(
            *(_end_of(calls_of(stores_of(pool))[name]) for name, pool in zip(names, pools, strict=True))
        )
        proxy.cut()
        proxy.thaw()
        await asyncio.gather(*(pool.close(1.0) for pool in pools))
    told = {name: end for name, end in zip(names, ends, strict=True) if end != "unavailable"}
    assert len(names) >= 60, "the stores have this many calls, or the list above lacks one"
    # Refused before they ask: what they are given here is not what they take. Their awaits are those of the others.
    assert [name for name, end in told.items() if end == "late"] == []
    assert len(told) <= len(names) // 5, told


async def _end_of(call: Callable[[], Awaitable[object]]) -> str:
    try:
        async with asyncio.timeout(POSTGRES_SECONDS + PATIENCE_SECONDS):
            await call()
    except DatabaseUnavailableError:
        return "unavailable"
    except TimeoutError:
        return "late"
    except Exception as error:  # noqa: BLE001 - arguments that are no real ones may be refused in any way
        return f"refused: {type(error).__name__}"
    return "ended"


@pytest.fixture
async def frozen_broker() -> AsyncIterator[tuple[ProxiedKafka, Proxy]]:
    """A broker of the test's own behind a proxy, which it tells its clients to use."""
    with sandbox_folder() as folder:
        from sandbox.ports import free_port  # noqa: PLC0415 - pytest's fixture of this name stands in the way

        port = free_port()
        kafka = ProxiedKafka(folder=Path(folder) / "kafka", proxy_port=port)
        async with Proxy(kafka.listener_port, port=port) as proxy, kafka:
            yield kafka, proxy


class Nobody:
    """A listener that does nothing."""

    async def on_assigned(self, places: frozenset[TopicPartition]) -> None:
        """See the port."""

    async def on_revoked(self, places: frozenset[TopicPartition]) -> None:
        """See the port."""


async def test_every_call_to_kafka_ends_when_the_broker_is_half_open(frozen_broker: tuple[ProxiedKafka, Proxy]) -> None:
    """Source, sink and log reader, connected before the way died: each gives up within its own deadline."""
    kafka, proxy = frozen_broker
    topic, place = "orders", TopicPartition("orders", 0)
    await create_topics(kafka.servers, {topic: 1})
    settings = KafkaSettings(servers=kafka.proxied_servers, request_seconds=KAFKA_SECONDS, call_seconds=KAFKA_SECONDS)
    limits = SourceLimits(start_seconds=KAFKA_SECONDS)
    source = KafkaSource(settings=settings, topics=[topic], group=uuid.uuid4().hex, limits=SourceLimits())
    late = KafkaSource(settings=settings, topics=[topic], group=uuid.uuid4().hex, limits=limits)
    sink, late_sink = KafkaSink(settings=settings), KafkaSink(settings=settings)
    await source.start(Nobody())
    await sink.start([topic])
    async with KafkaLogReader.open(settings) as reader:
        proxy.freeze()
        try:
            for what, asked in {
                "bounds": source.bounds([place]),
                "committed": source.committed([place]),
                "existing": source.existing([topic]),
                "start": late.start(Nobody()),
                "sink.start": late_sink.start([topic]),
                "log.bounds": reader.bounds([place]),
                "log.partitions": reader.partitions([topic]),
            }.items():
                await _ends(what, asked, 3 * KAFKA_SECONDS)
            answers = await _in_time("send", sink.send([Message(topic=topic, key=b"k", value=b"v")]), 3 * KAFKA_SECONDS)
            assert [type(answer) for answer in answers] == [BrokerUnavailableError]
            assert await _in_time("fetch", source.fetch(10, 0.5), 2.5) == ()
            await _in_time("source.stop", source.stop(2.0), 4.0)
            await _in_time("sink.stop", sink.stop(2.0), 4.0)
        finally:
            proxy.cut()
            proxy.thaw()


async def _ends(what: str, asked: Awaitable[object], seconds: float) -> None:
    with pytest.raises(BrokerUnavailableError):
        await _in_time(what, asked, seconds)


async def _in_time(what: str, asked: Awaitable[Any], seconds: float) -> Any:
    began = monotonic()
    try:
        async with asyncio.timeout(seconds + PATIENCE_SECONDS):
            return await asked
    except TimeoutError:
        raise AssertionError(f"{what} has not ended after {monotonic() - began:.1f} s") from None


async def test_a_call_to_the_ledger_ends_when_it_is_frozen(zoho_url: str) -> None:
    """Over a connection that was good before, and over a new one; whether it may have arrived is told rightly."""
    async with Proxy(port_of(zoho_url)) as proxy:
        tls = ssl.create_default_context()
        calls = Calls(f"http://{proxy.address}", transport=lambda: make_transport(deadline_seconds=1.0, tls=tls))
        request = Request(method="GET", path="/control/health", query={}, body="", content_type="")
        try:
            await calls.call(request, auth=None, departure=Departure(within_seconds=1.0), deadline=2.0)
            proxy.freeze()
            for _ in range(2):
                with pytest.raises(NoAnswerError) as raised:
                    await _in_time(
                        "call",
                        calls.call(request, auth=None, departure=Departure(within_seconds=1.0), deadline=1.0),
                        1.0,
                    )
                assert raised.value.sent
        finally:
            proxy.cut()
            proxy.thaw()
            await calls.aclose()
