"""What the relay tells of its work; one object that metrics, logs and alarms are bound to."""

from typing import Protocol

from consumer.ports.intake import OutboxRow


class RelayReport(Protocol):
    """Called from the relay's loop: must neither block nor raise."""

    def sent(self, rows: int, seconds: float) -> None:
        """So many rows were acknowledged by the broker and marked; ``seconds`` is what the round took."""
        ...

    def set_aside(self, row: OutboxRow, why: str) -> None:
        """A row will never be taken by the broker. A person should look."""
        ...

    def leading(self, *, leads: bool) -> None:
        """This process sends from now on, or another one does."""
        ...

    def waiting(self, what: str, error: Exception, attempt: int) -> None:
        """Something of ours does not answer; it is tried again without end. ``attempt`` counts from 0."""
        ...

    def going_on(self, what: str) -> None:
        """What was waited for is there again."""
        ...


class SilentRelayReport:
    """Tells nobody."""

    def sent(self, rows: int, seconds: float) -> None:
        """See RelayReport."""

    def set_aside(self, row: OutboxRow, why: str) -> None:
        """See RelayReport."""

    def leading(self, *, leads: bool) -> None:
        """See RelayReport."""

    def waiting(self, what: str, error: Exception, attempt: int) -> None:
        """See RelayReport."""

    def going_on(self, what: str) -> None:
        """See RelayReport."""
