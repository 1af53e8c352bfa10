"""What is published of the contract is fresh, and its examples of every version hold, by models and by schemas."""

import hashlib
import json
import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, get_args

import jsonschema
import pytest
import yaml

from schemas import generate
from schemas.catalog import MESSAGES, Message
from schemas.orders import OrderKind
from schemas.reading import ReadEvent, read_message
from schemas.rejected import OrderRejectedEvent, Position, RejectedData, encode_rejected
from schemas.synced import Operation, SyncedData, SyncedState, encode_synced
from schemas.tables import fill_tables
from tests.schemas.samples import EXAMPLES, example, small_order

ROOT = EXAMPLES.parent.parent
FILES = sorted(EXAMPLES.glob("v*/*.json"))
VALIDATORS = (jsonschema.Draft7Validator, jsonschema.Draft202012Validator)


def _message(file: Path) -> Message:
    return next(message for message in MESSAGES if file.name.startswith(f"{message.topic}."))


def _schema(file: str) -> Any:
    return json.loads((generate.GENERATED / file).read_text("utf-8"))


def _problems(body: Any, file: str) -> list[str]:
    """Validate by the published schema, in both dialects."""
    schema = _schema(file)
    return [error.message for validator in VALIDATORS for error in validator(schema).iter_errors(body)]


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_every_golden_example_holds_by_model_and_by_schema(file: Path) -> None:
    """Examples of every published version stay valid: this is what "compatible" means here."""
    message, body = _message(file), json.loads(file.read_text("utf-8"), parse_float=Decimal)
    whole = "specversion" in body
    model, schema = (message.event, message.schema_file) if whole else (message.data, message.data_schema_file)
    value = body.get("value", body)
    assert isinstance(model.model_validate(value), model)
    assert _problems(value, schema) == []


@pytest.mark.parametrize(
    "file", [file for file in FILES if _message(file).kind], ids=lambda file: f"{file.parent.name}/{file.stem}"
)
def test_every_example_of_an_order_is_read_by_the_intake(file: Path) -> None:
    """Through the intake's own door, by its own topic, with nothing unknown and nothing replaced."""
    body = json.loads(file.read_text("utf-8"))
    headers = [(name, value.encode()) for name, value in body.get("headers", {}).items()]
    value = body.get("value", body)
    order = value.get("data", value)
    event = read_message(
        topic_kind=_message(file).kind,
        key=f"{order['shop_id']}/{order['order_id']}".encode(),
        value=json.dumps(value).encode(),
        headers=headers,
        record_time_ms=0,
    )
    assert isinstance(event, ReadEvent), event
    assert (event.kind, event.unknown_fields, event.replaced, event.key_differs) == (_message(file).kind, (), 0, False)
    assert event.bare == file.stem.endswith(".bare")


def test_there_is_an_example_of_every_type_and_variant() -> None:
    """Every message, every mode of transport, every operation and state of `invoice.synced`."""
    bodies = [json.loads(file.read_text("utf-8")) for file in FILES]
    assert {_message(file).topic for file in FILES} == {message.topic for message in MESSAGES}
    synced = [body["data"] for body in bodies if body.get("type") == "booked.invoice.synced.v1"]
    assert {one["operation"] for one in synced} == set(get_args(Operation))
    assert {one["state"] for one in synced} == set(get_args(SyncedState))
    assert any("headers" in body for body in bodies)
    assert any("shop_id" in body for body in bodies)


def test_the_full_example_has_every_field_of_an_order() -> None:
    """A field that is added to the model must be added to the example."""
    data = example("order.paid.full")["data"] | {"discounts": example("order.paid.discounts")["data"]["discounts"]}
    assert _missing(_schema("order.paid.data.v1.schema.json"), data) == []


def _missing(schema: Any, data: Any) -> list[str]:
    """Tell which fields of a model no object of that kind in the example has."""
    definitions = {"OrderPaid": schema, **schema["definitions"]}
    words = json.dumps(data)
    return [name for one in definitions.values() for name in one["properties"] if f'"{name}"' not in words]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: message.topic)
