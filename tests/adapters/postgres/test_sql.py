"""Queries are found by their names, and a file that does not say what it means is refused."""

from importlib.resources import files

import pytest

from consumer.adapters.postgres.sql import load, parse

TEXT = "-- A file.\n\n-- name: one\n-- What it is for.\nSELECT 1\n\n-- name: two\nSELECT 2 -- two\n"


def test_queries_have_names() -> None:
    """By attribute or by key; the comment before the first belongs to none."""
    queries = parse("file", TEXT)
    assert list(queries) == ["one", "two"]
    assert queries["one"] == queries.one == "-- What it is for.\nSELECT 1"
    assert queries.two == "SELECT 2 -- two"
    assert len(queries) == 2


def test_a_missing_name_is_said() -> None:
    """With the query's name and the file's."""
    queries = parse("file", TEXT)
    with pytest.raises(KeyError, match=r"no query three in file\.sql"):
        queries["three"]
    with pytest.raises(AttributeError, match=r"no query three in file\.sql"):
        _ = queries.three


@pytest.mark.parametrize(
    ("text", "message"), [(TEXT + "-- name: one\nSELECT 3", "two queries"), ("-- name: one\n-- no more\n", "empty")]
)
def test_a_wrong_file_is_refused(text: str, message: str) -> None:
    """A name that stands twice would hide a query; an empty one does nothing."""
    with pytest.raises(ValueError, match=message):
        parse("file", text)


def test_every_query_says_what_it_is_for() -> None:
    """In all files of the package each query begins with a comment."""
    folder = files("consumer.adapters.postgres").joinpath("queries")
    names = [file.name.removesuffix(".sql") for file in folder.iterdir() if file.name.endswith(".sql")]
    assert {"intake", "outbox", "settings", "figures", "partitions"} <= set(names)
    silent = [f"{name}.{query}" for name in names for query, text in load(name).items() if not text.startswith("-- ")]
    assert silent == []
