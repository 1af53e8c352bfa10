"""Whether the reference patterns of two shops could ever write the same reference into one organisation."""

import re

_FREE = re.compile(r"\{order_id\}|\{number\}")


def patterns_could_meet(first_shop: str, first: str, second_shop: str, second: str) -> bool:
    """Tell whether two shops' patterns could give the same text; an order's id and number can be anything.

    Between a pattern's first and last free part anything may stand, so that two patterns are kept apart only by what
    is fixed before or after: where neither beginning is a beginning of the other, or neither end an end of the other.
    """
    begins, ends = zip(_fixed_ends(first_shop, first), _fixed_ends(second_shop, second), strict=True)
    apart_before = not (begins[0].startswith(begins[1]) or begins[1].startswith(begins[0]))
    apart_after = not (ends[0].endswith(ends[1]) or ends[1].endswith(ends[0]))
    return not (apart_before or apart_after)


def _fixed_ends(shop_id: str, pattern: str) -> tuple[str, str]:
    filled = pattern.replace("{shop_id}", shop_id)
    parts = _FREE.split(filled)
    return parts[0], parts[-1]
