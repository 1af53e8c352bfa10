"""Domain values survive the database exactly: every field of any value comes back equal, and of the same type."""

import json
import re
from datetime import UTC, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consumer.adapters.postgres import codec
from consumer.domain.events import EventKind
from consumer.domain.ledger import Contact, LedgerFacts
from consumer.domain.orders import OrderKey
from consumer.domain.revisions import OrderHead, RefundTold, Revision
from consumer.domain.settings import ConnectionSettings, ShopSettings

_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=8)
# Offsets as they are sent; the clocks of real zones have hours that stand for two moments and equal nothing.
_TIMES = st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=45))]))
_DECIMALS = st.decimals(allow_nan=False, allow_infinity=False)
_REVISIONS = st.builds(
    Revision,
    version=st.none() | st.integers(0, 2**63),
    updated_at=st.none() | _TIMES,
    time=_TIMES,
    kind=st.sampled_from(EventKind),
    topic=_TEXT,
    log=st.integers(1, 9),
    partition=st.integers(0, 99),
    offset=st.integers(0, 2**62),
    content_hash=st.binary(min_size=32, max_size=32),
)

_NO_NUMBER = re.compile(r"\b(s?nan|inf(inity)?)\b", re.IGNORECASE)


def _is_comparable(value: Any) -> bool:
    """Tell whether all numbers within are numbers: settings and answers hold no NaN, and NaN equals nothing."""
    return not _NO_NUMBER.search(repr(value))


def _through_json(value: Any) -> Any:
    return json.loads(json.dumps(value, allow_nan=False))


@pytest.mark.parametrize("kind", [ConnectionSettings, LedgerFacts, Contact])
def test_dataclasses_come_back_equal(kind: type[Any]) -> None:
    """Settings, facts and contacts with any values in them: Decimal digits, times, enumerations, nested tuples."""

    @settings(max_examples=50, deadline=None)
    @given(st.from_type(kind).filter(_is_comparable))
    def comes_back(value: Any) -> None:
        assert codec.load(kind, _through_json(codec.dump(value))) == value

    comes_back()


@settings(max_examples=50, deadline=None)
@given(st.from_type(ShopSettings).filter(_is_comparable))
def test_a_shop_comes_back_from_its_columns_and_settings(shop: ShopSettings) -> None:
    """What has a column of its own is not in the JSON, and together they are the shop again."""
    stored = _through_json(codec.dump_shop(shop))
    assert not stored.keys() & codec.SHOP_COLUMNS
    row = {name: getattr(shop, name) for name in codec.SHOP_COLUMNS if name != "revision"}
    assert codec.load_shop({**row, "revision_key": shop.revision, "settings": stored}) == shop


def test_settings_stored_by_an_older_or_newer_version_are_read() -> None:
    """A field that is missing takes its default, one that is unknown is passed over."""
    stored = codec.dump(ConnectionSettings(connection_id="books", data_center="eu"))
    del stored["unique_field"]
    stored["of_tomorrow"] = 1
    assert codec.load(ConnectionSettings, stored) == ConnectionSettings(connection_id="books", data_center="eu")


@settings(max_examples=100, deadline=None)
@given(
    head=st.builds(
        OrderHead,
        key=st.builds(OrderKey, _TEXT, _TEXT),
        revision=_REVISIONS,
        content=st.none() | st.binary(max_size=5),
        content_hash=st.none() | st.binary(min_size=32, max_size=32),
        content_revision=st.none() | _REVISIONS,
        number=_TEXT,
        currency=_TEXT,
        grand_total=st.none() | _DECIMALS,
        placed_at=st.none() | _TIMES,
        paid=st.booleans(),
        paid_at=st.none() | _TIMES,
        paid_told_at=st.none() | _TIMES,
        cancelled_by=st.none() | _REVISIONS,
        cancelled_at=st.none() | _TIMES,
        uncancelled_by=st.none() | _REVISIONS,
        refunds=st.dictionaries(
            _TEXT, st.builds(RefundTold, revision=_REVISIONS, data=_TEXT.map(str.encode)), max_size=3
        ),
        events=st.integers(0, 99),
        losing_events=st.integers(0, 99),
    ),
    same=st.booleans(),
)
def test_an_orders_head_comes_back_equal(head: OrderHead, *, same: bool) -> None:
    """The head as columns and JSON is the head again, also where its revisions are one and the same."""
    if same:
        fields = {name: getattr(head, name) for name in OrderHead.__dataclass_fields__}
        head = OrderHead(**{**fields, "content_revision": head.revision, "cancelled_by": head.revision})
    columns = ("content", "content_hash", "number", "currency", "grand_total", "placed_at", "paid")
    row = {name: getattr(head, name) for name in columns}
    stored = _through_json(codec.dump_head(head))
    again = codec.load_head({**row, "head": stored, "shop_id": head.key.shop_id, "order_id": head.key.order_id})
    assert again == head
    if same:
        assert stored["content"] is stored["cancelled_by"] is True
