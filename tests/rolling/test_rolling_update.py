"""An update while orders come in, with both releases on the newer schema: nothing lost, nothing twice, no long wait."""

import logging
import subprocess
from pathlib import Path

import pytest

from consumer.adapters.postgres.migrations import HEAD
from tests.chaos.rig import Rig
from tests.rolling.release import COLUMN, INDEX, NEXT, next_release, this_release
from tests.rolling.update import STOP_SECONDS, roll, run_command

log = logging.getLogger(__name__)
# What is promised is 10 s on a machine of its own (docs/performance.md); tests share theirs with much else.
P99_SECONDS_MAX = 45.0


@pytest.mark.acceptance
async def test_an_update_loses_nothing_and_does_nothing_twice(rig: Rig, tmp_path: Path) -> None:
    """The migration runs beside the old release, which goes on working on the newer schema until it is replaced."""
    old, new = this_release(), next_release(tmp_path / "next")
    async with rig.world("rolling", seed=1) as world:
        rolled = await roll(world, old, new)
        log.warning("%s", rolled.table())
        await run_command(world, old, "migrate")  # as after a rollback: it finds a newer schema and leaves it
        assert [str(finding) for finding in await world.findings()] == []
        async with world.sql() as connection:
            assert await connection.fetchval("SELECT max(version_num) FROM alembic_version") == NEXT
            assert await connection.fetchval(f"SELECT count(*) FROM orders WHERE {COLUMN} = 'nothing'") > 0
            assert await connection.fetchval("SELECT count(*) FROM pg_indexes WHERE indexname = $1", INDEX) == 1
    assert [code for _, code in rolled.stops] == [0, 0]
    assert max(seconds for seconds, _ in rolled.stops) < STOP_SECONDS
    assert len(rolled.latencies) >= 10
    assert rolled.p99_seconds < P99_SECONDS_MAX


def test_the_next_release_is_code_of_its_own(tmp_path: Path) -> None:
    """What is started as the new release runs from its folder and asks for the newer schema; the old one does not."""
    old, new = this_release(), next_release(tmp_path / "next")
    assert (old.head, new.head) == (HEAD, NEXT)
    for release in (old, new):
        command = [
            *release.program[:2],
            "-c",
            "import consumer.adapters.postgres.migrations as m; print(m.__file__, m.HEAD)",
        ]
        done = subprocess.run(  # noqa: S603  # the interpreter of the tests
            command, env=release.environment({}), check=True, capture_output=True, text=True, timeout=60
        )
        file, head = done.stdout.split()
        assert Path(file).is_relative_to(release.folder)
        assert head == release.head
