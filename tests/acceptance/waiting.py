"""Waiting for a condition that only asking can tell, with a deadline."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")
EVERY_SECONDS = 0.1


async def until(
    ask: Callable[[], Awaitable[T]], enough: Callable[[T], object], *, what: str, timeout_seconds: float = 60
) -> T:
    """Ask again and again until the answer is enough, and give it; fails with the last answer when time is over."""
    last: T | None = None
    try:
        async with asyncio.timeout(timeout_seconds):
            while True:
                last = await ask()
                if enough(last):
                    return last
                # Nothing tells us of the change, so it is asked for; more often would only load the machine.
                with suppress(TimeoutError):
                    await asyncio.wait_for(asyncio.Event().wait(), EVERY_SECONDS)
    except TimeoutError:
        raise AssertionError(f"after {timeout_seconds:g} seconds still not: {what}; last seen: {last}") from None
