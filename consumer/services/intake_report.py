"""What the intake tells of its work, for metrics, logs and alarms; one object that others bind to theirs."""

from collections.abc import Mapping
from typing import Protocol

from consumer.domain.events import OrderEvent, Rejected
from consumer.ports.intake import Recorded, TopicPartition


class IntakeReport(Protocol):
    """Called from the intake's loops: must neither block nor raise."""

    def read(self, topic: str, outcome: OrderEvent | Rejected | None) -> None:
        """One record was read; None is a tombstone. Events tell of unknown fields and of a key that differs."""
        ...

    def recorded(self, recorded: Recorded, records: int, seconds: float) -> None:
        """A batch was committed; ``seconds`` is the time that the transaction took."""
        ...

    def lag(self, lags: Mapping[TopicPartition, int]) -> None:
        """So many records of each partition have not been taken yet."""
        ...

    def waiting(self, what: str, error: Exception, attempt: int) -> None:
        """Something of ours does not answer; it is tried again without end. ``attempt`` counts from 0."""
        ...

    def going_on(self, what: str) -> None:
        """What was waited for is there again."""
        ...

    def alarm(self, name: str, place: TopicPartition | None, text: str) -> None:
        """A person should look: log_made_again, gap, committed_ahead, shop_topics_missing."""
        ...


class SilentReport:
    """Tells nobody."""

    def read(self, topic: str, outcome: OrderEvent | Rejected | None) -> None:
        """See IntakeReport."""

    def recorded(self, recorded: Recorded, records: int, seconds: float) -> None:
        """See IntakeReport."""

    def lag(self, lags: Mapping[TopicPartition, int]) -> None:
        """See IntakeReport."""

    def waiting(self, what: str, error: Exception, attempt: int) -> None:
        """See IntakeReport."""

    def going_on(self, what: str) -> None:
        """See IntakeReport."""

    def alarm(self, name: str, place: TopicPartition | None, text: str) -> None:
        """See IntakeReport."""
