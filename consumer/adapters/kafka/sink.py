"""Sending to Kafka: an idempotent producer, every await bounded, and each message told apart from its batch."""

import asyncio
from collections.abc import Sequence

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from consumer.adapters.kafka.closing import close_producer, look_away
from consumer.adapters.kafka.errors import REFUSED_FOR_GOOD, bounded, unavailable
from consumer.adapters.kafka.settings import KafkaSettings
from consumer.adapters.kafka.topics import verify_topics
from consumer.errors import BrokerUnavailableError
from consumer.ports.messages import Answer, Message, MessageRefusedError

Sent = asyncio.Future[object] | BaseException  # on its way, or why it is not
_CLOSE_SECONDS = 2.0


class KafkaSink:
    """See ports.messages.MessageSink. ``message_bytes`` is the most that one message may take with key and headers."""

    def __init__(self, *, settings: KafkaSettings, message_bytes: int = 1024 * 1024) -> None:
        self._settings = settings
        self._message_bytes = message_bytes
        self._producer: AIOKafkaProducer | None = None
        self._broken = False

    async def start(self, topics: Sequence[str]) -> None:
        """Verify the topics and connect."""
        await verify_topics(self._settings, topics)
        await self._connected()

    async def send(self, messages: Sequence[Message]) -> Sequence[Answer]:
        """Send all at once; what was refused in a batch with others is sent again alone, to know which one it was."""
        answers = await self._send(messages)
        if len(messages) == 1:
            return answers
        for index, answer in enumerate(answers):
            if isinstance(answer, MessageRefusedError):
                answers[index] = (await self._send([messages[index]]))[0]
        return answers

    async def stop(self, deadline_seconds: float) -> None:
        """Disconnect."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await close_producer(producer, deadline_seconds)

    async def _send(self, messages: Sequence[Message]) -> list[Answer]:
        try:
            producer = await self._connected()
        except BrokerUnavailableError as error:
            return [error] * len(messages)
        deadline = asyncio.get_running_loop().time() + self._settings.call_seconds
        pending = [await self._hand_over(producer, message, deadline) for message in messages]
        waited = {one for one in pending if isinstance(one, asyncio.Future)}
        if waited:
            await asyncio.wait(waited, timeout=max(deadline - asyncio.get_running_loop().time(), 0))
        return [self._answer(one) for one in pending]

    async def _hand_over(self, producer: AIOKafkaProducer, message: Message, deadline: float) -> Sent:
        """Put one message into the client's buffer, which may have to wait for room, or for the topic's partitions."""
        if self._broken:
            return BrokerUnavailableError("Kafka: not sent, since a message before it was not")
        try:
            async with asyncio.timeout_at(deadline):
                headers = list(message.headers)
                sent: Sent = await producer.send(message.topic, message.value, key=message.key, headers=headers)
                return sent
        except REFUSED_FOR_GOOD as error:
            return error  # by the client's own measure: nothing was sent
        except (KafkaError, TimeoutError, OSError) as error:
            self._broken = True
            return error

    def _answer(self, sent: Sent) -> Answer:
        if isinstance(sent, asyncio.Future):
            if not sent.done() or sent.cancelled():
                # It stays in the client's buffer and may yet arrive. The client goes with it, or buffers would add up.
                self._broken = True
                sent.add_done_callback(look_away)
                return BrokerUnavailableError(f"Kafka: not acknowledged within {self._settings.call_seconds:g} s")
            error = sent.exception()
            # A refused batch leaves a hole in the producer's sequence, after which the broker takes nothing more of it.
            self._broken = self._broken or error is not None
        else:
            error = sent
        if error is None or isinstance(error, BrokerUnavailableError):
            return error
        if isinstance(error, REFUSED_FOR_GOOD):
            return MessageRefusedError(f"Kafka refuses the message for good: {type(error).__name__}: {error}")
        return unavailable("send", error)

    async def _connected(self) -> AIOKafkaProducer:
        """Give the producer; a broken one is replaced."""
        if self._broken and self._producer is not None:
            await self.stop(_CLOSE_SECONDS)
        self._broken = False
        if self._producer is None:
            self._producer = await self._connect()
        return self._producer

    async def _connect(self) -> AIOKafkaProducer:
        producer = AIOKafkaProducer(
            **self._settings.client(),
            acks="all",
            enable_idempotence=True,
            max_request_size=self._message_bytes,
            max_batch_size=128 * 1024,
        )
        try:
            async with bounded("connect the producer", self._settings.call_seconds):
                await producer.start()
        except BaseException:
            await close_producer(producer, _CLOSE_SECONDS)
            raise
        return producer
