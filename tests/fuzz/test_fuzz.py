"""Whatever comes in is read, or refused with a reason: no parser falls over, hangs, or books what it misread."""

import gzip
import os
import secrets
from collections.abc import AsyncIterator

import httpx
import pytest

from consumer.adapters.zoho.bounded import BoundedTransport, UnreadableAnswerError
from tests.fuzz.targets import TARGETS, Target
from tests.fuzz.trial import CORPUS, STAND_IN, Trial, _one, play, play_kept

INPUTS = 20_000


def test_random_inputs_of_a_new_seed_do_no_harm() -> None:
    """Every run draws other inputs; a failure names the seed, and FUZZ_SEED draws them again."""
    seed = int(os.environ.get("FUZZ_SEED", secrets.randbelow(10**9)))
    trial = play((seed, 0, INPUTS))
    assert trial.problems == [], f"seed {seed}"
    assert set(trial.inputs) == {*(target.name for target in TARGETS), STAND_IN}
    assert min(trial.inputs.values()) > INPUTS // 100


def test_the_corpus_does_no_harm() -> None:
    """What once did harm, and what is odd in a way of its own, is fed every time."""
    trial = play_kept()
    assert trial.problems == []
    assert trial.inputs.total() == len(list(CORPUS.glob("*/*.bin"))) >= 10


def test_what_falls_over_is_seen() -> None:
    """A parser that raises what it may not, or turns in a circle, is named with its input."""

    def circle(_given: bytes) -> None:
        while True:
            pass

    def fall(given: bytes) -> None:
        raise KeyError(given)

    trial = Trial()
    for name, feed in (("falls", fall), ("circles", circle)):
        _one(Target(name=name, make=lambda _: b"", feed=feed, share=1), b"input", "seed 1", trial)
    assert [problem.split(":")[0] for problem in trial.problems] == ["falls (seed 1)", "circles (seed 1)"]
    assert [given for _, given in trial.spoilers] == [b"input", b"input"]


class _Packed(httpx.AsyncBaseTransport):
    """Answers with these bytes, said to be gzip."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self.given = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer."""
        del request
        return httpx.Response(200, headers={"content-encoding": "gzip"}, stream=_Stream(self._pieces()))

    async def _pieces(self) -> AsyncIterator[bytes]:
        for start in range(0, len(self._content), 1024):
            self.given += 1024
            yield self._content[start : start + 1024]


class _Stream(httpx.AsyncByteStream):
    def __init__(self, pieces: AsyncIterator[bytes]) -> None:
        self._pieces = pieces

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._pieces


async def test_a_gzip_bomb_is_left_after_what_an_answer_may_have() -> None:
    """64 MB of zeros in some kilobytes: no more is unpacked than an answer may have, and the rest is not read."""
    inner = _Packed(gzip.compress(b"\0" * (64 * 1024 * 1024), 9) + b"\0" * 10_000_000)
    async with httpx.AsyncClient(transport=BoundedTransport(inner, max_body_bytes=1_000_000)) as client:
        with pytest.raises(UnreadableAnswerError):
            await client.get("https://books.example/")
    assert inner.given < 200_000


async def test_a_bomb_within_a_bomb_is_unpacked_once() -> None:
    """What an answer holds is never unpacked a second time."""
    bomb = gzip.compress(b"\0" * (64 * 1024 * 1024), 9)
    async with httpx.AsyncClient(transport=BoundedTransport(_Packed(gzip.compress(bomb)))) as client:
        answer = await client.get("https://books.example/")
    assert answer.content == bomb
