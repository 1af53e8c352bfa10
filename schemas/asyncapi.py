"""The AsyncAPI 3 document: channels, operations and messages, their payloads by reference to the JSON Schemas."""

from typing import Any

from schemas.catalog import MESSAGES, Message
from schemas.envelope import CONTENT_TYPE

BINDING = "0.5.0"  # of AsyncAPI's Kafka binding
PAYLOAD_FORMAT = "application/schema+json;version=draft-07"


def asyncapi_document() -> dict[str, Any]:
    """Describe the contract from our side: we receive orders, and send what came of them."""
    return {
        "asyncapi": "3.1.0",
        "info": {
            "title": "Booked",
            "version": "1.0.0",
            "description": "Paid orders of a shop become invoices. Topic names are settings; these are the defaults. "
            "docs/events.md tells the rules that a schema cannot.",
        },
        "defaultContentType": "application/cloudevents+json",
        "channels": {_name(message): _channel(message) for message in MESSAGES},
        "operations": {f"{message.action}{_capital(message)}": _operation(message) for message in MESSAGES},
        "components": {"messages": {_name(message): _message(message) for message in MESSAGES}},
    }


def _capital(message: Message) -> str:
    return "".join(part.capitalize() for part in message.topic.split("."))


def _name(message: Message) -> str:
    capital = _capital(message)
    return capital[0].lower() + capital[1:]


def _channel(message: Message) -> dict[str, Any]:
    name = _name(message)
    return {
        "address": message.topic,
        "description": message.summary,
        "messages": {name: {"$ref": f"#/components/messages/{name}"}},
        "bindings": {"kafka": {"topic": message.topic, "bindingVersion": BINDING}},
    }


def _operation(message: Message) -> dict[str, Any]:
    name = _name(message)
    return {
        "action": message.action,
        "channel": {"$ref": f"#/channels/{name}"},
        "summary": message.summary,
        "messages": [{"$ref": f"#/channels/{name}/messages/{name}"}],
    }


def _message(message: Message) -> dict[str, Any]:
    return {
        "name": f"{message.topic}.v{message.version}",
        "title": message.topic,
        "summary": message.summary,
        "contentType": "application/cloudevents+json",
        "headers": {
            "type": "object",
            "properties": {"content-type": {"type": "string", "examples": [CONTENT_TYPE]}},
        },
        "payload": {"schemaFormat": PAYLOAD_FORMAT, "schema": {"$ref": f"./{message.schema_file}"}},
        "bindings": {"kafka": {"key": _key(message), "bindingVersion": BINDING}},
    }


def _key(message: Message) -> dict[str, Any]:
    key: dict[str, Any] = {"type": "string", "description": "shop_id/order_id", "examples": ["nl/9b1c2f"]}
    if message.topic == "order.rejected":
        key["description"] = "shop_id/order_id where they could be read, else topic/partition/offset"
    return key
