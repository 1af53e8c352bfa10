"""What the process does to itself before it reads its first secret."""

import resource


def forbid_core_dumps() -> None:
    """Let a crash leave no core file: it would hold every key, token and order that was in memory."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
