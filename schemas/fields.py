"""The field types of the contract that are not money: ids, texts, codes, times and versions, with their limits.

The checks run within pydantic's core, not in Python functions: the intake reads thousands of orders a second.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, GetJsonSchemaHandler, StrictBool
from pydantic import StringConstraints as Limits
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

VERSION_MAX = 2**63 - 1  # what a bigint of Postgres, a long of Java and PHP's integer hold
NOT_A_TIME = "time"  # the error types that pydantic reports for these fields
NOT_A_VERSION = "version"

# U+FFFD is what a NUL or a lone surrogate was replaced by: two broken ids could look the same, so no id may hold it.
ID_PATTERN = "^[^\\s\\ufffd](?:[^\\x00-\\x1f\\x7f\\ufffd]*[^\\s\\ufffd])?$"
# A shop's id holds no slash, so that "shop_id/order_id" can be read in one way only.
SHOP_ID_PATTERN = "^[^\\s/\\x00-\\x1f\\x7f\\ufffd]+$"
TIME_PATTERN = (
    "^(?:19[7-9][0-9]|2[01][0-9]{2})-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\\.[0-9]{1,9})?)?"
    "(?:Z|[+-][0-9]{2}:?[0-9]{2})?$"
)

Id = Annotated[str, Limits(strict=True, min_length=1, max_length=200, pattern=ID_PATTERN)]
ShopId = Annotated[str, Limits(strict=True, min_length=1, max_length=200, pattern=SHOP_ID_PATTERN)]
Word = Annotated[str, Limits(strict=True, max_length=200)]
Name = Annotated[str, Limits(strict=True, max_length=2_000)]
Prose = Annotated[str, Limits(strict=True, max_length=20_000)]
Country = Annotated[str, Limits(strict=True, to_upper=True, pattern="^(?:[A-Za-z]{2})?$")]
Currency = Annotated[str, Limits(strict=True, to_upper=True, pattern="^[A-Za-z]{3}$")]
Flag = StrictBool


class Part(BaseModel):
    """A part of the contract. Fields that it does not name are kept (``model_extra``), counted, and can be mapped."""

    model_config = ConfigDict(extra="allow", frozen=True)


@dataclass(frozen=True, slots=True)
class TimeText:
    """A time by RFC 3339; without an offset it is read in the shop's time zone later, and is naive here."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Check the shape in pydantic's core, then let datetime refuse what no calendar has."""
        text = core_schema.chain_schema(
            [
                core_schema.str_schema(pattern=TIME_PATTERN, strict=True),
                core_schema.no_info_plain_validator_function(datetime.fromisoformat),
            ]
        )
        return core_schema.custom_error_schema(
            core_schema.union_schema([text, core_schema.is_instance_schema(datetime)], mode="left_to_right"),
            custom_error_type=NOT_A_TIME,
            custom_error_message="not a time by RFC 3339",
            serialization=core_schema.plain_serializer_function_ser_schema(
                datetime.isoformat, return_schema=core_schema.str_schema()
            ),
        )

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Describe the shape by a pattern: the format "date-time" would demand an offset."""
        return {"type": "string", "pattern": TIME_PATTERN}


@dataclass(frozen=True, slots=True)
class VersionNumber:
    """A whole number from 0 to 2^63 - 1, as a JSON integer or as a string of digits."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Take both forms; true and 3.0 are neither."""
        number = core_schema.int_schema(strict=True, ge=0, le=VERSION_MAX)
        digits = core_schema.chain_schema(
            [
                core_schema.str_schema(pattern="^[0-9]{1,19}$", strict=True),
                core_schema.no_info_plain_validator_function(int),
                number,
            ]
        )
        return core_schema.custom_error_schema(
            core_schema.union_schema([number, digits], mode="left_to_right"),
            custom_error_type=NOT_A_VERSION,
            custom_error_message="not a whole number from 0 to 2^63 - 1",
        )

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Describe both forms."""
        number = {"type": "integer", "minimum": 0, "maximum": VERSION_MAX}
        return {"anyOf": [number, {"type": "string", "pattern": "^[0-9]{1,19}$"}]}


Time = Annotated[datetime, TimeText()]
Version = Annotated[int, VersionNumber()]


def _empty_if_null(value: Any) -> Any:
    return () if value is None else value


@dataclass(frozen=True, slots=True)
class NullIsEmpty:
    """A list that may also be null, which means the same as leaving it out: many serialisers write it so."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Put the empty list in the place of null, before the list is checked."""
        return core_schema.no_info_before_validator_function(_empty_if_null, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Describe the list or null."""
        return {"anyOf": [handler(schema), {"type": "null"}]}
