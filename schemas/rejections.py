"""Why a message cannot be an order: the reasons, what each means, what to do, and how pydantic's errors become one."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from schemas.fields import NOT_A_TIME, NOT_A_VERSION
from schemas.money import NOT_AN_AMOUNT

PATH_MAX = 300  # a field of the shop's own may have a name of any length


class RejectionReason(StrEnum):
    """The reason codes of `order.rejected`; more may be added, none is ever given another meaning."""

    TOO_LARGE = "too_large"
    NOT_UTF8 = "not_utf8"
    MALFORMED_JSON = "malformed_json"
    TOO_DEEP = "too_deep"
    NOT_A_NUMBER = "not_a_number"
    NUMBER_TOO_LONG = "number_too_long"
    NOT_A_TIME = "not_a_time"
    WRONG_TYPE = "wrong_type"
    WRONG_VALUE = "wrong_value"
    MISSING_FIELD = "missing_field"
    TOO_MANY_LINES = "too_many_lines"
    TOO_LONG = "too_long"
    UNKNOWN_TYPE = "unknown_type"
    UNSUPPORTED_VERSION = "unsupported_version"
    KIND_MISMATCH = "kind_mismatch"
    # Found later, where the shop's settings and the database are known:
    REVISION_MISSING = "revision_missing"
    REVISION_IN_FUTURE = "revision_in_future"
    REFUSED_BY_DATABASE = "refused_by_database"
    READER_FAILED = "reader_failed"
    # Of a platform's own payloads:
    SHOP_NOT_TOLD = "shop_not_told"
    SHOP_CONTRADICTED = "shop_contradicted"
    NOT_TRANSLATED = "not_translated"


class Meaning(NamedTuple):
    """What a reason means, and what the shop's developer does about it."""

    what: str
    fix: str


