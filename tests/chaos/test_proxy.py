"""The proxy does to a connection what it says, and nothing else: a fault that does not strike would prove nothing."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress

import pytest

from tests.chaos.proxy import LOOPBACK, Proxy, Weather

PATIENCE_SECONDS = 5.0
MUTE_SECONDS = 0.2  # long enough on a loopback for anything that passes to have come
LARGE = bytes(range(256)) * 4096  # 1 MiB


class Echo:
    """A server that sends back what it gets, and remembers it."""

    def __init__(self) -> None:
        self.got = bytearray()
        self.connections = 0
        self.tasks: set[asyncio.Task[None]] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Echo until the client ends."""
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self.tasks.add(task)
        with suppress(OSError):
            while chunk := await reader.read(65536):
                self.got += chunk
                writer.write(chunk)
                await writer.drain()
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


@pytest.fixture
async def echo() -> AsyncIterator[tuple[Echo, int]]:
    """An echo server, and its port."""
    made = Echo()
    server = await asyncio.start_server(made.serve, LOOPBACK, 0)
    yield made, server.sockets[0].getsockname()[1]
    server.close()
    await asyncio.wait_for(asyncio.gather(*made.tasks), PATIENCE_SECONDS)


@pytest.fixture
async def proxy(echo: tuple[Echo, int]) -> AsyncIterator[Proxy]:
    """A proxy before the echo server."""
    async with Proxy(echo[1]) as made:
        yield made


class Client:
    """One connection to the proxy."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def say(self, data: bytes) -> None:
        """Send."""
        self.writer.write(data)
        await self.writer.drain()

    async def hears(self, count: int) -> bytes:
        """Read exactly so many bytes."""
        return await within(self.reader.readexactly(count))

    async def hears_nothing(self) -> None:
        """Expect silence: neither bytes nor an end."""
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(self.reader.read(1), MUTE_SECONDS)

    async def is_reset(self) -> None:
        """Expect an end by force."""
        with pytest.raises(ConnectionResetError):
            await within(self.reader.read(1))

    def close(self) -> None:
        """End it."""
        self.writer.close()


async def within(asked: Awaitable[bytes]) -> bytes:
    """Wait with patience, not without end."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        return await asked


@pytest.fixture
async def connect(proxy: Proxy) -> AsyncIterator[Callable[[], Awaitable[Client]]]:
    """A maker of connections to the proxy, closed at the end."""
    made: list[Client] = []

    async def connected() -> Client:
        made.append(Client(*await asyncio.open_connection(LOOPBACK, proxy.port)))
        return made[-1]

    yield connected
    for client in made:
        client.close()


Connect = Callable[[], Awaitable[Client]]


async def test_in_clear_weather_everything_passes_whole(echo: tuple[Echo, int], proxy: Proxy, connect: Connect) -> None:
    """A megabyte both ways, byte for byte, and the client's end reaches the server."""
    client = await connect()
    await asyncio.gather(client.say(LARGE), _expect(client, LARGE))
    assert bytes(echo[0].got) == LARGE
    client.writer.write_eof()
    assert await within(client.reader.read()) == b""
    assert (proxy.opened, proxy.resets) == (1, 0)


async def _expect(client: Client, data: bytes) -> None:
    assert await client.hears(len(data)) == data


async def test_a_cut_resets_what_is_open_and_new_connections_pass(proxy: Proxy, connect: Connect) -> None:
    """The client is told "reset", not "end"; the next connection works."""
    client = await connect()
    await client.say(b"a")
    await client.hears(1)
    assert proxy.cut() == 1
    await client.is_reset()
    again = await connect()
    await again.say(b"b")
    assert await again.hears(1) == b"b"
    assert proxy.resets == 1


async def test_frozen_it_stays_open_and_tells_nobody(echo: tuple[Echo, int], proxy: Proxy, connect: Connect) -> None:
    """Half-open: no byte, no end, also for a new connection; after the thaw what was sent meanwhile arrives."""
    client = await connect()
    await client.say(b"a")
    await client.hears(1)
    proxy.freeze()
    await client.say(b"b")
    late = await connect()
    await late.say(b"c")
    await client.hears_nothing()
    await late.hears_nothing()
    assert bytes(echo[0].got) == b"a"
    proxy.thaw()
    assert await client.hears(1) == b"b"
    assert await late.hears(1) == b"c"


async def test_a_cut_reaches_what_is_frozen(proxy: Proxy, connect: Connect) -> None:
    """A frozen connection that is cut has ended, though nothing thaws."""
    client = await connect()
    await client.say(b"a")
    await client.hears(1)
    proxy.freeze()
    await client.say(b"b")
    assert proxy.cut() == 1
    await client.is_reset()
    assert proxy.open_lines == 0


