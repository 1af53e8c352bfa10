"""The shape of the code: short files, no words that say nothing, no SQL outside of its files."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LINES_MAX = 400
FUNCTION_LINES_MAX = 60
EMPTY_WORDS = {"utils", "util", "helpers", "helper", "common", "manager", "misc"}
CODE = [f for top in ("consumer", "schemas", "sandbox", "bench", "tests") for f in sorted((ROOT / top).rglob("*.py"))]
SQL = re.compile(r"\b(SELECT\s.+\sFROM|INSERT\s+INTO|UPDATE\s+\w+\s+SET|DELETE\s+FROM)\b", re.DOTALL)


@pytest.mark.parametrize("path", CODE, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_is_short_and_says_what_it_is(path: Path) -> None:
    """A file has under 400 lines, a name that says something, and functions that fit on a screen."""
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= LINES_MAX, f"{path} has {text.count(chr(10))} lines"
    assert not EMPTY_WORDS & set(path.stem.split("_"))
    functions = [n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
    long = [f.name for f in functions if (f.end_lineno or 0) - f.lineno + 1 > FUNCTION_LINES_MAX]
    assert not long, f"{path}: {long}"


@pytest.mark.parametrize(
    "path", [p for p in CODE if p.is_relative_to(ROOT / "consumer")], ids=lambda path: str(path.relative_to(ROOT))
)
def test_sql_stands_in_sql_files(path: Path) -> None:
    """Queries are named and described in .sql files, not spread over the code."""
    strings = [n.value for n in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(n, ast.Constant)]
    assert not [text for text in strings if isinstance(text, str) and SQL.search(text)]
