"""What a scenario is: one method of the port, called with arguments that mean something in the scene."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from consumer.adapters.postgres.sql import Queries
from tests.transactions.scene import Stores

Call = Callable[[Stores], Awaitable[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One call of a method. ``variant`` tells several of one method apart.

    ``instead`` holds what counts as the same, where the method passes over rows that somebody has locked
    (SKIP LOCKED): the same call, as if these rows were not there. ``prepare`` is SQL that changes the scene first.
    ``piecemeal`` methods are several transactions on purpose and made to be repeated: of a pair with one, what the
    database holds after its repetition counts, and no result in between.
    """

    method: str  # LaneStore.claim
    call: Call
    variant: str = ""
    instead: tuple[Call, ...] = ()
    prepare: str = ""
    piecemeal: bool = False

    @property
    def name(self) -> str:
        """Give the name that a failure is told by."""
        return f"{self.method}/{self.variant}" if self.variant else self.method


def nothing(value: Any) -> Call:
    """Make a call that touches nothing: what a method comes to where all its rows were passed over."""

    async def call(stores: Stores) -> Any:
        del stores
        return value

    return call


def rewritten(queries: Queries, name: str, before: str, after: str) -> Queries:
    """Give the queries with one of them changed: as if rows that are passed over were not there."""
    if before not in queries[name]:
        raise AssertionError(f"the query {name} holds no {before!r} any more")
    return Queries("rewritten", {**queries, name: queries[name].replace(before, after)})
