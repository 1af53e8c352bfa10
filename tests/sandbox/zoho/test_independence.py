"""The stand-in shares no code with what it is there to test."""

import ast
from pathlib import Path

_FOLDER = Path(__file__).resolve().parents[3] / "sandbox" / "zoho"


def _imported(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {one.name.partition(".")[0] for one in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").partition(".")[0])
    return found


def test_nothing_of_booked_is_imported() -> None:
    """No file of the stand-in imports the consumer or the schemas; a shared mistake would hide from every test."""
    files = sorted(_FOLDER.glob("*.py"))
    assert len(files) > 30
    assert {path.name for path in files if _imported(path) & {"consumer", "schemas"}} == set()
    assert "sandbox" in _imported(_FOLDER / "invoices.py")
