"""Tracing, where it is switched on: the one place that asks for the extra."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from consumer import __version__
from consumer.config import Settings
from consumer.errors import ConfigurationError
from consumer.ports.tracing import NO_TRACING, Tracing

CLOSE_SECONDS = 5.0


@asynccontextmanager
async def open_tracing(settings: Settings) -> AsyncIterator[Tracing]:
    """Give what traces for the time of the block. Raises ConfigurationError where the extra is not installed."""
    if settings.tracing_url is None:
        yield NO_TRACING
        return
    try:
        from consumer.observability import tracing  # noqa: PLC0415 an extra, imported only where it is wanted
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            "BOOKED_TRACING_URL", "tracing needs the extra `tracing`: install booked[tracing], or take the setting out"
        ) from error
    wanted = tracing.TracingSettings(
        url=settings.tracing_url,
        version=__version__,
        installation=settings.installation,
        share=settings.tracing_share,
    )
    opened = tracing.OpenTelemetryTracing(wanted, tracing.sender(wanted))
    try:
        yield opened
    finally:
        # In a thread that nobody waits for at the end: a collector that hangs must not keep the process.
        closing = threading.Thread(target=opened.close, daemon=True)
        closing.start()
        await asyncio.to_thread(closing.join, CLOSE_SECONDS)
