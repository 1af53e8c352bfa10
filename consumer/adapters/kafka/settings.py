"""How to reach the brokers, and the limits of what is done there."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

# Of a shop that writes by transactions only what it has committed is read, and nothing past one that is still open. An
# end of a log is then the end of what is committed: what lies beyond it is not there yet for anybody here.
ISOLATION = "read_committed"


@dataclass(frozen=True, slots=True, kw_only=True)
class KafkaSettings:
    """The brokers. ``security`` goes to the client as it is: ``security_protocol``, ``ssl_context``, ``sasl_…``."""

    servers: str  # host:port, separated by commas
    client_id: str = "booked"
    security: Mapping[str, Any] = field(default_factory=dict, repr=False)  # holds secrets
    request_seconds: float = 15.0
    call_seconds: float = 10.0  # for one awaited call of ours, whatever the client does within it

    def client(self) -> dict[str, Any]:
        """Give what every client of aiokafka takes."""
        return {
            "bootstrap_servers": self.servers,
            "client_id": self.client_id,
            "request_timeout_ms": round(self.request_seconds * 1000),
            **self.security,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceLimits:
    """What a member of the group holds at most, and how long the group waits for it.

    The fetch sizes bound the memory: one answer per broker is under way or waiting, and no larger than
    ``answer_bytes``. A larger record still comes through, alone: since Kafka 0.10.1 an answer's first record is always
    whole (KIP-74).
    """

    answer_bytes: int = 4 * 1024 * 1024
    partition_bytes: int = 1024 * 1024
    session_seconds: float = 10.0
    heartbeat_seconds: float = 3.0
    rebalance_seconds: float = 20.0
    poll_seconds: float = 300.0
    start_seconds: float = 30.0
