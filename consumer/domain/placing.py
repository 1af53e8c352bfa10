"""What a batch of events does to the orders it speaks of: the verdict on each event, and where each order then stands.

Pure: the stores (Postgres and its in-memory twin) read what is known, ask here, and write the answer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from consumer.domain.events import OrderEvent, Rejected
from consumer.domain.orders import OrderKey
from consumer.domain.revisions import Fold, OrderHead, Revision, Verdict, default_key, fold, refuse
from consumer.domain.settings import ConnectionSettings, RevisionKey, ShopSettings
from consumer.domain.standing import Facts, Standing, stand
from consumer.domain.states import Ask, OrderState, Priority, Reason, ReasonCode, Wish

LOOP_CHANGES = 10  # more changes than this within LOOP_SPAN park the order
LOOP_SPAN = timedelta(hours=1)

# Parked for a cause that no setting cures: only a newer revision or a person lets such an order be tried again.
PARKED_FOR_A_PERSON = frozenset(
    {ReasonCode.STOPS_THE_PROCESS, ReasonCode.CHANGES_IN_A_LOOP, ReasonCode.ALREADY_IN_LEDGER}
)

_LIVE = Priority.LIVE.rank
_REFUSALS = {
    Verdict.REVISION_MISSING: "The event lacks {key}, by which the shop's revisions are told apart.",
    Verdict.REVISION_IN_FUTURE: "The event's {key} lies more than an hour ahead of the database's clock.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where an order stands, as stored. ``changes_in_hour`` counts from ``changes_since``."""

    connection_id: str | None
    state: OrderState
    reason: Reason | None = None
    due_at: datetime | None = None
    change: int = 1
    priority: int = 1
    takes: int = 0
    attempts: int = 0
    changes_in_hour: int = 0
    changes_since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownOrder:
    """An order before the batch. The head's ``content`` may be left out; ``announced``: invoice.synced told of it."""

    head: OrderHead
    place: Place
    wish: Wish = Wish.AUTO
    released: bool = False
    announced: bool = False
    asked: Ask | None = None  # what a person waits for: no event takes that out of the line
    erased: Revision | None = None  # up to which revision events say nothing of a person (domain.erasing)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ties:
    """What binds an order to a ledger already: documents of ours (one of them a live invoice), an open intent."""

    live_invoice: bool = False
    documents: bool = False
    open_intent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FoldedBatch:
    """``verdicts`` stand in the order of the events; ``folds`` hold every order that took at least one event."""

    verdicts: tuple[Verdict, ...]
    folds: Mapping[OrderKey, Fold]
    keys: Mapping[OrderKey, RevisionKey]


def keys_to_fix(events: Sequence[OrderEvent], shops: Mapping[str, ShopSettings]) -> dict[str, RevisionKey]:
    """Choose the revision key of the shops that have none: it is fixed by the shop's first event."""
    fixed: dict[str, RevisionKey] = {}
    for event in events:
        shop = shops.get(event.key.shop_id)
        if shop is not None and shop.revision is None and shop.shop_id not in fixed:
            fixed[shop.shop_id] = default_key(event)
    return fixed


def fold_batch(
    events: Sequence[OrderEvent],
    known: Mapping[OrderKey, OrderHead],
    shops: Mapping[str, ShopSettings],
    now: datetime,
) -> FoldedBatch:
    """Fold the events into the heads known. An order of an unknown shop goes by what its own first event had."""
    keys: dict[OrderKey, RevisionKey] = {}
    verdicts: list[Verdict | None] = [None] * len(events)
    taken: dict[OrderKey, list[int]] = {}
    for number, event in enumerate(events):
        by = keys.get(event.key)
        if by is None:
            by = keys[event.key] = key_of(event, shops.get(event.key.shop_id), known.get(event.key))
        refusal = refuse(event, by, now)
        if refusal is None:
            taken.setdefault(event.key, []).append(number)
        else:
            verdicts[number] = refusal
    folds: dict[OrderKey, Fold] = {}
    for key, numbers in taken.items():
        folded = folds[key] = fold(known.get(key), [events[number] for number in numbers], keys[key])
        for number, verdict in zip(numbers, folded.verdicts, strict=True):
            verdicts[number] = verdict
    return FoldedBatch(verdicts=tuple(v for v in verdicts if v is not None), folds=folds, keys=keys)


def key_of(event: OrderEvent, shop: ShopSettings | None, head: OrderHead | None) -> RevisionKey:
    """Give the key by which an order's revisions are told apart: its shop's, else what its own first event had."""
    if shop is not None and shop.revision is not None:
        return shop.revision
    if head is None:
        return default_key(event)
    if head.revision.version is not None:
        return RevisionKey.VERSION
    return RevisionKey.UPDATED_AT if head.revision.updated_at is not None else RevisionKey.TIME


def rejection(event: OrderEvent, verdict: Verdict, by: RevisionKey, value: bytes | None, digest: bytes) -> Rejected:
    """Make the rejection of an event that cannot be placed among its shop's revisions."""
    return Rejected(
        origin=event.origin,
        reason=verdict.value,
        message=_REFUSALS[verdict].format(key=by.value),
        value=value,
        size=len(value or b""),
        digest=digest,
        shop_id=event.key.shop_id,
        order_id=event.key.order_id,
    )


