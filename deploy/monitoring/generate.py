"""`python -m deploy.monitoring.generate`: writes the dashboards as JSON; with ``--check`` tells which are stale."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from deploy.monitoring.boards import BOARDS

FOLDER: Final = Path(__file__).resolve().parent / "dashboards"


def rendered() -> dict[Path, str]:
    """Give every dashboard's file with its text."""
    encoder = JSONEncoder(sort_keys=True, indent=2)
    return {FOLDER / f"{name}.json": encoder.encode(make()) + "\n" for name, make in BOARDS.items()}


def main(arguments: Sequence[str]) -> int:
    """Write the files, or with --check tell which are stale."""
    stale = []
    for file, text in rendered().items():
        if not file.is_file() or file.read_text(encoding="utf-8") != text:
            stale.append(file.name)
            if "--check" not in arguments:
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text, encoding="utf-8")
    if stale and "--check" in arguments:
        sys.stderr.write(f"stale: {', '.join(stale)}; run: make dashboards\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
