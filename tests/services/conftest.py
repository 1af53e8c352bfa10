"""Keeps the services' own log lines out of the tests' output: thousands of them for one failure."""

from collections.abc import Iterator

import pytest
import structlog
from structlog.typing import EventDict, WrappedLogger


def _drop(_: WrappedLogger, __: str, ___: EventDict) -> EventDict:
    raise structlog.DropEvent


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Log nothing."""
    structlog.configure(processors=[_drop])
    yield
    structlog.reset_defaults()