def place_new(
    head: OrderHead,
    by: RevisionKey,
    shop: ShopSettings | None,
    connection: ConnectionSettings | None,
    now: datetime,
) -> Place:
    """Tell where an order stands that was not known before."""
    facts = Facts(paid=head.paid, paid_moment=head.paid_moment, cancelled=head.cancelled(by))
    standing = stand(facts, shop, connection)
    return Place(
        connection_id=None if shop is None else shop.connection_id,
        state=standing.state,
        reason=standing.reason,
        due_at=now if standing.state is OrderState.DUE else None,
        priority=_LIVE,
    )


def place_changed(
    known: KnownOrder,
    head: OrderHead,
    by: RevisionKey,
    ties: Ties,
    shop: ShopSettings | None,
    connection: ConnectionSettings | None,
    now: datetime,
) -> Place:
    """Tell where a known order stands after a change that matters; ``connection`` is that of connection_of().

    A change makes every order due first (which the table of transitions allows from everywhere) and what it then
    stands at follows from there.
    """
    before = _counted(known.place, now)
    own = connection_of(known.place, ties, shop)
    if own != before.connection_id:
        before = replace(before, connection_id=own)
    facts = Facts(
        paid=head.paid,
        paid_moment=head.paid_moment,
        cancelled=head.cancelled(by),
        wish=known.wish,
        released=known.released,
        has_document=ties.live_invoice,
        asked=known.asked,
    )
    if before.state is OrderState.UNCERTAIN:
        # It has to be asked first what came of the write; the lane decides anew after that.
        return replace(before, due_at=before.due_at or now)
    if ties.open_intent:
        # A call is under way, or its answer was lost: nobody would ask for it if the order went to rest now.
        return _due(before, now)
    if before.changes_in_hour > LOOP_CHANGES:
        return _rest(before, Standing(state=OrderState.PARKED, reason=_LOOP))
    standing = stand(facts, shop, connection)
    # Who was told that the order is parked must be told that it is cancelled: the lane announces it.
    silent = standing.state is OrderState.WAITING or not known.announced
    return _rest(before, standing) if standing.state is not OrderState.DUE and silent else _due(before, now)


def served_at(place: Place, before: Place | None, priority: Priority | None) -> Place:
    """Give a due order the priority of what made it due; one that was served earlier than that stays there."""
    if priority is None or place.due_at is None:
        return place
    waited = before is not None and before.due_at is not None
    return replace(place, priority=min(before.priority, priority.rank) if before and waited else priority.rank)


def connection_of(place: Place, ties: Ties, shop: ShopSettings | None) -> str | None:
    """Tell the connection of an order: its shop's, unless a document or a write under way has fixed it."""
    if shop is None or ties.documents or ties.open_intent or place.state is OrderState.UNCERTAIN:
        return place.connection_id
    return shop.connection_id


_LOOP = Reason(
    code=ReasonCode.CHANGES_IN_A_LOOP,
    message=f"The order changed more than {LOOP_CHANGES} times within an hour.",
    fix="Find out what changes it over and over (two programs correcting each other?), then release it.",
)


def _counted(place: Place, now: datetime) -> Place:
    """Count the change; the hour begins with its first change."""
    since, count = place.changes_since, place.changes_in_hour + 1
    if since is None or now - since > LOOP_SPAN:
        since, count = now, 1
    return replace(place, change=place.change + 1, changes_in_hour=count, changes_since=since, attempts=0)


def _due(place: Place, now: datetime) -> Place:
    """Make it due now; a person who waits for it goes on waiting at the front.

    An order that was parked begins anew; one that a lane holds in its hands keeps its take.
    """
    waiting_already = place.due_at is not None
    return replace(
        place,
        state=OrderState.DUE,
        reason=None,
        due_at=now,
        priority=min(place.priority, _LIVE) if waiting_already else _LIVE,
        takes=0 if place.state is OrderState.PARKED else place.takes,
    )


def _rest(place: Place, standing: Standing) -> Place:
    return replace(place, state=standing.state, reason=standing.reason, due_at=None)


def place_anew(
    known: Place,
    facts: Facts,
    announced: bool,  # noqa: FBT001 a fact of the order like the others
    ties: Ties,
    shop: ShopSettings | None,
    connection: ConnectionSettings | None,
    now: datetime,
) -> Place:
    """Tell where an order stands after its settings have changed; the same Place where nothing changes for it.

    Booked, withdrawn and uncertain orders stay as they are, and so does every order with an open intent. What becomes
    due by it goes at the priority of a backfill, so that live orders are not delayed.
    """
    if ties.open_intent or known.state not in {OrderState.WAITING, OrderState.PARKED, OrderState.DUE}:
        return known
    if known.state is OrderState.PARKED and known.reason is not None and known.reason.code in PARKED_FOR_A_PERSON:
        return known
    moved = replace(known, connection_id=connection_of(known, ties, shop))
    standing = stand(facts, shop, connection)
    if standing.state is OrderState.WITHDRAWN and announced:
        standing = Standing(state=OrderState.DUE)
    if (standing.state, standing.reason, moved.connection_id) == (known.state, known.reason, known.connection_id):
        return known
    if (standing.state, moved.connection_id) != (known.state, known.connection_id):
        # Whoever decides for it at this moment has read the settings of before.
        moved = replace(moved, change=known.change + 1)
    if standing.state is not OrderState.DUE:
        return _rest(moved, standing)
    if known.state is OrderState.DUE:
        return moved
    return replace(
        moved,
        state=OrderState.DUE,
        reason=None,
        due_at=now,
        priority=Priority.BACKFILL.rank,
        takes=0,
        attempts=0,
    )
