"""Amounts, quantities and rates on the wire: decimal strings, or JSON numbers that no double has touched.

A shop should write ``"19.90"``. A JSON number is taken too, up to 15 significant digits: beyond that the parser of
most languages rounds it on the way, silently, and a cent is gone before anybody looks. Our own parser makes a
``Decimal`` of the text that came, never a float, so what is refused here was written that way.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

NUMBER_DIGITS_MAX = 15  # a double keeps 15 significant digits of any decimal number, and not always more
NOT_AN_AMOUNT = "amount"  # the error type that pydantic reports for all of these fields


@dataclass(frozen=True, slots=True)
class DecimalText:
    """A field that holds an exact decimal: at most ``integer_digits`` before the point and ``decimals`` behind it.

    Their sum is 28 or less, the precision of Python's default context, so that no value is rounded when it is used.
    """

    integer_digits: int
    decimals: int
    keeps_zeros: bool = False  # written with the decimals that it has, not in the normal form

    @property
    def pattern(self) -> str:
        """Give the pattern of the string form: no exponent, no sign of plus, no thousands separator."""
        return rf"^-?(?:0|[1-9][0-9]{{0,{self.integer_digits - 1}}})(?:\.[0-9]{{1,{self.decimals}}})?$"

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Read strings within pydantic's core; only JSON numbers and values made in Python reach a function of ours."""
        text = core_schema.chain_schema(
            [
                core_schema.str_schema(pattern=self.pattern, strict=True),
                core_schema.no_info_plain_validator_function(Decimal),
            ]
        )
        number = core_schema.no_info_plain_validator_function(self.read_number)
        return core_schema.custom_error_schema(
            core_schema.union_schema([text, number], mode="left_to_right"),
            custom_error_type=NOT_AN_AMOUNT,
            custom_error_message="not a plain decimal number",
            serialization=core_schema.plain_serializer_function_ser_schema(
                written if self.keeps_zeros else plain, return_schema=core_schema.str_schema()
            ),
        )

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Describe both forms (what we write is a string); a number's 15 digits cannot be said in JSON Schema."""
        text = {"type": "string", "pattern": self.pattern}
        return text if handler.mode == "serialization" else {"anyOf": [text, {"type": "number"}]}

    def read_number(self, value: object) -> Decimal:
        """Take a JSON number (int, or Decimal made of its text). Raises ValueError for anything that is not exact."""
        number = Decimal(value) if type(value) is int else value
        if not isinstance(number, Decimal) or not number.is_finite():
            raise ValueError("not a number")
        _, digits, exponent = number.as_tuple()
        if len(digits) > NUMBER_DIGITS_MAX or number.adjusted() >= NUMBER_DIGITS_MAX:
            raise ValueError("too many digits for a JSON number")
        if isinstance(exponent, int) and -exponent > self.decimals:
            raise ValueError("too many decimals")
        return number


def plain(value: Decimal) -> str:
    """Write a decimal as plain text without trailing zeros: ``Decimal("10.00")`` and ``Decimal("1E+1")`` give "10"."""
    return plain_text(format(value, "f"))


def written(value: Decimal) -> str:
    """Write a decimal as plain text with the decimals that it has: ``Decimal("24.40")`` gives "24.40"."""
    return format(value, "f")


def plain_text(text: str) -> str:
    """Take the trailing zeros off a plain decimal text: "10.00" and "10" are one amount, and "-0.0" is "0"."""
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def plain_value(value: Any) -> str:
    """Give the normal form of an amount as it came: a decimal string, an int, or a Decimal made of a JSON number."""
    if type(value) is str:
        return plain_text(value)
    return str(value) if type(value) is int else plain(value)


Amount = Annotated[Decimal, DecimalText(18, 10)]
LedgerAmount = Annotated[Decimal, DecimalText(18, 10, keeps_zeros=True)]
Quantity = Annotated[Decimal, DecimalText(18, 10)]
Rate = Annotated[Decimal, DecimalText(18, 10)]
ExchangeRate = Annotated[Decimal, DecimalText(8, 20)]
