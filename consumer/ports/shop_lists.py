"""What a shop says itself when it is asked for its orders: the port of the replay's second opinion.

The topics hold what a shop has published. An order whose event was never published is in no topic, so the shop's own
list is the only thing that can name it.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from consumer.domain.events import EventKind
from consumer.errors import BookedError


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedOrder:
    """One paid order, as its shop lists it.

    ``payload`` is the order's JSON as it came, in the words of the list. With ``headers``, which name the shop and the
    content type, it is the value and the headers of a record, and ``kind`` is what the intake's reader is to be told
    that its topic carries (None: the payload tells it itself).

    The other fields are those that the intake's own reader found in the payload, for a comparison that need not read
    it again: ``paid_at`` is aware, and the ``since`` of the question where the order does not tell it; ``grand_total``
    is with tax; ``revision`` is the version, else the time of the last change (ISO 8601, UTC). ``problem`` says why
    the reader refuses the order, empty where it does not; of a refused one only ``order_id`` may be relied on, where
    it is not empty. Such an order is to be told of; put in, it would be rejected anew at every run.
    """

    order_id: str
    paid_at: datetime
    currency: str
    grand_total: Decimal | None
    payload: bytes
    kind: EventKind | None = None
    content_type: str = "application/json"
    headers: tuple[tuple[str, bytes], ...] = ()
    revision: str | None = None
    problem: str = ""


class ShopListError(BookedError):
    """The shop's list could not be read; the message names the shop, what happened, and what to do about it."""

    def __init__(self, shop_id: str, message: str) -> None:
        super().__init__(message)
        self.shop_id = shop_id


class ShopListUnavailableError(ShopListError):
    """It did not answer, or not in time, or with a failure of its own (5xx, 429): ask again later."""


class ShopListRefusedError(ShopListError):
    """It will not answer us until somebody changes something: a token, an address, a permission."""


class ShopListMalformedError(ShopListError):
    """It answered with something that is no list of orders: its developers have to mend it."""


class ShopList(Protocol):
    """One shop's own list of orders."""

    def paid_since(self, since: datetime, until: datetime | None = None) -> AsyncIterator[ListedOrder]:
        """Give the orders paid at ``since`` or later and before ``until``, where there is one, both aware; each once.

        In no promised order. A platform that does not tell when money came (Shopify) may also give orders that were
        placed earlier and have changed since. What has been given stays true when a later page fails. Pages, bytes
        and time are bounded. Raises ShopListUnavailableError, ShopListRefusedError or ShopListMalformedError.
        """
        ...

    async def aclose(self) -> None:
        """Close the connections; the list is not asked again."""
        ...
