"""The bench fixture: every test of the suite runs on the in-memory ledger and on Zoho's."""

from collections.abc import AsyncIterator

import pytest

from sandbox.zoho.client import ControlClient
from tests.conformance.ledger.benches import Bench, memory_bench, zoho_bench


@pytest.fixture(params=["memory", "zoho"])
async def bench(request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    """Give both ledgers one after the other; the stand-in is started only for the second."""
    if request.param == "memory":
        made = memory_bench()
        yield made
        await made.ledger.aclose()
        return
    url = request.getfixturevalue("zoho_url")
    async with ControlClient(url) as control:
        made = await zoho_bench(url, control)
        yield made
        await made.ledger.aclose()
        await control.clear_faults()
