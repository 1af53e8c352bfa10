"""Whether a broker answers: asked over a connection of its own, since an old one may be dead unnoticed."""

import asyncio
from contextlib import suppress
from typing import Any

from aiokafka.conn import collect_hosts, create_conn
from aiokafka.errors import KafkaError

from consumer.adapters.kafka.errors import bounded
from consumer.adapters.kafka.settings import KafkaSettings
from consumer.errors import BrokerUnavailableError

ANSWER_SECONDS = 3.0
CLOSE_SECONDS = 0.5


class KafkaHealth:
    """See ports.messages.BrokerHealth. Connecting includes the broker's answer to a first request, and to the login."""

    def __init__(self, settings: KafkaSettings, *, answer_seconds: float = ANSWER_SECONDS) -> None:
        self._settings = settings
        self._answer_seconds = answer_seconds

    async def ping(self) -> None:
        """See the port. One answering broker is enough: the client finds the others by it."""
        failure: BrokerUnavailableError | None = None
        async with bounded("answer", self._answer_seconds):
            for host, port, _ in collect_hosts(self._settings.servers):
                try:
                    await _let_go(await self._connect(host, port))
                except (KafkaError, OSError) as error:
                    failure = BrokerUnavailableError(f"Kafka: {host}:{port} does not answer: {error}")
                else:
                    return
        raise failure or BrokerUnavailableError("Kafka: no server is named in the settings")

    async def _connect(self, host: str, port: int) -> Any:
        return await create_conn(
            host,
            port,
            client_id=self._settings.client_id,
            # Within our own deadline, so that the client itself closes what does not answer.
            request_timeout_ms=round(self._answer_seconds * 800),
            **self._settings.security,
        )


async def _let_go(connection: Any) -> None:
    with suppress(TimeoutError, KafkaError, OSError):
        async with asyncio.timeout(CLOSE_SECONDS):
            await connection.close()
