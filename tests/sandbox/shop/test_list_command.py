"""`python -m sandbox.shop list` serves the shop's own list for as long as it runs."""

import asyncio
import json
import signal
import sys
from pathlib import Path

import httpx

ROOT = Path(__file__).resolve().parents[3]


async def test_the_list_is_served_until_it_is_interrupted() -> None:
    """It prints where and with what to ask, answers with so many orders, and ends with 0."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "sandbox.shop", "list", "--orders", "5", cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(60):
            told = json.loads(await process.stdout.readline())
            async with httpx.AsyncClient(headers={"Authorization": f"Bearer {told['token']}"}) as client:
                answer = await client.get(told["url"], params={"paid_since": "2020-01-01T00:00:00Z"})
            process.send_signal(signal.SIGINT)
            assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert len(answer.json()["orders"]) == 5
