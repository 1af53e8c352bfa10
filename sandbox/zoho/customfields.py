"""Custom fields, and the one among them that refuses duplicate values."""

from collections.abc import Iterable, Mapping
from typing import Any

from sandbox.zoho import checks
from sandbox.zoho.calls import Answer, Call, Refusal, invalid, rule
from sandbox.zoho.organizations import Organization
from sandbox.zoho.store import Document


def field_ids(organization: Organization) -> dict[str, str]:
    """Give the organisation's custom fields: API name to id."""
    fields = dict(organization.custom_fields)
    if organization.unique_field:
        fields[organization.unique_field] = organization.unique_field_id
    return fields


def read(call: Call, body: Mapping[str, Any], kept: Mapping[str, str]) -> dict[str, str]:
    """Read `custom_fields` of a body over the values that are there: API name to value.

    A field is named by its id, its API name or its label. An unknown one is refused with code 2.
    """
    return entries(call, checks.objects(body, "custom_fields"), kept)


def entries(call: Call, given: Iterable[Mapping[str, Any]], kept: Mapping[str, str]) -> dict[str, str]:
    """Read a list of custom fields over the values that are there."""
    by_id = {id_: name for name, id_ in field_ids(call.organization).items()}
    values = dict(kept)
    for one in given:
        named = one.get("customfield_id") or one.get("api_name") or one.get("label")
        name = by_id.get(str(named), str(named))
        if name not in by_id.values():
            raise invalid("custom_fields")
        values[name] = checks.text(call, one, "value")
    return values


def shown(organization: Organization, values: Mapping[str, str]) -> dict[str, Any]:
    """Give the two fields by which an answer shows custom fields."""
    ids = field_ids(organization)
    rows = [
        {
            "customfield_id": ids.get(name, ""),
            "api_name": name,
            "label": name.removeprefix("cf_"),
            "data_type": "string",
            "value": value,
            "value_formatted": value,
        }
        for name, value in values.items()
        if value
    ]
    hashed = {key: row["value"] for row in rows for key in (row["api_name"], f"{row['api_name']}_unformatted")}
    return {"custom_fields": rows, "custom_field_hash": hashed}


def claim(call: Call, document: Document) -> None:
    """Take the document's value of the unique field, or refuse it where another document has it."""
    field = call.organization.unique_field
    call.store.execute("DELETE FROM unique_values WHERE id = ?", (document.id,))
    value = document.body.get("custom_values", {}).get(field) if field else None
    if not field or not value:
        return
    holder = find(call, document.kind, field, value)
    if holder is not None and call.switch("unique_field_on_post") == "refused":
        raise rule(int(call.switch("unique_field_code")), f"The value {value} of {field} is in use already.")
    call.store.execute(
        "INSERT INTO unique_values (organization_id, kind, field, value, id) VALUES (?, ?, ?, ?, ?)",
        (document.organization_id, document.kind, field, value, document.id),
    )


def release(call: Call, document: Document) -> None:
    """Give the document's value free, because it is deleted."""
    call.store.execute("DELETE FROM unique_values WHERE id = ?", (document.id,))


def find(call: Call, kind: str, field: str, value: str) -> str | None:
    """Give the id of the document that holds a value of the unique field."""
    row = call.store.row(
        "SELECT id FROM unique_values WHERE organization_id = ? AND kind = ? AND field = ? AND value = ?",
        (call.organization.organization_id, kind, field, value),
    )
    return None if row is None else str(row["id"])


def upsert_target(call: Call, kind: str) -> str | None:
    """Find what an upsert by `X-Unique-Identifier-Key` and `-Value` means; None where it has to be created.

    Refused where the headers are missing or name a field that allows duplicates, and where nothing was found and
    `X-Upsert` does not ask for a new one.
    """
    field = call.headers.get("x-unique-identifier-key", "")
    value = call.headers.get("x-unique-identifier-value", "")
    if not field or not value or field != call.organization.unique_field:
        raise invalid("X-Unique-Identifier-Key")
    target = find(call, kind, field, value)
    if target is None and call.headers.get("x-upsert", "").lower() != "true":
        code = int(call.switch("upsert_not_found_code"))
        raise Refusal(status=400, code=code, message=f"Nothing has the value {value} in {field}.")
    return target


def upsert_status(call: Call, answer: Answer, *, created: bool) -> Answer:
    """Set the status of an upsert's answer: whether creating answers 200 or 201 is not known."""
    answer.status = int(call.switch("upsert_created_status")) if created else 200
    return answer
