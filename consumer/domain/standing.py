"""Whether an order may be written at all, before anybody looks at its lines: the cheap half of the decision.

Both the intake (so that a million old orders never reach a lane) and the lane (because settings change) ask it.
"""

from dataclasses import dataclass
from datetime import datetime

from consumer.domain.settings import ConnectionSettings, ShopSettings
from consumer.domain.states import Ask, OrderState, Reason, ReasonCode, Wish


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What counts for the standing of an order. ``has_document`` tells of a live document of ours in the ledger."""

    paid: bool
    paid_moment: datetime | None
    cancelled: bool
    wish: Wish = Wish.AUTO
    released: bool = False  # a person let it through despite settings that hold it back
    has_document: bool = False
    asked: Ask | None = None  # what a person waits for


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where the order stands; DUE means that a lane has to look at it."""

    state: OrderState
    reason: Reason | None = None


_DUE = Standing(state=OrderState.DUE)


def stand(facts: Facts, shop: ShopSettings | None, connection: ConnectionSettings | None) -> Standing:
    """Tell whether an order is due, waiting or withdrawn, from its facts and the settings of its shop."""
    for check in (_by_shop, _by_wish, _by_facts, _by_settings, _by_connection):
        standing = check(facts, shop, connection)
        if standing is not None:
            return standing
    return _DUE


def _wait(code: ReasonCode, message: str, fix: str = "", group_key: str = "") -> Standing:
    return Standing(state=OrderState.WAITING, reason=Reason(code=code, message=message, fix=fix, group_key=group_key))


def _withdraw(code: ReasonCode, message: str) -> Standing:
    return Standing(state=OrderState.WITHDRAWN, reason=Reason(code=code, message=message))


def _by_shop(facts: Facts, shop: ShopSettings | None, _: ConnectionSettings | None) -> Standing | None:
    if shop is None:
        return _wait(
            ReasonCode.UNKNOWN_SHOP,
            "No shop of this id is set up.",
            "Add the shop to shops.yaml and run: booked apply shops.yaml",
        )
    if not shop.active and not facts.has_document:
        return _wait(ReasonCode.SHOP_INACTIVE, "The shop is inactive.", "Put the shop back into shops.yaml.")
    return None


def _by_wish(facts: Facts, _: ShopSettings | None, __: ConnectionSettings | None) -> Standing | None:
    if facts.wish is Wish.HOLD:
        return _wait(ReasonCode.HELD, "Somebody holds this order.", "Release it when it may be booked.")
    if facts.asked is not None:
        return None
    if facts.has_document:
        return _ignored_document() if facts.wish is Wish.IGNORE else None
    if facts.wish is Wish.IGNORE:
        return _withdraw(ReasonCode.IGNORED, "Somebody chose that this order is not booked.")
    if facts.wish is Wish.NONE:
        return _withdraw(ReasonCode.NOT_WANTED, "Its document was deleted on purpose; none is wanted.")
    return None


def _ignored_document() -> Standing:
    return _wait(
        ReasonCode.IGNORED, "Somebody chose that what stands in the ledger stays as it is.", "Release the order."
    )


def _by_facts(facts: Facts, _: ShopSettings | None, __: ConnectionSettings | None) -> Standing | None:
    if facts.has_document:
        return None
    if facts.cancelled:
        return _withdraw(ReasonCode.CANCELLED, "The order was cancelled before it was booked.")
    if not facts.paid and not facts.released and facts.asked is None:
        return _wait(ReasonCode.NOT_PAID, "The order has not been paid.")
    return None


def _by_settings(facts: Facts, shop: ShopSettings | None, _: ConnectionSettings | None) -> Standing | None:
    if facts.released or facts.asked is not None or shop is None:
        return None
    if not shop.automatic:
        code = ReasonCode.CHANGED_AUTOMATIC_OFF if facts.has_document else ReasonCode.AUTOMATIC_OFF
        message = (
            "The booked order has changed; automatic sending is off."
            if facts.has_document
            else ("Automatic sending is off for this shop.")
        )
        return _wait(code, message, "Release the order, or switch automatic sending on.")
    if not facts.has_document and _before_start(facts.paid_moment, shop.book_from):
        return _wait(
            ReasonCode.BEFORE_START,
            f"It was paid before the shop's start, {shop.book_from:%Y-%m-%d %H:%M %Z}.",
            "Release it, after looking at count and sum: booked release",
        )
    return None


def _before_start(paid_moment: datetime | None, book_from: datetime | None) -> bool:
    return paid_moment is not None and book_from is not None and paid_moment < book_from


def _by_connection(_: Facts, shop: ShopSettings | None, connection: ConnectionSettings | None) -> Standing | None:
    if connection is None or not connection.active:
        name = "" if shop is None or shop.connection_id is None else f" ({shop.connection_id})"
        return _wait(
            ReasonCode.NO_CONNECTION,
            f"The shop has no active ledger connection{name}.",
            "Name a connection for the shop in shops.yaml and run: booked apply shops.yaml",
        )
    if not connection.organization_id:
        return _wait(
            ReasonCode.NO_ORGANIZATION,
            f"Connection {connection.connection_id} has no organisation id.",
            "Enter organization_id for the connection in shops.yaml and run: booked apply shops.yaml",
        )
    return None
