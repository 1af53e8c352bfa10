"""Puts the project's folder on the path, so that tests can import `tests.…`, and loads the fixtures of the servers."""

import sys
from pathlib import Path

ROOT = str(Path(__file__).resolve().parent.parent)
if ROOT not in sys.path:
    sys.path.insert(0, ROOT)

pytest_plugins = ("tests.server_fixtures",)
