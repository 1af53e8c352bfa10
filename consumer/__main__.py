"""The `booked` command."""

import sys

from consumer.cli.commands import booked_app


def main() -> None:
    """Run the command."""
    booked_app(sys.argv[1:])()


if __name__ == "__main__":
    main()
