"""What an adapter for a platform's payloads does: one order as the platform gives it becomes one of our contract.

An adapter is a pure function: the parsed JSON of one order and the shop's settings in, the order's data in the words
of the contract out. All that follows (checks, revisions, money) is the same for every source.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from consumer.domain.events import EventKind
from consumer.domain.settings import ShopSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Translated:
    """One order in the words of the contract.

    ``kind`` is what the payload's own state says: paid, cancelled, or neither (updated). ``data`` is the order's data
    as schemas.orders describes them, amounts as decimal texts, ready to be checked.
    """

    kind: EventKind
    data: dict[str, Any]


class NotTranslatedError(ValueError):
    """The payload is no order of the platform, or contradicts itself; the message says where and what to do."""


Translate = Callable[[Mapping[str, Any], ShopSettings], Translated]
"""One platform's adapter. Raises NotTranslatedError; of the settings it reads ``shop_id`` and the statuses."""
