"""The file of `booked apply`: every fault names the file and the line, and nothing is guessed."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from consumer.cli.shops_file import parse_shops, read_shops_file
from consumer.domain.settings import NameMatch, Platform, RevisionKey
from consumer.errors import ConfigurationError

GOOD = """\
connections:
  books:
    data_center: eu
    organization_id: "60001"
    unique_field: cf_booked
    limits: {calls_per_minute: 50, calls_at_once: 3, calls_per_day: 5000}
shops:
  north:
    connection: books
    automatic: true
    book_from: 2026-03-01 00:00:00
    time_zone: Europe/Amsterdam
    revision: updated_at
    reference: "{shop_id}/{order_id}"
    customer_name_match: never
    taxes:
      - {tax_id: "7", country: NL, rate: 21}
  south:
    connection: books
    reference: "S-{shop_id}-{number}"
"""


def fault(text: str, **environment: str) -> ConfigurationError:
    """Give what is wrong with a text."""
    with pytest.raises(ConfigurationError) as refused:
        parse_shops(text, name="shops.yaml", environment=environment)
    return refused.value


def changed(line: int, text: str) -> str:
    """Give the good file with another line; lines count from one."""
    lines = GOOD.splitlines()
    lines[line - 1] = text
    return "\n".join(lines)


def test_a_whole_file_becomes_the_settings_of_the_domain() -> None:
    """Every value of the file is where it belongs; a time without an offset is the shop's own."""
    plan = parse_shops(GOOD, name="shops.yaml", environment={})
    (books,), (north, south) = plan.connections, plan.shops
    assert (books.connection_id, books.data_center, books.organization_id) == ("books", "eu", "60001")
    assert (books.unique_field, books.limits.calls_per_window, books.limits.calls_at_once) == ("cf_booked", 50, 3)
    assert (books.limits.daily_calls, books.limits.window_seconds) == (5000, 60.0)
    assert north.book_from == datetime(2026, 2, 28, 23, 0, tzinfo=UTC)
    assert (north.automatic, north.revision, north.customer_name_match) == (
        True,
        RevisionKey.UPDATED_AT,
        NameMatch.NEVER,
    )
    assert (north.tax_overrides[0].tax_id, north.tax_overrides[0].rate) == ("7", Decimal(21))
    assert (south.automatic, south.book_from, south.connection_id) == (False, None, "books")


WEB = """\
shops:
  web:
    source: woocommerce
    event_sources: [https://web.example]
    topics: [web.orders]
    paid_statuses: [processing]
    default_customer: "42"
    default_customer_for: all
    vat_tolerance_units: 1
    accounts:
      - {kind: gift_card, account_id: "{{ line.meta.account }}"}
    methods:
      - {name: "dhl*", item_id: "9", label: Parcel}
    payments:
      - {method: invoice, payment_terms_days: 14, label: Net 14}
    invoice_date: today
    invoice_number: "W-{{ number }}"
    custom_fields: {cf_po: "{{ meta.po }}"}
    shipping_address: notes
"""


def test_tables_and_templates_of_a_shop_reach_the_domain() -> None:
    """A platform's shop goes by updated_at unless it says otherwise, and all of its templates are known."""
    (web,) = parse_shops(WEB, name="shops.yaml", environment={}).shops
    assert (web.source, web.revision, web.topics) == (Platform.WOOCOMMERCE, RevisionKey.UPDATED_AT, ("web.orders",))
    assert (web.default_customer_id, web.default_customer_for.value, web.vat_tolerance_units) == ("42", "all", 1)
    assert (web.methods[0].item_id, web.payments[0].payment_terms, web.custom_fields[0].api_name) == ("9", 14, "cf_po")
    assert set(web.templates) >= {"{{ line.meta.account }}", "W-{{ number }}", "{{ meta.po }}", "9", "Parcel"}
    assert (web.invoice_date.value, web.shipping_address.value) == ("today", "notes")


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("{{ number }}", "{{ number", 17, "not closed"),
        ("{{ meta.po }}", "{{ meta..po }}", 18, "no JMESPath"),
        ("vat_tolerance_units: 1", "vat_tolerance_units: 2", 9, "less than or equal to 1"),
        ("kind: gift_card", "kind: giftcard", 11, "gift_card"),
        ("cf_po:", "po:", 18, "pattern"),
        ("    shipping_address: notes", "  shop:\n    topics: [web.orders]", 20, "shop web"),
        ("    shipping_address: notes", '  shop:\n    event_sources: ["https://web.example"]', 20, "shop web"),
    ],
)
def test_a_fault_in_a_template_or_a_table_names_its_line(old: str, new: str, line: int, says: str) -> None:
    """Before any order is booked by it; a topic or source of its own belongs to one shop."""
    wrong = fault(WEB.replace(old, new))
    assert (wrong.key, says in str(wrong)) == (f"shops.yaml:{line}", True), str(wrong)


def test_calls_a_minute_are_told_for_the_window_of_the_limit() -> None:
    """Sixty calls a minute in a window of ten seconds are ten."""
    text = changed(6, "    limits: {calls_per_minute: 60, window_seconds: 10}")
    (books,) = parse_shops(text, name="f", environment={}).connections
    assert books.limits.calls_per_window == 10


