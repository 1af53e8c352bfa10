"""The queries, each with a name, as they stand in ``queries/*.sql``.

A file holds queries one after another; each begins with a line ``-- name: lock_positions`` and a comment that says what
it is for. Nothing else in this package holds SQL, so that every query can be read, explained and reviewed as SQL.
"""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib.resources import files

_NAME = re.compile(r"^-- name:[ \t]*(?P<name>[a-z][a-z0-9_]*)[ \t]*$", re.MULTILINE)


class Queries(Mapping[str, str]):
    """The queries of one file: ``queries["lock_positions"]`` or ``queries.lock_positions``; KeyError names both."""

    def __init__(self, source: str, texts: Mapping[str, str]) -> None:
        self._source = source
        self._texts = dict(texts)

    def __getitem__(self, name: str) -> str:
        try:
            return self._texts[name]
        except KeyError:
            raise KeyError(f"there is no query {name} in {self._source}.sql") from None

    def __getattr__(self, name: str) -> str:
        try:
            return self[name]
        except KeyError as error:
            raise AttributeError(error.args[0]) from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._texts)

    def __len__(self) -> int:
        return len(self._texts)


def parse(source: str, text: str) -> Queries:
    """Read the queries out of a file's text. Raises ValueError where a name stands twice or a query is empty."""
    marks = list(_NAME.finditer(text))
    texts: dict[str, str] = {}
    for mark, following in zip(marks, [*marks[1:], None], strict=True):
        name = mark["name"]
        body = text[mark.end() : following.start() if following else len(text)].strip()
        if name in texts:
            raise ValueError(f"{source}.sql holds two queries named {name}")
        if all(line.startswith("--") or not line.strip() for line in body.splitlines()):
            raise ValueError(f"the query {name} in {source}.sql is empty")
        texts[name] = body
    return Queries(source, texts)


@lru_cache(maxsize=64)
def load(name_of_file: str) -> Queries:
    """Read ``queries/<name_of_file>.sql``, once per process. Raises FileNotFoundError or ValueError."""
    file = files("consumer.adapters.postgres").joinpath("queries", f"{name_of_file}.sql")
    return parse(name_of_file, file.read_text(encoding="utf-8"))
