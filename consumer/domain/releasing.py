"""What a person's release does to an order: it is let through what holds it back, as far as settings allow at all."""

from dataclasses import dataclass, replace
from datetime import datetime

from consumer.domain.placing import Place, Ties, connection_of
from consumer.domain.settings import ConnectionSettings, ShopSettings
from consumer.domain.standing import Facts, Standing, stand
from consumer.domain.states import OrderState, Priority, Reason, ReasonCode, Wish

FEW = 10  # more than these at once go behind the live orders
RELEASABLE = frozenset({OrderState.WAITING, OrderState.PARKED})
_WISHES_THAT_END = frozenset({ReasonCode.NOT_WANTED, ReasonCode.IGNORED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """An order that a person wants to go on. ``announced``: invoice.synced has told of it."""

    place: Place
    facts: Facts
    ties: Ties
    announced: bool


def may_be_released(state: OrderState, reason: Reason | None, *, named: bool) -> bool:
    """Tell whether a release concerns the order; what somebody ignored goes on only where it is named itself."""
    if state in RELEASABLE:
        return True
    return named and state is OrderState.WITHDRAWN and reason is not None and reason.code in _WISHES_THAT_END


def priority_of_release(count: int) -> Priority:
    """Choose who is served first: a person waits for a few, nobody waits for thousands."""
    return Priority.PERSON if count <= FEW else Priority.BACKFILL


def released_place(
    held: Held,
    shop: ShopSettings | None,
    connection: ConnectionSettings | None,
    priority: Priority,
    now: datetime,
) -> Place:
    """Tell where a released order stands; what no release can cure (an unknown shop, no connection) goes on waiting."""
    place = replace(held.place, connection_id=connection_of(held.place, held.ties, shop), change=held.place.change + 1)
    facts = replace(held.facts, released=True, wish=Wish.AUTO)
    standing = stand(facts, shop, connection)
    if held.ties.open_intent or (standing.state is OrderState.WITHDRAWN and held.announced):
        # A doubt has to be resolved first, and who was told that the order is parked must hear that it is cancelled.
        standing = Standing(state=OrderState.DUE)
    due = standing.state is OrderState.DUE
    return replace(
        place,
        state=standing.state,
        reason=standing.reason,
        due_at=now if due else None,
        priority=priority.rank if due else place.priority,
        takes=0,
        attempts=0,
        changes_in_hour=0,
        changes_since=None,
    )
