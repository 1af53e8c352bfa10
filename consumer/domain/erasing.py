"""What is left of an order without its personal data, and what an erasure means for the events after it. Pure.

The fields that stay are named one by one: a field that nobody has thought of goes (tests/privacy holds the lists
against the models of the wire contract).
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any, Final, TypeAlias
from urllib.parse import quote

from consumer.domain.events import OrderEvent
from consumer.domain.mailboxes import email_key
from consumer.domain.revisions import OrderHead, RefundTold, Revision, tells_more
from consumer.domain.settings import RevisionKey
from consumer.domain.states import OrderState, Wish

Shape: TypeAlias = Mapping[str, "Shape | None"]

_TAXES: Final[Shape] = {"rate": None, "name": None, "amount": None, "compound": None}
_REFUND: Final[Shape] = {
    "id": None,
    "amount": None,
    "created_at": None,
    "shipping": None,
    "lines": {"id": None, "quantity": None, "amount": None, "taxes": _TAXES},
}
KEPT: Final[Shape] = {
    "currency": None,
    "exchange_rate": None,
    "prices_include_tax": None,
    "placed_at": None,
    "paid_at": None,
    "cancelled_at": None,
    "payment_taken_back": None,
    # Of the customer what decided about the tax, and nothing else.
    "customer": {"tax_exempt": None, "reverse_charge": None},
    "billing_address": {"country": None},
    "shipping_address": {"country": None},
    "lines": {
        "id": None,
        "parent_id": None,
        "sku": None,
        "name": None,
        "kind": None,
        "tax_class": None,
        "quantity": None,
        "unit": None,
        "unit_price": None,
        "prices_include_tax": None,
        "discount": None,
        "total": None,
        "taxes": _TAXES,
    },
    "discounts": {"amount": None, "target": None, "line_ids": None, "before_tax": None},
    "shipping": {"method": None, "amount": None, "discount": None, "taxes": _TAXES},
    "fees": {"name": None, "kind": None, "amount": None, "taxes": _TAXES},
    "payments": {"method": None, "kind": None, "amount": None, "paid_at": None},
    "refunds": _REFUND,
    "totals": {
        "subtotal": None,
        "discount": None,
        "shipping": None,
        "fees": None,
        "tax": None,
        "tax_by_rate": {"rate": None, "net": None, "tax": None},
        "grand_total": None,
    },
}
"""The fields of an order's content that stay for the legal term; an object within has a mapping of its own."""

_SETTLED_STATES = frozenset({OrderState.BOOKED, OrderState.WITHDRAWN})
_SETTLED_WISHES = frozenset({Wish.IGNORE, Wish.NONE})


def layout_of(content: bytes | None) -> dict[str, Any] | None:
    """Give an order's lines and figures without personal data; None where there is nothing that can be read."""
    if content is None:
        return None
    try:
        data = json.loads(content)
    except ValueError:
        return None
    return _kept(data, KEPT) if isinstance(data, dict) else None


def _kept(data: Mapping[str, Any], shape: Shape) -> dict[str, Any]:
    return {name: _value(data[name], within) for name, within in shape.items() if name in data}


def _value(value: Any, within: Shape | None) -> Any:
    if within is None:
        # A field that should hold one value and holds an object is none that we know.
        return None if isinstance(value, dict) else value
    if isinstance(value, list):
        return [_kept(one, within) for one in value if isinstance(one, dict)]
    return _kept(value, within) if isinstance(value, dict) else None