def test_the_schemas_are_schemas_and_refuse_what_the_models_refuse(message: Message) -> None:
    """They are valid in both dialects, and closed where they must be: a required field is required, a type a type."""
    for file in (message.schema_file, message.data_schema_file):
        for validator in VALIDATORS:
            validator.check_schema(_schema(file))
    assert _problems({}, message.schema_file)
    assert _problems({}, message.data_schema_file)
    assert _problems([], message.data_schema_file)


@pytest.mark.parametrize(
    "changes",
    [
        {"order_id": 1001},
        {"currency": "EURO"},
        {"lines": [{"name": "Mug", "quantity": "1"}]},
        {"lines": [{"name": "Mug", "quantity": "1", "unit_price": "1,00"}]},
        {"paid_at": "2026-11-20"},
        {"version": -1},
        {"totals": {}},
    ],
)
def test_a_shop_can_find_its_mistakes_with_the_schema(changes: dict[str, Any]) -> None:
    """What the intake would reject fails by the published schema already; unknown fields and JSON numbers pass."""
    assert _problems(small_order(**changes), "order.paid.data.v1.schema.json")
    assert _problems(small_order(colour="red", totals={"grand_total": 12.1}), "order.paid.data.v1.schema.json") == []


def test_what_is_published_is_fresh() -> None:
    """Schemas, AsyncAPI and the tables of docs/events.md are what the models make of them now."""
    assert [path.name for path in generate.stale_files(generate.generated_files())] == []


