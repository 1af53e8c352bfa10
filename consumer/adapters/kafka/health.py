"""Whether a broker answers: asked over a connection of its own, since an old one may be dead unnoticed."""

from aiokafka.conn import collect_hosts
from aiokafka.errors import KafkaError

from consumer.adapters.kafka.diagnosis import knock, sentence
from consumer.adapters.kafka.errors import bounded
from consumer.adapters.kafka.settings import KafkaSettings
from consumer.errors import BrokerUnavailableError

ANSWER_SECONDS = 3.0


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
                    await knock(self._settings, host, port, self._answer_seconds)
                except (KafkaError, OSError, ValueError, AssertionError) as error:
                    said = sentence(self._settings, f"{host}:{port}", error)
                    failure = BrokerUnavailableError(said or f"Kafka: {host}:{port} does not answer: {error}")
                else:
                    return
        raise failure or BrokerUnavailableError("Kafka: no server is named in the settings")
