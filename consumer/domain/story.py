"""What the lines of an order's story say, from the plain data of each thing that happened."""

from collections.abc import Callable, Mapping
from typing import Any

LINES_MAX = 1000  # of one story: the newest


def story_text(kind: str, details: Mapping[str, Any]) -> str:
    """Give the sentence of one line; ``kind`` as in ports.settings.StoryLine."""
    return _TEXTS[kind](details)


def _event(details: Mapping[str, Any]) -> str:
    place = f"{details['topic']}[{details['partition']}]@{details['offset']}"
    return f"{details['kind']} came in ({place}): {details['verdict']}"


def _decision(details: Mapping[str, Any]) -> str:
    return " ".join([f"{details['decision']}:", *details["words"]]) if details["words"] else str(details["decision"])


def _intent(details: Mapping[str, Any]) -> str:
    end = details["resolution"] or ("in doubt" if details["doubtful"] else "open")
    late = "; an answer came late" if details["late_answer"] else ""
    return f"{details['operation']} was about to be sent: {end}{late}"


def _exchange(details: Mapping[str, Any]) -> str:
    status = "no answer" if details["status"] is None else str(details["status"])
    code = "" if details["code"] in (None, 0) else f", code {details['code']}"
    return f"{details['method']} {details['path']}: {status}{code} ({details['outcome']})"


def _message(details: Mapping[str, Any]) -> str:
    error = f": {details['error']}" if details["error"] else ""
    return f"{details['topic_kind']} number {details['sequence']} is {details['state']}{error}"


def _audit(details: Mapping[str, Any]) -> str:
    note = details["details"].get("note")
    return f"{details['actor']}: {details['action']}" + (f" ({note})" if note else "")


_TEXTS: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "event": _event,
    "decision": _decision,
    "intent": _intent,
    "exchange": _exchange,
    "message": _message,
    "audit": _audit,
}
