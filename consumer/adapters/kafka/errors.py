"""The one place where aiokafka's errors become ours, and where its awaits get their deadlines."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiokafka.errors import (
    InvalidTimestampError,
    KafkaError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
)

from consumer.errors import BrokerUnavailableError

# The broker says of these that the message itself is at fault. UnknownTopicOrPartitionError is not among them: that is
# how an outage arrives at a producer after its request timeout (measured with aiokafka 0.14.0).
REFUSED_FOR_GOOD: tuple[type[Exception], ...] = (
    MessageSizeTooLargeError,
    RecordListTooLargeError,
    InvalidTimestampError,
)


def unavailable(what: str, error: BaseException) -> BrokerUnavailableError:
    """Tell what could not be done, and why."""
    return BrokerUnavailableError(f"Kafka: {what}: {type(error).__name__}: {error}")


@asynccontextmanager
async def bounded(what: str, seconds: float) -> AsyncIterator[None]:
    """Give the awaits within a deadline of their own: the client has none (a commit waits without end)."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as error:
        raise BrokerUnavailableError(f"Kafka: {what}: no answer within {seconds:g} s") from error
    except (KafkaError, OSError) as error:
        raise unavailable(what, error) from error
