"""Wake-ups for one process alone: a simulation, or a test."""

from consumer.ports.wakeups import Signals


class MemoryWakeups(Signals):
    """See consumer.ports.wakeups.Wakeups."""