def test_a_stale_file_is_found_and_written_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--check` ends with 1 and names the file; without it the file is written, and what is too much removed."""
    page = tmp_path / "events.md"
    page.write_text(generate.EVENTS_PAGE.read_text("utf-8"), "utf-8")
    monkeypatch.setattr(generate, "GENERATED", tmp_path / "generated")
    monkeypatch.setattr(generate, "EVENTS_PAGE", page)
    assert generate.main(["--check"]) == 1
    assert not (tmp_path / "generated").exists()
    assert generate.main([]) == 0
    assert generate.main(["--check"]) == 0
    page.write_text(page.read_text("utf-8").replace("| `shop_id` | text", "| `shop_id` | number"), "utf-8")
    (tmp_path / "generated" / "old.schema.json").write_text("{}")
    assert {path.name for path in generate.stale_files(generate.generated_files())} == {"events.md", "old.schema.json"}
    assert generate.main(["--check"]) == 1
    assert generate.main([]) == 0
    assert generate.main(["--check"]) == 0
    assert not (tmp_path / "generated" / "old.schema.json").exists()


def test_the_command_is_the_documented_one() -> None:
    """`python -m schemas.generate --check` runs as it stands in the docs."""
    command = [sys.executable, "-m", "schemas.generate", "--check"]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True, timeout=60)  # noqa: S603 our own module
    assert (done.returncode, done.stdout) == (0, "")


def test_every_reference_of_the_asyncapi_document_leads_somewhere() -> None:
    """Within the document, and to the schema files beside it; orders are received, the rest is sent."""
    document = yaml.safe_load((generate.GENERATED / "asyncapi.yaml").read_text("utf-8"))
    references = list(_references(document))
    assert len(references) == 20
    for reference in references:
        if reference.startswith("./"):
            assert (generate.GENERATED / reference).is_file(), reference
            continue
        node = document
        for step in reference.removeprefix("#/").split("/"):
            node = node[step]
    actions = {one["channel"]["$ref"].rpartition("/")[2]: one["action"] for one in document["operations"].values()}
    assert actions == {
        "orderPaid": "receive",
        "orderUpdated": "receive",
        "orderCancelled": "receive",
        "invoiceSynced": "send",
        "orderRejected": "send",
    }
    assert all(
        one["bindings"]["kafka"]["key"]["type"] == "string" for one in document["components"]["messages"].values()
    )


def _references(node: Any) -> Any:
    if isinstance(node, dict):
        for name, value in node.items():
            yield from [value] if name == "$ref" else _references(value)
    if isinstance(node, list):
        for value in node:
            yield from _references(value)


def test_what_we_publish_fits_what_we_published_about_it() -> None:
    """An encoded `invoice.synced` is valid by its schema: money as plain texts, the time in the envelope."""
    state = SyncedData.model_validate(example("invoice.synced.created")["data"] | {"difference": Decimal("0.00")})
    message = json.loads(encode_synced(state, event_id="e-1", installation="test/1"))
    assert _problems(message, "invoice.synced.v1.schema.json") == []
    assert (message["id"], message["source"], message["subject"]) == ("e-1", "/booked/test%2F1", "nl/1003")
    assert message["time"] == message["data"]["synced_at"] == "2026-11-20T10:16:00+00:00"
    assert (message["data"]["invoice"]["total"], message["data"]["difference"]) == ("39.94", "0.00")
    assert message["data"]["reason"] is None


@pytest.mark.parametrize(("shop_id", "subject"), [("nl", "nl/1008"), (None, "order.paid/3/4711")])
def test_a_rejection_is_published_without_payload(shop_id: str | None, subject: str) -> None:
    """Valid by its schema; its subject is the order, or the position where no order could be read."""
    data = RejectedData(
        reason="malformed_json",
        message="the text is not JSON.",
        position=Position(topic="order.paid", partition=3, offset=4711, log=1),
        hash=hashlib.sha256(b"{").hexdigest(),
        size=1,
        shop_id=shop_id,
        order_id="1008" if shop_id else None,
    )
    now = datetime(2026, 11, 20, 10, 15, tzinfo=UTC)
    message = json.loads(encode_rejected(data, event_id="e-2", time=now, installation="test"))
    assert _problems(message, "order.rejected.v1.schema.json") == []
    assert message["subject"] == subject
    assert OrderRejectedEvent.model_validate(message).data == data


def test_the_page_tells_of_every_field_and_reason() -> None:
    """Names that are not in the tables would be promises that nobody keeps, and the reverse."""
    page = generate.EVENTS_PAGE.read_text("utf-8")
    for message in MESSAGES:
        schema = _schema(message.data_schema_file)
        for one in (schema, *schema["definitions"].values()):
            assert all(f"| `{name}` |" in page for name in one["properties"])
    with pytest.raises(KeyError, match="nothing"):
        fill_tables("<!-- made: nothing -->\n<!-- end -->")


def test_the_snippets_of_the_page_publish_readable_orders() -> None:
    """The Python, JSON and console snippets hold an order that the intake reads."""
    page = generate.EVENTS_PAGE.read_text("utf-8")
    structured = page.split("```json\n")[1].split("```")[0]
    console = page.split("echo 'nl/1001|")[1].split("' |")[0]
    snippet: dict[str, Any] = {"__name__": "snippet"}
    exec(compile(page.split("```python\n")[1].split("```")[0], "events.md", "exec"), snippet)  # noqa: S102 our own page
    for value in (structured, console, json.dumps(snippet["order"])):
        event = read_message(
            topic_kind=OrderKind.PAID, key=b"nl/1001", value=value.encode(), headers=(), record_time_ms=0
        )
        assert isinstance(event, ReadEvent)
        assert (event.order_id, event.key_differs) == ("1001", False)


def test_the_reader_of_the_page_keeps_the_greatest_sequence() -> None:
    """The snippet for consumers gives the same column whatever the order and number of deliveries."""
    page = generate.EVENTS_PAGE.read_text("utf-8")
    snippet: dict[str, Any] = {}
    exec(compile(page.split("```python\n")[2].split("```")[0], "events.md", "exec"), snippet)  # noqa: S102 our own page
    names = ("created", "updated", "paid")
    messages = [example(f"invoice.synced.{name}") for name in names]
    column: dict[Any, Any] = {}
    for message in (messages[1], messages[2], messages[0], messages[2]):
        snippet["apply"](column, message)
    assert column == {("nl", "1003"): messages[2]["data"]}
