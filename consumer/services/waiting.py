"""Waiting for the first of several things, without leaving anything behind."""

import asyncio
from collections.abc import Awaitable


async def first_of(*waits: Awaitable[object], timeout_seconds: float) -> None:
    """Wait until one of these is done, or so long at most; the others are cancelled and awaited.

    A wake-up that arrives together with another one may be lost in this: whoever waits here has to look at everything
    again afterwards, whatever it was that came.
    """
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    try:
        await asyncio.wait(tasks, timeout=timeout_seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
