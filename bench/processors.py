"""Processor time of servers, read from outside: what a loaded machine changes less than the clock on the wall."""

from contextlib import suppress

import psutil


def cpu_seconds(process_id: int) -> float:
    """Add up what a process, its living children and those that it has waited for have used, user and system."""
    process = psutil.Process(process_id)
    own = process.cpu_times()
    total = own.user + own.system + own.children_user + own.children_system
    for child in process.children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            used = child.cpu_times()
            total += used.user + used.system
    return float(total)
