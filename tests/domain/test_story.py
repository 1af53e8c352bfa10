"""What the lines of an order's story say: each kind of thing that happened, in one sentence."""

from typing import Any

import pytest

from consumer.domain.story import story_text

EVENT = {"kind": "updated", "topic": "order.updated", "partition": 2, "offset": 17, "verdict": "newest"}
INTENT = {"operation": "create_invoice", "resolution": "done", "doubtful": False, "late_answer": False}
CALL = {"method": "POST", "path": "/invoices", "status": 201, "code": 0, "outcome": "ok"}
MESSAGE = {"topic_kind": "invoice.synced", "sequence": 3, "state": "sent", "error": None}


@pytest.mark.parametrize(
    ("kind", "details", "text"),
    [
        ("event", EVENT, "updated came in (order.updated[2]@17): newest"),
        ("decision", {"decision": "create", "words": ["One.", "Two."]}, "create: One. Two."),
        ("decision", {"decision": "create", "words": []}, "create"),
        ("intent", INTENT, "create_invoice was about to be sent: done"),
        ("intent", {**INTENT, "resolution": None}, "create_invoice was about to be sent: open"),
        (
            "intent",
            {**INTENT, "resolution": None, "doubtful": True},
            "create_invoice was about to be sent: in doubt",
        ),
        (
            "intent",
            {**INTENT, "late_answer": True},
            "create_invoice was about to be sent: done; an answer came late",
        ),
        ("exchange", CALL, "POST /invoices: 201 (ok)"),
        ("exchange", {**CALL, "status": 400, "code": 4097, "outcome": "r"}, "POST /invoices: 400, code 4097 (r)"),
        ("exchange", {**CALL, "code": 1}, "POST /invoices: 201, code 1 (ok)"),
        ("exchange", {**CALL, "status": None, "code": None}, "POST /invoices: no answer (ok)"),
        ("message", MESSAGE, "invoice.synced number 3 is sent"),
        ("message", {**MESSAGE, "state": "failed", "error": "x"}, "invoice.synced number 3 is failed: x"),
        ("audit", {"actor": "jane", "action": "hold", "details": {"note": "wait"}}, "jane: hold (wait)"),
        ("audit", {"actor": "jane", "action": "hold", "details": {}}, "jane: hold"),
    ],
)
def test_each_thing_that_happened_is_one_sentence(kind: str, details: dict[str, Any], text: str) -> None:
    """With what a person needs to find it again, and nothing where nothing is known."""
    assert story_text(kind, details) == text