MEANINGS: dict[RejectionReason, Meaning] = {
    RejectionReason.TOO_LARGE: Meaning(
        "The message is larger than 1 MiB.", "Leave out what no invoice needs: pictures, histories, long texts."
    ),
    RejectionReason.NOT_UTF8: Meaning(
        "The bytes are not UTF-8, or not at all text.", "Encode the message as UTF-8, without compressing it yourself."
    ),
    RejectionReason.MALFORMED_JSON: Meaning(
        "The text is not one JSON document.", "Write it with a JSON library, and send one order per message."
    ),
    RejectionReason.TOO_DEEP: Meaning(
        "Objects and lists are nested more than 32 deep.", "Flatten what you add under `meta` or in fields of your own."
    ),
    RejectionReason.NOT_A_NUMBER: Meaning(
        "A number is NaN or Infinity, or a text is not a plain decimal number of at most 18 digits before the point "
        "and 10 behind it.",
        'Write amounts as "1234.50": a point, no thousands separator, no currency sign, no exponent.',
    ),
    RejectionReason.NUMBER_TOO_LONG: Meaning(
        "A JSON number has more than 15 significant digits, so it may have been rounded on the way.",
        'Write it as a string: "0.1234567890123456".',
    ),
    RejectionReason.NOT_A_TIME: Meaning(
        "A text is not a time by RFC 3339, or no calendar has it, or it lies before 1970 or after 2199.",
        "Write 2026-11-20T10:15:00Z; leave the field out where there is no such time.",
    ),
    RejectionReason.WRONG_TYPE: Meaning(
        "A field holds another JSON type than it should.",
        "Compare with the field's table; ids and amounts are strings.",
    ),
    RejectionReason.WRONG_VALUE: Meaning(
        "A field has the right type and a value that it cannot have.", "Compare with the field's table."
    ),
    RejectionReason.MISSING_FIELD: Meaning(
        "A required field is not there, or is null.", "Send the whole order with every event."
    ),
    RejectionReason.TOO_MANY_LINES: Meaning(
        "The order has more than 1,000 lines.", "Join equal lines, or split the order in the shop."
    ),
    RejectionReason.TOO_LONG: Meaning(
        "A text or a list is longer than its limit.", "Shorten it; the limits are in the field's table."
    ),
    RejectionReason.UNKNOWN_TYPE: Meaning(
        "The event's `type` ends in none of `order.paid.v1`, `order.updated.v1` and `order.cancelled.v1`.",
        "Use one of these ends, or leave `type` out: then the topic tells the kind.",
    ),
    RejectionReason.UNSUPPORTED_VERSION: Meaning(
        "The event's `type` or `specversion` names a version that this installation does not read.",
        "Publish version 1 of CloudEvents and `….v1` of the event.",
    ),
    RejectionReason.KIND_MISMATCH: Meaning(
        "The event's `type` and the topic it came on disagree.", "Publish each kind on its own topic."
    ),
    RejectionReason.REVISION_MISSING: Meaning(
        "The event lacks the field that the shop's revisions are ordered by.",
        "Send `version` (or `updated_at`, whichever the shop's setting names) with every event.",
    ),
    RejectionReason.REVISION_IN_FUTURE: Meaning(
        "The event's time is more than an hour ahead.", "Set the clock of the publishing machine; check its time zone."
    ),
    RejectionReason.REFUSED_BY_DATABASE: Meaning(
        "The database refused to store the event because of something in it.",
        "Report it together with the position: it is a fault of this program.",
    ),
    RejectionReason.READER_FAILED: Meaning(
        "Reading the event failed in a way that nobody had foreseen.",
        "Report it together with the position: it is a fault of this program.",
    ),
    RejectionReason.SHOP_NOT_TOLD: Meaning(
        "The payload is not of our contract, and no shop of that platform is known for it.",
        "Set `source: woocommerce` or `source: shopify` for the shop, and tell the shop by the header `booked-shop`, "
        "by a CloudEvents `source` that stands in its `event_sources`, or by a topic that stands in its `topics`; "
        "then send the message again.",
    ),
    RejectionReason.SHOP_CONTRADICTED: Meaning(
        "What the message says of its shop disagrees: payload, header, CloudEvents `source`, topic and key.",
        "Correct the sender, or the shops' `event_sources` and `topics`, so that all name one shop; then send the "
        "message again.",
    ),
    RejectionReason.NOT_TRANSLATED: Meaning(
        "The payload is no order of the shop's platform, or contradicts itself.",
        "Send the platform's order whole, as its REST API or its webhook gives it; check the shop's `source`.",
    ),
}


class UnreadableError(ValueError):
    """This message cannot be read; ``path`` is the JSON path, empty where there is none.

    ``shop_id`` and ``order_id`` tell which order it may be about, where whoever raises it knows better than the data.
    """

    def __init__(
        self, reason: RejectionReason, found: str, path: str = "", *, shop_id: str = "", order_id: str = ""
    ) -> None:
        super().__init__(found)
        self.shop_id = shop_id
        self.order_id = order_id
        self.reason = reason
        self.found = found
        self.path = path


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """A message that cannot be an order. ``message`` says what was found, where and what to do, and quotes nothing.

    ``shop_id`` and ``order_id`` are as far as they could be read, from the message or else from its key; a hint.
    """

    reason: RejectionReason
    message: str
    path: str = ""
    shop_id: str = ""
    order_id: str = ""


def reject(error: UnreadableError, *, shop_id: str, order_id: str) -> Rejection:
    """Put the finding and the reason's fix into one sentence each."""
    where = f"{error.path}: " if error.path else ""
    return Rejection(
        reason=error.reason,
        message=f"{where}{error.found}. {MEANINGS[error.reason].fix}",
        path=error.path,
        shop_id=shop_id,
        order_id=order_id,
    )


def unreadable(error: ValidationError, path: str) -> UnreadableError:
    """Choose the first finding of a validation, in the order of the fields, and tell how many were seen beside it."""
    details = error.errors(include_url=False)
    reason, found = _classify(details[0])
    if len(details) > 1:
        found += f" (and at least {len(details) - 1} more findings)"
    return UnreadableError(reason, found, json_path(path, details[0]["loc"])[:PATH_MAX])


