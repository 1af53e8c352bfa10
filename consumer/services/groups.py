"""Parked and waiting orders by their cause, over all shops; and the release of all that share one."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from consumer.domain.money import ZERO
from consumer.domain.releasing import priority_of_release
from consumer.domain.states import OrderState, ReasonCode
from consumer.ports.people import GroupSum, PeopleStore

RELEASE_MAX = 100_000  # orders of one call; the next call takes the rest
_PART_MAX = 5_000  # orders of one transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class CauseSum:
    """All orders that one fix will help: where they are, how many, what they sum up to, and since when."""

    group: str
    reason_code: ReasonCode | None
    states: tuple[OrderState, ...]
    shops: tuple[str, ...]
    count: int
    sums: Mapping[str, Decimal]
    oldest: datetime | None
    fix: str


def by_cause(groups: Iterable[GroupSum]) -> list[CauseSum]:
    """Join the groups of several shops (and states) that have one cause; the largest first."""
    joined: dict[str, list[GroupSum]] = {}
    for one in groups:
        joined.setdefault(group_of(one), []).append(one)
    causes = [_cause(group, parts) for group, parts in joined.items()]
    return sorted(causes, key=lambda cause: (-cause.count, cause.group))


def group_of(group: GroupSum) -> str:
    """Give the name by which a group is released."""
    return group.group_key or ("" if group.reason_code is None else group.reason_code.value)


def _cause(group: str, parts: Sequence[GroupSum]) -> CauseSum:
    sums: dict[str, Decimal] = {}
    for part in parts:
        for currency, amount in part.sums.items():
            sums[currency] = sums.get(currency, ZERO) + amount
    return CauseSum(
        group=group,
        reason_code=parts[0].reason_code,
        states=tuple(state for state in OrderState if any(part.state is state for part in parts)),
        shops=tuple(sorted({part.shop_id for part in parts})),
        count=sum(part.count for part in parts),
        sums=dict(sorted(sums.items())),
        oldest=min((part.oldest for part in parts if part.oldest is not None), default=None),
        fix=max(part.fix for part in parts),
    )


async def held_groups(people: PeopleStore, shop_id: str | None = None) -> list[CauseSum]:
    """Read what a release may concern: the groups of parked orders, and of waiting ones."""
    found = [
        group for state in (OrderState.PARKED, OrderState.WAITING) for group in await people.groups(state, shop_id)
    ]
    return by_cause(found)


async def release_group(
    people: PeopleStore, group: str, *, actor: str, shop_id: str | None = None, limit: int = RELEASE_MAX
) -> int:
    """Let all orders of a group go on, of one shop or of all; gives how many have become due.

    In parts of a few thousand, so that no transaction holds an intake up. What is many goes behind live orders: that
    is told by the whole group, however many parts it goes in. Safe to be repeated.
    """
    cause = next((one for one in await held_groups(people, shop_id) if one.group == group), None)
    if cause is None:
        return 0
    priority = priority_of_release(cause.count)
    released = 0
    for shop in cause.shops:
        while released < limit:
            part = min(_PART_MAX, limit - released)
            became_due = await people.release(actor=actor, shop_id=shop, group_key=group, priority=priority, limit=part)
            released += became_due
            # What no release can cure stays where it is: a part that was not filled is the last one that helps.
            if became_due < part:
                break
    return released
