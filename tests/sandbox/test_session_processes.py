"""What serves the test session ends with it, also when pytest is killed; what is missing skips, in CI fails."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.processes import wait_until_ended
from tests.server_fixtures import LedgerStandIn
from tests.session_processes import session_process, unavailable

ROOT = Path(__file__).resolve().parents[2]
DEADLINE_SECONDS = 60.0

# A test session with Postgres and the stand-in that says what runs below it, and waits.
SESSION = """
import json, signal, sys
import psutil
from tests.session_processes import session_process
servers = ["-m", "sandbox", "postgres", "--until-input-ends"]
stand_in = ["-m", "sandbox.zoho", "--state", sys.argv[1], "--exit-with-parent"]
with session_process(servers), session_process(stand_in):
    print(json.dumps([child.pid for child in psutil.Process().children(recursive=True)]), flush=True)
    signal.pause()
"""


@pytest.mark.integration
async def test_servers_end_with_a_killed_session(tmp_path: Path) -> None:
    """After ``kill -9`` of the test session its servers, their keepers and the stand-in are gone."""
    environment = {key: value for key, value in os.environ.items() if key != "SANDBOX"}
    session = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", SESSION, str(tmp_path / "books.sqlite")),
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
    )
    assert session.stdout is not None
    pids = json.loads(await asyncio.wait_for(session.stdout.readline(), DEADLINE_SECONDS))

    session.send_signal(signal.SIGKILL)
    await asyncio.wait_for(session.wait(), DEADLINE_SECONDS)

    # The runner, the keeper, Postgres with its own children, and the stand-in.
    assert len(pids) >= 5
    assert await asyncio.to_thread(wait_until_ended, pids, DEADLINE_SECONDS)


def test_a_missing_service_skips_at_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """Outside of CI a test whose service is missing is skipped with the reason."""
    monkeypatch.delenv("CI", raising=False)

    with pytest.raises(pytest.skip.Exception, match="no broker"):
        unavailable("no broker")


def test_a_missing_service_fails_in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    """In CI nothing may be missing."""
    monkeypatch.setenv("CI", "true")

    # Both are caught: a skip that got through would skip this very test instead of failing it.
    with pytest.raises((pytest.fail.Exception, pytest.skip.Exception)) as raised:
        unavailable("no broker")

    assert raised.type is pytest.fail.Exception
    assert str(raised.value) == "missing in CI: no broker"


def test_a_program_that_announces_nothing_gives_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    """The end of its standard error is the reason for skipping."""
    monkeypatch.delenv("CI", raising=False)

    with (
        pytest.raises(pytest.skip.Exception, match="the port is taken"),
        session_process(["-c", "raise SystemExit('the port is taken')"]),
    ):
        pass


async def test_the_stand_in_has_an_organisation_of_this_test(zoho: LedgerStandIn) -> None:
    """The fixture's tokens open its organisation, in which nothing is booked yet."""
    assert (await zoho.control.organization(zoho.organization_id))["organization_id"] == zoho.organization_id
    assert (await zoho.control.ledger(zoho.organization_id))["invoices"] == []
    assert zoho.granted.access_token
