"""Logs: one JSON line per event, with fixed names and fields; secrets and personal data never get into them."""

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any, TextIO

import structlog

MASK = "***"
_DEPTH_MAX = 4  # of what is looked into; what lies deeper is masked as text
# Fields that may not be printed whatever they hold.
_SECRET_FIELDS = re.compile(r"(token|secret|password|authorization|refresh|access_key|dsn|database_url)", re.IGNORECASE)
_PERSONAL_FIELDS = re.compile(
    r"^(e?mail|phone|street|customer_name|tax_number|address|body|request|response)$", re.IGNORECASE
)
# What looks like a secret or a person within a text.
_IN_TEXT = (
    (re.compile(r"(Zoho-oauthtoken|Bearer)\s+\S+", re.IGNORECASE), r"\1 " + MASK),
    (re.compile(r"\b1000\.[0-9a-f]{32}\.[0-9a-f]{32}\b"), MASK),
    (re.compile(r"(postgres(?:ql)?://[^:@/\s]+):[^@\s]+@"), r"\1:" + MASK + "@"),
    (re.compile(r"((?:refresh_token|client_secret|access_token|code)=)[^&\s\"']+"), r"\1" + MASK),
    (re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"), MASK + "@" + MASK),
)


def mask_text(text: str) -> str:
    """Take secrets and e-mail addresses out of a text."""
    for pattern, put in _IN_TEXT:
        text = pattern.sub(put, text)
    return text


def _mask(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for name, value in event.items():
        event[name] = _masked(name, value)
    return event


def _masked(name: str, value: Any, depth: int = 0) -> Any:
    """Mask one field, by its name or by how it looks, and what lies within it."""
    if name != "token_age_seconds" and (_SECRET_FIELDS.search(name) or _PERSONAL_FIELDS.match(name)):
        return MASK
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Mapping) and depth < _DEPTH_MAX:
        return {str(key): _masked(str(key), inner, depth + 1) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset) and depth < _DEPTH_MAX:
        return [_masked("", inner, depth + 1) for inner in value]
    # Whatever else it is, its text is what would be printed.
    return mask_text(value if isinstance(value, str) else str(value))


def set_up_logging(level: str, *, stream: TextIO | None = None, sandbox_ledger: str | None = None) -> None:
    """Send structlog's events and the libraries' warnings to one stream as JSON lines.

    httpx and httpcore log whole addresses at INFO: they are kept to warnings whatever the level. Where a sandbox
    ledger is used, every line says so.
    """
    out = stream or sys.stderr
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if sandbox_ledger:
        shared.append(_with_sandbox(sandbox_ledger))
    # Only the text of an exception is logged, never locals: they hold orders and tokens.
    render: list[Any] = [structlog.processors.format_exc_info, _mask, structlog.processors.JSONRenderer()]
    structlog.configure(
        processors=[*shared, *render],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(out),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=[_drop_meta, *render])
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    for name in ("httpx", "httpcore", "aiokafka", "asyncio", "uvicorn", "alembic", "sqlalchemy"):
        logging.getLogger(name).setLevel(logging.WARNING)
    # It calls every fresh start of a group an error; that a broker does not answer is said by our own services.
    logging.getLogger("aiokafka.consumer.group_coordinator").setLevel(logging.CRITICAL)


def _with_sandbox(address: str) -> Any:
    def add(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        event["sandbox_ledger"] = address
        return event

    return add


def _drop_meta(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    event.pop("_record", None)
    event.pop("_from_structlog", None)
    return event
