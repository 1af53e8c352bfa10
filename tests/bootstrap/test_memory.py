"""Freed memory goes back to the machine once a minute, where the C library can do that."""

import sys

import psutil
import pytest

from consumer.bootstrap.memory import EVERY_SECONDS, FreedMemory, library_trim

BLOCK_BYTES, BLOCKS = 2000, 40_000


def test_it_is_given_back_once_a_minute() -> None:
    """Not at the start, not twice in a minute, and nothing where there is no way to do it."""
    now, kept = [100.0], list[int]()
    freed = FreedMemory(kept.append, clock=lambda: now[0])
    assert not freed.give_back()
    now[0] += EVERY_SECONDS
    assert freed.give_back()
    assert not freed.give_back()
    now[0] += EVERY_SECONDS
    assert freed.give_back()
    assert kept == [0, 0]
    without = FreedMemory(None, clock=lambda: now[0])
    now[0] += EVERY_SECONDS
    assert not without.give_back()


@pytest.mark.skipif(library_trim() is None, reason="this C library cannot give freed memory back")
def test_pages_between_those_in_use_are_given_back() -> None:
    """Of many blocks all but one in a hundred are freed: what is left keeps the heap long, and yet most goes back."""
    trim = library_trim()
    assert trim is not None
    blocks = [bytearray(BLOCK_BYTES) for _ in range(BLOCKS)]
    kept = blocks[::100]
    del blocks
    before = psutil.Process().memory_info().rss
    trim(0)
    given = before - psutil.Process().memory_info().rss
    assert given > BLOCK_BYTES * BLOCKS / 2, sys.platform
    assert len(kept) == BLOCKS / 100
