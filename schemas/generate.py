"""Make what is published of the contract from its models: JSON Schemas, AsyncAPI, OpenAPI, the tables of the docs.

`python -m schemas.generate` writes the files; with `--check` it writes nothing and ends with 1 where one is stale.
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel

from schemas.asyncapi import asyncapi_document
from schemas.catalog import MESSAGES, Message
from schemas.order_list import openapi_document
from schemas.tables import fill_tables

DRAFT = "http://json-schema.org/draft-07/schema#"
GENERATED = Path(__file__).parent / "generated"
EVENTS_PAGE = Path(__file__).parent.parent / "docs" / "events.md"


def json_schema(model: type[BaseModel], message: Message) -> dict[str, Any]:
    """Give a schema in what draft-07 and 2020-12 share: AsyncAPI tools know the one, pydantic writes the other."""
    written = model.model_json_schema(mode="serialization" if message.action == "send" else "validation")
    definitions = written.pop("$defs", {})
    schema: dict[str, Any] = {"$schema": DRAFT, **_shared_subset(written)}
    if definitions:
        schema["definitions"] = {name: _shared_subset(one) for name, one in sorted(definitions.items())}
    return schema


def _shared_subset(node: Any) -> Any:
    """Rewrite a schema: definitions under their older name, nothing beside a `$ref`, no titles of single fields."""
    if isinstance(node, list):
        return [_shared_subset(item) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        return _reference(node)
    dropped = {"title"} if "properties" not in node else set()
    if node.get("default", ...) in (None, []):
        dropped.add("default")  # that an absent field is null or empty is said once, in the docs
    return {name: _rewritten(name, value) for name, value in node.items() if name not in dropped}


def _rewritten(name: str, value: Any) -> Any:
    """Rewrite a keyword's value; under `properties` the names are the fields' own and no keywords."""
    if name == "properties":
        return {field: _shared_subset(one) for field, one in value.items()}
    return _shared_subset(value)


def _reference(node: Mapping[str, Any]) -> dict[str, Any]:
    """Draft-07 passes over whatever stands beside a `$ref`, so the reference moves into an `allOf`."""
    target = {"$ref": str(node["$ref"]).replace("#/$defs/", "#/definitions/")}
    rest = {name: value for name, value in node.items() if name != "$ref"}
    return {**rest, "allOf": [target]} if rest else target


def generated_files() -> dict[Path, str]:
    """Give every generated file and the text it should have."""
    files = {}
    for message in MESSAGES:
        files[GENERATED / message.schema_file] = _json_text(json_schema(message.event, message))
        files[GENERATED / message.data_schema_file] = _json_text(json_schema(message.data, message))
    note = "# Made by `python -m schemas.generate`; edit the models instead.\n"
    document = yaml.safe_dump(asyncapi_document(), sort_keys=False, allow_unicode=True, width=120)
    files[GENERATED / "asyncapi.yaml"] = note + document
    listed = yaml.safe_dump(openapi_document(), sort_keys=False, allow_unicode=True, width=120)
    files[GENERATED / "order-list.openapi.yaml"] = note + listed
    files[EVENTS_PAGE] = fill_tables(EVENTS_PAGE.read_text("utf-8"))
    return files


def _json_text(schema: Mapping[str, Any]) -> str:
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def stale_files(files: Mapping[Path, str]) -> list[Path]:
    """Tell which files differ from what they should be, and which lie there and should not."""
    differing = [path for path, text in files.items() if not path.exists() or path.read_text("utf-8") != text]
    return differing + [path for path in sorted(GENERATED.glob("*")) if path not in files]


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the files, or check them."""
    parser = argparse.ArgumentParser(prog="python -m schemas.generate", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; end with 1 where a file is stale")
    check = parser.parse_args(arguments).check
    files = generated_files()
    stale = stale_files(files)
    for path in stale:
        sys.stdout.write(f"{'stale' if check else 'written'}: {path.name}\n")
    if check:
        return 1 if stale else 0
    GENERATED.mkdir(exist_ok=True)
    for path in stale:
        if path in files:
            path.write_text(files[path], "utf-8")
        else:
            path.unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main())
