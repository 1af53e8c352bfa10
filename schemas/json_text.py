"""From bytes to parsed JSON, within limits: size, UTF-8, depth, no NaN, and characters that Postgres cannot hold.

Numbers with a fraction or an exponent become ``Decimal`` from their own text. A double is never made.
"""

import json
import re
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from itertools import accumulate
from typing import Any, NamedTuple

from schemas.rejections import PATH_MAX, RejectionReason, UnreadableError, json_path

SIZE_MAX_BYTES = 1_048_576
DEPTH_MAX = 32
REPLACEMENT = "\ufffd"

# An unclosed string runs to the end (the last quote is optional): without that, a text full of escaped quotes would be
# searched again from each of them. Possessive, so that nothing is ever tried twice.
_STRINGS = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
_ALL_BUT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_STEP = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}
_SUSPECT_ESCAPE = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class ReadJson(NamedTuple):
    """A parsed document, and how many characters of it were replaced by U+FFFD."""

    body: Any
    replaced: int


class _Constant(NamedTuple):
    """Stands in the parsed tree where NaN or Infinity was written, so that the place can be told."""

    text: str


_decode = json.JSONDecoder(parse_float=Decimal, parse_constant=_Constant).decode


def read_json(value: bytes) -> ReadJson:
    """Parse one message. Raises UnreadableError; no other exception, whatever the bytes are."""
    if len(value) > SIZE_MAX_BYTES:
        raise UnreadableError(
            RejectionReason.TOO_LARGE, f"the message has {len(value)} bytes, {SIZE_MAX_BYTES} at most"
        )
    text, replaced = _read_text(value)
    # The depth is counted before the parse: the parser recurses, and a deep enough text would end in the stack's limit.
    if value.count(b"[") + value.count(b"{") > DEPTH_MAX and _depth(value) > DEPTH_MAX:
        raise UnreadableError(RejectionReason.TOO_DEEP, f"the JSON is nested more than {DEPTH_MAX} deep")
    body = _parse(text)
    if "NaN" in text or "Infinity" in text:
        _refuse_constants(body)
    if _SUSPECT_ESCAPE.search(text) is None:
        return ReadJson(body, replaced)
    body, more = _storable(body)
    return ReadJson(body, replaced + more)


def _read_text(value: bytes) -> tuple[str, int]:
    """Decode, and replace raw NULs and raw lone surrogates; bytes of surrogate pairs (CESU-8) become characters."""
    try:
        text = value.decode()
        replaced = 0
    except UnicodeDecodeError:
        text, replaced = _read_surrogates(value)
    text = text.removeprefix("\ufeff")  # a byte order mark
    if "\x00" in text:
        replaced += text.count("\x00")
        text = text.replace("\x00", REPLACEMENT)
    return text, replaced


def _read_surrogates(value: bytes) -> tuple[str, int]:
    try:
        text = value.decode(errors="surrogatepass")
    except UnicodeDecodeError as error:
        raise UnreadableError(RejectionReason.NOT_UTF8, f"the byte at position {error.start} is not UTF-8") from error
    joined = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
    return _replace(joined)


def _replace(text: str) -> tuple[str, int]:
    return _UNSTORABLE.subn(REPLACEMENT, text)


def _depth(value: bytes) -> int:
    """Count how deep lists and objects are nested, strings left out; exact as far as the text is valid JSON."""
    brackets = _STRINGS.sub(b"", value).translate(None, _ALL_BUT_BRACKETS)
    return max(accumulate(map(_STEP.__getitem__, brackets)), default=0)


def _parse(text: str) -> Any:
    try:
        return _decode(text)
    except json.JSONDecodeError as error:
        found = f"the text is not JSON: {error.msg} at line {error.lineno}, column {error.colno}"
        if text.startswith(REPLACEMENT):
            found += "; it begins with a zero byte, as with a schema registry's serialiser: use a plain one"
        raise UnreadableError(RejectionReason.MALFORMED_JSON, found) from error
    except (ValueError, InvalidOperation) as error:
        # Python refuses integers of more than 4,300 digits, and Decimal exponents beyond its range.
        raise UnreadableError(RejectionReason.NUMBER_TOO_LONG, "a number has thousands of digits") from error


def _refuse_constants(body: Any) -> None:
    for path, constant in _constants(body, "$"):
        raise UnreadableError(
            RejectionReason.NOT_A_NUMBER, f"is {constant.text}, which JSON does not have", path[:PATH_MAX]
        )


def _constants(body: Any, path: str) -> Iterator[tuple[str, _Constant]]:
    if isinstance(body, _Constant):
        yield path, body
    elif isinstance(body, dict):
        for name, value in body.items():
            yield from _constants(value, json_path(path, (name,)))
    elif isinstance(body, list):
        for index, value in enumerate(body):
            yield from _constants(value, json_path(path, (index,)))


def _storable(body: Any) -> tuple[Any, int]:
    """Replace NULs and lone surrogates in every text, names of fields included, and count them."""
    if isinstance(body, str):
        return _replace(body)
    if isinstance(body, list):
        values = [_storable(value) for value in body]
        return [value for value, _ in values], sum(count for _, count in values)
    if isinstance(body, dict):
        pairs = [(_replace(name), _storable(value)) for name, value in body.items()]
        return {name: value for (name, _), (value, _) in pairs}, sum(name[1] + value[1] for name, value in pairs)
    return body, 0
