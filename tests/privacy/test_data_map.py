"""The data map is whole: a column that can hold text, and is not in it, fails here."""

from collections import Counter
from pathlib import Path

import asyncpg
import pytest

from consumer.domain.data_map import NOT_PERSONAL, PERSONAL, map_rows
from consumer.domain.erasing import KEPT, Shape
from schemas.orders import OrderData

PAGE = Path(__file__).resolve().parents[2] / "docs" / "privacy.md"
# A day of events or exchanges has the columns of its table.
COLUMNS = """
SELECT c.relname AS table_name, a.attname AS column_name
FROM pg_class c
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
      AND format_type(a.atttypid, NULL) IN ('text', 'text[]', 'bytea', 'jsonb', 'jsonb[]', 'json', 'character varying')
"""


@pytest.fixture
async def columns(migrated_database_url: str) -> set[tuple[str, str]]:
    """Every column of the real schema that can hold text."""
    connection = await asyncpg.connect(migrated_database_url)
    try:
        return {(row["table_name"], row["column_name"]) for row in await connection.fetch(COLUMNS)}
    finally:
        await connection.close()


async def test_every_column_is_listed_once(columns: set[tuple[str, str]]) -> None:
    """As personal or not; and nothing is listed that is not there."""
    listed = Counter((one.table, column) for one in PERSONAL for column in one.columns)
    listed += Counter((table, column) for table, names in NOT_PERSONAL.items() for column in names)
    assert {column for column, times in listed.items() if times > 1} == set()
    assert columns - listed.keys() == set(), "say in consumer/domain/data_map.py whether these hold data of people"
    assert listed.keys() - columns == set(), "these columns are gone: take them out of consumer/domain/data_map.py"


def test_the_page_is_the_map() -> None:
    """docs/privacy.md holds every row as the code has it."""
    page = PAGE.read_text("utf-8")
    missing = [row for row in map_rows() if "| " + " | ".join(row) + " |" not in page]
    assert not missing


PERSONAL_FIELDS = {
    "shop_id",
    "order_id",
    "number",
    "status",
    "version",
    "updated_at",
    "note",
    "meta",
    "customer.id",
    "customer.email",
    "customer.name",
    "customer.first_name",
    "customer.last_name",
    "customer.company",
    "customer.phone",
    "customer.tax_number",
    "customer.language",
    *(
        f"{which}_address.{name}"
        for which in ("billing", "shipping")
        for name in (
            "name",
            "company",
            "street",
            "house_number",
            "street2",
            "postal_code",
            "city",
            "state",
            "phone",
        )
    ),
    "lines.description",
    "discounts.code",
    "discounts.description",
    "payments.reference",
    "refunds.reason",
}
"""What of an order's content does not stay: of people, free text, or kept in columns of its own."""


def leaves(shape: Shape, path: str = "") -> set[str]:
    """Name the fields of a shape, dotted."""
    found: set[str] = set()
    for name, within in shape.items():
        found |= {path + name} if within is None else leaves(within, f"{path}{name}.")
    return found


def model_leaves(schema: dict[str, object], defs: dict[str, dict[str, object]], path: str = "") -> set[str]:
    """Name the fields of a JSON Schema, dotted, through lists and references."""
    found: set[str] = set()
    for name, field in _properties(schema).items():
        inner = _object(field, defs)
        found |= {path + name} if inner is None else model_leaves(inner, defs, f"{path}{name}.")
    return found


def _properties(schema: dict[str, object]) -> dict[str, dict[str, object]]:
    properties = schema.get("properties", {})
    assert isinstance(properties, dict)
    return properties


def _object(field: object, defs: dict[str, dict[str, object]]) -> dict[str, object] | None:
    if not isinstance(field, dict):
        return None
    if "$ref" in field:
        return _object(defs[str(field["$ref"]).rsplit("/", 1)[1]], defs)
    if field.get("properties"):
        return field
    for way in ("items", "anyOf", "allOf", "oneOf"):
        parts = field.get(way)
        for part in parts if isinstance(parts, list) else [parts]:
            inner = _object(part, defs)
            if inner is not None:
                return inner
    return None


def test_every_field_of_the_contract_stays_or_goes_by_decision() -> None:
    """A new field of the contract has to be put on one of the two lists; what stays is on the contract."""
    schema = OrderData.model_json_schema()
    fields = model_leaves(schema, schema["$defs"])
    kept = leaves(KEPT)
    assert kept & PERSONAL_FIELDS == set()
    assert fields - kept - PERSONAL_FIELDS == set(), "say in consumer/domain/erasing.py or here what becomes of these"
    assert kept - fields == set()
    assert PERSONAL_FIELDS - fields == set()