async def test_latency_is_of_each_way_and_keeps_the_order(proxy: Proxy, connect: Connect) -> None:
    """There and back takes twice the latency; chunks on their way at the same time do not wait for each other."""
    proxy.weather = Weather(latency_seconds=0.1)
    client = await connect()
    began = asyncio.get_running_loop().time()
    for piece in (b"1", b"2", b"3"):
        await client.say(piece)
    assert await client.hears(3) == b"123"
    took = asyncio.get_running_loop().time() - began
    assert 0.2 <= took < 0.5, took


async def test_a_reset_after_so_many_bytes_lets_exactly_these_pass(
    echo: tuple[Echo, int], proxy: Proxy, connect: Connect
) -> None:
    """Both ways together; the next connection begins to count anew."""
    proxy.weather = Weather(reset_after_bytes=10)
    for turn in (1, 2):
        client = await connect()
        await client.say(b"x" * 30)
        await client.is_reset()
        assert len(echo[0].got) == 10 * turn


async def test_a_slow_line_gives_a_byte_at_a_time(proxy: Proxy, connect: Connect) -> None:
    """At 20 bytes a second ten bytes take half a second there, and the last one as long back."""
    proxy.weather = Weather(bytes_per_second=20)
    client = await connect()
    began = asyncio.get_running_loop().time()
    await client.say(b"0123456789")
    assert await client.hears(10) == b"0123456789"
    assert 0.5 <= asyncio.get_running_loop().time() - began < 1.5


async def test_answers_beyond_so_many_bytes_are_swallowed_and_the_line_is_cut(
    echo: tuple[Echo, int], proxy: Proxy, connect: Connect
) -> None:
    """The server has got all; the client has only the beginning of the answer, and a reset."""
    proxy.weather = Weather(answer_bytes_max=4)
    client = await connect()
    await client.say(b"abcdefgh")
    with suppress(ConnectionResetError):
        # A reset may overtake what was received and not yet read; either way no more than four bytes come.
        assert await client.hears(4) == b"abcd"
    await client.is_reset()
    assert bytes(echo[0].got) == b"abcdefgh"


async def test_a_trap_lets_the_request_through_and_keeps_its_answer(
    echo: tuple[Echo, int], proxy: Proxy, connect: Connect
) -> None:
    """What was asked is done, whoever asked hears a reset; so often as told, and other requests pass."""
    trap = proxy.trap(b"COMMIT", times=1)
    client = await connect()
    await client.say(b"BEGIN")
    assert await client.hears(5) == b"BEGIN"
    await client.say(b"COMMIT")
    await client.is_reset()
    assert bytes(echo[0].got) == b"BEGINCOMMIT"
    assert trap.done.is_set()
    again = await connect()
    await again.say(b"COMMIT")
    assert await again.hears(6) == b"COMMIT"
    assert trap.sprung == 1


async def test_refusing_ends_what_is_open_and_every_new_connection(
    echo: tuple[Echo, int], proxy: Proxy, connect: Connect
) -> None:
    """Until it allows again; the server never sees the refused one."""
    client = await connect()
    await client.say(b"a")
    await client.hears(1)
    proxy.refuse()
    await client.is_reset()
    refused = await connect()
    await refused.is_reset()
    assert echo[0].connections == 1
    proxy.calm()
    again = await connect()
    await again.say(b"b")
    assert await again.hears(1) == b"b"


async def test_a_server_that_is_away_resets_the_client(free_port: int) -> None:
    """As its own port would, late: the proxy accepts before it knows."""
    async with Proxy(free_port) as proxy:
        client = Client(*await asyncio.open_connection(LOOPBACK, proxy.port))
        await client.is_reset()
        client.close()


async def test_nothing_of_it_is_left_when_it_ends(echo: tuple[Echo, int]) -> None:
    """Also with connections that are frozen or on their way slowly."""
    before = asyncio.all_tasks()
    async with Proxy(echo[1]) as proxy:
        clients = [Client(*await asyncio.open_connection(LOOPBACK, proxy.port)) for _ in range(2)]
        for client in clients:
            await client.say(b"a")
            assert await client.hears(1) == b"a"
        proxy.weather = Weather(latency_seconds=60)
        await clients[0].say(b"a")
        proxy.freeze()
    for client in clients:
        client.close()
    left = [task for task in asyncio.all_tasks() - before if "proxy" in repr(task)]
    assert left == []
