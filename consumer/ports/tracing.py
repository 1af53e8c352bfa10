"""Traces: what is done for one order, from its event to its answer, across processes (W3C trace context).

A trace is named by a ``traceparent``, as it stands in events and messages; an empty one means none. What is noted of a
step is technical: names of shops, orders and connections, results, numbers. Never what an order or an answer holds,
and never the words of an error, which may quote either.
"""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from enum import StrEnum
from typing import Protocol

Noted = str | int
Notes = Mapping[str, Noted]


class SpanKind(StrEnum):
    """Whom a step has to do with."""

    WITHIN = "within"
    TAKES = "takes"  # a message of somebody else's
    SENDS = "sends"  # a message of ours
    CALLS = "calls"  # another system


class Span(Protocol):
    """One step that was begun."""

    @property
    def traceparent(self) -> str:
        """Name it, for what comes after it."""
        ...

    def end(self, result: str = "") -> None:
        """End it; a second end does nothing."""
        ...


class Tracing(Protocol):
    """Begins steps. Nothing here waits or raises: a trace that cannot be had must not harm an order."""

    @property
    def on(self) -> bool:
        """Tell whether anybody keeps what is noted."""
        ...

    def begin(self, name: str, kind: SpanKind, *, parent: str, notes: Notes) -> Span:
        """Begin a step that somebody ends by hand. Without a parent it begins a trace."""
        ...

    def within(self, name: str, *, parent: str, notes: Notes) -> AbstractContextManager[Span]:
        """Make a step of the block; what is begun by ``call`` in it belongs to it."""
        ...

    def call(self, name: str, *, notes: Notes) -> AbstractContextManager[None]:
        """Make a step of a call to another system, where a step is under way; else nothing."""
        ...

    def note(self, notes: Notes) -> None:
        """Note something of the step that is under way, if one is."""
        ...

    def current(self) -> str:
        """Give the traceparent of the step that is under way; empty where none is."""
        ...


class _Passed:
    """A step that nobody keeps: the trace that came goes on as it came."""

    def __init__(self, traceparent: str) -> None:
        self.traceparent = traceparent

    def end(self, result: str = "") -> None:
        """Do nothing."""


class NoTracing:
    """Keeps nothing, and asks for nothing to be installed."""

    on = False

    def begin(self, name: str, kind: SpanKind, *, parent: str, notes: Notes) -> Span:  # noqa: ARG002 the port's
        """See Tracing."""
        return _Passed(parent)

    @contextmanager
    def within(self, name: str, *, parent: str, notes: Notes) -> Iterator[Span]:  # noqa: ARG002 the port's
        """See Tracing."""
        yield _Passed(parent)

    @contextmanager
    def call(self, name: str, *, notes: Notes) -> Iterator[None]:  # noqa: ARG002 the port's
        """See Tracing."""
        yield

    def note(self, notes: Notes) -> None:
        """See Tracing."""

    def current(self) -> str:
        """See Tracing."""
        return ""


NO_TRACING = NoTracing()
