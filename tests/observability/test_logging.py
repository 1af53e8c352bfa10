"""Logs: JSON lines in which neither a secret nor a person can be found, wherever they were put."""

import io
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog

from consumer.observability.logging import mask_text, set_up_logging

TOKEN = f"1000.{'a1' * 16}.{'b2' * 16}"
CANARIES = (TOKEN, "canary-secret", "anna@example.org", "Kerkstraat 1")


@pytest.fixture
def logged() -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """Log into memory, and give the lines."""
    stream, root = io.StringIO(), logging.getLogger()
    handlers, level = root.handlers, root.level
    set_up_logging("info", stream=stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()


def clean(lines: list[dict[str, Any]]) -> bool:
    """Tell whether no canary is in any line."""
    text = json.dumps(lines, ensure_ascii=False)
    return bool(lines) and not any(canary in text for canary in CANARIES)


@pytest.mark.parametrize(
    "fields",
    [
        {"token": "canary-secret"},
        {"access_token": "canary-secret"},
        {"client_secret": "canary-secret"},
        {"database_url": "canary-secret"},
        {"Authorization": "canary-secret"},
        {"email": "anna@example.org"},
        {"street": "Kerkstraat 1"},
        {"request": "canary-secret"},
        {"error": f"refused {TOKEN}"},
        {"error": "Zoho-oauthtoken canary-secret"},
        {"error": "at postgresql://booked:canary-secret@db/booked"},
        {"error": "POST /token?refresh_token=canary-secret&x=1"},
        {"error": "contact anna@example.org exists"},
        {"details": {"token": "canary-secret", "deep": [{"email": "anna@example.org"}]}},
        {"words": ["contact anna@example.org", ("Bearer canary-secret",)]},
        {"error": ValueError("contact anna@example.org")},
    ],
    ids=str,
)
def test_no_field_shows_a_secret_or_a_person(fields: dict[str, Any], logged: Callable[[], Any]) -> None:
    """By the field's name or by how the value looks, however deep it lies."""
    structlog.get_logger().warning("event", **fields)
    assert clean(logged())


def test_an_exception_is_told_without_locals_and_with_masked_words(logged: Callable[[], Any]) -> None:
    """A traceback's values hold orders and tokens."""

    def fail(hidden: str) -> None:
        raise ValueError(f"token {TOKEN} {len(hidden)}")

    try:
        fail(CANARIES[1])
    except ValueError:
        structlog.get_logger().exception("failed")
    lines = logged()
    assert clean(lines)
    assert "ValueError" in lines[0]["exception"]


def test_a_librarys_warning_is_a_line_like_the_others_and_masked(logged: Callable[[], Any]) -> None:
    """Httpx's whole addresses at INFO are left out altogether."""
    logging.getLogger("httpx").info("GET https://x/?refresh_token=canary-secret")
    logging.getLogger("httpx").warning("GET https://x/?refresh_token=%s", "canary-secret")
    lines = logged()
    assert [line["level"] for line in lines] == ["warning"]
    assert clean(lines)


def test_what_is_no_secret_stays_readable(logged: Callable[[], Any]) -> None:
    """Order, shop, figures; also a token's age."""
    structlog.get_logger().info("order_booked", shop="north", order="1001", calls=2, token_age_seconds=7.5)
    (line,) = logged()
    assert (line["event"], line["shop"], line["order"], line["calls"]) == ("order_booked", "north", "1001", 2)
    assert line["token_age_seconds"] == 7.5
    assert line["timestamp"].endswith("Z")


def test_lines_below_the_level_are_left_out(logged: Callable[[], Any]) -> None:
    """Debug lines at info."""
    structlog.get_logger().debug("quiet")
    assert logged() == []


def test_every_line_names_the_sandbox_ledger_where_one_is_used() -> None:
    """Nobody shall take a trial for the real thing."""
    stream, root = io.StringIO(), logging.getLogger()
    handlers, level = root.handlers, root.level
    set_up_logging("info", stream=stream, sandbox_ledger="http://127.0.0.1:9000")
    structlog.get_logger().info("one")
    logging.getLogger("aiokafka").warning("two")
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [line["sandbox_ledger"] for line in lines] == ["http://127.0.0.1:9000"] * 2


def test_masking_leaves_ordinary_words_alone() -> None:
    """Figures, ids and names of things."""
    text = "order 1000.5 of north/1001 differs by 0.01 EUR at 22 %"
    assert mask_text(text) == text
