"""Canaries: strings that stand nowhere else, put where secrets and persons are, and looked for in all that goes out."""

import base64
import binascii
import json
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, quote_plus

import asyncpg


@dataclass(frozen=True, slots=True, kw_only=True)
class Canaries:
    """The canaries of one run, by what they stand for."""

    secrets: dict[str, str] = field(default_factory=dict)
    persons: dict[str, str] = field(default_factory=dict)

    def secret(self, name: str) -> str:
        """Make a secret."""
        return self.secrets.setdefault(name, f"Qz{uuid.uuid4().hex}")

    def person(self, name: str) -> str:
        """Make a piece of personal data; of letters, digits and no blanks, so that no formatting cuts it."""
        return self.persons.setdefault(name, f"Qz{name.replace('_', '')}{uuid.uuid4().hex[:12]}")


def forms(canary: str) -> Iterator[bytes]:
    """Give what a canary looks like in other clothes: as it is, escaped, in an address, as base64, as hex."""
    plain = canary.encode()
    yield plain
    for text in (json.dumps(canary)[1:-1], quote(canary, safe=""), quote_plus(canary), canary.upper(), canary.lower()):
        yield text.encode()
    yield binascii.hexlify(plain)
    # Base64 of a text that holds it depends on where it begins: of each of the three places the part that does not.
    for lead in range(3):
        whole = base64.b64encode(b"x" * lead + plain)
        yield whole[4 if lead else 0 : len(whole) - 4]


def leaks(places: Mapping[str, bytes], canaries: Mapping[str, str]) -> set[tuple[str, str]]:
    """Give (place, name of the canary) for every canary that stands in a place, in whatever form."""
    return {
        (place, name)
        for place, content in places.items()
        for name, canary in canaries.items()
        if any(form in content for form in forms(canary))
    }


def order_of_canaries(canaries: Canaries, order_id: str, **more: Any) -> dict[str, Any]:
    """Give a paid order that books, with a canary in every personal field of the contract."""
    person = canaries.person
    address = {
        "name": person("address_name"),
        "company": person("address_company"),
        "street": person("street"),
        "house_number": person("house")[:18],
        "street2": person("street2"),
        "postal_code": person("zip")[:12],
        "city": person("city"),
        "country": "IT",
        "phone": person("address_phone"),
    }
    canaries.persons["house"] = address["house_number"]
    canaries.persons["zip"] = address["postal_code"]
    return {
        "shop_id": "shop",
        "order_id": order_id,
        "number": f"N-{order_id}",
        "version": 1,
        "paid_at": datetime.now(UTC).isoformat(),
        "currency": "EUR",
        "prices_include_tax": False,
        "customer": {
            "id": person("customer_id"),
            "email": f"{person('email').lower()}@shop.example",
            "first_name": person("first_name"),
            "last_name": person("last_name"),
            "phone": person("phone"),
        },
        "billing_address": address,
        "shipping_address": address,
        "note": person("note"),
        "meta": {"remark": person("meta")},
        "lines": [{"name": "Mug", "quantity": "1", "unit_price": "10.00", "taxes": [{"rate": "22"}]}],
        "totals": {"grand_total": "12.20"},
        **more,
    }


async def columns_of(database_url: str) -> dict[str, bytes]:
    """Give all that stands in the database, by table.column; bytes as they are."""
    connection = await asyncpg.connect(database_url)
    try:
        tables = await connection.fetch(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') "
            "AND NOT relispartition"
        )
        found: dict[str, bytes] = {}
        for table in tables:
            name = table["relname"]
            for row in await connection.fetch(f'SELECT * FROM "{name}"'):
                for column, value in row.items():
                    place = f"{name}.{column}"
                    found[place] = found.get(place, b"") + b"\n" + _as_bytes(value)
        return found
    finally:
        await connection.close()


def _as_bytes(value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()
