"""A Prometheus over a run of Booked, with the rules that are shipped: as Debian's package `prometheus` has it."""

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import httpx
import yaml

from sandbox.errors import SandboxError
from sandbox.ports import LOOPBACK, free_port
from sandbox.processes import POLL_SECONDS, Process

ROOT = Path(__file__).resolve().parents[1]
RULES = ROOT / "deploy" / "monitoring" / "rules" / "booked.yaml"
UNPACKED = ROOT / ".sandbox" / "prometheus" / "usr" / "bin"  # where the tests unpack Debian's package


def find(name: str = "prometheus") -> Path:
    """Give where ``prometheus`` or ``promtool`` is; raises SandboxError with how to get it."""
    installed = shutil.which(name)
    for path in (UNPACKED / name, *([Path(installed)] if installed else [])):
        if path.is_file():
            return path
    raise SandboxError(
        f"there is no {name}: install Debian's package prometheus (2.42 or later), or have it unpacked below .sandbox"
        " with `python -m tests.monitoring.prometheus`, which needs no root"
    )


@contextlib.asynccontextmanager
async def prometheus(
    folder: Path, jobs: Mapping[str, Mapping[str, str]], *, binary: Path, scrape_seconds: int = 1
) -> AsyncIterator[str]:
    """Run one, with its data and its log in ``folder``, while the block lasts; gives its address.

    ``jobs`` names what is scraped: for each job the processes' names, and for each name ``host:port``.
    """
    file = folder / "prometheus.yaml"
    file.write_text(yaml.safe_dump(_settings(jobs, scrape_seconds)), encoding="utf-8")
    url = f"http://{LOOPBACK}:{free_port()}"
    process = Process(
        name="Prometheus",
        command=[
            str(binary),
            f"--config.file={file}",
            f"--storage.tsdb.path={folder / 'prometheus'}",
            f"--web.listen-address={url.removeprefix('http://')}",
        ],
        log_file=folder / "prometheus.log",
        environment={},
        ready=lambda _process: _until_ready(url),
    )
    async with process:
        yield url


def _settings(jobs: Mapping[str, Mapping[str, str]], scrape_seconds: int) -> dict[str, object]:
    return {
        "global": {"scrape_interval": f"{scrape_seconds}s", "evaluation_interval": f"{scrape_seconds}s"},
        "rule_files": [str(RULES)],
        "scrape_configs": [
            {
                "job_name": job,
                "static_configs": [
                    # A name tells more on a picture than a port that was drawn by lot.
                    {"targets": [target], "labels": {"instance": name}}
                    for name, target in processes.items()
                ],
            }
            for job, processes in jobs.items()
        ],
    }


async def _until_ready(url: str) -> None:
    async with httpx.AsyncClient(base_url=url, timeout=5, trust_env=False) as client:
        while True:
            with contextlib.suppress(httpx.TransportError):
                if (await client.get("/-/ready")).is_success:
                    return
            await asyncio.sleep(POLL_SECONDS)
