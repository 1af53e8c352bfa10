"""How a good input is spoilt: by its JSON tree and by its bytes, from a seed."""

import copy
import json
from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any, Final

ODD: Final[tuple[Any, ...]] = (
    None,
    True,
    False,
    0,
    -1,
    1,
    2**63,
    -(2**70),
    10**400,
    0.1,
    -0.0,
    1e308,
    "",
    " ",
    "0",
    "-1",
    "1e400",
    "1E-400",
    "NaN",
    "Infinity",
    "12.345678901234567890123",
    "1,234.50",
    "٣",
    "\x00",
    "\u202e\u0000\ufffe",
    "\ud800",
    "x" * 5000,
    "2026-02-30T25:61:00Z",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
    "{{ lines[0] }}",
    "' OR 1=1 --",
    [],
    {},
    [[]],
    {"": {}},
)
_BYTES: Final = (
    b"\x00",
    b"\xff",
    b"\xed\xa0\x80",
    b"\xef\xbb\xbf",
    b'"',
    b"{",
    b"]",
    b",",
    b"\\u0000",
    b"1e999",
    b"NaN",
)
_DEEP: Final = 40
_GROWN_CHARACTERS: Final = 50_000


def spoilt(good: Any, chance: Random) -> bytes:
    """Give a JSON value as bytes, spoilt one to five times; now and then only its bytes are."""
    tree = json.loads(json.dumps(good))
    for _ in range(chance.randint(0, 4)):
        if len(json.dumps(tree)) < _GROWN_CHARACTERS:  # what is repeated in what is repeated has no bound
            tree = _in_tree(tree, chance)
    text = json.dumps(tree, ensure_ascii=chance.random() < 0.5).encode("utf-8", "surrogatepass")
    return _in_bytes(text, chance) if chance.random() < 0.4 else text


def spoilt_text(good: str, chance: Random) -> str:
    """Give a text, spoilt as bytes and read again, so that it stays a text."""
    content = good.encode()
    for _ in range(chance.randint(1, 4)):
        content = _in_bytes(content, chance)
    return content.decode("utf-8", "replace")


def _in_tree(tree: Any, chance: Random) -> Any:
    """Change one place of the tree: another value, nothing, twice the same, or somebody else's."""
    places = list(_places(tree))
    if not places:
        return _odd(chance)
    holder, step = chance.choice(places)
    way = chance.randrange(6)
    if way == 0:
        del holder[step]
    elif way == 1 and isinstance(holder, list):
        holder.extend([holder[step]] * chance.choice((1, 3)))
    elif way == 2:
        other, elsewhere = chance.choice(places)
        holder[step] = json.loads(json.dumps(other[elsewhere]))
    elif way == 3:
        holder[step] = _nested(chance)
    elif way == 4 and isinstance(holder[step], str | int | float):
        holder[step] = _near(holder[step], chance)
    else:
        holder[step] = _odd(chance)
    return tree


def _places(tree: Any) -> "Sequence[tuple[Any, Any]]":
    found: list[tuple[Any, Any]] = []
    waiting = [tree]
    while waiting:
        one = waiting.pop()
        steps = list(one) if isinstance(one, Mapping) else range(len(one)) if isinstance(one, list) else ()
        found += [(one, step) for step in steps]
        waiting += [one[step] for step in steps]
    return found


def _odd(chance: Random) -> Any:
    # A copy: what is put into a tree is spoilt in its turn, and the next input must not be drawn from that.
    return copy.deepcopy(chance.choice(ODD))


def _nested(chance: Random) -> Any:
    value = _odd(chance)
    for _ in range(chance.randrange(_DEEP)):
        value = [value] if chance.random() < 0.5 else {"a": value}
    return value


def _near(value: Any, chance: Random) -> Any:
    """Give what is nearly the same: a number as text, a sign, a digit more."""
    text = str(value)
    return chance.choice((text, f"-{text}", f"{text}0", f" {text} ", text[:-1], text + text, text.upper(), [value]))


def _in_bytes(content: bytes, chance: Random) -> bytes:
    at = chance.randrange(len(content) + 1)
    until = min(len(content), at + chance.choice((1, 1, 4, 50)))
    ways: Sequence[Callable[[], bytes]] = (
        lambda: content[:at],
        lambda: content[:at] + content[until:],
        lambda: content[:at] + chance.choice(_BYTES) + content[at:],
        lambda: content[:at] + chance.randbytes(until - at) + content[until:],
        lambda: content[:until] + content[at:],
        lambda: content + content,
        lambda: b"[" * chance.choice((10, 40, 5000)) + content,
    )
    return chance.choice(ways)()