@pytest.mark.parametrize(
    ("line", "text", "says"),
    [
        (3, "    data_center: mars", "mars|unknown"),
        (4, "    organization_id: 60001", "quotes"),
        (4, '    organization_id: "6000l"', "organization_id"),
        (5, "    unique_feild: cf_booked", "no setting of this name"),
        (6, "    limits: {calls_at_once: 11}", "less than or equal to 8"),
        (6, "    limits: {window_seconds: 0}", "greater than 0"),
        (9, "    connection: bookz", "there is no connection bookz"),
        (10, "    automatic: perhaps", "boolean"),
        (11, "    book_from: 2026-02-30 00:00:00", "day is out of range"),
        (12, "    time_zone: Europe/Amsterdm", "no time zone"),
        (13, "    revision: newest", "version"),
        (14, '    reference: "{order}"', "order} is unknown"),
        (14, '    reference: "{shop_id}"', "needs {order_id} or {number}"),
        (15, "    customer_name_match: sometimes", "without_email"),
        (17, '      - {tax_id: "seven"}', "tax_id"),
        (17, '      - {tax_id: "7", country: Nederland}', "country"),
        (19, "    conection: books", "no setting of this name"),
    ],
)
def test_a_fault_names_the_file_and_the_line(line: int, text: str, says: str) -> None:
    """Also within a row, a nested part and a flow mapping."""
    wrong = fault(changed(line, text))
    assert wrong.key == f"shops.yaml:{line}"
    assert any(part in str(wrong) for part in says.split("|"))


def test_a_missing_setting_names_the_part_that_lacks_it() -> None:
    """A connection without its data centre: the line of the connection."""
    wrong = fault(changed(3, "    negative_lines: true"))
    assert wrong.key == "shops.yaml:2"
    assert "data_center: it is missing" in str(wrong)


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("shops:\n  a: {}\n  a: {}\n", 3, "a stands twice"),
        ("shops:\n  a:\n    name: x\n    name: y\n", 4, "name stands twice"),
        ("shops:\n  a: [\n", 3, "not YAML"),
        ("shops:\n  ? [a, b]\n  : {}\n", 2, "plain text"),
        ("shops: &s\n  a: *s\n", 1, "alias"),
        ("- a\n", 1, "valid dictionary"),
        ("shops: 7\n", 1, "valid dictionary"),
        ("shops:\n  a/b: {}\n", 2, "pattern"),
        ("shops:\n  a: {book_from: !!python/object:os.system x}\n", 2, "not YAML"),
    ],
)
def test_what_is_no_such_file_is_refused_with_its_line(text: str, line: int, says: str) -> None:
    """Repeated names, which YAML lets pass in silence, included."""
    wrong = fault(text)
    assert (wrong.key, says in str(wrong)) == (f"shops.yaml:{line}", True)


def test_an_empty_file_names_nothing() -> None:
    """It is a file; applying it makes everything inactive, which the dry run shows."""
    plan = parse_shops("", name="f", environment={})
    assert (plan.connections, plan.shops) == ((), ())


def test_an_organisation_belongs_to_one_connection() -> None:
    """Two connections of one organisation would each have its whole budget."""
    text = GOOD.replace("shops:", 'more:\n    data_center: eu\n    organization_id: "60001"\nshops:')
    wrong = fault(text.replace("more:", "  more:"))
    assert (wrong.key, "books has this organisation already" in str(wrong)) == ("shops.yaml:9", True)


def test_two_shops_of_one_connection_may_not_write_the_same_reference() -> None:
    """The second one's line, and a pattern that helps."""
    wrong = fault(changed(14, '    reference: "{order_id}"').replace('"S-{shop_id}-{number}"', '"{number}"'))
    assert wrong.key == "shops.yaml:20"
    assert "north and south" in str(wrong)
    assert "{shop_id}/{order_id}" in str(wrong)


def test_values_may_come_from_the_environment() -> None:
    """And what is not there is refused, by its line."""
    text = changed(4, '    organization_id: "${ORGANISATION}"')
    (books,) = parse_shops(text, name="f", environment={"ORGANISATION": "123"}).connections
    assert books.organization_id == "123"
    wrong = fault(text)
    assert (wrong.key, "${ORGANISATION} is not in the environment" in str(wrong)) == ("shops.yaml:4", True)


def test_a_value_from_the_environment_is_not_filled_again() -> None:
    """A dollar sign in a secret is a dollar sign."""
    text = "shops:\n  a: {name: '${ONE}'}\n"
    (shop,) = parse_shops(text, name="f", environment={"ONE": "${TWO}", "TWO": "2"}).shops
    assert shop.name == "${TWO}"


def test_a_file_that_is_not_there_or_is_no_text_says_so(tmp_path: Path) -> None:
    """By its name."""
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_shops_file(tmp_path / "none.yaml", {})
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_shops_file(tmp_path / "binary.yaml", {})


def test_a_file_beyond_its_limit_is_refused(tmp_path: Path) -> None:
    """4 MiB of shops is a mistake, and is not parsed."""
    (tmp_path / "large.yaml").write_text("#" * (4 * 1024 * 1024 + 1))
    with pytest.raises(ConfigurationError, match="larger than"):
        read_shops_file(tmp_path / "large.yaml", {})


def test_brackets_without_end_are_refused_at_once() -> None:
    """YAML's parser takes time with the square of the depth: a file of brackets would hold `apply` for minutes."""
    error = fault("connections: {}\nshops: " + "[" * 100_000)
    assert error.key == "shops.yaml:2"
    assert "nested more than 50 deep" in str(error)
