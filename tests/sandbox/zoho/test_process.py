"""The process: it starts, survives kill -9 with everything that it answered, and stops at once."""

import asyncio
import json
import os
import select
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from sandbox.zoho.client import ControlClient, running
from sandbox.zoho.recording import Recorder
from sandbox.zoho.store import Store
from tests.sandbox.zoho.books import WIDE, line, until

_ROOT = Path(__file__).resolve().parents[3]
_END_SECONDS = 10


async def _found(control: ControlClient, **settings: Any) -> tuple[str, dict[str, str]]:
    founded = await control.create_organization(name="A", **{"limits": WIDE, **settings})
    granted = await control.grant()
    return founded.organization_id, {"Authorization": f"Zoho-oauthtoken {granted.access_token}"}


async def _write_on(client: httpx.AsyncClient, organization_id: str, body: dict[str, Any], answered: list[str]) -> None:
    """Make invoices until the other side is gone, and note what was answered."""
    for number in range(1_000_000):
        sent = {**body, "reference_number": str(number)}
        answer = await client.post("/invoices", params={"organization_id": organization_id}, json=sent)
        answered.append(answer.json()["invoice"]["reference_number"])


async def test_what_was_answered_survives_a_kill(tmp_path: Path) -> None:
    """Killed in the middle of writing, it has every invoice that got its answer, and at most the one in hand beside.

    Tokens, faults and the day's count are as they were, too.
    """
    state = tmp_path / "books.sqlite"
    answered: list[str] = []
    async with running(state, python=sys.executable) as (url, process), ControlClient(url) as control:
        organization_id, headers = await _found(control)
        await control.add_faults({"id": "kept", "match": {"path_regex": "nothing"}, "action": "empty"})
        async with httpx.AsyncClient(base_url=f"{url}/books/v3", headers=headers, trust_env=False) as client:
            params = {"organization_id": organization_id}
            made = await client.post("/contacts", params=params, json={"contact_name": "Ann"})
            customer = made.json()["contact"]["contact_id"]
            body = {"customer_id": customer, "line_items": [line()]}
            killing = asyncio.get_running_loop().call_later(0.3, process.kill)
            with pytest.raises(httpx.TransportError):
                await _write_on(client, organization_id, body, answered)
            killing.cancel()
        assert await process.wait() == -signal.SIGKILL
    async with running(state, python=sys.executable) as (url, _), ControlClient(url) as control:
        references = [one["reference_number"] for one in (await control.ledger(organization_id))["invoices"]]
        assert len(answered) > 3
        assert references[: len(answered)] == answered
        assert len(references) <= len(answered) + 1
        assert (await control.organization(organization_id))["day_used"] == len(references) + 1
        assert [one["id"] for one in await control.faults()] == ["kept"]
        async with httpx.AsyncClient(base_url=f"{url}/books/v3", headers=headers, trust_env=False) as client:
            answer = await client.get("/invoices", params={"organization_id": organization_id})
            assert answer.json()["code"] == 0


async def test_a_restart_gives_no_calls_back(tmp_path: Path) -> None:
    """A minute that is full is full after the restart too."""
    state = tmp_path / "books.sqlite"
    limits = {**WIDE, "per_minute": 2}
    codes: list[int] = []
    for _ in range(2):
        async with running(state, python=sys.executable) as (url, _), ControlClient(url) as control:
            if not codes:
                organization_id, headers = await _found(control, limits=limits)
            async with httpx.AsyncClient(base_url=f"{url}/books/v3", headers=headers, trust_env=False) as client:
                for _ in range(2):
                    answer = await client.get("/contacts", params={"organization_id": organization_id})
                    codes.append(answer.json()["code"])
    assert codes == [0, 0, 44, 44]


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
async def test_it_stops_at_once_though_calls_are_held(tmp_path: Path, sent: signal.Signals) -> None:
    """A call held for a minute does not hold the process: it ends with 0 within seconds."""
    async with (
        running(tmp_path / "books.sqlite", python=sys.executable) as (url, process),
        ControlClient(url) as control,
    ):
        _, headers = await _found(control)
        await control.set_latency(60)
        async with httpx.AsyncClient(headers=headers, trust_env=False) as client:
            held = asyncio.create_task(client.get(f"{url}/books/v3/organizations"))
            async with asyncio.timeout(_END_SECONDS):
                await until(control.newest_request, 1)
            process.send_signal(sent)
            assert await asyncio.wait_for(process.wait(), _END_SECONDS) == 0
            with pytest.raises(httpx.TransportError):
                await held


def test_it_ends_with_its_parent(tmp_path: Path) -> None:
    """The parent is killed without a chance to tidy up; the stand-in is gone with it."""
    script = (
        "import subprocess, sys, time\n"
        f"command = [sys.executable, '-m', 'sandbox.zoho', '--state', {str(tmp_path / 'books.sqlite')!r},"
        " '--exit-with-parent']\n"
        "child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)\n"
        "child.stdout.readline()\n"
        "print(child.pid, flush=True)\n"
        "sys.stdin.read()\n"
    )
    command = [sys.executable, "-c", script]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=_ROOT) as parent:  # noqa: S603  # our own script
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        watched = os.pidfd_open(child)
        parent.kill()
        parent.wait()
    readable = select.select([watched], [], [], _END_SECONDS)[0]
    os.close(watched)
    assert readable == [watched]


def test_the_ready_line_is_the_only_output(tmp_path: Path) -> None:
    """One line of JSON with the address, and nothing else, also not on the way out."""
    command = [sys.executable, "-m", "sandbox.zoho", "--state", str(tmp_path / "books.sqlite")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=_ROOT) as process:  # noqa: S603  # our own
        assert process.stdout is not None
        assert process.stderr is not None
        line_ = json.loads(process.stdout.readline())
        process.terminate()
        assert (process.stdout.read(), process.stderr.read()) == ("", "")
    assert list(line_) == ["url"]
    assert line_["url"].startswith("http://127.0.0.1:")


async def test_a_seed_file_is_applied_once(tmp_path: Path) -> None:
    """Organisations and grants of the file are there, and a second start with it changes nothing."""
    seed = tmp_path / "seed.json"
    seed.write_text(json.dumps({"organizations": [{"organization_id": "77", "name": "Seeded"}]}), encoding="utf-8")
    for _ in range(2):
        arguments = ("--seed-file", str(seed))
        async with (
            running(tmp_path / "b.sqlite", python=sys.executable, arguments=arguments) as (url, _),
            ControlClient(url) as control,
        ):  # two contexts
            assert (await control.organization("77"))["name"] == "Seeded"


def test_the_record_is_cut_to_what_it_may_keep(tmp_path: Path) -> None:
    """Told to keep 10, the thousandth request leaves the newest ten."""
    store = Store(tmp_path / "books.sqlite")
    recorder = Recorder(store=store)
    recorder.keep = 10
    with store.transaction():
        for _ in range(1000):
            recorder.begin(at=0.0, method="GET", path="/", query="", body="", organization_id="")
    assert [one["seq"] for one in recorder.since(0)] == list(range(991, 1001))
    store.close()