def refund_without_words(data: bytes) -> bytes:
    """Give a refund, JSON in canonical form, without its reason and whatever else a person may have written."""
    try:
        told = json.loads(data)
    except ValueError:
        return b"{}"
    kept = _kept(told, _REFUND) if isinstance(told, dict) else {}
    return json.dumps(kept, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


def head_without_words(head: OrderHead) -> OrderHead:
    """Give a head without content, its refunds without words; revision, hash and figures stay."""
    refunds = {
        id_: RefundTold(revision=told.revision, data=refund_without_words(told.data))
        for id_, told in head.refunds.items()
    }
    return replace(head, content=None, refunds=refunds)


def forgotten(event: OrderEvent, mark: Revision | None, by: RevisionKey, known: Collection[str] = ()) -> OrderEvent:
    """Give an event as it is recorded: one that is not newer than the mark of an erasure says nothing of a person.

    Newer is what the shop's own key says: a revision that is replayed at another place is none. ``known`` are the ids
    of the order's refunds: they are not told anew.
    """
    if mark is None or tells_more(Revision.of(event), mark, by):
        return event
    refunds = tuple((id_, refund_without_words(data)) for id_, data in event.refunds if id_ not in known)
    return replace(event, content=None, refunds=refunds, erased=True)


def is_settled(state: OrderState, wish: Wish, *, due: bool, asked: bool, open_intent: bool) -> bool:
    """Tell whether nothing more is to be done for an order: only then its content may go."""
    if due or asked or open_intent:
        return False
    return state in _SETTLED_STATES or wish in _SETTLED_WISHES


def is_of(content: bytes | None, *, email: str, customer_id: str) -> bool:
    """Tell whether an order's content is that of a customer: one of its fields is this address, or the id is theirs."""
    try:
        data = json.loads(content or b"null")
    except ValueError:
        return False
    if not isinstance(data, dict):
        return False
    customer = data.get("customer")
    named = isinstance(customer, dict) and bool(customer_id) and customer.get("id") == customer_id
    key = email_key(email) if email else ""
    return named or (bool(key) and key in emails_in(data))


def emails_in(value: Any) -> frozenset[str]:
    """Give the keys of all addresses that fill a field of their own, wherever in the data."""
    if isinstance(value, dict):
        return frozenset().union(*map(emails_in, value.values()))
    if isinstance(value, list):
        return frozenset().union(*map(emails_in, value))
    key = email_key(value) if isinstance(value, str) and "@" in value else ""
    return frozenset({key} if key else ())


def customer_of(content: bytes | None) -> tuple[str, str]:
    """Give the e-mail address and the customer's id that an order's content names; empty where it does not."""
    try:
        customer = json.loads(content or b"null")["customer"]
        return str(customer.get("email") or ""), str(customer.get("id") or "")
    except (ValueError, TypeError, KeyError, AttributeError):
        return "", ""


def needles(emails: frozenset[str]) -> tuple[str, ...]:
    """Give the ways in which addresses stand in bytes that came from outside, to be searched for in lower case.

    As text, as JSON may escape it, and as an address of the web does. What is not ASCII is written as Postgres's
    ``encode(…, 'escape')`` writes it.
    """
    found = set()
    for email in filter(None, emails):
        for text in (email, email.lower(), email.upper()):
            for way in (text, json.dumps(text)[1:-1], quote(text, safe="", errors="replace")):
                found.add(_escaped(way.encode("utf-8", "replace")).lower())
    return tuple(sorted(found))


def customer_needles(email: str, customer_id: str) -> tuple[str, ...]:
    """Give the texts by which the content of a customer's orders is found; who reads it decides (``is_of``)."""
    if email:
        return needles(frozenset({email, email_key(email)}))
    # The content is in canonical form: no blank behind the colon.
    return (_escaped(f'"id":{json.dumps(customer_id, ensure_ascii=False)}'.encode()).lower(),)


def _escaped(value: bytes) -> str:
    return "".join(
        "\\\\" if byte == ord("\\") else chr(byte) if 0 < byte < 128 else f"\\{byte:03o}"  # noqa: PLR2004 ASCII's end
        for byte in value
    )


def mentions(value: bytes | None, wanted: tuple[str, ...]) -> bool:
    """Tell whether bytes hold one of the needles; the twin of the database's booked_mentions()."""
    if not value or not wanted:
        return False
    text = _escaped(value).lower()
    return any(needle in text for needle in wanted)
