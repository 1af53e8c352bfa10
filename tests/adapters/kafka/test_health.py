"""A broker answers, or it is said within seconds that it does not; nothing is left behind by asking."""

import asyncio
from time import monotonic

import psutil
import pytest

from consumer.adapters.kafka.health import KafkaHealth
from consumer.adapters.kafka.settings import KafkaSettings
from consumer.errors import BrokerUnavailableError
from tests.chaos.proxy import Proxy

ANSWER_SECONDS = 0.5


def health(servers: str) -> KafkaHealth:
    """Ask these, with little patience."""
    return KafkaHealth(KafkaSettings(servers=servers), answer_seconds=ANSWER_SECONDS)


async def test_a_broker_that_answers(kafka_servers: str) -> None:
    """Also when the first of the named ones is away."""
    await KafkaHealth(KafkaSettings(servers=kafka_servers)).ping()


async def test_one_of_several_is_enough(kafka_servers: str, free_port: int) -> None:
    """The client finds the others by it."""
    await KafkaHealth(KafkaSettings(servers=f"127.0.0.1:{free_port},{kafka_servers}")).ping()


async def test_a_broker_that_is_away(free_port: int) -> None:
    """It is named."""
    with pytest.raises(BrokerUnavailableError, match=str(free_port)):
        await health(f"127.0.0.1:{free_port}").ping()


async def test_a_frozen_broker_is_given_up_within_the_deadline_and_leaves_no_socket(kafka_servers: str) -> None:
    """Asked again and again, as the watchdog does: a socket left each time would fill the process's table."""
    async with Proxy(int(kafka_servers.rpartition(":")[2])) as proxy:
        asking = health(proxy.address)
        await asking.ping()
        proxy.freeze()
        for _ in range(3):
            began = monotonic()
            with pytest.raises(BrokerUnavailableError):
                await asking.ping()
            assert monotonic() - began < ANSWER_SECONDS + 1.0
        # The loop closes the last one in its next round.
        await asyncio.sleep(0)
        ours = [one for one in psutil.Process().net_connections("tcp") if one.raddr[1:2] == (proxy.port,)]
        assert ours == []
        proxy.thaw()
        await asking.ping()
