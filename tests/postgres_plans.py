"""How Postgres runs one of our statements: its plan, with what each step of it gave and touched."""

import json
from typing import Any

from consumer.adapters.postgres.pool import Connection


async def executed_plan(connection: Connection, query: str, arguments: str) -> dict[str, Any]:
    """Run a statement as the server runs it once it is prepared, and give the first step of its plan.

    ``arguments`` are SQL. Within a transaction, so that its settings count (``SET LOCAL plan_cache_mode = …``).
    """
    await connection.execute(f"PREPARE explained AS {query}")
    explained = await connection.fetchval(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) EXECUTE explained({arguments})")
    await connection.execute("DEALLOCATE explained")
    plan: dict[str, Any] = json.loads(explained)[0]["Plan"]
    return plan


def pages_touched(plan: dict[str, Any]) -> int:
    """Count the pages that the statement has looked at, in memory or not."""
    return int(plan["Shared Hit Blocks"]) + int(plan["Shared Read Blocks"])
