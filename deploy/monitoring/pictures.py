"""`make pictures`: half an hour of a demo under a real Prometheus, and a picture of each dashboard for the docs.

`python -m deploy.monitoring.pictures --minutes 3 --folder FOLDER` tries it in short. It wants Prometheus as a program:
Debian's package, or what `python -m tests.monitoring.prometheus` unpacks; ``--prometheus`` names another one.
"""

import argparse
import asyncio
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from rich.console import Console

from deploy.monitoring.half_an_hour import Running, lasting_demo, let_it_happen
from deploy.monitoring.picture import draw_boards
from sandbox.errors import SandboxError
from sandbox.kafka import quiet_client
from sandbox.progress import Narrator, OnConsole
from sandbox.prometheus import find

ROOT: Final = Path(__file__).resolve().parents[2]
EXIT_UNAVAILABLE: Final = 69  # EX_UNAVAILABLE of sysexits.h
EXIT_INTERRUPTED: Final = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo and draw; 0 where the pictures are there, 69 where something that is needed cannot be had."""
    parser = argparse.ArgumentParser(prog="python -m deploy.monitoring.pictures", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0, help="how long the demo lasts (default: 30)")
    parser.add_argument("--folder", type=Path, default=ROOT / "docs" / "pictures", help="where the pictures go")
    parser.add_argument("--prometheus", type=Path, help="the program (default: on the path, or below .sandbox)")
    given = parser.parse_args(arguments)
    try:
        with quiet_client():
            asyncio.run(_make(given.prometheus or find(), given.minutes * 60, given.folder))
    except SandboxError as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_UNAVAILABLE
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    return 0


async def _make(binary: Path, seconds: float, folder: Path) -> None:
    narrator = OnConsole(Console())
    narrator.say(f"Prometheus is {binary}")
    async with lasting_demo(binary=binary, seconds=seconds, narrator=narrator) as running:
        narrator.say(f"Dashboards as they fill: {running.prometheus_url}; logs: {running.world.booked.folder}")
        began = time.time()
        await let_it_happen(running, narrator)
        await _draw(running, began, folder, narrator)


async def _draw(running: Running, began: float, folder: Path, narrator: Narrator) -> None:
    drawn = await asyncio.to_thread(draw_boards, running.prometheus_url, folder, begin=began, end=time.time())
    for path, figures in drawn.items():
        narrator.say(f"{path}: {figures} panels with figures")


if __name__ == "__main__":
    sys.exit(main())
