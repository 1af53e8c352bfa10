"""Documents of the ledger that no recorded order claims: somebody else's, or of an order that is not known here."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote

from consumer.domain.money import ZERO
from consumer.domain.orders import OrderKey
from consumer.domain.reconciling import wording
from consumer.domain.reconciling.books import Listed
from consumer.domain.reconciling.findings import About, Entry, Finding, FindingKind, Paper, Source
from consumer.domain.reconciling.rates import negated, untold
from consumer.domain.records import DocumentKind
from consumer.domain.settings import ShopSettings

_PLACES = re.compile(r"(\{shop_id\}|\{order_id\}|\{number\})")
_KEY_PARTS = 5  # shop/order/kind/part/n


@dataclass(frozen=True, slots=True, kw_only=True)
class Ours:
    """A document that names one of our orders, which is not recorded."""

    entry: Entry
    finding: Finding


def order_named(one: Listed, shops: Sequence[ShopSettings]) -> OrderKey | None:
    """Tell which order of these shops a document names: by its unique field, else by a reference that only ours have.

    A pattern of nothing but the order's id or number says nothing: anybody's reference would fit.
    """
    known = {shop.shop_id for shop in shops}
    if one.unique_key:
        parts = [unquote(part) for part in one.unique_key.split("/")]
        fits = len(parts) == _KEY_PARTS and parts[0] in known
        return OrderKey(parts[0], parts[1]) if fits else None
    for shop in shops:
        pattern = _pattern(shop.reference_pattern, shop.shop_id)
        found = None if pattern is None else pattern.fullmatch(one.order_reference)
        if found is not None:
            return OrderKey(shop.shop_id, next(iter(found.groups()), ""))
    return None


@lru_cache(maxsize=1024)
def _pattern(text: str, shop_id: str) -> re.Pattern[str] | None:
    parts = _PLACES.split(text.replace("{shop_id}", shop_id))
    words = "".join(part for part in parts if not _PLACES.fullmatch(part))
    if not re.search(r"\w", words):
        return None
    return re.compile("".join("(.+)" if _PLACES.fullmatch(part) else re.escape(part) for part in parts))


def needs_read(one: Listed, *, unique_field: bool) -> bool:
    """Tell whether only a read by id can say whose it is: the list does not show the unique field."""
    invoice = one.kind is DocumentKind.INVOICE
    return invoice and unique_field and one.unique_key is None and one.rates is None and bool(one.reference)


def judge_stranger(one: Listed, shops: Sequence[ShopSettings]) -> Ours | None:
    """Judge a standing document that no recorded order claims; None: it is not ours, as far as can be told."""
    key = order_named(one, shops)
    if key is None:
        return None
    note = one.kind is DocumentKind.CREDIT_NOTE
    rates = untold(one.total) if one.rates is None else one.rates
    told = wording.unknown_order(one, one.issued_on)
    finding = Finding(
        kind=FindingKind.ORPHANED,
        about=About(one.kind.value),
        key=key,
        order_number="",
        currency=one.currency,
        expected=ZERO,
        found=-one.total if note else one.total,
        papers=(Paper.of(one),),
        words=told.words,
        fix=told.fix,
        day=one.issued_on,
    )
    entry = Entry(
        shop_id=key.shop_id,
        currency=one.currency,
        ledger_day=one.issued_on,
        ledger=negated(rates) if note else rates,
        source=Source.READ if one.rates is not None else Source.NONE,
    )
    return Ours(entry=entry, finding=finding)
