"""Memory that nobody needs goes back to the machine once a minute."""

import gc
import sys
import weakref

import psutil
import pytest

from consumer.bootstrap.memory import EVERY_SECONDS, FreedMemory, library_trim

BLOCK_BYTES, BLOCKS = 2000, 40_000


def test_it_is_given_back_once_a_minute() -> None:
    """Not at the start, and not twice in a minute."""
    now, kept = [100.0], list[int]()
    freed = FreedMemory(kept.append, clock=lambda: now[0])
    assert not freed.give_back()
    now[0] += EVERY_SECONDS
    assert freed.give_back()
    assert not freed.give_back()
    now[0] += EVERY_SECONDS
    assert freed.give_back()
    assert kept == [0, 0]


class _Call:
    """What holds itself, as a call that was given up is held by its traceback."""

    def __init__(self) -> None:
        self.itself = self


def test_circles_that_have_grown_old_are_collected() -> None:
    """One that has lived through the looks at young objects goes too, also where the C library gives nothing back."""
    now = [100.0]
    freed = FreedMemory(None, clock=lambda: now[0])
    call = _Call()
    gc.collect(1)
    gc.collect(1)
    old = weakref.ref(call)
    del call
    gc.collect(1)
    assert old() is not None
    now[0] += EVERY_SECONDS
    assert freed.give_back()
    assert old() is None


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
