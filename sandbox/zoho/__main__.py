"""`python -m sandbox.zoho --state FILE.sqlite`: runs the stand-in for Zoho Books."""

import argparse
from pathlib import Path

from sandbox.zoho.server import serve


def main() -> None:
    """Read the command line and run until told to stop."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.zoho", description="A stand-in for Zoho Books.")
    parser.add_argument("--state", type=Path, required=True, help="the SQLite file that holds the books")
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen at (default: this machine only)")
    parser.add_argument("--port", type=int, default=0, help="the port to listen at (default: a free one)")
    parser.add_argument("--seed-file", type=Path, help="JSON with clients, organizations and grants to begin with")
    parser.add_argument("--exit-with-parent", action="store_true", help="stop when the starting process ends")
    given = parser.parse_args()
    serve(
        state=given.state,
        host=given.host,
        port=given.port,
        seed_file=given.seed_file,
        exit_with_parent=given.exit_with_parent,
    )


if __name__ == "__main__":
    main()
