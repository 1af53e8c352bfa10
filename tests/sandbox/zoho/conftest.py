"""A running stand-in for the tests of it: one process for all, an organisation of its own for each."""

import json
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from sandbox.zoho.client import ControlClient
from tests.sandbox.zoho.books import WIDE, Books

_ROOT = Path(__file__).resolve().parents[3]
_END_SECONDS = 10


@pytest.fixture(scope="session")
def standin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run one stand-in for the whole session and give its address."""
    state = tmp_path_factory.mktemp("zoho") / "books.sqlite"
    command = [sys.executable, "-m", "sandbox.zoho", "--state", str(state), "--exit-with-parent"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=_ROOT) as process:  # noqa: S603  # our own
        assert process.stdout is not None
        yield str(json.loads(process.stdout.readline())["url"])
        process.terminate()
        process.wait(_END_SECONDS)


@pytest.fixture
async def control(standin: str) -> AsyncIterator[ControlClient]:
    """Give the control API; faults and latency are gone afterwards."""
    async with ControlClient(standin) as client:
        yield client
        await client.clear_faults()
        await client.set_latency(0)
        await client.set_oauth(access_token_seconds=3600, code_seconds=60, tokens_per_window=10, window_seconds=600)


@pytest.fixture
async def books(standin: str, control: ControlClient) -> AsyncIterator[Books]:
    """Give an organisation with German taxes, a unique field and wide limits."""
    founded = await control.create_organization(
        name="Example",
        currency_code="EUR",
        time_zone="Europe/Berlin",
        country_code="DE",
        unique_field="cf_booked_key",
        taxes=[{"tax_name": "VAT", "tax_percentage": 19}, {"tax_name": "Reduced", "tax_percentage": 7}],
        tax_groups=[{"tax_group_name": "Both", "taxes": ["VAT", "Reduced"]}],
        currencies=[{"currency_code": "USD", "exchange_rate": 0.9}, "JPY", "KWD"],
        limits=WIDE,
    )
    granted = await control.grant(organization_ids=[founded.organization_id])
    async with httpx.AsyncClient(timeout=10, trust_env=False) as client:
        yield Books(
            url=standin,
            control=control,
            founded=founded,
            token=granted.access_token,
            refresh_token=granted.refresh_token,
            client=client,
        )