def json_path(root: str, steps: tuple[int | str, ...]) -> str:
    """Write a path as people read it: $.data.lines[3].unit_price."""
    return root + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)


def json_type(value: object) -> str:
    """Name the JSON type of a parsed value; never its content, which may be a person's."""
    if value is None or isinstance(value, bool):
        return "null" if value is None else "a boolean"
    if isinstance(value, (int, float, Decimal)):
        return "a number"
    names: dict[type, str] = {str: "a text", list: "a list", dict: "an object"}
    return names.get(type(value), "something else")


_Finding = tuple[RejectionReason, str]

_EXPECTED = {
    "string_type": "a text",
    "tuple_type": "a list",
    "dict_type": "an object",
    "model_type": "an object",
    "bool_type": "true or false",
}


def _classify(detail: ErrorDetails) -> _Finding:
    """Give reason and finding; by what came, where pydantic's own words do not tell enough."""
    kind, value = detail["type"], detail["input"]
    if kind == "missing":
        return RejectionReason.MISSING_FIELD, "is required and not there"
    if value is None:
        return RejectionReason.MISSING_FIELD, "is required and null"
    if kind in _EXPECTED:
        return RejectionReason.WRONG_TYPE, f"is {json_type(value)} and should be {_EXPECTED[kind]}"
    if kind in {"too_long", "string_too_long"}:
        return _classify_length(detail)
    return _CLASSIFY.get(kind, _classify_value)(value, detail.get("ctx", {}))


def _classify_length(detail: ErrorDetails) -> _Finding:
    limit = detail["ctx"]["max_length"]
    if detail["loc"] == ("lines",):
        return RejectionReason.TOO_MANY_LINES, f"has more than {limit:,} entries"
    return RejectionReason.TOO_LONG, f"is longer than {limit:,}"


def _classify_amount(value: object, _: Mapping[str, Any]) -> _Finding:
    if isinstance(value, str):
        return RejectionReason.NOT_A_NUMBER, "is a text that is not a plain decimal number"
    if isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        return (
            RejectionReason.NUMBER_TOO_LONG,
            "is a JSON number of more than 15 digits, or of more decimals than the field holds",
        )
    return RejectionReason.WRONG_TYPE, f"is {json_type(value)} and should be a decimal number in a string"


def _classify_time(value: object, _: Mapping[str, Any]) -> _Finding:
    if isinstance(value, str):
        return RejectionReason.NOT_A_TIME, "is not a time by RFC 3339 of the years 1970 to 2199"
    return RejectionReason.WRONG_TYPE, f"is {json_type(value)} and should be a text"


def _classify_version(value: object, _: Mapping[str, Any]) -> _Finding:
    found = "a whole number from 0 to 2^63 - 1"
    if isinstance(value, (str, int)) and not isinstance(value, bool):
        return RejectionReason.WRONG_VALUE, f"is not {found}"
    return RejectionReason.WRONG_TYPE, f"is {json_type(value)} and should be {found}"


def _classify_literal(value: object, context: Mapping[str, Any]) -> _Finding:
    if isinstance(value, str):
        return RejectionReason.WRONG_VALUE, f"is none of {context['expected']}"
    return RejectionReason.WRONG_TYPE, f"is {json_type(value)} and should be one of {context['expected']}"


def _classify_value(_: object, __: Mapping[str, Any]) -> _Finding:
    return RejectionReason.WRONG_VALUE, "does not have the form that its field's table states"


_CLASSIFY: dict[str, Callable[[object, Mapping[str, Any]], _Finding]] = {
    NOT_AN_AMOUNT: _classify_amount,
    NOT_A_TIME: _classify_time,
    NOT_A_VERSION: _classify_version,
    "literal_error": _classify_literal,
}
