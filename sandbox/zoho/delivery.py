"""Sending an answer: as it is, or spoilt by a fault."""

import asyncio
import json
import zlib
from collections.abc import AsyncIterator, Mapping, Sequence

from starlette.types import Send

from sandbox.zoho.calls import Answer
from sandbox.zoho.faults import Action
from sandbox.zoho.numbers import dumps

_PIECES_A_SECOND = 10
_CHUNK = 65_536
_BIG_DEFAULT = 50_000_000
_GZIP = 31
"""What makes zlib write a gzip stream."""
_HTML = b"<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"
_RESOURCES = {
    "invoice": "invoice_id",
    "contact": "contact_id",
    "creditnote": "creditnote_id",
    "payment": "payment_id",
    "item": "item_id",
}


def _spoil(answer: Answer, body: bytes, action: Action) -> bytes:
    """Change an answer's body as a fault asks; the answer's status and media type may change with it."""
    match action.name:
        case "garbage":
            body = b"\x00\xff{]not json at all"
        case "html":
            answer.media_type = "text/html"
            answer.status = int(action.number("status", answer.status))
            body = _HTML
        case "empty":
            body = b""
        case "truncated_json":
            body = body[: len(body) // 2]
        case "missing_id":
            body = _without_id(body)
        case "gzip_bomb":
            answer.headers["Content-Encoding"] = "gzip"
            body = _bomb(int(action.number("bytes", _BIG_DEFAULT)))
    return body


def _without_id(body: bytes) -> bytes:
    read = json.loads(body)
    for resource, id_name in _RESOURCES.items():
        if isinstance(read.get(resource), dict):
            read[resource].pop(id_name, None)
    return dumps(read).encode()


def _bomb(size_bytes: int) -> bytes:
    """Make a small body that unpacks to a large one."""
    packer = zlib.compressobj(level=9, wbits=_GZIP)
    packed = [packer.compress(b" " * _CHUNK) for _ in range(max(1, size_bytes // _CHUNK))]
    return b"".join([*packed, packer.flush()])


async def _pieces(body: bytes, actions: Sequence[Action]) -> AsyncIterator[bytes]:
    """Give the body in the pieces that are sent, slowly or followed by more than anybody wants."""
    slow = next((one for one in actions if one.name == "slow_body"), None)
    big = next((one for one in actions if one.name == "big_body"), None)
    if slow is not None:
        size = max(1, int(slow.number("bytes_per_second", 1000) / _PIECES_A_SECOND))
        for start in range(0, len(body), size):
            yield body[start : start + size]
            await asyncio.sleep(1 / _PIECES_A_SECOND)
    elif big is not None:
        # Blanks before the first brace keep it valid JSON: only a limit on the size helps against it.
        for _ in range(max(1, int(big.number("bytes", _BIG_DEFAULT)) // _CHUNK)):
            yield b" " * _CHUNK
        yield body
    else:
        yield body


async def deliver(send: Send, answer: Answer, *, headers: Mapping[str, str], actions: Sequence[Action] = ()) -> None:
    """Send an answer with its headers. A caller that has gone is not told anything, and nothing is raised."""
    body = answer.content if answer.content is not None else dumps(answer.body).encode("utf-8", "replace")
    for action in actions:
        body = _spoil(answer, body, action)
    sent = {"Content-Type": answer.media_type, **headers, **answer.headers}
    if not any(one.name == "big_body" for one in actions):
        sent["Content-Length"] = str(len(body))
    raw = [(name.lower().encode("latin-1"), value.encode("latin-1", "replace")) for name, value in sent.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": raw})
    if actions:
        async for piece in _pieces(body, actions):
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        body = b""
    await send({"type": "http.response.body", "body": body, "more_body": False})
