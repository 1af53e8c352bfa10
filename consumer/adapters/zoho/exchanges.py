"""One call as it is kept in the log: without tokens, secrets and customer links, and cut to a bounded size."""

import re
from collections.abc import Iterable, Mapping
from typing import Final
from urllib.parse import urlencode

from consumer.adapters.zoho.requests import Request
from consumer.domain.exchanges import QuotaReading

MAX_BODY_BYTES: Final = 64 * 1024
MASK: Final = "***"

_MAX_QUOTA: Final = 100_000_000
# Each pattern ends where the JSON around it goes on: what is masked is read afterwards.
_SECRET_FIELDS: Final = re.compile(
    r"""(?P<name>["'](?:access_token|refresh_token|client_secret|id_token|authorization|[a-z_]*invoice_url|qr_value)["'])"""
    r"""\s*:\s*(?:"(?:\\.|[^"\\]){0,4096}"|'(?:\\.|[^'\\]){0,4096}')""",
    re.IGNORECASE,
)
_LINK: Final = re.compile(r"""https?:(?:\\/|\\u[0-9a-f]{4}|[^\s"'<>\\])*+""", re.IGNORECASE)
_TOKEN: Final = re.compile(r"1000\.[0-9a-f]{32}\.[0-9a-f]{32}", re.IGNORECASE)


def masked(text: str, secrets: Iterable[str] = ()) -> str:
    """Mask tokens, secrets and customer links, wherever in a text they stand."""
    text = _SECRET_FIELDS.sub(rf'\g<name>:"{MASK}"', text)
    text = _TOKEN.sub(MASK, _LINK.sub(_masked_link, text))
    for secret in secrets:
        text = text.replace(secret, MASK) if secret else text
    return text


def _masked_link(link: re.Match[str]) -> str:
    # The open link by which a customer pays: whoever has it sees the invoice. A whole link is matched first and
    # looked at then, so that the time does not grow with the square of what a server sends.
    found = link[0].lower()
    return MASK if "securepayment" in found or "cinvoiceid" in found else link[0]


def kept(text: str) -> str:
    """Cut a masked text to MAX_BODY_BYTES of UTF-8 as it is kept; NUL is replaced, because the database refuses it."""
    cut = text.replace("\x00", "\ufffd").encode("utf-8", "replace")[:MAX_BODY_BYTES]
    return cut.decode("utf-8", "ignore")


def path_with_query(request: Request) -> str:
    """Give the address called, without its host."""
    return f"{request.path}?{urlencode(request.query)}" if request.query else request.path


def quota(headers: Mapping[str, str]) -> QuotaReading | None:
    """Read the day's calls from the headers; None where they are missing (some answers have none) or rubbish."""
    limit, left = _count(headers.get("x-rate-limit-limit")), _count(headers.get("x-rate-limit-remaining"))
    if limit is None or left is None:
        return None
    resets = _count(headers.get("x-rate-limit-reset"))
    return QuotaReading(limit=limit, left=left, resets_in_seconds=None if resets is None else float(resets))


def _count(text: str | None) -> int | None:
    stripped = (text or "").strip()
    if not stripped.isascii() or not stripped.isdecimal() or len(stripped) > len(str(_MAX_QUOTA)):
        return None
    return min(int(stripped), _MAX_QUOTA)
