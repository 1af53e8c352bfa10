"""The fixture `theatre`: a database with the scene set, and connections that stop before each statement."""

import uuid
from collections.abc import AsyncIterator

import pytest_asyncio

from sandbox.postgres import create_database, drop_database
from tests.transactions.pairs import Theatre, open_theatre


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def theatre(postgres_admin_url: str, migrated_template: str) -> AsyncIterator[Theatre]:
    """A database with the scene set in it, for all tests of this folder: each run puts the scene back itself."""
    name = f"transactions_{uuid.uuid4().hex}"
    url = await create_database(postgres_admin_url, name, template=migrated_template)
    async with open_theatre(url) as opened:
        yield opened
    await drop_database(postgres_admin_url, name)
