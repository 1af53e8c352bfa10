"""Where our own messages go: to topics of the broker, at least once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from consumer.errors import BookedError, BrokerUnavailableError


class MessageRefusedError(BookedError):
    """The broker refuses this very message for good (too large, invalid); the same message will never pass."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message; messages of one key go to one partition."""

    topic: str
    key: bytes
    value: bytes
    headers: tuple[tuple[str, bytes], ...] = ()


Answer = MessageRefusedError | BrokerUnavailableError | None


class BrokerHealth(Protocol):
    """Whether the broker can be worked with."""

    async def ping(self) -> None:
        """Answer within some seconds, or raise BrokerUnavailableError."""
        ...


class MessageSink(Protocol):
    """Sends messages. Every await is bounded."""

    async def start(self, topics: Sequence[str]) -> None:
        """Connect, after a check that the topics exist. Raises TopicMissingError, BrokerUnavailableError."""
        ...

    async def send(self, messages: Sequence[Message]) -> Sequence[Answer]:
        """Send all, pipelined, and give one answer for each, in the same order.

        None: all replicas that count have it. MessageRefusedError: it will never be taken. BrokerUnavailableError: it
        is not known whether it was taken; send it again. Raises nothing for what the broker does.
        """
        ...

    async def stop(self, deadline_seconds: float) -> None:
        """Let go of the connection; within the deadline, whatever the broker does."""
        ...
